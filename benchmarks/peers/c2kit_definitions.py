"""A workload as a dictionary of c2kit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.dictionaries import Dictionary
from c2kit.model.fields import Encoding
from c2kit.model.packets import Item, Match, Packet
from c2kit.model.target import Target

if TYPE_CHECKING:
    from benchmarks.workload import Workload

__all__ = ["TARGET", "dictionary_of"]

TARGET = "BENCHMARK"
_ENCODINGS = {"uint": Encoding.UNSIGNED, "int": Encoding.TWOS_COMPLEMENT, "float": Encoding.IEEE754}


def dictionary_of(workload: Workload) -> Dictionary:
    """One target, with the packets known by their APIDs."""
    packets = tuple(
        Packet(
            name=packet.name,
            items=tuple(
                Item(name=item.name, encoding=_ENCODINGS[item.kind], bit_length=item.bits) for item in packet.items
            ),
            identification=(Match("APID", packet.apid),),
        )
        for packet in workload.packets
    )
    return Dictionary((Target(name=TARGET, packets=packets),))
