"""``c2kit log verify``: every byte of logs, proved or told to be wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from attrs import define, field

from c2kit.cli.logs.source import kind_of
from c2kit.cli.terminal import show, table
from c2kit.storage import FindingKind
from c2kit.storage.names import segments_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from c2kit.cli.logs.source import Log
    from c2kit.storage import Finding
    from c2kit.storage.block import BlockHeader

__all__ = ["verify"]

_CLASSES = ("whole", "damaged", "not indexed", "unfinished")
"""Each byte of a data file is in one of them."""


@define
class _Account:
    """What was found of one log, or of several together."""

    blocks: int = 0
    packets: int = 0
    """Those of whole blocks."""
    data_bytes: dict[str, int] = field(factory=lambda: dict.fromkeys(_CLASSES, 0))
    missing_bytes: int = 0
    """Those that blocks have, and files have not."""
    file_bytes: int = 0
    findings: list[Finding] = field(factory=list)

    @property
    def together(self) -> int:
        return sum(self.data_bytes.values())

    @property
    def is_damaged(self) -> bool:
        return self.together != self.file_bytes or any(finding.is_damage for finding in self.findings)

    def plus(self, other: _Account) -> _Account:
        return _Account(
            self.blocks + other.blocks,
            self.packets + other.packets,
            {name: self.data_bytes[name] + other.data_bytes[name] for name in _CLASSES},
            self.missing_bytes + other.missing_bytes,
            self.file_bytes + other.file_bytes,
            self.findings + other.findings,
        )

    def row(self, name: str) -> tuple[str, ...]:
        counts = (self.blocks, self.packets, *self.data_bytes.values(), self.together)
        return (name, *(f"{count:,}" for count in counts), self._verdict())

    def _verdict(self) -> str:
        if self.together != self.file_bytes:
            return f"but the files have {self.file_bytes:,}: please report this"
        damage = sum(finding.is_damage for finding in self.findings)
        missing = f", {self.missing_bytes:,} bytes are missing" if self.missing_bytes else ""
        return f"{damage:,} finding{'' if damage == 1 else 's'}{missing}" if damage else "all of the files"

    def as_json(self) -> dict[str, Any]:
        return self.totals() | {"findings": [_finding_as_json(finding) for finding in self.findings]}

    def totals(self) -> dict[str, Any]:
        return {
            "blocks": self.blocks,
            "packets": self.packets,
            "bytes": {name.replace(" ", "_"): count for name, count in self.data_bytes.items()},
            "together": self.together,
            "file_bytes": self.file_bytes,
            "missing_bytes": self.missing_bytes,
            "damaged": self.is_damaged,
        }


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "file": str(finding.path),
        "first_byte": finding.first_byte,
        "bytes": finding.size_bytes,
        "detail": finding.detail,
        "damage": finding.is_damage,
    }


@define
class _Verifying:
    """Proves one log, and takes note of where each byte of it belongs."""

    log: Log
    account: _Account = field(factory=_Account)

    def run(self, *, is_told: bool) -> _Account:
        before = self._file_bytes()
        for finding in self.log.verify(on_block=self._block):
            self.account.findings.append(finding)
            self._finding(finding)
            if is_told:
                click.echo(str(finding))
        # A writer may have added to it meanwhile, and what it added may have been looked at.
        looked_at = min(max(self.account.together, before), self._file_bytes())
        self.account.file_bytes = looked_at
        return self.account

    def _file_bytes(self) -> int:
        return sum(_size(files.data) for files in segments_in(self.log.directory, self.log.kind.suffix))

    def _block(self, data: Path, header: BlockHeader, finding: Finding | None) -> None:
        self._add("whole" if finding is None else "damaged", data, header.offset, header.size_bytes)
        if finding is None:
            self.account.blocks += 1
            self.account.packets += header.holds.packets

    def _finding(self, finding: Finding) -> None:
        """Bytes that no block has; those of damaged blocks were counted with these."""
        suffix = self.log.kind.suffix
        if finding.kind is FindingKind.MISSING_FILE and finding.path.suffix != suffix:
            data = finding.path.with_suffix(suffix)
            self._add(FindingKind.NOT_INDEXED, data, 0, _size(data))
        elif finding.kind in (FindingKind.NOT_INDEXED, FindingKind.UNFINISHED) and finding.path.suffix == suffix:
            self._add(finding.kind, finding.path, finding.first_byte, finding.size_bytes)

    def _add(self, name: str, data: Path, first_byte: int, size_bytes: int) -> None:
        there = min(size_bytes, max(0, _size(data) - first_byte))
        self.account.data_bytes[name] += there
        self.account.missing_bytes += size_bytes - there


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def verify(logs: Sequence[Log], *, as_json: bool) -> bool:
    """Prove logs, and show what is wrong with them; gives whether nothing is damaged."""
    accounts = [_Verifying(log).run(is_told=not as_json) for log in logs]
    together = _sum(accounts)
    if as_json:
        told = [_identity(log) | account.as_json() for log, account in zip(logs, accounts, strict=True)]
        click.echo(json.dumps({"logs": told, "together": together.totals()}, indent=2, ensure_ascii=False))
    else:
        headings = ("log", "blocks", "packets", *(f"bytes {name}" for name in _CLASSES), "together", "")
        made = table(*headings, right=frozenset(headings[1:-1]))
        for log, account in zip(logs, accounts, strict=True):
            made.add_row(*account.row(str(log.directory)))
        if len(logs) > 1:
            made.add_section()
            made.add_row(*together.row("together"))
        show(made)
    return not together.is_damaged


def _sum(accounts: Sequence[_Account]) -> _Account:
    total = _Account()
    for account in accounts:
        total = total.plus(account)
    return total


def _identity(log: Log) -> dict[str, Any]:
    return {"directory": str(log.directory), "kind": kind_of(log)}
