"""Packets in, items out, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.dictionaries import Dictionary
from c2kit.errors import UsageError
from c2kit.kernel.chosen import kernel
from c2kit.kernel.columns import presence
from c2kit.kernel.conversions import bind, bind_derived
from c2kit.kernel.layout import Layout
from c2kit.kernel.tally import Tally, tallies
from c2kit.model.conversions import Function
from c2kit.processors.asides import Anomalies, Asides
from c2kit.processors.base import Processor, needs_dictionary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from c2kit.batches import Column
    from c2kit.kernel.conversions import Convert, Derive
    from c2kit.kernel.tally import Tallies
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target
    from c2kit.processors.asides import Aside

__all__ = ["Decommutator"]


class Decommutator(Processor[PacketBatch, TelemetryBatch]):
    """Decodes packets to raw values and converts them to engineering values, a batch for each packet definition.

    What could not be converted, and packets that are shorter or longer than they are defined to be, are counted in one
    :class:`~c2kit.processors.asides.Anomalies` for each definition and interface, until they are taken. Layouts are
    compiled when the first packet of a definition comes; functions are looked for at once.

    Raises:
        DefinitionError: a conversion's function cannot be found, or is another version.
    """

    takes = (Kind.PACKETS,)
    gives = Kind.TELEMETRY

    def __init__(self, dictionary: Dictionary | None = None) -> None:
        self._is_bound = dictionary is not None
        dictionary = dictionary or Dictionary()
        self._dictionary = dictionary
        self._compiled = {
            (target.name, place): _Compiled.of(packet)
            for target in dictionary.targets
            for place, packet in enumerate(target.packets)
            if _has_functions(packet)
        }
        self._asides = Asides()

    def bind(self, dictionary: Dictionary, targets: Sequence[str]) -> Decommutator:  # noqa: ARG002 - it knows from each batch
        """Another one that decommutates packets of these definitions."""
        return Decommutator(dictionary)

    def process(self, batch: PacketBatch) -> Iterator[TelemetryBatch]:
        """The telemetry of each definition, in the order in which the first packet of each was received.

        Raises:
            UsageError: the batch is not identified, or by other definitions than these.
            UnknownName: its target is not in the dictionary.
            DefinitionError: a definition that cannot be decoded.
        """
        if not self._is_bound:
            raise needs_dictionary("Decommutator")
        target = self._target_of(batch)
        definition = batch.definition
        if definition is None or not len(batch):
            return
        groups = kernel.group(definition, len(target.packets)).present()
        for place, members in sorted(groups, key=lambda group: int(group[1][0])):
            mine = batch if len(members) == len(batch) else batch.select(members)
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
        raw = compiled.raw(batch)
        engineering, items = compiled.engineering(raw)
        tallies = sum(items.values(), compiled.lengths(batch, raw))
        if tallies:
            name = compiled.packet.name
            self._asides.add_anomalies(
                Anomalies(interface=batch.interface, target=target.name, packet=name, tallies=tallies, items=items)
            )
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
        return self._asides.take()


def _has_functions(packet: Packet) -> bool:
    return bool(packet.derived) or any(isinstance(item.conversion, Function) for item in packet.items)


@define(eq=False)
class _Compiled:
    """A definition, ready to be decoded."""

    packet: Packet
    layout: Layout
    converts: Sequence[tuple[str, Convert]]
    derives: Sequence[tuple[str, tuple[str, ...], Derive]]

    @classmethod
    def of(cls, packet: Packet) -> _Compiled:
        bound = [(item.name, bind(item)) for item in packet.items]
        return cls(
            packet=packet,
            layout=Layout(packet.items),
            converts=[(name, convert) for name, convert in bound if convert is not None],
            derives=[(item.name, item.inputs, bind_derived(item)) for item in packet.derived],
        )

    def raw(self, batch: PacketBatch) -> dict[str, Column]:
        decoded = kernel.decode(self.layout, batch.buffer, batch.starts, batch.ends)
        return dict(zip(self.layout.index, decoded, strict=True))

    def engineering(self, raw: Mapping[str, Column]) -> tuple[dict[str, Column], dict[str, Tallies]]:
        """The columns whose values are not the raw ones, and what was counted in each."""
        engineering: dict[str, Column] = {}
        counted: dict[str, Tallies] = {}
        for name, convert in self.converts:
            converted, tallies = convert(raw[name])
            if converted is not raw[name]:
                engineering[name] = converted
            if tallies:
                counted[name] = tallies
        for name, inputs, derive in self.derives:
            engineering[name] = derive([engineering[each] if each in engineering else raw[each] for each in inputs])
        return engineering, counted

    def lengths(self, batch: PacketBatch, raw: Mapping[str, Column]) -> Tallies:
        """How many packets are too short or too long."""
        sizes = batch.ends - batch.starts
        declared = self.packet.size_bytes
        if self.layout.is_fixed:
            short = 8 * sizes < self.layout.fixed_bits
            declared = -(-self.layout.fixed_bits // 8) if declared is None else declared
        else:
            short = self._lacking(len(batch), raw)
        if declared is None:
            return tallies({Tally.PACKET_TOO_SHORT: short.sum()})
        short |= sizes < declared
        return tallies({Tally.PACKET_TOO_SHORT: short.sum(), Tally.PACKET_TOO_LONG: (sizes > declared).sum()})

    def _lacking(self, count: int, raw: Mapping[str, Column]) -> npt.NDArray[np.bool_]:
        """Which packets lack a field that is not absent by its conditions."""
        lacking = np.zeros(count, np.bool_)
        absent: dict[str, npt.NDArray[np.bool_]] = {}
        for item in self.layout.fields:
            if item.present_if:
                absent[item.name], _ = presence(item, count, raw, absent)
            valid = raw[item.name].valid
            if valid is not None:
                lacking |= ~valid & ~absent.get(item.name, np.False_)
        return lacking
