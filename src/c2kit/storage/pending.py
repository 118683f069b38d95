"""What came since the last sync: the next block, while it is in memory."""

from __future__ import annotations

import json
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

_FIRST_PACKETS = 2**10
_KEPT_PACKETS = 2**18
_MAX_BYTES = 2**31
_MAX_PACKETS = 2**26
_MAX_SOURCES = 2**16
_MAX_SOURCES_BYTES = 2**23
"""Of text in a header, which readers hold to 16 MiB."""


class Pending:
    """The bytes of packets, one after another, and what the index will say of them. Bounded: see :meth:`add`.

    The arrays are kept from block to block: asking the system for memory costs more than filling it.
    """

    def __init__(self) -> None:
        self.pieces: list[bytes | memoryview] = []
        self.size_bytes = 0
        self.count = 0
        self._sources: dict[Source, int] = {}
        self._sources_bytes = 0
        self._arrays = _Arrays.of(_FIRST_PACKETS)

    def clear(self) -> None:
        """Begin the next block. What :meth:`rows` gave is not to be used any more."""
        self.pieces = []
        self.size_bytes = self.count = self._sources_bytes = 0
        self._sources = {}
        if len(self._arrays.lengths) > _KEPT_PACKETS:
            self._arrays = _Arrays.of(_FIRST_PACKETS)

    def add(self, batch: PacketBatch, source: Source, flags: int) -> None:
        """Add all packets of a batch. Raises UsageError where the block would become too large to be one.

        Bytes that nobody can change are held, others are copied.
        """
        pieces, lengths = _taken_apart(batch)
        size_bytes, count = self.size_bytes + sum(map(len, pieces)), self.count + len(lengths)
        if size_bytes > _MAX_BYTES or count > _MAX_PACKETS:
            expected = f"at most {_MAX_BYTES} bytes and {_MAX_PACKETS} packets"
            raise _too_large(expected, f"{size_bytes} bytes and {count} packets")
        number = self._number_of(source)
        if count > len(self._arrays.lengths):
            self._arrays = self._arrays.larger(self.count, 2 * count)
        self._arrays.put(slice(self.count, count), lengths, batch, number, flags)
        self.pieces += [piece if piece.readonly else bytes(piece) for piece in pieces]
        self.size_bytes, self.count = size_bytes, count

    def _number_of(self, source: Source) -> int:
        number = self._sources.get(source)
        if number is None:
            number, told_bytes = len(self._sources), self._sources_bytes + len(json.dumps(source.to_json()))
            if number >= _MAX_SOURCES or told_bytes > _MAX_SOURCES_BYTES:
                expected = f"at most {_MAX_SOURCES} sources, told in {_MAX_SOURCES_BYTES} bytes"
                raise _too_large(expected, f"{number + 1} in {told_bytes} bytes")
            self._sources[source] = number
            self._sources_bytes = told_bytes
        return number

    def rows(self) -> Rows:
        """What the index will say of all packets: views, until :meth:`add` or :meth:`clear` is called."""
        return self._arrays.rows(self.count)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources that the rows refer to."""
        return tuple(self._sources)


def _too_large(expected: str, found: str) -> UsageError:
    return UsageError("a block would become too large", expected=expected, found=found, remedy="sync() before")


def _taken_apart(batch: PacketBatch) -> tuple[list[memoryview], npt.NDArray[np.int64]]:
    """The bytes and the lengths of packets. Raises UsageError where one is not in the buffer."""
    starts, ends = batch.starts, batch.ends
    if 0 < len(starts) == len(ends) and (starts[1:] == ends[:-1]).all():
        # Most batches lie back to back: then it is enough to look at the two ends, and that none ends before it begins.
        view, lengths = memoryview(batch.buffer), ends - starts
        first, last = int(starts[0]), int(ends[-1])
        if 0 <= first <= last <= view.nbytes and lengths.min() >= 0:
            return [view[first:last]], lengths
    check_bounds(batch.buffer, starts, ends)
    return batch.pieces(), ends - starts


@frozen(eq=False)
class _Arrays:
    """The columns of the index, with room for more rows than there are."""

    lengths: npt.NDArray[np.uint32]
    definition: npt.NDArray[np.int32]
    source: npt.NDArray[np.uint16]
    flags: npt.NDArray[np.uint8]
    received: npt.NDArray[np.int64]
    generated: npt.NDArray[np.int64]
    has_generated: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, count: int) -> _Arrays:
        return cls(
            lengths=np.empty(count, np.uint32),
            definition=np.empty(count, np.int32),
            source=np.empty(count, np.uint16),
            flags=np.empty(count, np.uint8),
            received=np.empty(count, np.int64),
            generated=np.empty(count, np.int64),
            has_generated=np.empty(count, np.bool_),
        )

    def larger(self, used: int, count: int) -> _Arrays:
        larger = _Arrays.of(count)
        for name in ("lengths", "definition", "source", "flags", "received", "generated", "has_generated"):
            getattr(larger, name)[:used] = getattr(self, name)[:used]
        return larger

    def put(self, place: slice, lengths: npt.NDArray[np.int64], batch: PacketBatch, source: int, flags: int) -> None:
        self.lengths[place] = lengths
        self.definition[place] = NOT_IDENTIFIED if batch.definition is None else batch.definition
        self.source[place] = source
        self.flags[place] = flags
        self.received[place] = batch.received
        self.generated[place] = batch.generated.values
        self.has_generated[place] = True if batch.generated.valid is None else batch.generated.valid

    def rows(self, count: int) -> Rows:
        has_generated = self.has_generated[:count]
        return Rows(
            lengths=self.lengths[:count],
            definition=self.definition[:count],
            source=self.source[:count],
            flags=self.flags[:count],
            received=self.received[:count],
            generated=Column(self.generated[:count], None if has_generated.all() else has_generated),
        )


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
    received = _span(rows.received, rows.received != UNKNOWN_TIME)
    generated = _span(rows.generated.values.view(np.int64), rows.generated.valid)
    holds = Totals(packets=len(rows), received=received, generated=generated)
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


def _span(times: npt.NDArray[np.int64], is_known: npt.NDArray[np.bool_] | None) -> Span | None:
    known = times if is_known is None or is_known.all() else times[is_known]
    return (int(known.min()), int(known.max())) if len(known) else None
