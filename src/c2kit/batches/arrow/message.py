"""The metadata of an Arrow record-batch message, and its framing, written and read to the byte.

An encapsulated message is ``FF FF FF FF``, the size of the metadata (int32, little-endian), the metadata, padding to a
multiple of 8 bytes, and the body ("Encapsulated message format" of the Arrow columnar format). The metadata is a
flatbuffer whose tables stand in Arrow's ``Message.fbs`` and ``Schema.fbs``, format version 1.0 (metadata V5).

This is the hot path, one message a batch, and ``nanoarrow`` cannot write the ``custom_metadata`` of a message, in which
the facts of a batch travel. A record batch's metadata is two tables and two vectors of fixed shape, so they are written
here directly: a constant head, the vectors, and a tail of facts. Schemas, which nest, are left
to ``nanoarrow`` (:mod:`c2kit.batches.arrow.schema`).

Nothing that is read is trusted: what does not lie in the message wholly is refused.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.batches.arrow.flatbuffer import Table, damaged_where, follow, key_values, pairs
from c2kit.errors import MessageError
from c2kit.kernel.envelope import Head

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

__all__ = [
    "CONTINUATION",
    "END_OF_STREAM",
    "Header",
    "RecordBatch",
    "blank_head",
    "custom_metadata",
    "read_header",
    "read_prefix",
    "read_record_batch",
    "record_batch_message",
]

CONTINUATION = b"\xff\xff\xff\xff"
END_OF_STREAM = CONTINUATION + b"\0\0\0\0"
PREFIX_BYTES = 8
_VERSION_5 = 4
_VERSION_4 = 3
_SCHEMA = 1
_RECORD_BATCH = 3

# Root, vtable and table of the Message; vtable and table of the RecordBatch; number of nodes, which begin at byte 80.
# Slots of a vtable say where in its table a field stands, in the order of the fields in Message.fbs.
_HEAD = struct.Struct("<I7H2xiqIIhBx5H2xiIqII")
_HEAD_BYTES = 80
_MESSAGE_AT, _RECORD_BATCH_AT, _NODES_AT = 20, 56, 76
_BODY_BYTES_AT, _ROWS_AT = 24, 64
_MESSAGE_VTABLE = (14, 24, 20, 22, 12, 4, 16)  # size, table size, version, header_type, header, bodyLength, custom
_RECORD_BATCH_VTABLE = (10, 20, 8, 4, 16)  # size, table size, length, nodes, buffers
_KEY_VALUE_VTABLE = struct.pack("<4H", 8, 12, 4, 8)


def custom_metadata(facts: Mapping[str, str]) -> bytes:
    """Key and value pairs as the vector that ends the metadata; it holds nothing that depends on its place."""
    vtable_at = 4 + 4 * len(facts)
    tables_at = vtable_at + len(_KEY_VALUE_VTABLE)
    strings_at = tables_at + 12 * len(facts)
    offsets, tables, strings = [len(facts)], b"", b""
    for index, (key, value) in enumerate(facts.items()):
        at = tables_at + 12 * index
        key_at = strings_at + len(strings)
        strings += _string(key)
        value_at = strings_at + len(strings)
        strings += _string(value)
        offsets.append(at - (4 + 4 * index))
        tables += struct.pack("<iII", at - vtable_at, key_at - at - 4, value_at - at - 8)
    return struct.pack(f"<{len(offsets)}I", *offsets) + _KEY_VALUE_VTABLE + tables + strings


def _string(text: str) -> bytes:
    encoded = text.encode("utf-8", "replace")
    return _padded(struct.pack("<I", len(encoded)) + encoded + b"\0", 4)


def _padded(data: bytes, multiple: int) -> bytes:
    return data + bytes(-len(data) % multiple)


def record_batch_message(
    rows: int,
    nodes: Sequence[int],
    buffers: Sequence[int],
    body: Sequence[bytes | memoryview],
    body_bytes: int,
    custom: bytes,
) -> bytes:
    """A whole message.

    ``nodes`` holds length and null count of each node, ``buffers`` offset and length of each buffer, one after another;
    ``custom`` is made by :func:`custom_metadata`; ``body`` has ``body_bytes`` bytes in all, a multiple of 8.
    """
    buffers_at = _HEAD_BYTES + 8 * len(nodes) + 4
    custom_at = buffers_at + 4 + 8 * len(buffers)
    head = _HEAD.pack(
        _MESSAGE_AT,
        *_MESSAGE_VTABLE,
        _MESSAGE_AT - 4,
        body_bytes,
        _RECORD_BATCH_AT - (_MESSAGE_AT + 12),
        custom_at - (_MESSAGE_AT + 16),
        _VERSION_5,
        _RECORD_BATCH,
        *_RECORD_BATCH_VTABLE,
        _RECORD_BATCH_AT - 44,
        _NODES_AT - (_RECORD_BATCH_AT + 4),
        rows,
        buffers_at - (_RECORD_BATCH_AT + 16),
        len(nodes) // 2,
    )
    vectors = struct.pack(f"<{len(nodes)}q4xI{len(buffers)}q", *nodes, len(buffers) // 2, *buffers)
    metadata_bytes = custom_at + len(custom)
    padding = -metadata_bytes % 8
    prefix = CONTINUATION + struct.pack("<i", metadata_bytes + padding)
    return b"".join((prefix, head, vectors, custom, bytes(padding), *body))


def blank_head(column_count: int, custom: bytes) -> Head:
    """What stands before the body of any message with so many columns of one node and two buffers each."""
    zeros = [0] * (2 * column_count)
    data = record_batch_message(0, zeros, zeros + zeros, (), 0, custom)
    nodes_at = PREFIX_BYTES + _HEAD_BYTES
    buffers_at = nodes_at + 8 * len(zeros) + 8  # behind their number
    return Head(data, column_count, (PREFIX_BYTES + _BODY_BYTES_AT, PREFIX_BYTES + _ROWS_AT, nodes_at, buffers_at))


@frozen
class Header:
    """What any message says of itself. ``position`` is where the table that its header is begins."""

    is_schema: bool
    is_record_batch: bool
    body_bytes: int
    position: int
    custom: dict[str, str]


@frozen(eq=False)
class RecordBatch:
    """A record batch as it stands in a message: rows, ``(length, null count)`` nodes, ``(offset, length)`` buffers."""

    rows: int
    nodes: npt.NDArray[np.int64]
    buffers: npt.NDArray[np.int64]
    body: memoryview
    custom: dict[str, str]


def read_prefix(prefix: bytes | memoryview) -> int:
    """The size of the metadata after the 8 bytes that begin a message; 0 at the end of a stream."""
    if len(prefix) != PREFIX_BYTES:
        raise MessageError("the message ends in its first 8 bytes", expected=PREFIX_BYTES, found=len(prefix))
    marker, size = struct.unpack("<4si", prefix)
    if marker != CONTINUATION:
        raise MessageError("this is no Arrow message", expected=CONTINUATION.hex(), found=marker.hex())
    if size < 0 or size % 8:
        raise MessageError("no metadata has this size", expected="a multiple of 8 bytes", found=size)
    return int(size)


def read_header(metadata: memoryview) -> Header:
    """The outermost table of a message's metadata. Raises MessageError."""
    with damaged_where("the metadata of the message"):
        message = Table(metadata, follow(metadata, 0))
        version = message.number(0, "<h")
        header_type = message.number(1, "<B")
        position = message.follow(2)
        custom = key_values(metadata, message.follow(4))
        body_bytes = message.number(3, "<q")
    if version not in (_VERSION_4, _VERSION_5):
        raise MessageError("no Arrow version that is known here", expected="4 or 5", found=version + 1)
    if position is None or body_bytes < 0:
        raise MessageError("the metadata of the message is damaged", found=f"a body of {body_bytes} bytes")
    return Header(header_type == _SCHEMA, header_type == _RECORD_BATCH, body_bytes, position, custom)


def read_record_batch(message: bytes | bytearray | memoryview) -> RecordBatch:
    """Take a record-batch message apart, without copying its body. Raises MessageError for anything else."""
    view = memoryview(message).cast("B").toreadonly()
    metadata_end = PREFIX_BYTES + read_prefix(view[:PREFIX_BYTES])
    if len(view) < metadata_end:
        raise MessageError("the message ends in its metadata", expected=metadata_end, found=len(view))
    metadata, body = view[PREFIX_BYTES:metadata_end], view[metadata_end:]
    header = read_header(metadata)
    if not header.is_record_batch:
        raise MessageError("the message is no record batch", remedy="a stream's first message is its schema")
    if len(body) != header.body_bytes:
        raise MessageError("the body has another size than it says", expected=header.body_bytes, found=len(body))
    with damaged_where("the metadata of the message"):
        return _record_batch(metadata, body, header)


def _record_batch(metadata: memoryview, body: memoryview, header: Header) -> RecordBatch:
    table = Table(metadata, header.position)
    if table.follow(3) is not None:
        raise MessageError("the body of the message is compressed", remedy="write it without compression")
    if table.follow(4) is not None:
        raise MessageError("the message has columns of types that c2kit does not write")
    rows = table.number(0, "<q")
    if rows < 0:
        raise MessageError("no batch has this number of rows", found=rows)
    nodes, buffers = (pairs(metadata, table.follow(slot)) for slot in (1, 2))
    return RecordBatch(rows, nodes, buffers, body, header.custom)
