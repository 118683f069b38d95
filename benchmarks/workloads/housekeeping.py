"""Housekeeping as small satellites send it: 70 bytes, 24 items behind the primary header, some across bytes."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.packing import generated
from benchmarks.workload import PRIMARY_HEADER, Item, Packet

if TYPE_CHECKING:
    from benchmarks.workload import Workload

__all__ = ["make", "make_converted"]

_SEED = 20261124
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
_ON_OFF = ("OFF", "ON")
_STATES = {"HEATER_ON": _ON_OFF, "RADIO_ON": _ON_OFF, "MODE": ("SAFE", "IDLE", "POINTING", "DOWNLINK")}
_POLYNOMIALS = {
    "BUS_VOLTAGE": (0.0, 2.0**-11),
    "BUS_CURRENT": (-4.0, 2.0**-12),
    "PANEL_TEMPERATURE": (-40.0, 2.0**-7, 2.0**-20),
    "TANK_TEMPERATURE": (12.5, 2.0**-9, -(2.0**-21)),
    "SUN_SENSOR": (-90.0, 2.0**-5),
}


def make(count: int) -> Workload:
    """Packets with values from a fixed seed."""
    packet = Packet("HOUSEKEEPING", _APID, PRIMARY_HEADER + _DATA)
    description = f"generated: {len(_DATA)} items and the primary header's 7 in {packet.size_bytes} bytes"
    return generated("housekeeping", description, [packet], count, random.Random(_SEED))


def make_converted(count: int) -> Workload:
    """The same packets, three of whose items have states and five polynomials."""
    items = tuple(
        replace(item, states=_STATES.get(item.name, ()), polynomial=_POLYNOMIALS.get(item.name, ())) for item in _DATA
    )
    packet = Packet("HOUSEKEEPING", _APID, PRIMARY_HEADER + items)
    description = f"the same packets: {len(_STATES)} items have states, {len(_POLYNOMIALS)} polynomials"
    return generated("housekeeping-converted", description, [packet], count, random.Random(_SEED))
