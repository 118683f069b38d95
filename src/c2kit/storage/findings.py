"""What is found to be wrong with a log, as data."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Finding", "FindingKind"]


@unique
class FindingKind(StrEnum):
    """What is wrong."""

    MISSING_SEGMENT = "missing segment"
    """Bytes of the log that no segment has: one was taken away, or is shorter than it was."""
    MISSING_FILE = "missing file"
    """A segment without its packets or without its index."""
    DAMAGED_INDEX = "damaged index"
    """Bytes of an index that are no whole block, or no schema, of this segment."""
    DAMAGED_PACKETS = "damaged packets"
    """Bytes of packets whose CRC is not the one in the index."""
    NOT_INDEXED = "not indexed"
    """Bytes of packets that no block of the index accounts for."""
    UNFINISHED = "unfinished"
    """What follows the last whole block: a commit that is going on or never ended. A writer cuts it off."""
    REBUILT = "rebuilt"
    """A block that was put back into an index: nobody can tell whether its packets are as they were."""
    MISSING_DEFINITIONS = "missing definitions"
    """Definitions that packets name and the log has no sound copy of."""


@frozen
class Finding:
    """Something that is wrong: ``size_bytes`` bytes of the file ``path``, from ``first_byte`` on."""

    kind: FindingKind
    path: Path
    first_byte: int = 0
    size_bytes: int = 0
    detail: str = ""

    @property
    def is_damage(self) -> bool:
        """Whether something is lost or wrong; what is unfinished was never acknowledged."""
        return self.kind is not FindingKind.UNFINISHED

    def __str__(self) -> str:
        place = f"bytes {self.first_byte} to {self.first_byte + self.size_bytes}: " if self.size_bytes else ""
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.path}: {place}{self.kind}{detail}"
