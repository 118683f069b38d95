"""What unknown packets nearly are: for the person who has to find out why they are unknown."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from attrs import define, frozen

from c2kit.kernel.chosen import kernel
from c2kit.kernel.columns import gathered
from c2kit.kernel.layout import Layout
from c2kit.kernel.placement import bit_ranges
from c2kit.processors.asides import Difference, Likeness, UnknownPackets

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from c2kit.batches import PacketBatch
    from c2kit.model.packets import Match, Packet
    from c2kit.processors.matching import Definition

    Bytes = npt.NDArray[np.uint8]
    Indices = npt.NDArray[np.intp]

__all__ = ["Explainer"]

_MOST_KINDS = 8
_MOST_NEAREST = 3
_EXAMPLE_BYTES = 64
_MOST_REMEMBERED = 256
_BIT_LENGTHS = np.array([byte.bit_length() for byte in range(256)], np.uint8)


class Explainer:
    """Says what unknown packets nearly are, for a bounded number of kinds of them.

    Packets are of one kind if no definition tells them apart. What was worked out for the last kinds is kept, since
    what is unknown tends to come again.
    """

    def __init__(self, definitions: Sequence[Definition]) -> None:
        self._places = [_Identified.of(definition) for definition in definitions]
        masks = [definition.identity.mask for definition in definitions]
        self._size = max(map(len, masks), default=0)
        asked = _all_bits(masks, self._size)
        self._where = np.flatnonzero(asked)
        self._asked = asked[self._where]
        self._masks = self._rows(masks)
        self._values = self._rows([definition.identity.value for definition in definitions])
        self._groups = self._grouped()
        self._known: dict[bytes, tuple[Difference, ...]] = {}

    def _rows(self, parts: Sequence[bytes]) -> Bytes:
        """A row each of the bytes that any definition asks for."""
        whole = np.frombuffer(b"".join(part.ljust(self._size, b"\0") for part in parts), np.uint8)
        return whole.reshape(len(parts), self._size)[:, self._where]

    def _grouped(self) -> list[tuple[Indices, Bytes]]:
        """Definitions that are known by items at the same places, with the bits of each of those items."""
        groups: dict[tuple[bytes, ...], list[int]] = defaultdict(list)
        for number, places in enumerate(self._places):
            groups[places.item_masks].append(number)
        return [(np.array(numbers), self._rows(masks)) for masks, numbers in groups.items()]

    def explain(self, packets: PacketBatch) -> UnknownPackets:
        """The packets, with what the first kinds of them nearly are."""
        rows = self._heads(packets)
        runs = rows.view(f"V{rows.shape[1]}").reshape(-1)
        _, firsts, counts = np.unique(runs, return_index=True, return_counts=True)
        order = np.argsort(firsts)[:_MOST_KINDS]
        likenesses = []
        for first, count in zip(firsts[order].tolist(), counts[order].tolist(), strict=True):
            packet = packets[first]
            nearest = self._nearest(rows[first], packet)
            likenesses.append(Likeness(count=count, example=packet[:_EXAMPLE_BYTES], nearest=nearest))
        return UnknownPackets(packets, tuple(likenesses))

    def _heads(self, packets: PacketBatch) -> Bytes:
        """A row for each packet: its size as far as it matters, then the bits that any definition asks for."""
        sizes = np.minimum(packets.ends - packets.starts, self._size)
        rows = np.zeros((len(packets), 8 + len(self._where)), np.uint8)
        rows[:, :8] = sizes.reshape(-1, 1).view(np.uint8)
        widths = np.searchsorted(self._where, sizes)
        for width in np.unique(widths).tolist():
            which = np.flatnonzero(widths == width)
            part = np.zeros((len(which), width), np.uint8)
            gathered(packets.buffer, packets.starts[which], self._where[:width], self._asked[:width], part)
            rows[which, 8 : 8 + width] = part
        return rows

    def _nearest(self, row: Bytes, packet: bytes) -> tuple[Difference, ...]:
        key = row.tobytes()
        if key not in self._known:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = self._sought(row[8:], packet)
        return self._known[key]

    def _sought(self, head: Bytes, packet: bytes) -> tuple[Difference, ...]:
        """The nearest definitions, the nearest first: see :class:`~c2kit.processors.asides.Likeness`."""
        differing = (head ^ self._values) & self._masks
        width = int(np.searchsorted(self._where, len(packet)))
        differing[:, width:] = self._masks[:, width:]
        items = np.zeros(len(differing), np.int64)
        for members, item_masks in self._groups:
            items[members] = (differing[members, None] & item_masks).any(axis=2).sum(axis=1)
        candidates = _few(items)
        if not len(candidates):
            return ()
        order, first_bits = self._ordered(differing[candidates], self._masks[candidates], items[candidates])
        bits = np.bitwise_count(differing[candidates]).sum(axis=1)
        return tuple(
            self._places[candidates[index]].difference(
                packet, int(first_bits[index]), int(items[candidates[index]]), int(bits[index])
            )
            for index in order[:_MOST_NEAREST]
        )

    def _ordered(self, differing: Bytes, masks: Bytes, items: npt.NDArray[np.int64]) -> tuple[Indices, Indices]:
        """The order of definitions by their nearness, and the first bit that differs in each."""
        numbers = np.arange(len(differing))
        places = (differing != 0).argmax(axis=1)
        lengths = _BIT_LENGTHS[differing[numbers, places]]
        agreeing = np.where(np.arange(masks.shape[1]) < places[:, None], masks, 0)
        agreeing[numbers, places] = masks[numbers, places] >> lengths
        agreed_bits = np.bitwise_count(agreeing).sum(axis=1, dtype=np.int64)
        order = np.lexsort((np.bitwise_count(differing).sum(axis=1), -agreed_bits, items))
        return order, 8 * self._where[places] + 8 - lengths.astype(np.int64)


def _few(items: npt.NDArray[np.int64]) -> Indices:
    """Definitions among which the nearest are: none that has more items that differ than three others."""
    if np.count_nonzero(items) <= _MOST_NEAREST:
        return np.flatnonzero(items)
    most = np.partition(items[items > 0], _MOST_NEAREST - 1)[_MOST_NEAREST - 1]
    return np.flatnonzero((items > 0) & (items <= most))


def _all_bits(masks: Sequence[bytes], size: int) -> Bytes:
    asked = np.zeros(size, np.uint8)
    for mask in set(masks):
        asked[: len(mask)] |= np.frombuffer(mask, np.uint8)
    return asked


@frozen
class _Place:
    """An item by which a packet is known, and where it stands."""

    match: Match
    layout: Layout
    ranges: tuple[tuple[int, int], ...]


@define(eq=False)
class _Identified:
    """Where the items are by which packets of one definition are known."""

    target: str
    packet: Packet
    places: tuple[_Place, ...]
    item_masks: tuple[bytes, ...]
    """The bits of each item."""

    @classmethod
    def of(cls, definition: Definition) -> _Identified:
        layout = Layout(definition.packet.items)
        places = []
        for match in definition.packet.identification:
            alone = layout.select([match.item])
            ranges = tuple(bit_ranges(alone.fields[0], layout.start_of(match.item)))
            places.append(_Place(match, alone, ranges))
        masks = tuple(_mask_of(place.ranges, len(definition.identity.mask)) for place in places)
        return cls(definition.target.name, definition.packet, tuple(places), masks)

    def difference(self, packet: bytes, first_bit: int, differing_items: int, differing_bits: int) -> Difference:
        """What is to be said of a packet that differs first at this bit."""
        place = next(place for place in self.places for low, high in place.ranges if low <= first_bit < high)
        (found,) = kernel.codec(place.layout).values(packet)
        return Difference(
            target=self.target,
            packet=self.packet.name,
            differing_items=differing_items,
            differing_bits=differing_bits,
            item=place.match.item,
            bit_offset=first_bit,
            expected=place.match.value,
            found=found,
        )


def _mask_of(ranges: Sequence[tuple[int, int]], size: int) -> bytes:
    bits = sum(((1 << (high - low)) - 1) << (8 * size - high) for low, high in ranges)
    return bits.to_bytes(size)
