"""When packets were made, before they are decommutated: from the few fields that tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define, field

from c2kit.batches.packets import no_times
from c2kit.errors import DefinitionError
from c2kit.kernel.chosen import kernel
from c2kit.kernel.layout import Layout
from c2kit.kernel.time import packet_times, time_fields
from c2kit.processors.asides import Anomalies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from c2kit.batches import Column, PacketBatch
    from c2kit.kernel.leapseconds import LeapSeconds
    from c2kit.kernel.time import Times
    from c2kit.model.fields import Field
    from c2kit.model.packets import Packet
    from c2kit.model.time import PacketTime
    from c2kit.processors.matching import Definition

    Indices = npt.NDArray[np.intp]

__all__ = ["Clocks"]


@define(eq=False)
class _Clock:
    """One way to tell the time, which many definitions may share: they are read together."""

    packet: Packet
    layout: Layout

    def read(self, batch: PacketBatch, which: Indices, leap: LeapSeconds | None) -> Times:
        decoded = kernel.decode(self.layout, batch.buffer, batch.starts[which], batch.ends[which])
        return packet_times(self.packet, dict(zip(self.layout.index, decoded, strict=True)), leap)


@define(eq=False)
class Clocks:
    """The clocks of some definitions."""

    definitions: Sequence[Definition]
    leap: LeapSeconds | None = None
    _clocks: list[_Clock] = field(factory=list, init=False)
    _clock_of: Indices = field(init=False)
    """For each definition the index of its clock; the number of clocks where it has none."""

    @_clock_of.default
    def _make_clocks(self) -> Indices:
        known: dict[tuple[PacketTime, tuple[Field, ...]], int] = {}
        clock_of = []
        for definition in self.definitions:
            packet = definition.packet
            if packet.time is None:
                clock_of.append(-1)
                continue
            layout = _time_layout(packet, packet.time)
            number = known.setdefault((packet.time, layout.fields), len(known))
            if number == len(self._clocks):
                self._clocks.append(_Clock(packet, layout))
            clock_of.append(number)
        return np.array(clock_of, np.intp)

    def times(self, batch: PacketBatch, ranks: Indices) -> tuple[Column, list[Anomalies]]:
        """The time of each packet, and of which definitions some tell no possible one."""
        times = no_times(len(batch))
        assert times.valid is not None  # noqa: S101 - nothing has a time yet
        anomalies: list[Anomalies] = []
        numbers = self._clock_of[ranks]
        for number in range(len(self._clocks)):
            which = np.flatnonzero(numbers == number)
            if len(which):
                told = self._clocks[number].read(batch, which, self.leap)
                times.values[which] = told.column.values
                times.valid[which] = True if told.column.valid is None else told.column.valid
                if told.tallies:
                    anomalies += self._anomalies(told, batch, which, ranks[which])
        return times, anomalies

    def _anomalies(self, told: Times, batch: PacketBatch, which: Indices, ranks: Indices) -> Iterator[Anomalies]:
        """What was counted; of several definitions, read again for each by itself, since that is rare."""
        present = np.unique(ranks).tolist()
        clock = self._clocks[self._clock_of[present[0]]]
        for rank in present:
            mine = which[ranks == rank]
            tallies = told.tallies if len(present) == 1 else clock.read(batch, mine, self.leap).tallies
            if tallies:
                definition = self.definitions[rank]
                yield Anomalies(
                    interface=batch.interface,
                    target=definition.target.name,
                    packet=definition.packet.name,
                    tallies=tallies,
                )


def _time_layout(packet: Packet, time: PacketTime) -> Layout:
    """The fields that tell the time alone, or, where their place varies, the whole packet."""
    layout = Layout(packet.items)
    try:
        return layout.select(time_fields(time))
    except DefinitionError:
        return layout
