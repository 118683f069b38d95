"""Where logs lie, and what their files are called.

``<root>/<stream>/<partition>/`` is one log. A segment of it is two files named after how many bytes of packets the log
has in all segments before it, in 20 decimal digits: so that names sort in the order of writing, and a missing segment
shows.
"""

from __future__ import annotations

import re
from enum import Enum, unique
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.errors import UsageError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["INDEX_SUFFIX", "LogKind", "SegmentFiles", "find_logs", "log_directory", "segments_in"]

INDEX_SUFFIX = ".idx"
_STREAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SEGMENT = re.compile(r"\d{20}")


@unique
class LogKind(Enum):
    """What a log holds, as its indices say it."""

    PACKETS = "packet-log"
    COMMANDS = "command-log"
    RAW = "raw-log"

    @property
    def suffix(self) -> str:
        """How the names of its data files end: raw bytes are not to be taken for packets."""
        return ".raw" if self is LogKind.RAW else ".pkts"


@frozen
class SegmentFiles:
    """The two files of a segment, which may be missing."""

    start: int
    """Bytes of packets in all segments before it."""
    data: Path
    index: Path

    @classmethod
    def of(cls, directory: Path, start: int, suffix: str) -> SegmentFiles:
        """The files of the segment that begins at ``start``."""
        name = f"{start:020}"
        return cls(start, directory / f"{name}{suffix}", directory / f"{name}{INDEX_SUFFIX}")


def log_directory(root: str | PathLike[str], stream: str, partition: int) -> Path:
    """Where the log of a partition of a stream lies below ``root``."""
    if not _STREAM.fullmatch(stream) or partition < 0:
        raise UsageError(
            "a log of this stream would have no directory",
            expected="a name of letters, digits, dots, dashes and underscores, and a partition from 0",
            found=f"{stream!r}, partition {partition}",
        )
    return Path(root) / stream / str(partition)


def segments_in(directory: Path, suffix: str) -> list[SegmentFiles]:
    """The segments of a log, in the order in which they were written; files of other names are nobody's business."""
    names = [path.stem for path in directory.iterdir() if path.suffix in (suffix, INDEX_SUFFIX)]
    starts = sorted({int(name) for name in names if _SEGMENT.fullmatch(name)})
    return [SegmentFiles.of(directory, start, suffix) for start in starts]


def find_logs(root: str | PathLike[str]) -> list[Path]:
    """The directories at or below ``root`` that are logs, by name."""
    suffixes = {INDEX_SUFFIX, *(kind.suffix for kind in LogKind)}
    files = (path for path in Path(root).rglob("*") if path.suffix in suffixes and _SEGMENT.fullmatch(path.stem))
    return sorted({path.parent for path in files})
