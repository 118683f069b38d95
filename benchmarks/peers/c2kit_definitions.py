"""A workload as a dictionary of c2kit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.dictionaries import Dictionary
from c2kit.model.commands import Argument, Command
from c2kit.model.conversions import Polynomial, State, States
from c2kit.model.fields import Encoding
from c2kit.model.packets import Item, Match, Packet
from c2kit.model.target import Target

if TYPE_CHECKING:
    from benchmarks.workload import Item as Described
    from benchmarks.workload import Workload
    from c2kit.model.conversions import Conversion

__all__ = ["TARGET", "commands_of", "dictionary_of"]

TARGET = "BENCHMARK"
_ENCODINGS = {"uint": Encoding.UNSIGNED, "int": Encoding.TWOS_COMPLEMENT, "float": Encoding.IEEE754}


def dictionary_of(workload: Workload) -> Dictionary:
    """One target, with the packets known by their APIDs."""
    packets = tuple(
        Packet(
            name=packet.name,
            items=tuple(
                Item(
                    name=item.name,
                    encoding=_ENCODINGS[item.kind],
                    bit_length=item.bits,
                    conversion=_conversion(item),
                )
                for item in packet.items
            ),
            identification=(Match("APID", packet.apid),),
        )
        for packet in workload.packets
    )
    return Dictionary((Target(name=TARGET, packets=packets),))


def commands_of(workload: Workload) -> Dictionary:
    """One target, whose commands are the workload's packets."""
    commands = tuple(
        Command(
            name=packet.name,
            arguments=tuple(
                Argument(name=item.name, encoding=_ENCODINGS[item.kind], bit_length=item.bits) for item in packet.items
            ),
        )
        for packet in workload.packets
    )
    return Dictionary((Target(name=TARGET, commands=commands),))


def _conversion(item: Described) -> Conversion | None:
    if item.states:
        return States(tuple(State(name, raw, raw) for raw, name in enumerate(item.states)))
    return Polynomial(item.polynomial) if item.polynomial else None
