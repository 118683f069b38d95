"""The clock of a packet definition: the fields that tell its time, and how."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import Factory, define

from c2kit.errors import DefinitionError
from c2kit.kernel.layout import Layout
from c2kit.kernel.leapseconds import LeapSeconds, leap_seconds
from c2kit.kernel.time import check_time, packet_times, time_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c2kit.kernel.contract import Column
    from c2kit.kernel.time import Times
    from c2kit.model.packets import Packet

__all__ = ["Clock"]


@define(eq=False)
class Clock:
    """How the time of a definition's packets is read. Equality is identity."""

    packet: Packet
    layout: Layout
    """The fields that tell the time alone, or, where their place varies, the whole packet."""
    leap: LeapSeconds
    plans: dict[str, Any] = Factory(dict)
    """What implementations worked out from it, each under its module's name; nothing but time depends on it."""

    @classmethod
    def of(cls, packet: Packet, leap: LeapSeconds | None = None) -> Clock | None:
        """The clock of a definition, ``None`` where it has none; by the table that c2kit brings along, or another.

        Raises :class:`~c2kit.errors.DefinitionError` for fields that cannot tell a time.
        """
        if packet.time is None:
            return None
        check_time(packet)
        layout = Layout(packet.items)
        with suppress(DefinitionError):
            layout = layout.select(time_fields(packet.time))
        return cls(packet, layout, leap or leap_seconds())

    def of_columns(self, decoded: Sequence[Column]) -> Times:
        """The times of packets of which these are the columns of all fields."""
        return packet_times(self.packet, dict(zip(self.layout.index, decoded, strict=True)), self.leap)
