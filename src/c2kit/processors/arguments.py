"""Arguments of commands: what a person types to what a caller gives, and that to raw values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from c2kit.errors import ArgumentFault, UsageError
from c2kit.kernel import reference
from c2kit.kernel.conversions import invert
from c2kit.kernel.layout import Layout
from c2kit.model.conversions import States
from c2kit.model.fields import Encoding, Fixed

if TYPE_CHECKING:
    from c2kit.model.commands import Argument

__all__ = ["parse_argument", "raw_value"]

_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def raw_value(argument: Argument, value: Any) -> Any:  # noqa: ANN401 - whatever the argument takes
    """The raw value of what a caller gave. Raises ArgumentFault for what the argument does not take."""
    _check_range(argument, value)
    try:
        raw = invert(argument.conversion, argument, value)
        _check_fits(argument, raw)
    except UsageError as error:
        text = error.what.removeprefix(f"{argument.name}: ")
        raise ArgumentFault(
            argument.name, text, expected=error.expected, found=error.found, remedy=error.remedy
        ) from error
    return raw


def _check_range(argument: Argument, value: Any) -> None:  # noqa: ANN401 - whatever the argument takes
    for element in value if isinstance(value, list | tuple) else (value,):
        if isinstance(element, bool) or not isinstance(element, int | float):
            continue
        low, high = argument.minimum, argument.maximum
        if not (low is None or element >= low) or not (high is None or element <= high):
            units = f" {argument.units}" if argument.units else ""
            if low is None or high is None:
                expected = f"at least {low:g}{units}" if high is None else f"at most {high:g}{units}"
            else:
                expected = f"{low:g} to {high:g}{units}"
            raise ArgumentFault(argument.name, "out of range", expected=expected, found=element)


def _check_fits(argument: Argument, raw: Any) -> None:  # noqa: ANN401 - whatever the argument holds
    """Encode it alone: what its type does not hold is refused here, with the argument's name."""
    alone = evolve(argument, bit_offset=0, present_if=())
    if alone.length is not None and not isinstance(alone.length, Fixed):
        alone = evolve(alone, length=Fixed((len(raw),)))
    reference.encode(Layout((alone,)), {argument.name: raw})


def parse_argument(argument: Argument, text: str) -> Any:  # noqa: ANN401 - whatever the argument takes
    """What a person typed, as the value that the argument takes.

    Numbers are decimal, or hexadecimal, octal or binary with ``0x``, ``0o`` or ``0b``; states are given by name or
    number; the elements of arrays are separated by commas; binary is hexadecimal digits, which may be spaced.

    Raises:
        ArgumentFault: it cannot be read as such a value.
    """
    if argument.encoding is Encoding.STRING:
        return text
    if argument.encoding is Encoding.BINARY:
        try:
            return bytes.fromhex(text.removeprefix("0x"))
        except ValueError:
            raise ArgumentFault(
                argument.name, "not hexadecimal", expected="pairs of digits", found=repr(text)
            ) from None
    if argument.is_array:
        return [_parse_number(argument, part.strip()) for part in text.split(",")] if text.strip() else []
    return _parse_number(argument, text.strip())


def _parse_number(argument: Argument, text: str) -> int | float | bool | str:
    if isinstance(argument.conversion, States) and any(state.name == text for state in argument.conversion.states):
        return text
    if argument.encoding is Encoding.BOOLEAN and argument.conversion is None and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    for read in (lambda: int(text, 0), lambda: int(text, 10), lambda: float(text)):
        try:
            return read()
        except ValueError:
            continue
    if isinstance(argument.conversion, States):
        return text
    raise ArgumentFault(argument.name, "not a number", expected="such as 10, 0x0A or 1.5", found=repr(text))
