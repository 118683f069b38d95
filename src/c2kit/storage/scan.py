"""Finding the blocks of an index, whatever happened to it.

Messages lie one after another, each a multiple of 8 bytes long. Where one is not whole, the next is sought by the mark
that begins every message and the trailer that proves it, so that damage costs the blocks that it touches and no others.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.batches.arrow.message import CONTINUATION, PREFIX_BYTES, read_header, read_prefix
from c2kit.errors import MessageError
from c2kit.storage.block import BlockHeader
from c2kit.storage.index import TRAILER_BYTES, IndexSchema, Trailer, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.storage.files import ReadFile
    from c2kit.storage.index import Rows

__all__ = ["Entry", "Hole", "SchemaFound", "entry_at", "last_entry", "read_schema_of", "rows_of", "scan"]

_FIRST_READ_BYTES = 2048
"""Most often the whole metadata of a message: one read a block."""
_MAX_METADATA_BYTES = 2**24
_WINDOW_BYTES = 2**20
# A message of at most that much metadata, which is never empty. The mark cannot be found where it overlaps itself.
_BEGIN = re.compile(re.escape(CONTINUATION) + rb"[\x00-\xf8].{2}\x00", re.DOTALL)


@frozen
class SchemaFound:
    """A schema message as it stands in an index: read, but proved only by the blocks that tell its CRC."""

    schema: IndexSchema
    end: int
    crc32: int


@frozen
class Entry:
    """A block whose metadata are as they were written; its rows are checked when they are read."""

    position: int
    """Where its message begins in the index, and where it ends."""
    end: int
    header: BlockHeader


@frozen
class Hole:
    """Bytes of an index that are no whole message; ``is_cut_off`` where the file ends before the message does."""

    position: int
    end: int
    is_cut_off: bool = False


def read_schema_of(index: ReadFile) -> SchemaFound | None:
    """The schema message that begins an index; ``None`` where it is not whole."""
    metadata_end = _metadata_end(index.read(0, PREFIX_BYTES), index.size)
    if metadata_end is None:
        return None
    message = index.read(0, metadata_end)
    try:
        return SchemaFound(IndexSchema.from_message(message), len(message), zlib.crc32(message))
    except MessageError:
        return None


def _metadata_end(prefix: bytes, limit: int) -> int | None:
    """How many bytes of a message come before its body; ``None`` where none does that ends by ``limit``."""
    try:
        size = read_prefix(prefix)
    except MessageError:
        return None
    return PREFIX_BYTES + size if 0 < size <= min(_MAX_METADATA_BYTES, limit - PREFIX_BYTES) else None


def entry_at(index: ReadFile, position: int, limit: int) -> Entry | None:
    """The block whose message begins at ``position`` and ends by ``limit``, if there is one and its metadata prove."""
    first = index.read(position, min(_FIRST_READ_BYTES, limit - position))
    metadata_end = _metadata_end(first[:PREFIX_BYTES], limit - position)
    if metadata_end is None:
        return None
    head = first[:metadata_end] + index.read(position + len(first), metadata_end - len(first))
    end = _message_end(head)
    if end is None or position + end > limit:
        return None
    trailer = Trailer.of(index.read(position + end - TRAILER_BYTES, TRAILER_BYTES))
    if trailer is None or trailer.message_bytes != end or trailer.metadata_crc != zlib.crc32(head):
        return None
    try:
        told = read_header(memoryview(head)[PREFIX_BYTES:]).custom
        header = BlockHeader.from_json(told.get("c2kit.block", ""))
    except MessageError:
        return None
    return Entry(position, position + end, header)


def _message_end(head: bytes) -> int | None:
    """The size of a record batch's message, of which this is the part before the body."""
    try:
        header = read_header(memoryview(head)[PREFIX_BYTES:])
    except MessageError:
        return None
    if not header.is_record_batch or header.body_bytes < TRAILER_BYTES or header.body_bytes % 8:
        return None
    return len(head) + header.body_bytes


def last_entry(index: ReadFile) -> Entry | None:
    """The block that the index ends with; ``None`` where what it ends with is not the end of a block."""
    size = index.size
    trailer = Trailer.of(index.read(size - TRAILER_BYTES, TRAILER_BYTES)) if size >= TRAILER_BYTES else None
    if trailer is None or not TRAILER_BYTES < trailer.message_bytes <= size:
        return None
    return entry_at(index, size - trailer.message_bytes, size)


def rows_of(index: ReadFile, entry: Entry) -> Rows:
    """The rows of a block. Raises MessageError where they are not what was written."""
    return read_rows(index.read(entry.position, entry.end - entry.position), entry.header)


def scan(index: ReadFile, position: int = 0) -> Iterator[Entry | Hole]:
    """All blocks of an index from ``position`` on, and what lies between them that is none, in their order.

    The bytes that the file has now are looked at; what a writer adds meanwhile is not.
    """
    limit = index.size
    while position < limit:
        entry = entry_at(index, position, limit)
        if entry is None:
            entry = _next_entry(index, position + 1, limit)
            end = limit if entry is None else entry.position
            yield Hole(position, end, is_cut_off=entry is None and _is_cut_off(index, position, limit))
            position = end
        if entry is not None:
            yield entry
            position = entry.end


def _next_entry(index: ReadFile, position: int, limit: int) -> Entry | None:
    """The first block from ``position`` on, wherever it begins: bytes may have been put in before it."""
    while position < limit:
        window = index.read(position, min(_WINDOW_BYTES, limit - position))
        for found in _BEGIN.finditer(window):
            if entry := entry_at(index, position + found.start(), limit):
                return entry
        position += _WINDOW_BYTES - PREFIX_BYTES + 1  # the beginning of a message may lie across the end of a window
    return None


def _is_cut_off(index: ReadFile, position: int, limit: int) -> bool:
    """Whether the bytes up to ``limit`` can be the beginning of a message."""
    prefix = index.read(position, min(limit - position, PREFIX_BYTES))
    if len(prefix) < PREFIX_BYTES:
        return prefix.startswith(CONTINUATION[: len(prefix)])
    metadata_end = _metadata_end(prefix, PREFIX_BYTES + _MAX_METADATA_BYTES)
    if metadata_end is None:
        return False
    if position + metadata_end > limit:
        return True
    end = _message_end(index.read(position, metadata_end))
    return end is not None and position + end > limit
