"""What came since the last sync: the next block, while it is in memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from c2kit.errors import UsageError
from c2kit.kernel.bounds import check_bounds
from c2kit.kernel.contract import Column
from c2kit.storage.block import BlockHeader, Totals
from c2kit.storage.index import NOT_IDENTIFIED, UNKNOWN_TIME, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from c2kit.batches import PacketBatch
    from c2kit.bus.base import Position
    from c2kit.kernel.contract import Buffer
    from c2kit.storage.block import Source, Span

    Positions = tuple[Position, ...] | None

__all__ = ["Pending", "block_header"]

_MAX_BYTES = 2**31
_MAX_PACKETS = 2**26
_MAX_SOURCES = 2**16


@frozen(eq=False)
class _Part:
    """What the index will say of one batch."""

    lengths: npt.NDArray[np.int64]
    definition: npt.NDArray[np.int32] | None
    received: npt.NDArray[np.int64]
    generated: Column
    source: int
    flags: int


class Pending:
    """The bytes of packets, one after another, and what the index will say of them. Bounded: see :meth:`add`."""

    def __init__(self) -> None:
        self.pieces: list[Buffer] = []
        self.size_bytes = 0
        self.count = 0
        self._sources: dict[Source, int] = {}
        self._parts: list[_Part] = []

    def add(self, batch: PacketBatch, source: Source, flags: int) -> None:
        """Add all packets of a batch. Raises UsageError where the block would become too large to be one.

        Bytes that nobody can change are held, others are copied.
        """
        check_bounds(batch.buffer, batch.starts, batch.ends)
        lengths = batch.ends - batch.starts
        size_bytes, count = self.size_bytes + int(lengths.sum()), self.count + len(lengths)
        number = self._sources.get(source, len(self._sources))
        if size_bytes > _MAX_BYTES or count > _MAX_PACKETS or number >= _MAX_SOURCES:
            found = f"{size_bytes} bytes, {count} packets, {number + 1} sources"
            expected = f"at most {_MAX_BYTES} bytes, {_MAX_PACKETS} packets and {_MAX_SOURCES} sources"
            raise UsageError("a block would become too large", expected=expected, found=found, remedy="sync() before")
        self._sources[source] = number
        self._parts.append(
            _Part(lengths, batch.definition, batch.received.astype(np.int64), batch.generated, number, flags)
        )
        self.pieces += [piece if piece.readonly else bytes(piece) for piece in batch.pieces()]
        self.size_bytes, self.count = size_bytes, count

    def rows(self) -> Rows:
        """What the index will say of all packets."""
        parts = self._parts
        counts = [len(part.lengths) for part in parts]
        return Rows(
            lengths=_joined([part.lengths for part in parts]).astype(np.uint32),
            definition=_joined([_definition(part) for part in parts]).astype(np.int32),
            source=np.repeat(np.array([part.source for part in parts], np.uint16), counts),
            flags=np.repeat(np.array([part.flags for part in parts], np.uint8), counts),
            received=_joined([part.received for part in parts]),
            generated=_joined_columns([part.generated for part in parts]),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources that the rows refer to."""
        return tuple(self._sources)


def _definition(part: _Part) -> npt.NDArray[np.int32]:
    return np.full(len(part.lengths), NOT_IDENTIFIED, np.int32) if part.definition is None else part.definition


def _joined(arrays: Sequence[npt.NDArray[np.integer]]) -> npt.NDArray[np.int64]:
    """Arrays one after another; of no arrays, an empty one."""
    if len(arrays) == 1:
        return arrays[0].astype(np.int64, copy=False)
    return np.concatenate(arrays).astype(np.int64, copy=False) if arrays else np.zeros(0, np.int64)


def _joined_columns(columns: Sequence[Column]) -> Column:
    values = _joined([column.values.view(np.int64) for column in columns])
    if all(column.valid is None for column in columns):
        return Column(values)
    known = [np.ones(len(column), np.bool_) if column.valid is None else column.valid for column in columns]
    return Column(values, np.concatenate(known))


def block_header(
    rows: Rows,
    data: Sequence[Buffer],
    sources: tuple[Source, ...],
    *,
    schema_crc32: int,
    offset: int,
    before: Totals,
    positions: Positions,
) -> BlockHeader:
    """What a block of these rows says of itself when it stands at ``offset``, behind blocks that hold ``before``.

    ``data`` are the bytes of all its packets, in as many pieces as they come.
    """
    generated = rows.generated.values.view(np.int64)
    if rows.generated.valid is not None:
        generated = generated[rows.generated.valid]
    received = rows.received[rows.received != UNKNOWN_TIME]
    holds = Totals(packets=len(rows), received=_span(received), generated=_span(generated))
    crc32 = 0
    for piece in data:
        crc32 = zlib.crc32(piece, crc32)
    return BlockHeader(
        offset=offset,
        size_bytes=int(rows.ends[-1]) if len(rows) else 0,
        crc32=crc32,
        schema_crc32=schema_crc32,
        holds=holds,
        segment=before.plus(holds),
        positions=positions,
        sources=sources,
    )


def _span(times: npt.NDArray[np.int64]) -> Span | None:
    return (int(times.min()), int(times.max())) if len(times) else None
