"""Commands to bytes."""

from __future__ import annotations

import difflib
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from c2kit.errors import ArgumentFault, CommandRefused, UsageError
from c2kit.kernel import columns
from c2kit.kernel.layout import Layout
from c2kit.kernel.reference.decode import compare
from c2kit.model.commands import Checksum, Command, LengthOf, SequenceCount
from c2kit.model.conversions import States
from c2kit.model.crc import CrcParameters
from c2kit.model.fields import FieldReference
from c2kit.processors.arguments import raw_value
from c2kit.processors.base import pack_snapshot, unpack_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from c2kit.dictionaries import Dictionary
    from c2kit.model.commands import Argument

__all__ = ["CommandEncoder", "EncodedCommand"]

RawValues = dict[str, Any]


@frozen(kw_only=True)
class EncodedCommand:
    """A command as it is to be sent."""

    target: str
    name: str
    data: bytes
    raw: Mapping[str, Any] = field(repr=False)
    """The raw value of each argument that is present, computed ones too."""
    hazards: tuple[str, ...] = ()
    """Why it is hazardous, in words for who must confirm it; empty where it is not."""

    @property
    def is_hazardous(self) -> bool:
        """Whether somebody should confirm it."""
        return bool(self.hazards)


class CommandEncoder:
    """Encodes commands: checks what is given, fills in what is not, computes lengths, counts and checksums.

    It remembers the sequence counts; one that was given to a command is not given again, whether that is sent or not.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._layouts: dict[tuple[str, str], Layout] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def encode(self, target: str, name: str, arguments: Mapping[str, Any] | None = None) -> EncodedCommand:
        """Encode a command from engineering values.

        Raises:
            UnknownName: no such target or command.
            CommandRefused: what is wrong with the arguments: all of it.
        """
        command = self._dictionary.target(target).command(name)
        faults: list[ArgumentFault] = []
        raw = _raw_values(command, arguments or {}, faults)
        if faults:
            raise CommandRefused(target=target, command=name, faults=faults)
        try:
            data = self._computed(target, command, raw)
        except ArgumentFault as fault:
            raise CommandRefused(target=target, command=name, faults=[fault]) from fault
        except UsageError as error:
            faults.append(ArgumentFault(name, error.what, expected=error.expected, found=error.found))
            raise CommandRefused(target=target, command=name, faults=faults) from error
        return EncodedCommand(target=target, name=name, data=data, raw=raw, hazards=_hazards(command, raw))

    def _computed(self, target: str, command: Command, raw: RawValues) -> bytes:
        """Encode, compute what depends on the bytes, and encode again; ``raw`` gets the computed values."""
        layout = self._layout(target, command)
        computed = [
            argument for argument in command.arguments if argument.name in raw and argument.computed is not None
        ]
        size = len(columns.encode(layout, raw))
        for argument in computed:
            if isinstance(argument.computed, LengthOf):
                raw[argument.name] = _length(argument, argument.computed, size)
        taken: dict[tuple[str, str], int] = {}
        for argument in computed:
            if isinstance(argument.computed, SequenceCount):
                key = self._count_key(target, argument, argument.computed, raw)
                raw[argument.name] = self._counts.get(key, 0) % (1 << argument.bit_length)
                taken[key] = raw[argument.name] + 1
        for argument in computed:
            if isinstance(argument.computed, Checksum):
                raw[argument.name] = _checksum(argument, argument.computed, partial(columns.encode, layout), raw)
        data = columns.encode(layout, raw)
        self._counts.update(taken)
        return data

    def _layout(self, target: str, command: Command) -> Layout:
        key = (target, command.name)
        if key not in self._layouts:
            self._layouts[key] = Layout(command.arguments)
        return self._layouts[key]

    @staticmethod
    def _count_key(target: str, argument: Argument, computed: SequenceCount, raw: RawValues) -> tuple[str, str]:
        return target, argument.name if computed.per is None else f"{computed.per}={raw.get(computed.per)}"

    def set_sequence_count(self, target: str, per: str, count: int) -> None:
        """Let the next command of a target whose count goes by ``per`` (such as ``APID=100``) have this count."""
        self._counts[target, per] = count

    def snapshot(self) -> bytes:
        """The next sequence count of each target and count."""
        return pack_snapshot("CommandEncoder", 1, [[*key, count] for key, count in self._counts.items()])

    def restore(self, snapshot: bytes) -> None:
        """Go on from the counts of another one."""
        memory = unpack_snapshot(snapshot, "CommandEncoder", 1)
        self._counts = {(target, per): count for target, per, count in memory}


def _raw_values(command: Command, given: Mapping[str, Any], faults: list[ArgumentFault]) -> RawValues:
    """The raw values of all arguments that are present, in their order; 0 for what is computed later."""
    _check_names(command, given, faults)
    counts = _counted(command, given)
    raw: RawValues = {}
    for argument in command.arguments:
        if not _is_present(argument, raw):
            if argument.name in given:
                faults.append(ArgumentFault(argument.name, "is not part of this command with these other arguments"))
            continue
        if argument.fixed is not None:
            raw[argument.name] = argument.fixed
        elif argument.computed is not None:
            raw[argument.name] = 0
        else:
            _add_given(argument, given, counts, raw, faults)
    return raw


def _check_names(command: Command, given: Mapping[str, Any], faults: list[ArgumentFault]) -> None:
    for name in given:
        argument = command.arguments_by_name.get(name)
        if argument is None:
            takes = [each.name for each in command.arguments if each.fixed is None and each.computed is None]
            near = difflib.get_close_matches(name, takes, n=2, cutoff=0.5)
            expected = f"{' or '.join(near)}?" if near else ", ".join(takes) or "no arguments"
            faults.append(ArgumentFault(name, "no such argument", expected=expected))
        elif argument.fixed is not None or argument.computed is not None:
            why = "always has the same value" if argument.fixed is not None else "is computed"
            faults.append(ArgumentFault(name, f"cannot be given: it {why}"))


def _counted(command: Command, given: Mapping[str, Any]) -> RawValues:
    """Counts that nobody needs to give, since they follow from the sequences that were given."""
    counts: RawValues = {}
    for argument in command.arguments:
        length = argument.length
        if isinstance(length, FieldReference) and hasattr(given.get(argument.name), "__len__"):
            elements, rest = divmod(len(given[argument.name]) - length.add, length.multiply or 1)
            if not rest:
                counts[length.field] = elements
    return counts


def _is_present(argument: Argument, raw: RawValues) -> bool:
    return all(
        condition.field in raw and compare(raw[condition.field], condition.operator, condition.value)
        for condition in argument.present_if
    )


def _add_given(
    argument: Argument, given: Mapping[str, Any], counts: RawValues, raw: RawValues, faults: list[ArgumentFault]
) -> None:
    name = argument.name
    if name in given:
        value = given[name]
    elif name in counts:
        raw[name] = counts[name]
        return
    elif argument.default is not None and not argument.required:
        value = argument.default
    else:
        faults.append(ArgumentFault(name, "must be given"))
        return
    try:
        raw[name] = raw_value(argument, value)
    except ArgumentFault as fault:
        faults.append(fault)


def _length(argument: Argument, computed: LengthOf, size_bytes: int) -> int:
    length = size_bytes - computed.first_byte + computed.add
    if not 0 <= length < 1 << argument.bit_length:
        most = f"at most {(1 << argument.bit_length) - 1}"
        raise ArgumentFault(argument.name, "cannot tell the command's length", expected=most, found=length)
    return length


def _checksum(argument: Argument, computed: Checksum, encode: Callable[[RawValues], bytes], raw: RawValues) -> int:
    """The checksum over the command with its own bits 0."""
    data = encode(raw | {argument.name: 0})
    end = _first_byte_of(argument, encode, raw, data) if computed.last_byte is None else computed.last_byte
    covered = data[computed.first_byte : end]
    if isinstance(computed.algorithm, CrcParameters):
        return int(columns.crc(covered, np.zeros(1, np.int64), np.array([len(covered)]), computed.algorithm)[0])
    if computed.algorithm == "sum":
        return sum(covered) % (1 << argument.bit_length)
    exclusive = 0
    for byte in covered:
        exclusive ^= byte
    return exclusive


def _first_byte_of(argument: Argument, encode: Callable[[RawValues], bytes], raw: RawValues, data: bytes) -> int:
    """Where the checksum's first byte lies, whatever of varying size is before it."""
    other = encode(raw | {argument.name: (1 << argument.bit_length) - 1})
    return next(index for index, (a, b) in enumerate(zip(data, other, strict=True)) if a != b)


def _hazards(command: Command, raw: RawValues) -> tuple[str, ...]:
    hazards = [command.hazard or "it is hazardous"] if command.hazardous else []
    for argument in command.arguments:
        if argument.name in raw and isinstance(argument.conversion, States):
            state = argument.conversion.name_of(raw[argument.name])
            if state in argument.hazardous_states:
                hazards.append(f"{argument.name}={state}" + (f": {command.hazard}" if command.hazard else ""))
    return tuple(hazards)
