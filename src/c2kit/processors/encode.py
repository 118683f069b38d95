"""Commands to bytes."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from c2kit.batches.kinds import Kind
from c2kit.dictionaries import Dictionary
from c2kit.errors import ArgumentFault, CommandRefused, MessageError, UsageError
from c2kit.kernel.chosen import kernel
from c2kit.kernel.layout import Layout
from c2kit.model.commands import Checksum, LengthOf, SequenceCount
from c2kit.model.conversions import State, States
from c2kit.processors.arguments import ArgumentReader, elements_of, fault_of, misfits
from c2kit.processors.base import needs_dictionary, pack_snapshot, unpack_snapshot
from c2kit.processors.computed import checksum, command_length

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.kernel.contract import Codec
    from c2kit.model.commands import Argument, Command, Computed
    from c2kit.model.target import Target
    from c2kit.processors.arguments import RawValues

__all__ = ["CommandEncoder", "EncodedCommand"]

_VERSION = 1

CountKey = tuple[str, str]
"""A target, and what its count goes by: ``APID=100``, or where it counts all commands, the name of the count."""


@frozen(kw_only=True)
class EncodedCommand:
    """A command as it is to be sent."""

    target: str
    name: str
    data: bytes
    raw: Mapping[str, Any] = field(repr=False)
    """The raw value of each argument that is present, computed ones too."""
    dictionary_hash: str = field(repr=False)
    """The hash of the target's definitions, by which it was encoded."""
    hazards: tuple[str, ...] = ()
    """Why it is hazardous, in words for who must confirm it; empty where it is not."""

    @property
    def is_hazardous(self) -> bool:
        """Whether somebody should confirm it."""
        return bool(self.hazards)


class CommandEncoder:
    """Encodes commands: checks what is given, fills in what is not, computes lengths, counts and checksums.

    It remembers the sequence counts; one that was given to a command is not given again, whether that is sent or not.
    A refused command takes none. Checksums are computed in the order of their definition, so that a later one covers
    the value of an earlier one.

    Like a :class:`~c2kit.processors.Processor` it knows no clock and no bus, and is for one thread.
    """

    takes = (Kind.COMMANDS, Kind.AUTO_COMMANDS)
    gives = Kind.UPLINK
    also_gives = (Kind.COMMAND_STATUS,)

    def __init__(self, dictionary: Dictionary | None = None) -> None:
        self._is_bound = dictionary is not None
        self._dictionary = dictionary or Dictionary()
        self._prepared: dict[tuple[str, str], _Prepared] = {}
        self._counts: dict[CountKey, int] = {}

    @property
    def settings(self) -> dict[str, Any]:
        """It has none."""
        return {}

    def encode(self, target: str, name: str, arguments: Mapping[str, Any] | None = None) -> EncodedCommand:
        """Encode a command from engineering values.

        Raises:
            UnknownName: no such target or command.
            CommandRefused: what is wrong with the arguments: all of it.
            DefinitionError: a definition that cannot be encoded.
        """
        if not self._is_bound:
            raise needs_dictionary("CommandEncoder")
        prepared = self._prepared.get((target, name)) or self._prepare(target, name)
        raw, faults = prepared.reader.raw_values(arguments or {})
        data = b""
        if not faults:
            try:
                data = self._encode(prepared, raw)
            except ArgumentFault as fault:
                faults.append(fault)
            except UsageError as error:
                faults += list(misfits(prepared.command, raw)) or [_blamed(prepared.command, error)]
        else:
            faults += misfits(prepared.command, raw)
        if faults:
            raise CommandRefused(target=target, command=name, faults=faults)
        return EncodedCommand(
            target=target,
            name=name,
            data=data,
            raw=raw,
            dictionary_hash=prepared.dictionary_hash,
            hazards=prepared.hazards(raw),
        )

    def _prepare(self, target: str, name: str) -> _Prepared:
        definitions = self._dictionary.target(target)
        prepared = self._prepared[target, name] = _Prepared(definitions, definitions.command(name))
        return prepared

    def _encode(self, prepared: _Prepared, raw: RawValues) -> bytes:
        """Encode, compute what depends on the bytes, and encode again; ``raw`` gets the computed values."""
        data = prepared.codec.encode(raw)
        if not prepared.computed:
            return data
        taken: dict[CountKey, int] = {}
        for argument, what in prepared.computed:
            if argument.name not in raw:
                continue
            if isinstance(what, LengthOf):
                raw[argument.name] = command_length(argument, what, len(data))
            elif isinstance(what, SequenceCount):
                key = _count_key(prepared.target.name, argument, what, raw)
                raw[argument.name] = self._counts.get(key, 0) % (1 << argument.bit_length)
                taken[key] = raw[argument.name] + 1
        for argument, what in prepared.computed:
            if isinstance(what, Checksum) and argument.name in raw:
                raw[argument.name] = checksum(argument, what, prepared.layout, raw)
        data = prepared.codec.encode(raw)
        self._counts.update(taken)
        return data

    def set_sequence_count(self, target: str, per: str, count: int) -> None:
        """Let the next command of a target whose count goes by ``per`` (such as ``APID=100``) have this count."""
        self._counts[target, per] = count

    def snapshot(self) -> bytes:
        """The next sequence count of each target and what its count goes by."""
        memory = {"counts": [[*key, count] for key, count in self._counts.items()]}
        return pack_snapshot("CommandEncoder", _VERSION, self._dictionary.targets, memory)

    def restore(self, snapshot: bytes) -> None:
        """Go on from the counts of another one, which may have had other definitions.

        Raises :class:`~c2kit.errors.MessageError` for what is no snapshot of a command encoder.
        """
        memory = unpack_snapshot(snapshot, "CommandEncoder", _VERSION)
        counts: dict[CountKey, int] = {}
        for entry in memory.get("counts", [memory]):
            match entry:
                case [str(target), str(per), int(count)] if count >= 0:
                    counts[target, per] = count
                case _:
                    expected = "target, what the count goes by, and count"
                    raise MessageError("sequence counts in a snapshot", expected=expected, found=entry)
        self._counts = counts


@define(eq=False)
class _Prepared:
    """A command, with what is the same whenever it is encoded."""

    target: Target
    command: Command

    @cached_property
    def reader(self) -> ArgumentReader:
        return ArgumentReader(self.command)

    @cached_property
    def layout(self) -> Layout:
        return Layout(self.command.arguments)

    @cached_property
    def codec(self) -> Codec:
        return kernel.codec(self.layout)

    @cached_property
    def computed(self) -> list[tuple[Argument, Computed]]:
        return [(each, each.computed) for each in self.command.arguments if each.computed is not None]

    @cached_property
    def dictionary_hash(self) -> str:
        return self.target.hash

    @cached_property
    def hazardous(self) -> list[tuple[Argument, list[State]]]:
        """The arguments that some states make hazardous, and those."""
        return [
            (each, [state for state in each.conversion.states if state.name in each.hazardous_states])
            for each in self.command.arguments
            if each.hazardous_states and isinstance(each.conversion, States)
        ]

    def hazards(self, raw: RawValues) -> tuple[str, ...]:
        """Why the command is hazardous with these arguments."""
        command = self.command
        hazards = [command.hazard or "it is hazardous"] if command.hazardous else []
        for argument, states in self.hazardous:
            elements = list(elements_of(raw[argument.name])) if argument.name in raw else []
            hazards += [
                f"{argument.name}={state.name}" + (f": {command.hazard}" if command.hazard else "")
                for state in states
                if any(state.low <= element <= state.high for element in elements)
            ]
        return tuple(hazards)


def _count_key(target: str, argument: Argument, computed: SequenceCount, raw: RawValues) -> CountKey:
    return target, argument.name if computed.per is None else f"{computed.per}={raw.get(computed.per)}"


def _blamed(command: Command, error: UsageError) -> ArgumentFault:
    """The error as a fault of the argument that it names first."""
    name = error.what.partition(":")[0]
    argument = command.arguments_by_name.get(name)
    if argument is not None:
        return fault_of(argument, error)
    return ArgumentFault(command.name, error.what, expected=error.expected, found=error.found, remedy=error.remedy)
