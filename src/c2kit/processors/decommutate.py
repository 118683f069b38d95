"""Packets in, items out, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.errors import UsageError
from c2kit.kernel import columns
from c2kit.kernel.conversions import bind, bind_derived
from c2kit.kernel.layout import Layout
from c2kit.kernel.tally import Tallies, Tally, tallies
from c2kit.processors.asides import Anomalies
from c2kit.processors.base import Processor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from c2kit.batches import Column
    from c2kit.dictionaries import Dictionary
    from c2kit.kernel.conversions import Convert, Derive
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target
    from c2kit.processors.asides import Aside

__all__ = ["Decommutator"]


class Decommutator(Processor[PacketBatch, TelemetryBatch]):
    """Decodes packets to raw values and converts them to engineering values, a batch for each packet definition.

    What could not be converted, and packets that are shorter or longer than they are defined to be, are counted in one
    :class:`~c2kit.processors.asides.Anomalies` for each definition and batch. Layouts are compiled when the first
    packet of a definition comes.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._compiled: dict[tuple[str, int], _Compiled] = {}
        self._asides: list[Aside] = []

    def process(self, batch: PacketBatch) -> Iterator[TelemetryBatch]:
        """The telemetry of each definition, in the order in which the first packet of each was received.

        Raises:
            UsageError: the batch is not identified, or by other definitions than these.
            DefinitionError: a conversion's function cannot be found.
        """
        target = self._target_of(batch)
        definition = batch.definition
        if definition is None or not len(batch):
            return
        present, first = np.unique(definition, return_index=True)
        for place in present[np.argsort(first)].tolist():
            mine = batch if len(present) == 1 else batch.select(definition == place)
            yield self._decommutate(target, place, mine)

    def _target_of(self, batch: PacketBatch) -> Target:
        if batch.target is None or batch.definition is None:
            raise UsageError("a batch for the Decommutator", expected="identified packets", remedy="use an Identifier")
        target = self._dictionary.target(batch.target)
        if batch.dictionary_hash != target.hash:
            raise UsageError(
                f"packets of {target.name} were identified by other definitions",
                expected=target.hash,
                found=batch.dictionary_hash,
                remedy="give the Identifier and the Decommutator the same dictionary",
            )
        return target

    def _decommutate(self, target: Target, place: int, batch: PacketBatch) -> TelemetryBatch:
        compiled = self._compiled.get((target.name, place))
        if compiled is None:
            compiled = self._compiled[target.name, place] = _Compiled.of(target.packets[place])
        raw, engineering, counted = compiled.decode(batch)
        if counted:
            self._asides.append(Anomalies(target.name, compiled.packet.name, counted))
        return TelemetryBatch(
            target=target.name,
            packet=compiled.packet,
            dictionary_hash=target.hash,
            received=batch.received,
            generated=batch.generated,
            raw=raw,
            engineering=engineering,
            interface=batch.interface,
            origin=batch.origin,
        )

    def take_asides(self) -> list[Aside]:
        """What could not be converted since the last call."""
        asides, self._asides = self._asides, []
        return asides


@define(eq=False)
class _Compiled:
    """A definition, ready to be decoded."""

    packet: Packet
    layout: Layout
    converts: Sequence[tuple[str, Convert]]
    derives: Sequence[tuple[str, tuple[str, ...], Derive]]
    always: Sequence[int]
    """Which fields a packet that is long enough always has."""

    @classmethod
    def of(cls, packet: Packet) -> _Compiled:
        bound = [(item.name, bind(item)) for item in packet.items]
        return cls(
            packet=packet,
            layout=Layout(packet.items),
            converts=[(name, convert) for name, convert in bound if convert is not None],
            derives=[(item.name, item.inputs, bind_derived(item)) for item in packet.derived],
            always=[number for number, item in enumerate(packet.items) if not item.present_if],
        )

    def decode(self, batch: PacketBatch) -> tuple[dict[str, Column], dict[str, Column], Tallies]:
        decoded = columns.decode(self.layout, batch.buffer, batch.starts, batch.ends)
        counted = self._lengths(batch, decoded)
        raw = dict(zip(self.layout.index, decoded, strict=True))
        engineering: dict[str, Column] = {}
        for name, convert in self.converts:
            converted, more = convert(raw[name])
            counted.update(more)
            if converted is not raw[name]:
                engineering[name] = converted
        for name, inputs, derive in self.derives:
            engineering[name] = derive([engineering[each] if each in engineering else raw[each] for each in inputs])
        return raw, engineering, counted

    def _lengths(self, batch: PacketBatch, decoded: Sequence[Column]) -> Tallies:
        """How many packets lack a field that they should have, and how many go on after the last one."""
        short = np.zeros(len(batch), np.bool_)
        for number in self.always:
            valid = decoded[number].valid
            if valid is not None:
                short |= ~valid
        long: npt.NDArray[np.bool_] = np.zeros(0, np.bool_)
        if self.layout.is_fixed:
            long = batch.ends - batch.starts > -(-self.layout.fixed_bits // 8)
        return tallies({Tally.PACKET_TOO_SHORT: short.sum(), Tally.PACKET_TOO_LONG: long.sum()})
