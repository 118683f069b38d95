"""An engineering value back to the raw value of a field, for the arguments of commands."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define

from c2kit.errors import UnknownName, UsageError
from c2kit.kernel.conversions.monotonic import domain_of, exact, is_monotonic, to_float
from c2kit.kernel.conversions.text import encode_text
from c2kit.model.conversions import Extrapolation, Function, PiecewiseLinear, Polynomial, States
from c2kit.model.fields import Encoding

if TYPE_CHECKING:
    from c2kit.kernel.conversions.monotonic import Domain
    from c2kit.model.conversions import Conversion
    from c2kit.model.fields import Field

__all__ = ["Inverse", "inverse_of", "invert"]

Inverse = Callable[[Any], Any]
"""The raw value of an engineering value, as :func:`invert` gives it."""

_LARGEST_FLOAT = {
    (Encoding.IEEE754, 16): 65504.0,
    (Encoding.IEEE754, 32): float(np.finfo(np.float32).max),
    (Encoding.IEEE754, 64): sys.float_info.max,
}
_SEQUENCES = (list, tuple, np.ndarray)
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
    return inverse_of(conversion, field)(value)


def inverse_of(conversion: Conversion | None, field: Field) -> Inverse:
    """What inverts one value after another, made once; see :func:`invert`."""
    invert_one = _inverse_of_one(conversion, field)

    def invert_any(value: Any) -> Any:  # noqa: ANN401 - what a person may give
        if not isinstance(value, _SEQUENCES):
            return invert_one(value)
        if not field.is_array:
            raise _wrong(field, "it takes one value", value, expected="no sequence")
        return [invert_any(element) for element in value]

    return invert_any


def _inverse_of_one(conversion: Conversion | None, field: Field) -> Inverse:
    match conversion:
        case None:
            return _unconverted(field)
        case States():
            return _inverse_of_states(conversion, field)
        case Polynomial() | PiecewiseLinear():
            return _Solver(conversion, field)
        case Function():

            def refuse(value: object) -> None:
                raise _wrong(
                    field, "nothing is known of the inverse of its function", value, remedy="give it no function"
                )

            return refuse


def _wrong(field: Field, what: str, value: object, *, expected: object = None, remedy: str = "") -> UsageError:
    return UsageError(f"{field.name}: {what}", expected=expected, found=repr(value), remedy=remedy)


def _ratio(field: Field, value: object) -> tuple[int, int]:
    """A number, exactly: numerator and denominator, which is positive; no number divides both."""
    if type(value) is int:
        return value, 1
    if type(value) is float and math.isfinite(value):
        return value.as_integer_ratio()
    if not isinstance(value, int | float | np.integer | np.floating | np.bool_):
        raise _wrong(field, "the value is not a number", value, expected="a number")
    if isinstance(value, float | np.floating) and not math.isfinite(value):
        raise _wrong(field, "no raw value has this engineering value", value, expected="a finite number")
    ratio: tuple[int, int] = (value.item() if isinstance(value, np.generic) else value).as_integer_ratio()
    return ratio


def _unconverted(field: Field) -> Inverse:
    if field.encoding.is_bytes:
        return lambda value: _bytes(field, value)
    if field.encoding.is_float:
        return _inverse_of_float(field)
    low, high = field.raw_range or (0, 0)
    most = 1 if field.encoding is Encoding.BOOLEAN else high

    def integer(value: object) -> int:
        # What is nearly always given needs no more than this.
        return value if type(value) is int and low <= value <= most else _integer(field, value)

    return integer


def _integer(field: Field, value: object) -> int:
    number, denominator = _ratio(field, value)
    if denominator != 1:
        raise _wrong(field, "the value is not a whole number", value, expected="an integer")
    if field.encoding is Encoding.BOOLEAN and number not in (0, 1):
        raise _wrong(field, "the value is neither true nor false", value, expected="a Boolean, or 0 or 1")
    low, high = field.raw_range or (0, 0)
    if not low <= number <= high:
        raise _wrong(field, "the value does not fit its type", value, expected=f"{low} to {high}")
    return number


def _bytes(field: Field, value: object) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str) and field.encoding is Encoding.STRING:
        return encode_text(field, value)
    expected = "text or bytes" if field.encoding is Encoding.STRING else "bytes"
    raise _wrong(field, "the value is of the wrong kind", value, expected=expected)


def _inverse_of_float(field: Field) -> Inverse:
    """A float field without a conversion takes what is not a number and the infinite, too."""
    largest = _largest(field)

    def number(value: object) -> float:
        if isinstance(value, float | np.floating) and not math.isfinite(value):
            return float(value)
        ratio = Fraction(*_ratio(field, value))
        if abs(ratio) > largest:
            raise _wrong(field, "the value does not fit its type", value, expected=f"at most {largest:g}")
        return float(ratio)

    return lambda value: value if type(value) is float and -largest <= value <= largest else number(value)


def _largest(field: Field) -> float:
    return _LARGEST_FLOAT.get((field.encoding, field.bit_length), _LARGEST_1750A)


def _inverse_of_states(states: States, field: Field) -> Inverse:
    # The first state of a name is the one that is meant.
    lows = {state.name: state.low for state in reversed(states.states)}

    def raw_of_state(value: object) -> int:
        if isinstance(value, str):
            if value not in lows:
                names = dict.fromkeys(state.name for state in states.states)
                raise UnknownName(kind="state", name=value, known=names, where=field.name)
            return lows[value]
        number, denominator = _ratio(field, value)
        if denominator != 1 or states.name_of(number) is None:
            known = ", ".join(dict.fromkeys(state.name for state in states.states[:12]))
            raise _wrong(field, "no state has this value", value, expected=f"one of {known}")
        return number

    return raw_of_state


@define(eq=False)
class _Solver:
    """The inverse of a polynomial or of lines. What is the same for all values is worked out for the first."""

    conversion: Polynomial | PiecewiseLinear
    field: Field

    def __call__(self, value: object) -> int | float:
        numerator, denominator = _ratio(self.field, value)
        domain = self.domain
        if self.line is not None:
            ordinal = _nearest_of_line(self.line, domain, numerator, denominator)
            if ordinal is not None:
                return ordinal
        engineering = exact(self.conversion)
        wanted = Fraction(numerator, denominator)
        ordinal = _nearest(self.field, domain, lambda ordinal: engineering(domain.value(ordinal)), wanted)
        return float(domain.value(ordinal)) if domain.is_float else ordinal

    @cached_property
    def domain(self) -> Domain:
        """Raw values that the conversion rises or falls over throughout."""
        low, high = _searched(self.conversion, self.field)
        if not is_monotonic(self.conversion, low, high):
            raise UsageError(
                f"{self.field.name}: its conversion has no inverse",
                expected="one that rises or falls throughout",
                remedy="use another conversion, or give the argument without one",
            )
        return domain_of(self.conversion, low, high)

    @cached_property
    def line(self) -> tuple[int, int, int] | None:
        """Where integers are converted by offset and scale alone: factors of the raw value that is sought.

        It is (numerator * first - denominator * second) / (denominator * third), for a value of which these two are the
        numerator and the denominator. ``third`` is positive.
        """
        if (
            self.domain.is_float
            or not isinstance(self.conversion, Polynomial)
            or len(self.conversion.coefficients) != 2
        ):
            return None
        offset, scale = map(Fraction, self.conversion.coefficients)
        if not scale:
            return None
        sign = 1 if scale > 0 else -1
        first, second = offset.denominator * scale.denominator, offset.numerator * scale.denominator
        return sign * first, sign * second, sign * scale.numerator * offset.denominator


def _nearest_of_line(line: tuple[int, int, int], domain: Domain, numerator: int, denominator: int) -> int | None:
    """What :func:`_nearest` finds by bisection, at once; ``None`` where the value is beyond the domain."""
    first, second, third = line
    raw, rest = divmod(numerator * first - denominator * second, denominator * third)
    if raw < domain.low or raw + (rest > 0) > domain.high:
        return None
    return raw + (2 * rest > denominator * third)


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
