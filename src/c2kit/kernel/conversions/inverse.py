"""An engineering value back to the raw value of a field, for the arguments of commands."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from c2kit.errors import UnknownName, UsageError
from c2kit.kernel.conversions.monotonic import domain_of, exact, is_monotonic, to_float
from c2kit.kernel.conversions.text import encode_text
from c2kit.model.conversions import Extrapolation, Function, PiecewiseLinear, Polynomial, States
from c2kit.model.fields import Encoding

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.kernel.conversions.monotonic import Domain
    from c2kit.model.conversions import Conversion
    from c2kit.model.fields import Field

__all__ = ["invert"]

_LARGEST_FLOAT = {
    (Encoding.IEEE754, 16): 65504.0,
    (Encoding.IEEE754, 32): float(np.finfo(np.float32).max),
    (Encoding.IEEE754, 64): sys.float_info.max,
}
_LARGEST_1750A = math.ldexp(1 - 2**-23, 127)


def invert(conversion: Conversion | None, field: Field, value: Any) -> Any:  # noqa: ANN401 - what a person may give
    """The raw value whose engineering value is nearest to ``value``: a number, or bytes for strings and binary.

    ``value`` is a number, a Boolean, a state's name, text, bytes, or for arrays a sequence, which gives a list.

    * Without a conversion an integer field takes whole numbers only; text is encoded, terminated and padded; bytes are
      taken as they are.
    * States are given by name, in exact spelling; a range gives its lowest value. So is a number that
      has a state.
    * Polynomials and lines are inverted in exact arithmetic; between two raw values the nearest is chosen. Where they
      are flat, several raw values are equally near, and one of them is chosen.

    Raises :class:`~c2kit.errors.UsageError` for a value of the wrong kind or out of reach, and for a conversion that is
    not monotonic over the field's raw values (user functions among them).
    """
    if isinstance(value, list | tuple | np.ndarray):
        if not field.is_array:
            raise _wrong(field, "it takes one value", value, expected="no sequence")
        return [invert(conversion, field, element) for element in value]
    match conversion:
        case None:
            return _unconverted(field, value)
        case States():
            return _raw_of_state(conversion, field, value)
        case Polynomial() | PiecewiseLinear():
            return _solved(conversion, field, _number(field, value))
        case Function():
            raise _wrong(field, "nothing is known of the inverse of its function", value, remedy="give it no function")


def _wrong(field: Field, what: str, value: object, *, expected: object = None, remedy: str = "") -> UsageError:
    return UsageError(f"{field.name}: {what}", expected=expected, found=repr(value), remedy=remedy)


def _number(field: Field, value: object) -> Fraction:
    if not isinstance(value, int | float | np.integer | np.floating | np.bool_):
        raise _wrong(field, "the value is not a number", value, expected="a number")
    if isinstance(value, float | np.floating) and not math.isfinite(value):
        raise _wrong(field, "no raw value has this engineering value", value, expected="a finite number")
    return Fraction(value.item() if isinstance(value, np.generic) else value)


def _unconverted(field: Field, value: object) -> int | float | bytes:
    if field.encoding.is_bytes:
        return _bytes(field, value)
    if field.encoding.is_float:
        return _float(field, value)
    number = _number(field, value)
    if number.denominator != 1:
        raise _wrong(field, "the value is not a whole number", value, expected="an integer")
    if field.encoding is Encoding.BOOLEAN and number not in (0, 1):
        raise _wrong(field, "the value is neither true nor false", value, expected="a Boolean, or 0 or 1")
    low, high = field.raw_range or (0, 0)
    if not low <= number <= high:
        raise _wrong(field, "the value does not fit its type", value, expected=f"{low} to {high}")
    return int(number)


def _bytes(field: Field, value: object) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str) and field.encoding is Encoding.STRING:
        return encode_text(field, value)
    expected = "text or bytes" if field.encoding is Encoding.STRING else "bytes"
    raise _wrong(field, "the value is of the wrong kind", value, expected=expected)


def _float(field: Field, value: object) -> float:
    """A float field without a conversion takes what is not a number and the infinite, too."""
    if isinstance(value, float | np.floating) and not math.isfinite(value):
        return float(value)
    number = _number(field, value)
    if abs(number) > _largest(field):
        raise _wrong(field, "the value does not fit its type", value, expected=f"at most {_largest(field):g}")
    return float(number)


def _largest(field: Field) -> float:
    return _LARGEST_FLOAT.get((field.encoding, field.bit_length), _LARGEST_1750A)


def _raw_of_state(states: States, field: Field, value: object) -> int:
    if isinstance(value, str):
        for state in states.states:
            if state.name == value:
                return state.low
        names = dict.fromkeys(state.name for state in states.states)
        raise UnknownName(kind="state", name=value, known=names, where=field.name)
    number = _number(field, value)
    if number.denominator != 1 or states.name_of(int(number)) is None:
        known = ", ".join(dict.fromkeys(state.name for state in states.states[:12]))
        raise _wrong(field, "no state has this value", value, expected=f"one of {known}")
    return int(number)


def _solved(conversion: Polynomial | PiecewiseLinear, field: Field, wanted: Fraction) -> int | float:
    low, high = _searched(conversion, field)
    if not is_monotonic(conversion, low, high):
        raise UsageError(
            f"{field.name}: its conversion has no inverse",
            expected="one that rises or falls throughout",
            remedy="use another conversion, or give the argument without one",
        )
    domain = domain_of(conversion, low, high)
    engineering = exact(conversion)
    ordinal = _nearest(field, domain, lambda ordinal: engineering(domain.value(ordinal)), wanted)
    return float(domain.value(ordinal)) if domain.is_float else ordinal


def _searched(conversion: Polynomial | PiecewiseLinear, field: Field) -> tuple[float, float]:
    """The raw values to search: where a conversion holds its end values, not further than one past its ends."""
    low, high = field.raw_range or (-_largest(field), _largest(field))
    if isinstance(conversion, PiecewiseLinear) and conversion.extrapolation is Extrapolation.HOLD:
        first, last = conversion.points[0][0], conversion.points[-1][0]
        if field.raw_range is not None:
            first, last = math.floor(first), math.ceil(last)
        return max(low, first), min(high, last)
    return low, high


def _nearest(field: Field, domain: Domain, at: Callable[[int], Fraction], wanted: Fraction) -> int:
    """The ordinal whose engineering value is nearest, by bisection."""
    low, high = domain.low, domain.high
    first, last = at(low), at(high)
    if not min(first, last) <= wanted <= max(first, last):
        return _nearest_end(field, domain, at, wanted)
    sign = 1 if last >= first else -1
    while high - low > 1:
        middle = (low + high) // 2
        if sign * (at(middle) - wanted) >= 0:
            high = middle
        else:
            low = middle
    return low if abs(at(low) - wanted) <= abs(at(high) - wanted) else high


def _nearest_end(field: Field, domain: Domain, at: Callable[[int], Fraction], wanted: Fraction) -> int:
    """The first or last integer, for a value that is at most half a step beyond: as near as others are rounded."""
    end, neighbour = domain.low, min(domain.low + 1, domain.high)
    if abs(at(domain.high) - wanted) < abs(at(end) - wanted):
        end, neighbour = domain.high, max(domain.high - 1, domain.low)
    if not domain.is_float and 2 * abs(at(end) - wanted) <= abs(at(end) - at(neighbour)):
        return end
    low, high = sorted((to_float(at(domain.low)), to_float(at(domain.high))))
    expected = f"{low:.15g} to {high:.15g}"
    raise _wrong(field, "no raw value has this engineering value", to_float(wanted), expected=expected)
