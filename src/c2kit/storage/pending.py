"""What came since the last sync: the next block, while it is in memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from c2kit.errors import UsageError
from c2kit.kernel.bounds import check_bounds
from c2kit.kernel.contract import Column
from c2kit.storage.block import BlockHeader, Totals
from c2kit.storage.index import NOT_IDENTIFIED, UNKNOWN_TIME, Rows

if TYPE_CHECKING:
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


class Pending:
    """Packets one after another, copied, and what the index will say of them. Bounded: see :meth:`add`."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.count = 0
        self._sources: dict[Source, int] = {}
        self._rows: list[Rows] = []

    def add(self, batch: PacketBatch, source: Source, flags: int) -> None:
        """Add all packets of a batch. Raises UsageError where the block would become too large to be one."""
        check_bounds(batch.buffer, batch.starts, batch.ends)
        lengths = batch.ends - batch.starts
        size = int(lengths.sum())
        number = self._sources.get(source, len(self._sources))
        if len(self.data) + size > _MAX_BYTES or self.count + len(batch) > _MAX_PACKETS or number >= _MAX_SOURCES:
            found = f"{len(self.data) + size} bytes, {self.count + len(batch)} packets, {number + 1} sources"
            expected = f"at most {_MAX_BYTES} bytes, {_MAX_PACKETS} packets and {_MAX_SOURCES} sources"
            raise UsageError("a block would become too large", expected=expected, found=found, remedy="sync() before")
        self._sources[source] = number
        self._rows.append(_rows(batch, lengths, number, flags))
        self.count += len(batch)
        for piece in batch.pieces():
            self.data += piece

    @property
    def rows(self) -> Rows:
        """All rows in one."""
        if len(self._rows) != 1:
            self._rows = [_joined(self._rows)]
        return self._rows[0]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources that the rows refer to."""
        return tuple(self._sources)


def block_header(
    rows: Rows,
    data: Buffer,
    sources: tuple[Source, ...],
    *,
    schema_crc32: int,
    offset: int,
    before: Totals,
    positions: Positions,
) -> BlockHeader:
    """What a block of these rows says of itself when it stands at ``offset``, behind blocks that hold ``before``."""
    generated = rows.generated.values.view(np.int64)
    if rows.generated.valid is not None:
        generated = generated[rows.generated.valid]
    received = rows.received[rows.received != UNKNOWN_TIME]
    holds = Totals(packets=len(rows), received=_span(received), generated=_span(generated))
    return BlockHeader(
        offset=offset,
        size_bytes=len(data),
        crc32=zlib.crc32(data),
        schema_crc32=schema_crc32,
        holds=holds,
        segment=before.plus(holds),
        positions=positions,
        sources=sources,
    )


def _rows(batch: PacketBatch, lengths: npt.NDArray[np.int64], source: int, flags: int) -> Rows:
    count = len(batch)
    definition = batch.definition
    return Rows(
        lengths=lengths.astype(np.uint32),
        definition=np.full(count, NOT_IDENTIFIED, np.int32) if definition is None else definition.astype(np.int32),
        source=np.full(count, source, np.uint16),
        flags=np.full(count, flags, np.uint8),
        received=batch.received.astype(np.int64),
        generated=batch.generated,
    )


def _joined(parts: list[Rows]) -> Rows:
    """Rows one after another; of no parts, none."""
    every = [_EMPTY, *parts]
    generated = np.concatenate([rows.generated.values.view(np.int64) for rows in every])
    valid = None
    if any(rows.generated.valid is not None for rows in parts):
        valid = np.concatenate([_valid(rows.generated) for rows in every])
    return Rows(
        lengths=np.concatenate([rows.lengths for rows in every]),
        definition=np.concatenate([rows.definition for rows in every]),
        source=np.concatenate([rows.source for rows in every]),
        flags=np.concatenate([rows.flags for rows in every]),
        received=np.concatenate([rows.received for rows in every]),
        generated=Column(generated, valid),
    )


def _valid(column: Column) -> npt.NDArray[np.bool_]:
    return np.ones(len(column), np.bool_) if column.valid is None else column.valid


_EMPTY = Rows(
    lengths=np.zeros(0, np.uint32),
    definition=np.zeros(0, np.int32),
    source=np.zeros(0, np.uint16),
    flags=np.zeros(0, np.uint8),
    received=np.zeros(0, np.int64),
    generated=Column(np.zeros(0, np.int64)),
)


def _span(times: npt.NDArray[np.int64]) -> Span | None:
    return (int(times.min()), int(times.max())) if len(times) else None
