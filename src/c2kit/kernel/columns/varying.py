"""Fields whose place, size or presence varies from packet to packet: the rules of layout for all packets at once.

This is :mod:`c2kit.kernel.reference.decode` with an array of ``n`` in place of each variable there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, field

from c2kit.kernel.columns.elements import picked_column
from c2kit.kernel.columns.numbers import compare
from c2kit.model.fields import Expand, FieldReference, Fixed, Prefixed, Terminated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.kernel.columns.elements import Mask
    from c2kit.kernel.columns.packets import Indices, Packets
    from c2kit.kernel.contract import Column
    from c2kit.kernel.layout import Layout
    from c2kit.model.fields import Field

__all__ = ["Walk", "presence"]

_UNKNOWN = -1
"""A place or a number of elements that is not known, or that cannot be."""
_TOO_MANY = 2**40
"""More elements than any packet holds, and few enough that their bits can be counted in 64 bits."""


@define
class _Extent:
    """Where a field's elements begin and the field ends, if it is all there; and how many elements it has."""

    first: Indices
    counts: Indices | None
    end: Indices


@define
class Walk:
    """What is known about all packets when a field's turn comes."""

    layout: Layout
    packets: Packets
    columns: dict[str, Column]
    """The columns of the fields so far, and of those at fixed places."""
    absent: dict[str, Mask] = field(factory=dict)
    """In which packets the conditions of a field do not hold."""
    cursor: Indices = field(factory=lambda: np.zeros(0, np.int64))
    """The bit after the field before, :data:`_UNKNOWN` where that is not known."""

    def decode(self, item: Field, start: int | None) -> None:
        """Take one step: add the column of a field; its ``start`` is ``None`` where it begins at the cursor."""
        starts = self.cursor if start is None else np.full(len(self.packets), start)
        absent, lost = self.presence(item)
        extent = self.extent(item, starts, ~(absent | lost) & (starts >= 0))
        held = ~(absent | lost) & (starts >= 0) & (extent.end >= 0) & (extent.end <= self.packets.sizes_bits)
        valid = None if held.all() else held
        first = extent.first + 8 * self.packets.starts
        counts = extent.counts
        if valid is not None:
            first, counts = first[valid], None if counts is None else counts[valid]
        self.columns[item.name] = picked_column(self.packets, item, valid, first, counts)
        self.absent[item.name] = absent
        self.cursor = np.where(held, extent.end, np.where(absent, starts, _UNKNOWN))

    def presence(self, item: Field) -> tuple[Mask, Mask]:
        """As the function."""
        return presence(item, len(self.packets), self.columns, self.absent)

    def extent(self, item: Field, starts: Indices, candidates: Mask) -> _Extent:
        """The extent of a field that begins at these bits; it need only be right where there are ``candidates``."""
        match item.length:
            case None:
                return _Extent(starts, None, starts + item.bit_length)
            case Prefixed() as length:
                return self.prefixed(length, starts, candidates)
            case Terminated() as length:
                return self.terminated(length, starts, candidates)
            case Expand():
                return self.expanded(item, starts)
            case _:
                counts = self.counts(item)
                return _Extent(starts, counts, np.where(counts >= 0, starts + counts * item.bit_length, _UNKNOWN))

    def counts(self, item: Field) -> Indices:
        """How many elements a field has whose number of elements is told before it; unknown also where negative."""
        if not isinstance(item.length, FieldReference):
            count = item.length.count if isinstance(item.length, Fixed) else 1
            return np.full(len(self.packets), count)
        told = self.columns[item.length.field]
        counts = _scaled(told.values, item.length.multiply, item.length.add)
        return counts if told.valid is None else np.where(told.valid, counts, _UNKNOWN)

    def prefixed(self, length: Prefixed, starts: Indices, candidates: Mask) -> _Extent:
        """Bytes whose number stands before them."""
        first = starts + length.bit_length
        readable = candidates & (first <= self.packets.sizes_bits)
        counts = np.full(len(starts), _UNKNOWN)
        places = (8 * self.packets.starts + starts)[readable]
        counts[readable] = self.packets.patterns(places, length.bit_length, length.byte_order)
        return _Extent(first, counts, np.where(readable, first + 8 * counts, _UNKNOWN))

    def terminated(self, length: Terminated, starts: Indices, candidates: Mask) -> _Extent:
        """Bytes up to a terminator: the one kind of field that is sought in one packet after the other."""
        counts = np.full(len(starts), _UNKNOWN)
        ends = np.full(len(starts), _UNKNOWN)
        for number in np.flatnonzero(candidates & (starts <= self.packets.sizes_bits)).tolist():
            start = int(starts[number])
            data = _bytes_from(self.packets, number, start, length.max_bytes)
            size, taken = _find(data, length)
            counts[number] = size
            ends[number] = start + 8 * taken if taken != _UNKNOWN else _UNKNOWN
        return _Extent(starts, counts, ends)

    def expanded(self, item: Field, starts: Indices) -> _Extent:
        """Whole elements of what is left before the trailer, which ends with the packet."""
        ends = self.packets.sizes_bits.copy()
        for follower in self.layout.trailer:
            absent, lost = self.presence(follower)
            counts = self.counts(follower)
            taken = np.where(absent, 0, counts * follower.bit_length)
            ends = np.where((ends < 0) | lost | (taken < 0), _UNKNOWN, ends - taken)
        ends = np.where(ends < starts, _UNKNOWN, ends)
        return _Extent(starts, np.where(ends < 0, 0, (ends - starts) // item.bit_length), ends)


def presence(
    item: Field, count: int, columns: Mapping[str, Column], earlier_absent: Mapping[str, Mask]
) -> tuple[Mask, Mask]:
    """In which of ``count`` packets a field is absent, and in which that depends on a field that did not fit.

    ``columns`` are those of the fields before it, ``earlier_absent`` tells in which packets those are absent.
    """
    absent = np.zeros(count, np.bool_)
    lost = np.zeros(count, np.bool_)
    for condition in item.present_if:
        told = columns[condition.field]
        told_absent = earlier_absent.get(condition.field, np.False_)
        known = np.True_ if told.valid is None else told.valid
        absent |= told_absent | (known & ~compare(told.values, condition.operator, condition.value))
        lost |= ~known & ~told_absent
    return absent, lost & ~absent


def _scaled(values: Any, multiply: int, add: int) -> Indices:  # noqa: ANN401 - integers of any type
    """``values * multiply + add``, :data:`_UNKNOWN` where that is negative, and never so large as to wrap round."""
    if values.dtype.itemsize <= 4 and abs(multiply) < 2**24 and abs(add) < 2**60:
        counts = values.astype(np.int64) * multiply + add
    else:
        counts = values.astype(object) * multiply + add
    limited: Indices = np.clip(counts, _UNKNOWN, _TOO_MANY).astype(np.int64)
    return limited


def _bytes_from(packets: Packets, number: int, start: int, max_bytes: int | None) -> bytes:
    """The whole bytes of a packet from a bit on, up to ``max_bytes`` of them."""
    left = (int(packets.sizes_bits[number]) - start) // 8
    count = left if max_bytes is None else min(left, max_bytes)
    first_byte, first_bit = divmod(8 * int(packets.starts[number]) + start, 8)
    if not first_bit:
        return packets.data[first_byte : first_byte + count].tobytes()
    end_byte = first_byte + count + 1
    bits = int.from_bytes(packets.data[first_byte:end_byte].tobytes()) >> (8 - first_bit)
    return (bits & ((1 << 8 * count) - 1)).to_bytes(count)


def _find(data: bytes, length: Terminated) -> tuple[int, int]:
    """The bytes before the terminator, and with it; both unknown where there is none and no maximum is reached."""
    step = len(length.terminator)
    place = data.find(length.terminator)
    while place >= 0 and place % step:
        place = data.find(length.terminator, place + 1)
    if place >= 0:
        return place, place + step
    return (len(data), len(data)) if len(data) == length.max_bytes else (_UNKNOWN, _UNKNOWN)
