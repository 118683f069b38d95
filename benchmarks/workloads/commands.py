"""A command of 22 bytes: nine arguments of whole bytes, since not everybody can have others."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from benchmarks.packing import generated
from benchmarks.workload import PRIMARY_HEADER, Item, Packet

if TYPE_CHECKING:
    from benchmarks.workload import Workload

__all__ = ["make"]

_APID = 0x321
_ARGUMENTS = (
    Item("MODE", "uint", 8),
    Item("AXIS", "uint", 8),
    Item("REPEAT", "uint", 8),
    Item("FLAGS", "uint", 8),
    Item("DURATION", "uint", 16),
    Item("OFFSET", "int", 16),
    Item("RATE", "float", 32),
    Item("LIMIT", "int", 16),
    Item("KEY", "uint", 16),
)


def make(count: int) -> Workload:
    """A tenth as many commands as packets are wanted: each is an object anyway."""
    packet = Packet("SLEW", _APID, PRIMARY_HEADER + _ARGUMENTS)
    description = f"generated: {len(_ARGUMENTS)} arguments behind the primary header, in {packet.size_bytes} bytes"
    return generated("commands", description, [packet], -(-count // 10), random.Random(20261127), packet_type=1)
