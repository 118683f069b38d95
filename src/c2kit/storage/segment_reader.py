"""One segment as it is read: its blocks, proved, and what is wrong between them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.errors import MessageError
from c2kit.storage.block import Totals
from c2kit.storage.files import ReadFile
from c2kit.storage.findings import Finding, FindingKind
from c2kit.storage.names import INDEX_SUFFIX
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
        self._missing: Finding | None = None
        self.schema: IndexSchema | None = None
        try:
            self._index = ReadFile(files.index)
        except FileNotFoundError:
            self._missing = Finding(FindingKind.MISSING_FILE, files.index)
            return
        try:
            self._data = ReadFile(files.data)
        except FileNotFoundError:
            self._index.close()
            self._missing = Finding(FindingKind.MISSING_FILE, files.data)
            return
        read = read_schema_of(self._index)
        self._blocks_from = 0
        if read is not None:
            self.schema, self._blocks_from = read

    def close(self) -> None:
        """Close its files."""
        if self._missing is None:
            self._index.close()
            self._data.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def last(self) -> Entry | None:
        """The last block, where the index ends with one; found without looking at the others."""
        return None if self._missing is not None else last_entry(self._index)

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
        if self._missing is not None:
            # Of a segment that is just being begun, there may be one file only.
            kind = FindingKind.UNFINISHED if self._is_last and self._is_begun() else FindingKind.MISSING_FILE
            yield Finding(kind, self._missing.path)
            return
        reached = 0
        for found in scan(self._index, self._blocks_from):
            if isinstance(found, Hole):
                yield self._hole(found)
                continue
            wrong = self._wrong(found, reached)
            if wrong is not None:
                yield wrong
                continue
            if found.header.offset > reached:
                missing = found.header.offset - reached
                yield Finding(FindingKind.NOT_INDEXED, self.files.data, reached, missing)
            yield found
            reached = found.header.end
        size = self._data.size
        if size > reached:
            kind = FindingKind.UNFINISHED if self._is_last else FindingKind.NOT_INDEXED
            yield Finding(kind, self.files.data, reached, size - reached)

    def _is_begun(self) -> bool:
        """Whether no packet can have been lost with the file that is missing."""
        data = self.files.data
        return not data.exists() or not data.stat().st_size

    def _hole(self, hole: Hole) -> Finding:
        is_unfinished = hole.is_cut_off and self._is_last
        kind = FindingKind.UNFINISHED if is_unfinished else FindingKind.DAMAGED_INDEX
        return Finding(kind, self.files.index, hole.position, hole.end - hole.position)

    def _wrong(self, entry: Entry, reached: int) -> Finding | None:
        """A block that proves, and yet is not what should stand there."""
        detail = ""
        if self.schema is not None and entry.schema_fingerprint != self.schema.form.fingerprint:
            detail = "a block of another index"
        elif entry.header.offset < reached:
            detail = "a block of packets that another one has"
        size = entry.end - entry.position
        return Finding(FindingKind.DAMAGED_INDEX, self.files.index, entry.position, size, detail) if detail else None

    def rows(self, entry: Entry) -> Rows:
        """The rows of a block, whatever became of its packets. Raises MessageError where they do not prove."""
        return rows_of(self._index, entry)

    def data(self, first_byte: int, last_byte: int) -> bytes:
        """The bytes from ``first_byte`` up to, not including, ``last_byte`` as they are now, unproved."""
        return self._data.read(first_byte, last_byte - first_byte)

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
    for path in sorted(directory.glob(f"*{INDEX_SUFFIX}")):
        with ReadFile(path) as index:
            read = read_schema_of(index)
        if read is not None:
            return read[0]
    return None
