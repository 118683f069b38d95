"""The segment that is being written: its two files, and how far each is committed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from c2kit.storage import files
from c2kit.storage.block import Totals
from c2kit.storage.names import SegmentFiles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from c2kit.kernel.contract import Buffer
    from c2kit.storage.block import BlockHeader
    from c2kit.storage.index import IndexSchema
    from c2kit.storage.recovery import Recovered

__all__ = ["OpenSegment"]


class OpenSegment:
    """Writes behind what is committed, and can cut off again what it wrote. All methods raise OSError."""

    def __init__(self, where: SegmentFiles, opened_ns: int | None, schema_crc32: int, data: int, index: int) -> None:
        self.where = where
        self.opened_ns = opened_ns
        self.schema_crc32 = schema_crc32
        self.data_bytes = 0
        self.index_bytes = 0
        self.totals = Totals()
        self._data, self._index = data, index

    @classmethod
    def create(cls, directory: Path, descriptor: int, schema: IndexSchema) -> OpenSegment:
        """Begin a segment; it is on the disk, empty, when this returns. ``descriptor`` is of the open directory.

        The index comes first, with its schema, so that packets without one are never what a crash leaves.
        """
        where = SegmentFiles.of(directory, schema.start, schema.kind.suffix)
        opened: list[int] = []
        try:
            opened.append(files.create(where.index))
            files.write_at(opened[0], [schema.message], 0)
            files.sync_data(opened[0])
            opened.append(files.create(where.data))
            files.sync_directory(descriptor)
        except BaseException:
            for each in opened:
                os.close(each)
            files.remove(where.data)
            files.remove(where.index)
            raise
        index, data = opened
        segment = cls(where, schema.opened_ns, schema.crc32, data, index)
        segment.index_bytes = len(schema.message)
        return segment

    @classmethod
    def reopen(cls, recovered: Recovered) -> OpenSegment | None:
        """Go on behind the last whole block of a log, if it has one."""
        if recovered.segment is None or recovered.last is None:
            return None
        where, last = recovered.segment, recovered.last
        data = files.open_to_write(where.data)
        try:
            index = files.open_to_write(where.index)
        except OSError:
            os.close(data)
            raise
        opened_ns = None if recovered.schema is None else recovered.schema.opened_ns
        segment = cls(where, opened_ns, last.header.schema_crc32, data, index)
        segment.data_bytes, segment.index_bytes = last.header.end, last.end
        segment.totals = last.header.segment
        return segment

    def write_packets(self, pieces: Sequence[Buffer]) -> None:
        """Write behind the packets that are committed."""
        files.write_at(self._data, pieces, self.data_bytes)
        files.begin_to_sync(self._data, self.data_bytes, sum(map(len, pieces)))

    def sync_packets(self) -> None:
        """Have them on the disk."""
        files.sync_data(self._data)

    def write_index(self, message: Sequence[Buffer]) -> None:
        """Write behind the blocks that are committed."""
        files.write_at(self._index, message, self.index_bytes)

    def sync_index(self) -> None:
        """Have them on the disk."""
        files.sync_data(self._index)

    def removed_file(self) -> Path | None:
        """One of its files that somebody removed: what is written to it nobody will ever read."""
        opened = ((self.where.data, self._data), (self.where.index, self._index))
        return next((path for path, descriptor in opened if not files.has_name(descriptor)), None)

    def committed(self, header: BlockHeader, message: Sequence[Buffer]) -> None:
        """What was written and synced is a block now."""
        self.data_bytes = header.end
        self.index_bytes += sum(memoryview(piece).nbytes for piece in message)
        self.totals = header.segment

    def roll_back(self) -> None:
        """Cut off what is not committed, the index first, so that it never tells of packets that are not there."""
        files.cut(self._index, self.index_bytes)
        files.cut(self._data, self.data_bytes)

    def close(self) -> None:
        """Close both files."""
        os.close(self._data)
        os.close(self._index)
