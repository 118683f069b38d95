"""Dead letters of a mission: found on its bus, and decoded as far as they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, field, frozen

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.arrow import Values
from c2kit.batches.kinds import Kind
from c2kit.bus.reading import records_of
from c2kit.bus.records import DeadLetter, unpack
from c2kit.cli.options import tell
from c2kit.cli.tables import Selection
from c2kit.cli.tailing.contents import BATCHES, Reader, kind_of, names_of
from c2kit.dictionaries import Dictionary
from c2kit.errors import C2kitError, MessageError, UnknownName, UsageError
from c2kit.model.conversions import Function
from c2kit.model.target import Target
from c2kit.pipeline.definitions import DefinitionsMissing
from c2kit.processors import Decommutator, Identifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from c2kit.bus import Received
    from c2kit.cli.looking import Look
    from c2kit.model.packets import DerivedItem, Item
    from c2kit.pipeline.wire import Batch

__all__ = ["Letter", "letters_on", "the_one", "values_of"]

_KINDS = frozenset(map(str, BATCHES))


@frozen(kw_only=True, eq=False)
class Letter:
    """A dead letter, and what of it can be read."""

    number: int
    """By which it is known within its stage, for ever."""
    stage: str
    """The name of the stage; of one in a replay with ``replay.<id>.`` before it."""
    told: DeadLetter
    batch: Batch | None = None
    """The packet; ``None`` where the letter is a record that cannot be read."""
    target: Target | None = None
    """By what the packet is known, where it is."""
    what: str = field(init=False)
    """Target and name of the packet, or the kind of the record."""

    @what.default
    def _what(self) -> str:
        name = None
        if isinstance(self.batch, TelemetryBatch):
            name = self.batch.packet.name
        elif self.batch is not None and len(self.batch):
            name = names_of(self.batch, self.target)[0]
        return self.told.kind if name is None or self.batch is None else f"{self.batch.target} {name}"

    @property
    def is_packet(self) -> bool:
        """Whether it is a packet as it was received."""
        return isinstance(self.batch, PacketBatch)

    @property
    def data(self) -> bytes:
        """The bytes of the packet; of what is none the record as it was on the bus."""
        return b"".join(self.batch) if isinstance(self.batch, PacketBatch) else self.told.value


def letters_on(look: Look, stage: str | None = None) -> list[Letter]:
    """The dead letters of all stages, or of one, in the order of time. Raises UnknownName for no stage."""
    streams = {
        look.shown(each.spec.name).replace(f"{Kind.DEAD_LETTER}.", "", 1): each.spec.name
        for each in look.streams()
        if kind_of(each.spec.name) is Kind.DEAD_LETTER
    }
    if stage is not None and stage not in streams:
        raise UnknownName(kind="stage", name=stage, known=streams, where=f"mission {look.mission}")
    stages = {name: of for of, name in streams.items() if stage in (None, of)}
    reader = Reader(look)
    letters = [_letter(reader, stages[record.stream], record) for record in records_of(look.bus, stages)]
    return sorted((each for each in letters if each is not None), key=lambda each: (each.told.time_ns, each.stage))


def _letter(reader: Reader, stage: str, record: Received) -> Letter | None:
    try:
        told = unpack(DeadLetter, record.value)
    except MessageError as error:
        tell(f"not readable: {record.stream}@{record.offset}: {error}")
        return None
    batch, target = None, None
    if told.processor and told.kind in _KINDS:
        try:
            batch = reader.batch(told.value)
            target = reader.target_of(batch)
        except (MessageError, DefinitionsMissing) as error:
            tell(f"not decoded: dead letter {record.offset} of {stage}: {error}")
    return Letter(number=record.offset, stage=stage, told=told, batch=batch, target=target)


def the_one(letters: Sequence[Letter], number: int) -> Letter:
    """The letter of that number. Raises UnknownName, and UsageError where several stages have one."""
    found = [each for each in letters if each.number == number]
    if len(found) > 1:
        stages = ", ".join(each.stage for each in found)
        raise UsageError(f"several stages have a dead letter {number}", found=stages, remedy="choose one with --stage")
    if not found:
        known = [str(each.number) for each in letters]
        raise UnknownName(kind="dead letter", name=str(number), known=known)
    return found[0]


def values_of(look: Look, letter: Letter) -> tuple[str, list[tuple[Item | DerivedItem, Any]]]:
    """Target and name of the packet, and the values of its items; nothing where it cannot be decoded.

    Where a conversion fails, or its function cannot be found here, raw values stand for those that it would give.
    """
    batch = letter.batch
    if isinstance(batch, TelemetryBatch):
        return letter.what, _cells(batch)
    target = letter.target
    if batch is not None and target is None:
        batch, target = _identified(look, batch)
    if batch is None or target is None or batch.definition is None or not len(batch):
        return letter.what, []
    name = f"{target.name} {names_of(batch, target)[0]}"
    for make in (_whole, _without_functions):
        try:
            return name, _cells(make(batch, target))
        except Exception as error:  # noqa: BLE001 - users' functions raise what they like; it is why the letter is here
            tell(f"not decoded{' by functions' if make is _whole else ''}: {type(error).__name__}: {error}")
    return name, []


def _identified(look: Look, frames: PacketBatch) -> tuple[PacketBatch | None, Target | None]:
    """By the newest definitions of each target."""
    newest = {target.name: target for target in look.targets()}
    try:
        identifier = Identifier(Dictionary(tuple(newest.values())), check_sequence=False)
        packets = next(iter(identifier.process(frames)), None)
    except (C2kitError, ImportError) as error:
        tell(f"not identified: {error}")
        return None, None
    return packets, None if packets is None or packets.target is None else newest[packets.target]


def _whole(batch: PacketBatch, target: Target) -> TelemetryBatch:
    return next(Decommutator(Dictionary((target,))).process(batch))


def _without_functions(batch: PacketBatch, target: Target) -> TelemetryBatch:
    assert batch.definition is not None  # noqa: S101 - it is identified
    packet = target.packets[int(batch.definition[0])]
    items = tuple(
        evolve(item, conversion=None) if isinstance(item.conversion, Function) else item for item in packet.items
    )
    plain = Target(name=target.name, packets=(evolve(packet, items=items, derived=()),))
    known = evolve(batch, dictionary_hash=plain.hash, definition=np.zeros(len(batch), np.int32))
    return _whole(known, plain)


def _cells(batch: TelemetryBatch) -> list[tuple[Item | DerivedItem, Any]]:
    cells = Selection(Values.ENGINEERING).cells_of(batch.packet)
    return [(each.item, each.json(batch, 0, 1)[0]) for each in cells]
