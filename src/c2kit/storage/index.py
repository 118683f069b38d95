"""The index of a segment: an Arrow IPC stream, whose messages each tell, and prove, one block.

A message is a record batch with one row a packet. The last 16 bytes of its body belong to no column: they prove the
rest of it (:class:`Trailer`). Arrow has no checksum of its own, and its readers take no notice of bytes that no buffer
refers to.
"""

from __future__ import annotations

import struct
import zlib
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, frozen

from c2kit.batches.arrow.body import BodyReader, BodyWriter
from c2kit.batches.arrow.columns import TIME, ArrowColumn, ArrowType, Role
from c2kit.batches.arrow.foreign import read_schema
from c2kit.batches.arrow.form import Form
from c2kit.batches.arrow.message import custom_metadata, read_record_batch, record_batch_message
from c2kit.batches.arrow.schema import foreign_form
from c2kit.errors import MessageError
from c2kit.kernel.contract import Column
from c2kit.storage.names import LogKind

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.storage.block import BlockHeader

__all__ = ["UNKNOWN_TIME", "UPLINK", "IndexSchema", "Rows", "Trailer", "block_message", "read_rows"]

FORMAT = "1"
UNKNOWN_TIME = -(2**63)
"""The received time, in a batch, of a packet of which nobody knows it any more; NumPy shows it as ``NaT``."""
UPLINK = 1
"""The flag of bytes that went to the device."""
NOT_IDENTIFIED = -1


def _column(name: str, element: str, *, is_nullable: bool = False) -> ArrowColumn:
    return ArrowColumn(name, Role.VALUE, ArrowType(np.dtype(element)), is_nullable=is_nullable)


_COLUMNS = (
    _column("offset", "<i8"),
    _column("length", "<u4"),
    _column("definition", "<i4", is_nullable=True),
    _column("source", "<u2"),
    _column("flags", "|u1"),
    ArrowColumn("received", Role.RECEIVED, TIME),
    ArrowColumn("generated", Role.GENERATED, TIME),
)


@frozen(kw_only=True)
class IndexSchema:
    """What all blocks of a segment have in common: the metadata of the schema message that begins its index."""

    kind: LogKind
    stream: str
    partition: int
    start: int
    opened_ns: int
    """When the segment was begun, by the clock of whoever wrote it: POSIX nanoseconds, UTC."""

    @cached_property
    def form(self) -> Form:
        """The columns, and the metadata as texts."""
        metadata = {
            "c2kit.format": FORMAT,
            "c2kit.kind": self.kind.value,
            "c2kit.stream": self.stream,
            "c2kit.partition": str(self.partition),
            "c2kit.start": str(self.start),
            "c2kit.opened": str(self.opened_ns),
        }
        return Form(_COLUMNS, metadata)

    @cached_property
    def message(self) -> bytes:
        """The message that begins the index."""
        return self.form.message

    @cached_property
    def crc32(self) -> int:
        """The CRC-32 of the message."""
        return zlib.crc32(self.message)

    @classmethod
    def from_message(cls, message: bytes) -> IndexSchema:
        """Read a schema message. Raises MessageError where it is not that of an index."""
        found = read_schema(message)
        facts = found.metadata
        if facts.get("c2kit.format") != FORMAT:
            raise MessageError("this is no index of a log", expected=f"format {FORMAT}", found=facts)
        if found.columns != foreign_form(_COLUMNS):
            raise MessageError("this index has other columns", expected=foreign_form(_COLUMNS), found=found.columns)
        try:
            return cls(
                kind=LogKind(facts["c2kit.kind"]),
                stream=facts["c2kit.stream"],
                partition=int(facts["c2kit.partition"]),
                start=int(facts["c2kit.start"]),
                opened_ns=int(facts["c2kit.opened"]),
            )
        except (LookupError, ValueError) as error:
            raise MessageError("the schema of an index is damaged", found=repr(error)) from None


@frozen(eq=False)
class Rows:
    """What a block tells of each of its packets."""

    lengths: npt.NDArray[np.uint32]
    definition: npt.NDArray[np.int32]
    """The index of its definition among its target's packets, ``NOT_IDENTIFIED`` where it has none."""
    source: npt.NDArray[np.uint16]
    flags: npt.NDArray[np.uint8]
    received: npt.NDArray[np.int64]
    """``UNKNOWN_TIME`` where nobody knows."""
    generated: Column

    def __len__(self) -> int:
        """The number of packets."""
        return len(self.lengths)

    @cached_property
    def ends(self) -> npt.NDArray[np.int64]:
        """Where each packet ends in the bytes of the block."""
        return np.cumsum(self.lengths, dtype=np.int64)

    def offsets(self, offset: int) -> npt.NDArray[np.int64]:
        """Where each packet begins in the data file, the first of them at ``offset``."""
        offsets = np.empty(len(self), np.int64)
        offsets[:1] = offset
        np.add(self.ends[:-1], offset, out=offsets[1:])
        return offsets

    def columns(self, offset: int) -> list[Column]:
        """The columns of the message, for packets that begin at ``offset`` of the data file."""
        return [
            Column(self.offsets(offset)),
            Column(self.lengths),
            _nullable(self.definition, NOT_IDENTIFIED),
            Column(self.source),
            Column(self.flags),
            _nullable(self.received, UNKNOWN_TIME),
            self.generated,
        ]


def _nullable(values: npt.NDArray[np.generic], missing: int) -> Column:
    valid = values != missing
    return Column(values) if valid.all() else Column(np.where(valid, values, 0).astype(values.dtype), valid)


def _filled(column: Column, missing: int) -> npt.NDArray[np.generic]:
    if column.valid is None:
        return column.values
    return np.where(column.valid, column.values, missing).astype(column.values.dtype)


@frozen
class Trailer:
    """The last 16 bytes of a block's message, which prove the bytes before them."""

    metadata_crc: int
    """The CRC-32 of the message from its first byte up to its body."""
    body_crc: int
    """The CRC-32 of the body without the trailer."""
    message_bytes: int
    """The size of the whole message, with which a reader finds the last block of a file from its end."""
    mark: bytes = b"c2k1"

    @property
    def packed(self) -> bytes:
        """The trailer as bytes."""
        return _TRAILER.pack(self.metadata_crc, self.body_crc, self.message_bytes, self.mark)

    @classmethod
    def of(cls, trailer: bytes) -> Trailer | None:
        """The inverse; ``None`` for anything else."""
        if len(trailer) != TRAILER_BYTES:
            return None
        read = cls(*_TRAILER.unpack(trailer))
        return read if read.mark == b"c2k1" else None


_TRAILER = struct.Struct("<III4s")
TRAILER_BYTES = _TRAILER.size


def block_message(header: BlockHeader, rows: Rows) -> list[bytes | memoryview]:
    """A block as a message of the index, in as many pieces as it is made of."""
    body = BodyWriter(len(rows))
    body_crc = 0
    for spec, column in zip(_COLUMNS, rows.columns(header.offset), strict=True):
        body.put(spec, column)
    for part in body.parts:
        body_crc = zlib.crc32(part, body_crc)
    facts = custom_metadata({"c2kit.block": header.to_json()})
    size_bytes = body.size_bytes + TRAILER_BYTES
    head = record_batch_message(len(rows), body.nodes, body.buffers, [], size_bytes, facts)
    return [head, *body.parts, Trailer(zlib.crc32(head), body_crc, len(head) + size_bytes).packed]


def read_rows(message: bytes, header: BlockHeader) -> Rows:
    """The rows of a block's message. Raises MessageError where they are not what was written."""
    trailer = Trailer.of(message[-TRAILER_BYTES:])
    batch = read_record_batch(message)
    if trailer is None or zlib.crc32(batch.body[:-TRAILER_BYTES]) != trailer.body_crc:
        raise MessageError("the rows of a block are damaged")
    reader = BodyReader(batch)
    offset, lengths, definition, source, flags, received, generated = [reader.take(spec) for spec in _COLUMNS]
    reader.finish()
    rows = Rows(
        lengths=lengths.values.view(np.uint32),
        definition=_filled(definition, NOT_IDENTIFIED).view(np.int32),
        source=source.values.view(np.uint16),
        flags=flags.values.view(np.uint8),
        received=_filled(received, UNKNOWN_TIME).view(np.int64),
        generated=evolve(generated, values=generated.values.view(np.int64)),
    )
    _check(rows, offset.values.view(np.int64), header)
    return rows


def _check(rows: Rows, offset: npt.NDArray[np.int64], header: BlockHeader) -> None:
    """The rows tile the block, and refer to sources that it has."""
    size = int(rows.ends[-1]) if len(rows) else 0
    if (len(rows), size) != (header.holds.packets, header.size_bytes):
        expected = f"{header.holds.packets} packets of {header.size_bytes} bytes"
        raise MessageError("the rows are not those of their block", expected=expected, found=f"{len(rows)} of {size}")
    if not np.array_equal(offset, rows.offsets(header.offset)):
        raise MessageError("the packets of a block do not lie back to back")
    if len(rows) and int(rows.source.max()) >= len(header.sources):
        raise MessageError("a packet is of a source that its block does not name", found=int(rows.source.max()))
