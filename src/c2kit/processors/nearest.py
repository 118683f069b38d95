"""What unknown packets nearly are: for the person who has to find out why they are unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from c2kit.kernel import reference
from c2kit.kernel.layout import Layout
from c2kit.kernel.placement import bit_ranges
from c2kit.processors.asides import Difference, Likeness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c2kit.batches import PacketBatch
    from c2kit.kernel.identity import Identity
    from c2kit.model.packets import Packet

__all__ = ["likenesses"]

_MOST_KINDS = 8
_MOST_NEAREST = 3
_EXAMPLE_BYTES = 64


def likenesses(packets: PacketBatch, candidates: Sequence[tuple[str, Packet, Identity]]) -> tuple[Likeness, ...]:
    """The first kinds of unknown packets, alike in all bits that any identification asks for."""
    asked = _union([identity.mask for _, _, identity in candidates])
    kinds: dict[bytes, list[int]] = {}
    for number, packet in enumerate(packets):
        head = packet[: len(asked)]
        kinds.setdefault(bytes(a & b for a, b in zip(head, asked, strict=False)), []).append(number)
    return tuple(
        Likeness(len(numbers), packets[numbers[0]][:_EXAMPLE_BYTES], _nearest(packets[numbers[0]], candidates))
        for numbers in list(kinds.values())[:_MOST_KINDS]
    )


def _union(masks: list[bytes]) -> bytes:
    union = np.zeros(max(map(len, masks), default=0), np.uint8)
    for mask in masks:
        union[: len(mask)] |= np.frombuffer(mask, np.uint8)
    return union.tobytes()


def _nearest(packet: bytes, candidates: Sequence[tuple[str, Packet, Identity]]) -> tuple[Difference, ...]:
    distances = sorted(
        (_differing(packet, identity).bit_count(), number) for number, (_, _, identity) in enumerate(candidates)
    )
    return tuple(_difference(packet, *candidates[number]) for _, number in distances[:_MOST_NEAREST])


def _differing(packet: bytes, identity: Identity) -> int:
    """The bits under the mask that differ, the packet's first bit the highest; those beyond its end all do."""
    size = len(identity.mask)
    head = packet[:size]
    beyond = (1 << 8 * (size - len(head))) - 1
    found = int.from_bytes(head.ljust(size, b"\0"))
    mask = int.from_bytes(identity.mask)
    return ((found ^ int.from_bytes(identity.value)) | beyond) & mask


def _difference(data: bytes, target: str, packet: Packet, identity: Identity) -> Difference:
    differing = _differing(data, identity)
    bit_offset = 8 * len(identity.mask) - differing.bit_length()
    layout = Layout(packet.items)
    match = next(
        match
        for match in packet.identification
        for low, high in bit_ranges(layout.fields[layout.index[match.item]], layout.start_of(match.item))
        if low <= bit_offset < high
    )
    ends = np.array([len(data)])
    (column,) = reference.decode(layout.select([match.item]), data, np.zeros(1, np.int64), ends)
    return Difference(
        target=target,
        packet=packet.name,
        differing_bits=differing.bit_count(),
        item=match.item,
        bit_offset=bit_offset,
        expected=match.value,
        found=column.to_list()[0],
    )
