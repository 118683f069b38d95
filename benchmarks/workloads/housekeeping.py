"""Housekeeping as small satellites send it: 70 bytes, 24 items behind the primary header, some across bytes.

The values are drawn first, and packed as one large integer a packet, so that nothing that is measured has made them.
"""

from __future__ import annotations

import random
import struct

from benchmarks.workload import PRIMARY_HEADER, Item, Packet, Workload

__all__ = ["make"]

_APID = 0x123
_DATA = (
    Item("TIME", "uint", 48),
    # A word of flags and narrow numbers; those of 5, 13 and 9 bits lie across bytes.
    Item("HEATER_ON", "uint", 1),
    Item("RADIO_ON", "uint", 1),
    Item("MODE", "uint", 2),
    Item("SUBMODE", "uint", 5),
    Item("SWITCHES", "uint", 4),
    Item("SUN_SENSOR", "uint", 13),
    Item("EARTH_SENSOR", "uint", 9),
    Item("GAIN", "int", 5),
    Item("COMMANDS_ACCEPTED", "uint", 8),
    Item("BUS_VOLTAGE", "uint", 16),
    Item("BUS_CURRENT", "uint", 16),
    Item("PANEL_TEMPERATURE", "int", 16),
    Item("TANK_TEMPERATURE", "int", 16),
    Item("UPTIME", "uint", 32),
    Item("BOOT_COUNT", "uint", 32),
    Item("FRAMES_SENT", "uint", 32),
    Item("MEMORY_FREE", "uint", 32),
    Item("RATE_X", "float", 32),
    Item("RATE_Y", "float", 32),
    Item("RATE_Z", "float", 32),
    Item("WHEEL_SPEED", "float", 32),
    Item("POINTING_ERROR", "float", 32),
    Item("CLOCK_OFFSET", "float", 64),
)
_FLOATS = {32: (">f", 8), 64: (">d", 11)}
"""The format, and the bits of the exponent."""


def make(count: int) -> Workload:
    """Packets with values from a fixed seed."""
    packet = Packet("HOUSEKEEPING", _APID, PRIMARY_HEADER + _DATA)
    draw = random.Random(20261124)
    rows = [_values(packet, draw, number) for number in range(count)]
    return Workload(
        name="housekeeping",
        description=f"generated: {len(_DATA)} items and the primary header's 7 in {packet.size_bytes} bytes",
        packets=(packet,),
        data=b"".join(_packed(packet, row) for row in rows),
        expected={packet.name: [list(column) for column in zip(*rows, strict=True)]},
    )


def _values(packet: Packet, draw: random.Random, number: int) -> list[int | float]:
    # Telemetry, with a secondary header, unsegmented; the data length is that of 4.1.3.5.3.
    header: list[int | float] = [0, 0, 1, packet.apid, 3, number % 2**14, packet.size_bytes - 7]
    return header + [_value(item, draw) for item in packet.items[len(header) :]]


def _value(item: Item, draw: random.Random) -> int | float:
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


def _packed(packet: Packet, values: list[int | float]) -> bytes:
    bits = 0
    for item, value in zip(packet.items, values, strict=True):
        if isinstance(value, float):
            value = int.from_bytes(struct.pack(_FLOATS[item.bits][0], value))  # noqa: PLW2901 - its pattern
        bits = bits << item.bits | value & (1 << item.bits) - 1
    return bits.to_bytes(packet.size_bytes)
