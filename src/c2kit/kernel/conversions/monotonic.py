"""Where conversions rise, fall and turn, computed exactly.

All numbers here are integers and fractions, so that an answer is a proof. A *domain* is a finite, ordered set of raw
values: integers, or the float64 numbers between two bounds; its members are known by consecutive ordinals.
"""

from __future__ import annotations

import bisect
import itertools
import math
import struct
import sys
from fractions import Fraction
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.model.conversions import Extrapolation, Function, PiecewiseLinear, Polynomial, States

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.model.conversions import Conversion

__all__ = ["Domain", "domain_of", "engineering_range", "exact", "is_monotonic", "to_float"]


@frozen
class Domain:
    """The raw values with ordinals ``low`` to ``high``, both included; empty where ``high`` is below ``low``."""

    low: int
    high: int
    is_float: bool = False

    def value(self, ordinal: int) -> int | Fraction:
        """The raw value of an ordinal."""
        return Fraction(_float_at(ordinal)) if self.is_float else ordinal

    def ordinal_below(self, value: Fraction) -> int:
        """The ordinal of the last raw value that is at most ``value``."""
        if not self.is_float:
            return math.floor(value)
        ordinal = _ordinal_of(to_float(value))
        return ordinal if self.value(ordinal) <= value else ordinal - 1


def _ordinal_of(value: float) -> int:
    """The place of a float64 among all in rising order; zero is 0."""
    bits = int.from_bytes(struct.pack(">d", value), "big", signed=True)
    return bits if bits >= 0 else -(bits + (1 << 63))


def _float_at(ordinal: int) -> float:
    magnitude: float = struct.unpack(">d", abs(ordinal).to_bytes(8, "big"))[0]
    return math.copysign(magnitude, ordinal)


def to_float(value: Fraction) -> float:
    """The nearest float64, the largest one for what is beyond."""
    try:
        return float(value)
    except OverflowError:
        return math.copysign(sys.float_info.max, 1 if value > 0 else -1)


def domain_of(conversion: Conversion, low: float, high: float) -> Domain:
    """The raw values from ``low`` to ``high`` that the conversion has a value for: integers if both bounds are."""
    if isinstance(low, int) and isinstance(high, int):
        domain = Domain(low, high)
    else:
        domain = Domain(_ordinal_of(low), _ordinal_of(high), is_float=True)
    if isinstance(conversion, PiecewiseLinear) and conversion.extrapolation is Extrapolation.NONE:
        first, last = Fraction(conversion.points[0][0]), Fraction(conversion.points[-1][0])
        # Minus the last one below the negative: the first one that is not below.
        least = -domain.ordinal_below(-first)
        return Domain(max(domain.low, least), min(domain.high, domain.ordinal_below(last)), domain.is_float)
    return domain


def exact(conversion: Polynomial | PiecewiseLinear) -> Callable[[int | Fraction], Fraction]:
    """The conversion in exact arithmetic; a piecewise linear one that does not extrapolate goes on straight."""
    if isinstance(conversion, Polynomial):
        coefficients, scale = _integers(conversion.coefficients)
        return lambda raw: Fraction(_horner(coefficients, raw)) / scale
    points = [(Fraction(raw), Fraction(engineering)) for raw, engineering in conversion.points]
    return lambda raw: _interpolated(points, raw, hold=conversion.extrapolation is Extrapolation.HOLD)


def _integers(coefficients: tuple[float, ...]) -> tuple[list[int], int]:
    """The coefficients times the least integer that makes all of them integers, and that integer."""
    fractions = [Fraction(coefficient) for coefficient in coefficients]
    scale = math.lcm(*(fraction.denominator for fraction in fractions))
    return [int(fraction * scale) for fraction in fractions], scale


def _horner(coefficients: list[int], raw: int | Fraction) -> int | Fraction:
    result: int | Fraction = 0
    for coefficient in reversed(coefficients):
        result = result * raw + coefficient
    return result


def _interpolated(points: list[tuple[Fraction, Fraction]], raw: int | Fraction, *, hold: bool) -> Fraction:
    if hold:
        raw = min(max(raw, points[0][0]), points[-1][0])
    right = min(max(bisect.bisect_right(points, raw, key=lambda point: point[0]), 1), len(points) - 1)
    (x0, y0), (x1, y1) = points[right - 1], points[right]
    return y0 + (raw - x0) * (y1 - y0) / (x1 - x0)


def _turns(conversion: Polynomial | PiecewiseLinear, domain: Domain) -> list[int]:
    """Rising ordinals, the domain's ends among them, between any two of which the conversion does not turn."""
    if isinstance(conversion, Polynomial):
        return _polynomial_turns(_integers(conversion.coefficients)[0], domain)
    below = [domain.ordinal_below(Fraction(raw)) for raw, _ in conversion.points]
    inside = {ordinal for place in below for ordinal in (place, place + 1) if domain.low < ordinal < domain.high}
    return sorted(inside | {domain.low, domain.high})


def _polynomial_turns(coefficients: list[int], domain: Domain) -> list[int]:
    """Between two turns of its derivative a polynomial turns at most once: where the derivative changes its sign.

    At such a turn the derivative may just touch zero, so that they are turns here, too. What happens between two
    neighbours of the domain does not matter to anybody.
    """
    if len(coefficients) <= 2:
        return sorted({domain.low, domain.high})
    slope = [power * coefficient for power, coefficient in enumerate(coefficients)][1:]
    turns = _polynomial_turns(slope, domain)
    changes = (_sign_change(slope, domain, low, high) for low, high in itertools.pairwise(turns))
    return sorted({*turns, *itertools.chain.from_iterable(changes)})


def _sign_change(coefficients: list[int], domain: Domain, low: int, high: int) -> tuple[int, ...]:
    """The neighbours between which a polynomial without turns from ``low`` to ``high`` changes its sign, if it does."""
    start, end = _horner(coefficients, domain.value(low)), _horner(coefficients, domain.value(high))
    if start * end >= 0:
        return ()
    while high - low > 1:
        middle = (low + high) // 2
        if _horner(coefficients, domain.value(middle)) * end > 0:
            high = middle
        else:
            low = middle
    return low, high


def _extremes(conversion: Polynomial | PiecewiseLinear, domain: Domain) -> list[Fraction]:
    engineering = exact(conversion)
    return [engineering(domain.value(ordinal)) for ordinal in _turns(conversion, domain)]


def is_monotonic(conversion: Conversion, low: float, high: float) -> bool:
    """Whether engineering values only rise, or only fall, over the raw values ``low`` to ``high``; not if constant.

    Integer bounds mean the integers between them, others the float64 numbers. The answer is exact, flat stretches are
    allowed, and a piecewise linear conversion that does not extrapolate is judged where it has values. States always
    have an inverse. Of a user's function nothing is known, so that the answer is no.
    """
    if isinstance(conversion, States):
        return True
    domain = domain_of(conversion, low, high)
    if isinstance(conversion, Function) or domain.high < domain.low:
        return False
    if domain.low == domain.high:
        return True
    steps = [later - earlier for earlier, later in itertools.pairwise(_extremes(conversion, domain))]
    return any(steps) and (all(step >= 0 for step in steps) or all(step <= 0 for step in steps))


def engineering_range(conversion: Conversion, low: float, high: float) -> tuple[float, float] | None:
    """The least and the greatest engineering value of the raw values ``low`` to ``high``, as :func:`to_float` rounds.

    ``None`` where nobody knows (a user's function) or where there are none.
    """
    if isinstance(conversion, States):
        return low, high
    domain = domain_of(conversion, low, high)
    if isinstance(conversion, Function) or domain.high < domain.low:
        return None
    extremes = _extremes(conversion, domain)
    return to_float(min(extremes)), to_float(max(extremes))
