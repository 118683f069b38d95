"""When packets were made, before they are decommutated: from the few fields that tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define, field

from c2kit.batches.packets import no_times
from c2kit.kernel.chosen import kernel
from c2kit.kernel.clock import Clock
from c2kit.processors.asides import Anomalies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from c2kit.batches import Column, PacketBatch
    from c2kit.kernel.leapseconds import LeapSeconds
    from c2kit.kernel.time import Times
    from c2kit.model.fields import Field
    from c2kit.model.time import PacketTime
    from c2kit.processors.matching import Definition

    Indices = npt.NDArray[np.int64]

__all__ = ["Clocks"]


@define(eq=False)
class Clocks:
    """The clocks of some definitions. Definitions that tell the time alike share one: they are read together."""

    definitions: Sequence[Definition]
    leap: LeapSeconds | None = None
    _clocks: list[Clock] = field(factory=list, init=False)
    _clock_of: Indices = field(init=False)
    """For each definition the index of its clock, and one more for packets of no definition; the number of clocks where
    it has none."""

    @_clock_of.default
    def _make_clocks(self) -> Indices:
        known: dict[tuple[PacketTime | None, tuple[Field, ...]], int] = {}
        clock_of: list[int | None] = []
        for definition in self.definitions:
            clock = Clock.of(definition.packet, self.leap)
            if clock is None:
                clock_of.append(None)
                continue
            number = known.setdefault((clock.packet.time, clock.layout.fields), len(known))
            if number == len(self._clocks):
                self._clocks.append(clock)
            clock_of.append(number)
        return np.array([len(known) if number is None else number for number in [*clock_of, None]], np.int64)

    def times(self, batch: PacketBatch, ranks: Indices) -> tuple[Column, list[Anomalies]]:
        """The time of each packet, and of which definitions some tell no possible one."""
        groups = [*kernel.group(self._clock_of[ranks], len(self._clocks) + 1).present()]
        anomalies: list[Anomalies] = []
        if len(groups) == 1 and groups[0][0] < len(self._clocks):
            return self._read(groups[0][0], batch, ranks, anomalies), anomalies
        times = no_times(len(batch))
        assert times.valid is not None  # noqa: S101 - nothing has a time yet
        for number, which in groups:
            if number < len(self._clocks):
                told = self._read(number, batch.select(which), ranks[which], anomalies)
                times.values[which] = told.values
                times.valid[which] = True if told.valid is None else told.valid
        return times, anomalies

    def _read(self, number: int, batch: PacketBatch, ranks: Indices, anomalies: list[Anomalies]) -> Column:
        """The times of packets that all have this clock."""
        clock = self._clocks[number]
        told = kernel.times(clock, batch.buffer, batch.starts, batch.ends)
        if told.tallies:
            anomalies += self._anomalies(clock, told, batch, ranks)
        return told.column

    def _anomalies(self, clock: Clock, told: Times, batch: PacketBatch, ranks: Indices) -> Iterator[Anomalies]:
        """What was counted; of several definitions, read again for each by itself, since that is rare."""
        present = np.unique(ranks).tolist()
        for rank in present:
            tallies = told.tallies
            if len(present) > 1:
                mine = ranks == rank
                tallies = kernel.times(clock, batch.buffer, batch.starts[mine], batch.ends[mine]).tallies
            if tallies:
                definition = self.definitions[rank]
                yield Anomalies(
                    interface=batch.interface,
                    target=definition.target.name,
                    packet=definition.packet.name,
                    tallies=tallies,
                )
