"""What is in records: batches by the definitions on the bus, JSON by its kind; and what is wanted of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define, field, frozen

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.bus.records import Command, CommandStatus, DeadLetter, Event, JsonRecord, UplinkCommand, unpack
from c2kit.dictionaries import Dictionary
from c2kit.errors import UnknownName, UsageError
from c2kit.pipeline.composition.names import kind_and_scope
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.wire import Batch, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from c2kit.bus import Received
    from c2kit.cli.looking import Look
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target

__all__ = ["BATCHES", "Choice", "Contents", "Reader", "kind_of", "names_of"]

BATCHES = frozenset({Kind.RAW, Kind.FRAMES, Kind.UNKNOWN, Kind.PACKETS, Kind.TELEMETRY})
"""The kinds whose records are batches."""
_NAMED = frozenset({Kind.PACKETS, Kind.TELEMETRY})
"""The kinds whose packets have names."""
_RECORDS: Mapping[Kind, type[JsonRecord]] = {
    Kind.COMMANDS: Command,
    Kind.AUTO_COMMANDS: Command,
    Kind.UPLINK: UplinkCommand,
    Kind.COMMAND_STATUS: CommandStatus,
    Kind.EVENTS: Event,
    Kind.DEAD_LETTER: DeadLetter,
}

Contents = Batch | JsonRecord | bytes
"""What is in a record; bytes where this c2kit has no other word for it."""


def kind_of(stream: str) -> Kind | None:
    """The kind of a stream, by its name."""
    found = kind_and_scope(stream)
    return None if found is None else found[0]


@frozen(kw_only=True)
class Choice:
    """Which packets, and which of their items, are wanted; no names, and ``None``, are all."""

    packets: tuple[str, ...] = ()
    items: tuple[str, ...] | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is chosen."""
        return not self.packets and self.items is None

    def check(self, look: Look, streams: Sequence[str]) -> list[tuple[Target, Packet]]:
        """All definitions that are wanted, of targets whose streams these are, the newest last.

        Raises UnknownName for names that none of them has, UsageError where none of the streams has such packets.
        """
        scopes = [found[1] for name in streams if (found := kind_and_scope(name)) and found[0] in _NAMED]
        if not scopes:
            if self.is_all:
                return []
            shown = ", ".join(map(look.shown, streams[:6]))
            raise UsageError("names of packets and items", expected="telemetry.TARGET or packets.TARGET", found=shown)
        targets = look.targets()
        targets = [target for target in targets if target.name in scopes] or targets
        where = f"the definitions of mission {look.mission}"
        packets = [(target, packet) for target in targets for packet in target.packets]
        _check_names("packet", self.packets, {packet.name for _, packet in packets}, where)
        packets = [pair for pair in packets if not self.packets or pair[1].name in self.packets]
        items = {name for _, packet in packets for name in packet.items_by_name}
        _check_names("item", self.items or (), items, " or ".join(self.packets) or where)
        return packets

    def of(self, batch: Batch, target: Target | None) -> Batch | None:
        """What is wanted of a batch; ``None`` for nothing of it."""
        if self.is_all:
            return batch
        if isinstance(batch, TelemetryBatch):
            names = batch.packet.items_by_name
            is_wanted = not self.packets or batch.packet.name in self.packets
            return batch if is_wanted and (self.items is None or not names.keys().isdisjoint(self.items)) else None
        if target is None or batch.definition is None or self.items is not None:
            return None
        places = [place for place, packet in enumerate(target.packets) if packet.name in self.packets]
        wanted = np.isin(batch.definition, places)
        return batch.select(wanted) if wanted.any() else None


def _check_names(kind: str, names: Sequence[str], known: set[str], where: str) -> None:
    for name in names:
        if name not in known:
            raise UnknownName(kind=kind, name=name, known=sorted(known), where=where)


@define(eq=False)
class Reader:
    """Reads records of one mission, whatever their kinds."""

    look: Look
    choice: Choice = Choice()
    _definitions: Definitions = field(init=False)
    _wire: Wire = field(init=False)

    @_definitions.default
    def _definitions_default(self) -> Definitions:
        return Definitions(self.look.bus, self.look.mission, Dictionary())

    @_wire.default
    def _wire_default(self) -> Wire:
        return Wire(self._definitions)

    def read(self, record: Received) -> Contents | None:
        """What is wanted of it; ``None`` for nothing. Raises MessageError, DefinitionsMissing."""
        kind = kind_of(record.stream)
        if kind in BATCHES:
            batch = self.batch(record.value)
            return self.choice.of(batch, self.target_of(batch))
        if not self.choice.is_all:
            return None
        if kind is None or kind not in _RECORDS:
            return record.value
        return unpack(_RECORDS[kind], record.value)  # type: ignore[type-var]  # one of them

    def batch(self, value: bytes) -> Batch:
        """The batch that is a record's value. Raises MessageError, DefinitionsMissing."""
        return self._wire.read(value)

    def target_of(self, batch: Batch) -> Target | None:
        """By what the packets of a batch are known. Raises DefinitionsMissing."""
        return None if batch.dictionary_hash is None else self._definitions.target(batch.dictionary_hash)


def names_of(batch: PacketBatch, target: Target | None) -> list[str | None]:
    """The name of each packet; ``None`` where it has none."""
    if target is None or batch.definition is None:
        return [None] * len(batch)
    return [target.packets[place].name for place in batch.definition.tolist()]
