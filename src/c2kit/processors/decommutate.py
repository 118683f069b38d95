"""Packets in, items out, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.dictionaries import Dictionary
from c2kit.errors import UsageError
from c2kit.kernel.chosen import kernel
from c2kit.kernel.columns import presence
from c2kit.kernel.decommutation import Decommutation
from c2kit.kernel.envelope import Written
from c2kit.kernel.tally import Tally, tallies
from c2kit.model.conversions import Function
from c2kit.processors.asides import Anomalies, Asides
from c2kit.processors.base import Processor, needs_dictionary
from c2kit.processors.envelopes import Envelopes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from c2kit.batches import Column
    from c2kit.kernel.decommutation import Decommutated
    from c2kit.kernel.layout import Layout
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
        self._plans = {
            (target.name, place): _Plan.of(target, packet)
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
        plan = self._plans.get((target.name, place))
        if plan is None:
            plan = self._plans[target.name, place] = _Plan.of(target, target.packets[place])
        envelope = None if plan.envelopes is None else plan.envelopes.around(batch)
        found = kernel.decommutate(plan.decommutation, batch.buffer, batch.starts, batch.ends, envelope)
        self._count(target, plan.decommutation, batch, found)
        telemetry = TelemetryBatch(
            target=target.name,
            packet=plan.decommutation.packet,
            dictionary_hash=target.hash,
            received=batch.received,
            generated=batch.generated,
            raw=found.raw,
            engineering=found.engineering,
            interface=batch.interface,
            origin=batch.origin,
        )
        if found.message is not None and plan.envelopes is not None and envelope is not None:
            telemetry.keep_written(plan.envelopes.fingerprint, Written(envelope.head, found.message))
        return telemetry

    def _count(self, target: Target, plan: Decommutation, batch: PacketBatch, found: Decommutated) -> None:
        """Keep what could not be converted, and how many packets have another length than they should."""
        if not found.tallies and _are_whole(plan, found):
            return
        tallies = sum(found.tallies.values(), _lengths(plan, batch, found.raw))
        if tallies:
            self._asides.add_anomalies(
                Anomalies(
                    interface=batch.interface,
                    target=target.name,
                    packet=plan.packet.name,
                    tallies=tallies,
                    items=found.tallies,
                )
            )

    def take_asides(self) -> list[Aside]:
        """What could not be converted since the last call."""
        return self._asides.take()


def _has_functions(packet: Packet) -> bool:
    return bool(packet.derived) or any(isinstance(item.conversion, Function) for item in packet.items)


@frozen(eq=False)
class _Plan:
    """What becomes of packets of one definition, and what is around it where all of it are numbers."""

    decommutation: Decommutation
    envelopes: Envelopes | None

    @classmethod
    def of(cls, target: Target, packet: Packet) -> _Plan:
        decommutation = Decommutation.of(packet)
        return cls(decommutation, Envelopes(target, packet) if decommutation.is_numbers_only else None)


def _are_whole(plan: Decommutation, found: Decommutated) -> bool:
    """Whether it is known without looking at each that packets are as long as they should be."""
    if found.sizes_bytes is None or not plan.layout.is_fixed:
        return False
    least = -(-plan.layout.fixed_bits // 8)
    declared = least if plan.packet.size_bytes is None else plan.packet.size_bytes
    return max(least, declared) <= found.sizes_bytes[0] and found.sizes_bytes[1] <= declared


def _lengths(plan: Decommutation, batch: PacketBatch, raw: Mapping[str, Column]) -> Tallies:
    """How many packets are too short or too long."""
    sizes = batch.ends - batch.starts
    declared, layout = plan.packet.size_bytes, plan.layout
    if layout.is_fixed:
        short = 8 * sizes < layout.fixed_bits
        declared = -(-layout.fixed_bits // 8) if declared is None else declared
    else:
        short = _lacking(layout, len(batch), raw)
    if declared is None:
        return tallies({Tally.PACKET_TOO_SHORT: short.sum()})
    short |= sizes < declared
    return tallies({Tally.PACKET_TOO_SHORT: short.sum(), Tally.PACKET_TOO_LONG: (sizes > declared).sum()})


def _lacking(layout: Layout, count: int, raw: Mapping[str, Column]) -> npt.NDArray[np.bool_]:
    """Which packets lack a field that is not absent by its conditions."""
    lacking = np.zeros(count, np.bool_)
    absent: dict[str, npt.NDArray[np.bool_]] = {}
    for item in layout.fields:
        if item.present_if:
            absent[item.name], _ = presence(item, count, raw, absent)
        valid = raw[item.name].valid
        if valid is not None:
            lacking |= ~valid & ~absent.get(item.name, np.False_)
    return lacking
