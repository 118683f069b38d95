"""Arguments of commands: from what a person types to what a caller gives, and from that to raw values."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, evolve, field

from c2kit.errors import ArgumentFault, UsageError
from c2kit.kernel.chosen import kernel
from c2kit.kernel.conversions import inverse_of
from c2kit.kernel.layout import Layout
from c2kit.kernel.reference.decode import compare
from c2kit.model.conversions import States
from c2kit.model.fields import Encoding, FieldReference, Fixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from c2kit.model.commands import Argument, Command

__all__ = ["ArgumentReader", "RawValues", "elements_of", "fault_of", "misfits", "parse_argument", "parse_arguments"]

RawValues = dict[str, Any]
"""Numbers, bytes, and lists of numbers, by argument."""

_PLAIN_NUMBERS = (int, float)
_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_HEX_SEPARATORS = str.maketrans("", "", " :_-")


Attempt = Callable[[Any], Any]
"""The raw value of what is given for an argument, or the :class:`~c2kit.errors.ArgumentFault` that it is."""


@define(eq=False)
class ArgumentReader:
    """A command's arguments, made ready to be read from what callers give."""

    command: Command
    attempts: dict[str, Attempt] = field(init=False)
    """For the arguments that can be given."""
    plain: RawValues | None = field(init=False)
    """Where every argument is always there: the values of all, those that must be given among them, if only as 0."""
    required: frozenset[str] = field(init=False)
    own: dict[str, tuple[float, float]] = field(init=False)
    """For some of them, from which to which integer each is its own raw value, so that nothing else need be asked."""

    def __attrs_post_init__(self) -> None:
        """Work out what is the same for all callers."""
        settable = [each for each in self.command.arguments if each.fixed is None and each.computed is None]
        self.attempts = {argument.name: attempt_at(argument) for argument in settable}
        self.required = frozenset(each.name for each in settable if each.default is None or each.required)
        self.own = {argument.name: _own_range(argument) for argument in settable if _takes_integers(argument)}
        self.plain = self._plain()

    def _plain(self) -> RawValues | None:
        plain: RawValues = {}
        for argument in self.command.arguments:
            if argument.present_if or argument.is_array or isinstance(argument.length, FieldReference):
                return None
            plain[argument.name] = 0 if argument.fixed is None else argument.fixed
            if argument.name in self.attempts and argument.name not in self.required:
                plain[argument.name] = self.attempts[argument.name](argument.default)
        return None if any(isinstance(value, ArgumentFault) for value in plain.values()) else plain

    def raw_values(self, given: Mapping[str, Any]) -> tuple[RawValues, list[ArgumentFault]]:
        """The raw values of the arguments that are present, 0 for what is computed later; and all that is wrong."""
        raw = self._plainly(given)
        if raw is not None:
            return raw, []
        resolving = _Resolving(given, self.attempts)
        resolving.faults += _superfluous(self.command, given)
        resolving.read(self.command)
        for argument in self.command.arguments:
            resolving.resolve(argument)
        return resolving.raw, resolving.faults

    def _plainly(self, given: Mapping[str, Any]) -> RawValues | None:
        """The same where nothing depends on anything else and nothing is wrong, which is most often so."""
        if self.plain is None:
            return None
        for name in self.required:
            if name not in given:
                return None
        raw = self.plain.copy()
        for name, value in given.items():
            if type(value) is int and name in self.own:
                low, high = self.own[name]
                if low <= value <= high:
                    raw[name] = value
                    continue
            attempt = self.attempts.get(name)
            found = None if attempt is None else attempt(value)
            if found is None or isinstance(found, ArgumentFault):
                return None
            raw[name] = found
        return raw


def _takes_integers(argument: Argument) -> bool:
    is_integer = argument.encoding.is_integer and argument.encoding is not Encoding.BOOLEAN
    return is_integer and argument.conversion is None and not argument.is_array


def _own_range(argument: Argument) -> tuple[float, float]:
    low, high = argument.raw_range or (0, 0)
    least = low if argument.minimum is None else max(low, argument.minimum)
    most = high if argument.maximum is None else min(high, argument.maximum)
    return least, most


def _superfluous(command: Command, given: Mapping[str, Any]) -> Iterator[ArgumentFault]:
    for name in given:
        argument = command.arguments_by_name.get(name)
        if argument is None:
            takes = [each.name for each in command.arguments if each.fixed is None and each.computed is None]
            near = difflib.get_close_matches(name, takes, n=2, cutoff=0.5)
            expected = f"{' or '.join(near)}?" if near else ", ".join(takes) or "no arguments"
            yield ArgumentFault(name, "no such argument", expected=expected)
        elif argument.fixed is not None or argument.computed is not None:
            why = "always has the same value" if argument.fixed is not None else "is computed"
            yield ArgumentFault(name, f"cannot be given: it {why}")


@define(eq=False)
class _Resolving:
    """The arguments of one command, resolved in their order."""

    given: Mapping[str, Any]
    attempts: Mapping[str, Attempt]
    raw: RawValues = field(factory=dict)
    faults: list[ArgumentFault] = field(factory=list)
    undecided: set[str] = field(factory=set)
    """What has no value because something is wrong, so that nobody knows whether what depends on it is present."""
    values: dict[str, Any] = field(factory=dict)
    """For what was given, and for defaults: the raw value, or the fault that it is."""

    def read(self, command: Command) -> None:
        """Convert what is there, whether it will be needed or not; counts of sequences follow from these."""
        for argument in command.arguments:
            if argument.fixed is not None or argument.computed is not None:
                continue
            if argument.name in self.given:
                self.values[argument.name] = self.attempts[argument.name](self.given[argument.name])
            elif argument.default is not None and not argument.required:
                self.values[argument.name] = self.attempts[argument.name](argument.default)
        for argument in command.arguments:
            length, raw = argument.length, self.values.get(argument.name)
            if isinstance(length, FieldReference) and isinstance(raw, list | bytes) and length.field not in self.given:
                count, rest = divmod(len(raw) - length.add, length.multiply or 1)
                if not rest:
                    self.values[length.field] = count

    def resolve(self, argument: Argument) -> None:
        """Decide about one argument."""
        name, is_present = argument.name, self.is_present(argument)
        value = self.values.get(name)
        if is_present is None:
            self.undecided.add(name)
            if name in self.given and isinstance(value, ArgumentFault):
                self.faults.append(value)
        elif not is_present:
            if name in self.given and argument.fixed is None and argument.computed is None:
                self.faults.append(ArgumentFault(name, "is not part of this command with these other arguments"))
        elif argument.fixed is not None:
            self.raw[name] = argument.fixed
        elif argument.computed is not None:
            self.raw[name] = 0
        elif value is None or isinstance(value, ArgumentFault):
            self.undecided.add(name)
            self.faults.append(value or ArgumentFault(name, "must be given"))
        else:
            self.raw[name] = value

    def is_present(self, argument: Argument) -> bool | None:
        """Whether all its conditions hold; ``None`` where nobody knows."""
        if any(condition.field in self.undecided for condition in argument.present_if):
            return None
        return all(
            condition.field in self.raw and compare(self.raw[condition.field], condition.operator, condition.value)
            for condition in argument.present_if
        )


def attempt_at(argument: Argument) -> Attempt:
    """What tries values for an argument, one after another."""
    inverse = inverse_of(argument.conversion, argument)
    has_range = argument.minimum is not None or argument.maximum is not None
    low = -math.inf if argument.minimum is None else argument.minimum
    high = math.inf if argument.maximum is None else argument.maximum

    def attempt(value: Any) -> Any:  # noqa: ANN401 - whatever the argument takes
        try:
            if has_range and not (type(value) in _PLAIN_NUMBERS and low <= value <= high):
                _check_range(argument, value)
            return inverse(value)
        except ArgumentFault as fault:
            return fault
        except UsageError as error:
            return fault_of(argument, error)

    return attempt


def fault_of(argument: Argument, error: UsageError) -> ArgumentFault:
    """The error as one of this argument."""
    what = error.what.removeprefix(f"{argument.name}: ")
    return ArgumentFault(argument.name, what, expected=error.expected, found=error.found, remedy=error.remedy)


def _check_range(argument: Argument, value: Any) -> None:  # noqa: ANN401 - whatever the argument takes
    low, high = argument.minimum, argument.maximum
    if low is None and high is None:
        return
    for element in elements_of(value):
        if isinstance(element, bool) or not isinstance(element, int | float | np.integer | np.floating):
            continue
        if not (low is None or element >= low) or not (high is None or element <= high):
            raise ArgumentFault(argument.name, "out of range", expected=_range(argument), found=element)


def _range(argument: Argument) -> str:
    low, high = argument.minimum, argument.maximum
    units = f" {argument.units}" if argument.units else ""
    if high is None:
        return f"at least {low:.15g}{units}"
    return f"at most {high:.15g}{units}" if low is None else f"{low:.15g} to {high:.15g}{units}"


def elements_of(value: Any) -> Iterator[Any]:  # noqa: ANN401 - whatever an argument takes
    """The elements of a sequence of any depth; a single value is its own."""
    if isinstance(value, list | tuple | np.ndarray):
        for element in value:
            yield from elements_of(element)
    else:
        yield value


def misfits(command: Command, raw: RawValues) -> Iterator[ArgumentFault]:
    """What is wrong with arguments that were converted, and cannot be encoded: each is tried alone."""
    for argument in command.arguments:
        if argument.name not in raw or argument.fixed is not None or argument.computed is not None:
            continue
        alone = evolve(argument, bit_offset=0, present_if=())
        if isinstance(alone.length, FieldReference):
            alone = evolve(alone, length=Fixed((len(raw[argument.name]),)))
        try:
            kernel.encode(Layout((alone,)), {argument.name: raw[argument.name]})
        except UsageError as error:
            yield fault_of(argument, error)


def parse_arguments(command: Command, assignments: Iterable[str]) -> dict[str, Any]:
    """What a person typed, such as ``["MODE=SAFE", "DURATION=0x10"]``, as the encoder takes it.

    What cannot be read stays text, so that the encoder refuses it together with all else that is wrong. Raises
    :class:`~c2kit.errors.UsageError` for what is no assignment, and for a second one of the same argument.
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, sign, text = assignment.partition("=")
        if not sign or not name:
            raise UsageError("an argument", expected="NAME=VALUE", found=repr(assignment))
        if name in values:
            raise UsageError(f"argument {name} is given twice", remedy="give it once")
        values[name] = text
        if name in command.arguments_by_name:
            try:
                values[name] = parse_argument(command.arguments_by_name[name], text)
            except ArgumentFault:
                continue
    return values


def parse_argument(argument: Argument, text: str) -> Any:  # noqa: ANN401 - whatever the argument takes
    """What a person typed, as the value that the argument takes.

    Numbers are decimal, or hexadecimal, octal or binary with ``0x``, ``0o`` or ``0b``; states are given by name or
    number; the elements of arrays are separated by commas, with or without brackets around them; binary is hexadecimal
    digits, with or without spaces, ``:``, ``-`` or ``_`` between them.

    Raises:
        ArgumentFault: it cannot be read as such a value.
    """
    if argument.encoding is Encoding.STRING:
        return text
    text = text.strip()
    if argument.encoding is Encoding.BINARY:
        return _parse_binary(argument, text)
    if not argument.is_array:
        return _parse_number(argument, text)
    inner = text.removeprefix("[").removesuffix("]").strip()
    return [_parse_number(argument, part.strip()) for part in inner.split(",")] if inner else []


def _parse_binary(argument: Argument, text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x").removeprefix("0X").translate(_HEX_SEPARATORS))
    except ValueError:
        what, expected = "not hexadecimal", "pairs of digits"
        raise ArgumentFault(argument.name, what, expected=expected, found=repr(text)) from None


def _parse_number(argument: Argument, text: str) -> int | float | bool | str:
    states = argument.conversion if isinstance(argument.conversion, States) else None
    if states is not None and any(state.name == text for state in states.states):
        return text
    if argument.encoding is Encoding.BOOLEAN and argument.conversion is None and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    for read in (lambda: int(text, 0), lambda: int(text, 10), lambda: float(text)):
        try:
            return read()
        except ValueError:
            continue
    if states is not None:
        return text
    raise ArgumentFault(argument.name, "not a number", expected="such as 10, 0x0A or 1.5", found=repr(text))
