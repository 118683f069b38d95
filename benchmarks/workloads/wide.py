"""A wide packet: 250 numbers of whole bytes in 1 024 bytes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from benchmarks.packing import generated
from benchmarks.workload import PRIMARY_HEADER, Item, Packet

if TYPE_CHECKING:
    from typing import Literal

    from benchmarks.workload import Workload

__all__ = ["make"]

_APID = 0x456
_KINDS: tuple[tuple[Literal["uint", "int", "float"], int, int], ...] = (
    ("uint", 16, 45),
    ("int", 16, 46),
    ("uint", 32, 34),
    ("float", 32, 75),
    ("float", 64, 50),
)
"""Kinds of numbers, their bits, and how many of them there are."""


def make(count: int) -> Workload:
    """A fifth as many packets as are wanted: each is so much larger."""
    draw = random.Random(20261125)
    kinds = [(kind, bits) for kind, bits, number in _KINDS for _ in range(number)]
    draw.shuffle(kinds)
    items = tuple(Item(f"ITEM_{number:03}", kind, bits) for number, (kind, bits) in enumerate(kinds))
    packet = Packet("WIDE", _APID, PRIMARY_HEADER + items)
    description = f"generated: {len(items)} items and the primary header's 7 in {packet.size_bytes} bytes"
    return generated("wide", description, [packet], -(-count // 5), draw)
