"""What the prover found: one frozen value a finding, that a person or a program can act on."""

from __future__ import annotations

from enum import IntEnum, unique
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from c2kit.model.source import Source

__all__ = ["Finding", "Severity"]


@unique
class Severity(IntEnum):
    """How bad a finding is; only errors make ``c2kit check`` fail."""

    ERROR = 0
    """It cannot be what was meant: data would be lost, taken for other data, or refused."""
    WARNING = 1
    """It is most likely a mistake."""
    NOTE = 2
    """It is worth knowing."""


@frozen(kw_only=True)
class Finding:
    """One thing that is wrong or unwise.

    ``rule`` is a stable name to search and filter by; ``where`` is ``TARGET PACKET ITEM``; ``witness`` is bytes that
    show
    it, where there are such.
    """

    severity: Severity
    rule: str
    where: str
    what: str
    remedy: str
    source: Source | None = None
    witness: bytes | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """Sorts by severity, then by place."""
        place = (self.source.file, self.source.line, self.source.column) if self.source else ("", 0, 0)
        return (self.severity, *place, self.where, self.rule, self.what)

    def as_json(self) -> dict[str, Any]:
        """A plain dictionary for ``--json``; the witness in hex."""
        source = self.source
        return {
            "severity": self.severity.name.lower(),
            "rule": self.rule,
            "where": self.where,
            "what": self.what,
            "remedy": self.remedy,
            "file": source.file if source else None,
            "line": source.line if source else None,
            "column": source.column if source else None,
            "witness": self.witness.hex() if self.witness is not None else None,
        }

    def __str__(self) -> str:
        """``file:line:column: severity: where: what; remedy [rule]``, without what is empty."""
        place = f"{self.source}: " if self.source else ""
        where = f"{self.where}: " if self.where else ""
        witness = (
            f" (for example the bytes {self.witness.hex(' ') or 'of no length'})" if self.witness is not None else ""
        )
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{place}{self.severity.name.lower()}: {where}{self.what}{witness}{remedy} [{self.rule}]"
