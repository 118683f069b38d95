"""A stream of sixteen kinds of packets, one after the other as chance has it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from benchmarks.packing import generated
from benchmarks.workload import PRIMARY_HEADER, Item, Packet

if TYPE_CHECKING:
    from typing import Literal

    from benchmarks.workload import Workload

__all__ = ["make"]

_KINDS: tuple[tuple[Literal["uint", "int", "float"], int], ...] = (
    ("uint", 8),
    ("uint", 16),
    ("int", 16),
    ("uint", 32),
    ("float", 32),
)
_BITS = (1, 2, 5, 13, 3, 8)
"""The fields of four bytes of each packet; two of them lie across bytes."""


def make(count: int) -> Workload:
    """Packets with 7 to 67 items behind the primary header."""
    draw = random.Random(20261126)
    packets = [_packet(number, draw) for number in range(16)]
    sizes = [packet.size_bytes for packet in packets]
    description = f"generated: {len(packets)} APIDs, 7 to 67 items and the primary header's 7"
    return generated(
        "mixed", f"{description} in {min(sizes)} to {max(sizes)} bytes", packets, count, draw, choose=draw.choice
    )


def _packet(number: int, draw: random.Random) -> Packet:
    flags = [Item(f"P{number}_FLAGS_{place}", "uint", bits) for place, bits in enumerate(_BITS)]
    kinds = draw.choices(_KINDS, k=1 + 4 * number)
    items = [Item(f"P{number}_ITEM_{place}", kind, bits) for place, (kind, bits) in enumerate(kinds)]
    return Packet(f"PACKET_{number}", 0x100 + 7 * number, (*PRIMARY_HEADER, *flags, *items))
