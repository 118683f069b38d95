"""An independent packer: values are drawn first, and put into packets as one large integer each.

So nothing that is measured has made what it is measured by.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from benchmarks.workload import PRIMARY_HEADER, Workload

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from benchmarks.workload import Item, Packet, Value

__all__ = ["generated"]

_FLOATS = {32: (">f", 8), 64: (">d", 11)}
"""The format, and the bits of the exponent."""

_Row = list[int | float]
"""The raw values of one packet."""


def generated(
    name: str,
    description: str,
    packets: Sequence[Packet],
    count: int,
    draw: random.Random,
    *,
    packet_type: int = 0,
    choose: Callable[[Sequence[Packet]], Packet] | None = None,
) -> Workload:
    """A workload of so many packets with values that are drawn, of one kind or of those that are chosen."""
    rows: dict[str, list[_Row]] = {packet.name: [] for packet in packets}
    data = bytearray()
    for _ in range(count):
        packet = packets[0] if choose is None else choose(packets)
        mine = rows[packet.name]
        # Unsegmented; the data length is that of 4.1.3.5.3.
        header: _Row = [0, packet_type, 1, packet.apid, 3, len(mine) % 2**14, packet.size_bytes - 7]
        mine.append(header + [_drawn(item, draw) for item in packet.items[len(PRIMARY_HEADER) :]])
        data += packed(packet, mine[-1])
    return Workload(
        name=name,
        description=description,
        packets=tuple(packets),
        data=bytes(data),
        expected={packet.name: _columns(packet, rows[packet.name]) for packet in packets if rows[packet.name]},
        is_encoded=bool(packet_type),
    )


def packed(packet: Packet, row: _Row) -> bytes:
    """The bytes of a packet with these raw values."""
    bits = 0
    for item, value in zip(packet.items, row, strict=True):
        if isinstance(value, float):
            value = int.from_bytes(struct.pack(_FLOATS[item.bits][0], value))  # noqa: PLW2901 - its pattern
        bits = bits << item.bits | value & (1 << item.bits) - 1
    return bits.to_bytes(packet.size_bytes)


def _drawn(item: Item, draw: random.Random) -> int | float:
    if item.kind == "uint":
        return draw.getrandbits(item.bits)
    if item.kind == "int":
        return draw.getrandbits(item.bits) - (1 << item.bits - 1)
    text, exponent_bits = _FLOATS[item.bits]
    # Neither an infinity nor not-a-number, which equals nothing: their exponents are all ones.
    exponent = draw.randrange(2**exponent_bits - 1)
    below = item.bits - 1 - exponent_bits
    pattern = (draw.getrandbits(1) << exponent_bits | exponent) << below | draw.getrandbits(below)
    value: float = struct.unpack(text, pattern.to_bytes(item.bits // 8))[0]
    return value


def _columns(packet: Packet, rows: list[_Row]) -> list[list[Value]]:
    return [
        [_converted(item, raw) for raw in column]
        for item, column in zip(packet.items, zip(*rows, strict=True), strict=True)
    ]


def _converted(item: Item, raw: float) -> Value:
    if item.states:
        return item.states[int(raw)]
    if item.polynomial:
        return float(sum(coefficient * raw**power for power, coefficient in enumerate(item.polynomial)))
    return raw
