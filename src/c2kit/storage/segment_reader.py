"""One segment as it is read: its blocks, proved, and what is wrong between them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.errors import MessageError
from c2kit.storage.block import Totals
from c2kit.storage.files import ReadFile
from c2kit.storage.findings import Finding, FindingKind
from c2kit.storage.names import INDEX_SUFFIX, segments_in
from c2kit.storage.scan import Entry, Hole, last_entry, read_schema_of, rows_of, scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

    from c2kit.storage.block import BlockHeader
    from c2kit.storage.index import IndexSchema, Rows
    from c2kit.storage.names import SegmentFiles

__all__ = ["Block", "SegmentReader", "schema_in"]


@frozen(eq=False)
class Block:
    """A block that was proved: what it says, and the bytes of its packets."""

    header: BlockHeader
    rows: Rows
    data: bytes


class SegmentReader:
    """Reads one segment, while a writer may go on writing it if it ``is_last``."""

    def __init__(self, files: SegmentFiles, *, is_last: bool) -> None:
        self.files = files
        self._is_last = is_last
        self._index = _opened(files.index)
        self._data = _opened(files.data)
        self._found = None if self._index is None else read_schema_of(self._index)

    def close(self) -> None:
        """Close its files."""
        for file in (self._index, self._data):
            if file is not None:
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def schema(self) -> IndexSchema | None:
        """What the index says it is of; ``None`` where that is damaged, or of another segment."""
        found = self._found
        if self._index is None or found is None or self._is_foreign:
            return None
        first = next((entry for entry in scan(self._index, found.end) if isinstance(entry, Entry)), None)
        return found.schema if first is None or first.header.schema_crc32 == found.crc32 else None

    @property
    def _is_foreign(self) -> bool:
        return self._found is not None and self._found.schema.start != self.files.start

    @property
    def last(self) -> Entry | None:
        """The last block, where the index ends with one; found without looking at the others."""
        return None if self._index is None or self._data is None or self._is_foreign else last_entry(self._index)

    @property
    def ends_whole(self) -> bool:
        """Whether both files end with the same block, as those of a segment do that nothing happened to."""
        last = self.last
        return last is not None and self._data is not None and self._data.size == last.header.end

    def totals(self) -> tuple[Totals, int]:
        """What the segment holds, and how many bytes: as its last block says, or else its blocks together."""
        last = self.last
        if last is not None:
            return last.header.segment, last.header.end
        totals, size = Totals(), 0
        for entry in self.entries():
            if isinstance(entry, Entry):
                totals, size = totals.plus(entry.header.holds), entry.header.end
        return totals, size

    def entries(self) -> Iterator[Entry | Finding]:
        """All blocks in their order, not yet proved, and between them what is wrong with the segment."""
        if self._index is None or self._data is None:
            yield self._missing(self._index)
            return
        reached = 0
        for found in self._blocks(self._index):
            if isinstance(found, Entry) and found.header.offset > reached:
                missing = found.header.offset - reached
                yield Finding(FindingKind.NOT_INDEXED, self.files.data, reached, missing)
            if isinstance(found, Entry) and found.header.offset < reached:
                yield self._wrong(found, "a block of packets that another one has")
                continue
            yield found
            reached = found.header.end if isinstance(found, Entry) else reached
        size = self._data.size
        if size > reached:
            kind = FindingKind.UNFINISHED if self._is_last else FindingKind.NOT_INDEXED
            yield Finding(kind, self.files.data, reached, size - reached)

    def _blocks(self, index: ReadFile) -> Iterator[Entry | Finding]:
        """The blocks that belong to this index, and what else is in it."""
        schema = self._found
        if self._is_foreign:
            yield Finding(FindingKind.DAMAGED_INDEX, self.files.index, 0, index.size, "it is of another segment")
            return
        crc32: int | None = None
        for found in scan(index, 0 if schema is None else schema.end):
            if isinstance(found, Hole):
                yield self._hole(found)
                continue
            if crc32 is None:
                crc32 = found.header.schema_crc32
                if schema is not None and schema.crc32 != crc32:
                    yield Finding(FindingKind.DAMAGED_INDEX, self.files.index, 0, schema.end, "its schema")
            yield found if found.header.schema_crc32 == crc32 else self._wrong(found, "a block of another index")

    def _missing(self, index: ReadFile | None) -> Finding:
        """One file alone: of a segment that is being begun, or of one that lost the other."""
        if index is None:
            path, is_begun = self.files.index, self._data is None or not self._data.size
        else:
            path, is_begun = self.files.data, not any(isinstance(found, Entry) for found in scan(index))
        return Finding(FindingKind.UNFINISHED if self._is_last and is_begun else FindingKind.MISSING_FILE, path)

    def _hole(self, hole: Hole) -> Finding:
        is_unfinished = hole.is_cut_off and self._is_last
        kind = FindingKind.UNFINISHED if is_unfinished else FindingKind.DAMAGED_INDEX
        return Finding(kind, self.files.index, hole.position, hole.end - hole.position)

    def _wrong(self, entry: Entry, detail: str) -> Finding:
        """A block that proves, and yet is not what should stand there."""
        size = entry.end - entry.position
        return Finding(FindingKind.DAMAGED_INDEX, self.files.index, entry.position, size, detail)

    def rows(self, entry: Entry) -> Rows:
        """The rows of a block, whatever became of its packets. Raises MessageError where they do not prove."""
        assert self._index is not None  # noqa: S101 - an entry of it was found
        return rows_of(self._index, entry)

    def data(self, first_byte: int, last_byte: int) -> bytes:
        """The bytes from ``first_byte`` up to, not including, ``last_byte`` as they are now, unproved."""
        return b"" if self._data is None else self._data.read(first_byte, last_byte - first_byte)

    def block(self, entry: Entry) -> Block | Finding:
        """Read a block and prove it; what is wrong with it otherwise."""
        header = entry.header
        try:
            rows = self.rows(entry)
        except MessageError as error:
            size = entry.end - entry.position
            return Finding(FindingKind.DAMAGED_INDEX, self.files.index, entry.position, size, str(error))
        data = self.data(header.offset, header.end)
        if len(data) < header.size_bytes:
            missing = header.end - header.offset - len(data)
            detail = f"the file ends {missing} bytes before"
            return Finding(FindingKind.DAMAGED_PACKETS, self.files.data, header.offset, header.size_bytes, detail)
        if zlib.crc32(data) != header.crc32:
            return Finding(FindingKind.DAMAGED_PACKETS, self.files.data, header.offset, header.size_bytes)
        return Block(header, rows, data)


def schema_in(directory: Path) -> IndexSchema | None:
    """What the log in a directory says it is of, in the first of its indices that can be read."""
    # Whether a log is of packets or of raw bytes, and so how its data files are called, is what is to be found out.
    for files in segments_in(directory, INDEX_SUFFIX):
        with SegmentReader(files, is_last=False) as segment:
            if (schema := segment.schema) is not None:
                return schema
    return None


def _opened(path: Path) -> ReadFile | None:
    try:
        return ReadFile(path)
    except FileNotFoundError:
        return None
