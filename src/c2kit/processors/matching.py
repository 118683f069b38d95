"""Definitions that packets may be of, in the order in which they are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.kernel.identity import Identity, identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c2kit.model.packets import Packet
    from c2kit.model.target import Target

__all__ = ["Definition", "definitions_of"]


@frozen(eq=False)
class Definition:
    """A packet definition that packets may be of; ``place`` is its index in ``Target.packets``."""

    target: Target
    place: int
    packet: Packet
    identity: Identity


def definitions_of(targets: Sequence[Target]) -> list[Definition]:
    """All definitions in the order in which they are tried: fallbacks last, then by name of target and packet.

    Raises :class:`~c2kit.errors.DefinitionError` for a packet that can never be identified.
    """
    definitions = [
        Definition(target, place, packet, identity(packet))
        for target in sorted(targets, key=lambda target: target.name)
        for place, packet in enumerate(target.packets)
    ]
    return sorted(definitions, key=lambda definition: definition.packet.fallback)
