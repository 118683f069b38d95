"""A target: the name that owns packets and commands, with the hash that names its definitions."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.errors import UnknownName
from c2kit.model.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c2kit.model.commands import Command
    from c2kit.model.packets import Packet
    from c2kit.model.source import Source

__all__ = ["Target"]


def _sorted_packets(packets: Iterable[Packet]) -> tuple[Packet, ...]:
    return tuple(sorted(packets, key=lambda packet: packet.name))


def _sorted_commands(commands: Iterable[Command]) -> tuple[Command, ...]:
    return tuple(sorted(commands, key=lambda command: command.name))


@define(frozen=True, kw_only=True, slots=True)
class Target:
    """One spacecraft, instrument or device, with its packets and commands, both sorted by name."""

    name: str
    packets: tuple[Packet, ...] = field(default=(), converter=_sorted_packets)
    commands: tuple[Command, ...] = field(default=(), converter=_sorted_commands)
    description: str = ""
    source: Source | None = field(default=None, eq=False, repr=False)

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hex, of the canonical form: equal for equal definitions, however they were written down."""
        return hashlib.sha256(canonical_json(self)).hexdigest()

    @cached_property
    def packets_by_name(self) -> dict[str, Packet]:
        """All packets, by name."""
        return {packet.name: packet for packet in self.packets}

    @cached_property
    def commands_by_name(self) -> dict[str, Command]:
        """All commands, by name."""
        return {command.name: command for command in self.commands}

    def packet(self, name: str) -> Packet:
        """The packet of that name. Raises :class:`~c2kit.errors.UnknownName`."""
        try:
            return self.packets_by_name[name]
        except KeyError:
            known = self.packets_by_name
            raise UnknownName(kind="packet", name=name, known=known, where=f"target {self.name}") from None

    def command(self, name: str) -> Command:
        """The command of that name. Raises :class:`~c2kit.errors.UnknownName`."""
        try:
            return self.commands_by_name[name]
        except KeyError:
            known = self.commands_by_name
            raise UnknownName(kind="command", name=name, known=known, where=f"target {self.name}") from None
