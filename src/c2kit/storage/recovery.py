"""What a writer does before it writes: cut a log back to its last whole block.

A block is whole when its message, its rows and the CRC of its packets prove. What stands behind the last one was never
acknowledged (or is damaged beyond use), and is cut off both files. Damage before it is none of a writer's business: the
reader tells of it, and cutting there would take whole blocks away.
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.errors import MessageError
from c2kit.storage import files
from c2kit.storage.errors import LogDamaged
from c2kit.storage.files import ReadFile
from c2kit.storage.findings import Finding, FindingKind
from c2kit.storage.names import segments_in
from c2kit.storage.scan import Entry, last_entry, read_schema_of, rows_of, scan

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.storage.index import IndexSchema
    from c2kit.storage.names import SegmentFiles

__all__ = ["Recovered", "recover"]

_REBUILD = "rebuild the index first (rebuild_index, or c2kit log repair)"


@frozen(kw_only=True)
class Recovered:
    """Where a log ends, and what was cut off it."""

    segment: SegmentFiles | None = None
    """The last segment with a whole block; ``None`` where the log has none."""
    schema: IndexSchema | None = None
    """``None`` also where that of the segment is damaged."""
    last: Entry | None = None
    cut: tuple[Finding, ...] = ()


def recover(directory: Path, suffix: str) -> Recovered:
    """Cut a log back to its last whole block, and remove segments that have none.

    Whoever calls this has the lock. Raises LogDamaged where packets lie there that no index accounts for, which no
    crash can bring about; nothing was cut then.
    """
    cut: list[Finding] = []
    for segment in reversed(segments_in(directory, suffix)):
        if not segment.index.exists():
            _refuse_lost_index(segment)
            files.remove(segment.data)
            continue
        with ReadFile(segment.index) as index:
            schema = read_schema_of(index)
            last = _last_whole(segment, index)
            if last is not None:
                cut += _cut_back(segment, index, last)
                is_proved = schema is not None and schema.crc32 == last.header.schema_crc32
                proved = schema.schema if schema is not None and is_proved else None
                return Recovered(segment=segment, schema=proved, last=last, cut=tuple(cut))
            _refuse_lost_data(segment, index)
            if schema is None:
                _refuse_lost_index(segment)
            cut += _remove(segment, index, after=index.size if schema is None else schema.end)
    return Recovered(cut=tuple(cut))


def _last_whole(segment: SegmentFiles, index: ReadFile) -> Entry | None:
    if not segment.data.exists():
        return None
    with ReadFile(segment.data) as data:
        last = last_entry(index)
        if last is not None and _is_whole(index, data, last):
            return last
        entries = [found for found in scan(index) if isinstance(found, Entry)]
        return next((entry for entry in reversed(entries) if _is_whole(index, data, entry)), None)


def _is_whole(index: ReadFile, data: ReadFile, entry: Entry) -> bool:
    header = entry.header
    if header.end > data.size:
        return False
    try:
        rows_of(index, entry)
    except MessageError:
        return False
    return zlib.crc32(data.read(header.offset, header.size_bytes)) == header.crc32


def _cut_back(segment: SegmentFiles, index: ReadFile, last: Entry) -> list[Finding]:
    """Cut the index first, so that it never tells of packets that are not there."""
    cut = _cut_file(segment.index, index.size, last.end)
    cut += _cut_file(segment.data, segment.data.stat().st_size, last.header.end)
    return cut


def _cut_file(path: Path, size: int, wanted: int) -> list[Finding]:
    if size <= wanted:
        return []
    descriptor = files.open_to_write(path)
    try:
        files.cut(descriptor, wanted)
        files.sync_data(descriptor)
    finally:
        os.close(descriptor)
    return [Finding(FindingKind.UNFINISHED, path, wanted, size - wanted)]


def _refuse_lost_index(segment: SegmentFiles) -> None:
    """The schema is on the disk before the first packet is: packets without it are not what a crash left."""
    if segment.data.exists() and segment.data.stat().st_size:
        found = FindingKind.DAMAGED_INDEX if segment.index.exists() else FindingKind.MISSING_FILE
        raise LogDamaged(Finding(found, segment.index), remedy=_REBUILD)


def _refuse_lost_data(segment: SegmentFiles, index: ReadFile) -> None:
    """Both files are there before the first block is."""
    if not segment.data.exists() and any(isinstance(found, Entry) for found in scan(index)):
        raise LogDamaged(Finding(FindingKind.MISSING_FILE, segment.data), remedy="put it back, or move its index away")


def _remove(segment: SegmentFiles, index: ReadFile, after: int) -> list[Finding]:
    """Remove a segment without a whole block. That it was begun, and no more, is not worth a word."""
    cut = []
    if index.size > after:
        cut.append(Finding(FindingKind.UNFINISHED, segment.index, after, index.size - after))
    if segment.data.exists() and (size := segment.data.stat().st_size):
        cut.append(Finding(FindingKind.UNFINISHED, segment.data, 0, size))
    files.remove(segment.data)
    files.remove(segment.index)
    return cut
