"""Where conversions turn, held against looking at every value."""

import itertools
import math
from fractions import Fraction

import pytest

from c2kit.kernel.conversions import engineering_range, is_monotonic
from c2kit.model.conversions import (
    Conversion,
    Extrapolation,
    Function,
    PiecewiseLinear,
    Polynomial,
    State,
    States,
)

EXTEND, HOLD, NONE = Extrapolation.EXTEND, Extrapolation.HOLD, Extrapolation.NONE
UP_DOWN = ((0.0, 0.0), (10.0, 5.0), (20.0, 0.0))


def polynomial_values(coefficients: tuple[float, ...], low: int, high: int) -> list[Fraction]:
    return [sum(Fraction(c) * v**n for n, c in enumerate(coefficients)) + Fraction(0) for v in range(low, high + 1)]


def rises_or_falls(values: list[Fraction]) -> bool:
    steps = [later - earlier for earlier, later in itertools.pairwise(values)]
    return not steps or (any(steps) and (all(s >= 0 for s in steps) or all(s <= 0 for s in steps)))


@pytest.mark.parametrize(
    "coefficients",
    [
        (5.0,),
        (0.0, 0.0),
        (1.0, 0.1),
        (1.0, -0.1),
        (0.0, 0.0, 1.0),
        (0.0, -1.0, 1.0),  # turns at a half: 0 and 1 are equal
        (0.0, -3.0, 1.0),
        (0.0, 1.0, 0.0, 1.0),
        (0.0, 0.0, 0.0, 1.0),
        (0.0, -100.0, 0.0, 1.0),
        (1.0, -6.0, 11.0, -6.0, 1.0),
        (0.0, 0.25, -1.0, 1.0),
        (0.0, 60.0, -27.0, 4.0),
        (0.1, 0.2, 0.3, -0.4, 0.01, 1e-5),
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        (1.0, 1.0, 0.0, 0.0),
        (0.0, 0.0, 2.0, 0.0, -1.0),  # turns where its slope turns, too
        (0.0, 0.0, 2.0, 1.0),
    ],
)
@pytest.mark.parametrize(
    ("low", "high"), [(-128, 127), (0, 255), (0, 1), (1, 2), (3, 3), (-4, 5), (2, 60), (10, 11), (-1, 1), (-2, 1)]
)
def test_polynomials_over_integers(coefficients: tuple[float, ...], low: int, high: int) -> None:
    values = polynomial_values(coefficients, low, high)
    assert is_monotonic(Polynomial(coefficients), low, high) == rises_or_falls(values)
    assert engineering_range(Polynomial(coefficients), low, high) == (float(min(values)), float(max(values)))


def test_a_turn_at_the_very_edge_of_64_bits_is_seen() -> None:
    top = 2**64 - 1
    # 64 integers from the end the slope changes its sign.
    vertex = Polynomial((0.0, 2.0 * (2**64 - 2**12), -1.0))
    assert not is_monotonic(vertex, 0, top)
    assert is_monotonic(vertex, 0, 2**64 - 2**12)
    assert not is_monotonic(vertex, 0, 2**64 - 2**12 + 1)


def test_polynomials_over_floats() -> None:
    largest = 1.7976931348623157e308
    assert is_monotonic(Polynomial((0.0, 1.0, 0.0, 1.0)), -largest, largest)
    assert not is_monotonic(Polynomial((0.0, -1e-300, 0.0, 1.0)), -largest, largest)
    assert is_monotonic(Polynomial((0.0, 0.0, 1.0)), 0.0, largest)
    assert not is_monotonic(Polynomial((0.0, 0.0, 1.0)), -5e-324, largest)
    assert engineering_range(Polynomial((0.0, 0.0, 1.0)), -2.0, 1.0) == (0.0, 4.0)
    assert engineering_range(Polynomial((0.0, 2.0)), -largest, largest) == (-largest, largest)


@pytest.mark.parametrize(
    ("points", "extrapolation", "low", "high", "expected"),
    [
        (((0.0, 0.0), (10.0, 5.0)), NONE, 0, 255, True),
        (((0.0, 0.0), (10.0, 5.0)), HOLD, 0, 255, True),
        (((0.0, 0.0), (10.0, 5.0)), HOLD, 10, 255, False),  # held, and so constant
        (((0.0, 0.0), (10.0, 5.0)), EXTEND, -128, 127, True),
        (((0.0, 5.0), (10.0, 5.0), (20.0, 0.0)), NONE, 0, 255, True),
        (((0.0, 5.0), (10.0, 5.0)), NONE, 0, 255, False),
        (UP_DOWN, NONE, 0, 255, False),
        (UP_DOWN, EXTEND, 0, 10, True),
        (UP_DOWN, HOLD, 10, 255, True),
        (UP_DOWN, NONE, 0, 11, False),
        (((0.0, 0.0), (0.5, 9.0), (1.0, 1.0)), NONE, 0, 1, True),  # what happens between 0 and 1 concerns nobody
        (((0.0, 0.0), (0.5, 9.0), (1.0, 1.0)), NONE, 0.0, 1.0, False),
        (((0.0, 0.0), (0.5, 9.0), (1.0, 10.0)), NONE, 0.0, 1.0, True),
        (((300.0, 0.0), (400.0, 9.0)), NONE, 0, 255, False),  # no raw value has a value
        (((0.25, 0.0), (0.75, 9.0)), NONE, 0, 255, False),
    ],
)
def test_lines(
    points: tuple[tuple[float, float], ...], extrapolation: Extrapolation, low: float, high: float, *, expected: bool
) -> None:
    assert is_monotonic(PiecewiseLinear(points, extrapolation), low, high) is expected


@pytest.mark.parametrize(
    ("conversion", "low", "high", "expected"),
    [
        (PiecewiseLinear(UP_DOWN, NONE), 0, 255, (0.0, 5.0)),
        (PiecewiseLinear(UP_DOWN, HOLD), 5, 255, (0.0, 5.0)),
        (PiecewiseLinear(UP_DOWN, EXTEND), 0, 30, (-5.0, 5.0)),
        (PiecewiseLinear(((0.0, 0.0), (10.0, 5.0)), NONE), 3, 7, (1.5, 3.5)),
        (PiecewiseLinear(((0.5, 0.0), (10.5, 5.0)), NONE), 0, 255, (0.25, 4.75)),
        (PiecewiseLinear(((300.0, 0.0), (400.0, 9.0)), NONE), 0, 255, None),
        (States((State("A", 1, 1),)), 0, 255, (0, 255)),
        (Function("numpy:sqrt"), 0, 255, None),
        (Polynomial((0.0, 1e300, 1e300)), 0, 2**32, (0.0, 1.7976931348623157e308)),
    ],
)
def test_the_range_of_engineering_values(
    conversion: Conversion, low: int, high: int, expected: tuple[float, float] | None
) -> None:
    assert engineering_range(conversion, low, high) == expected


def test_of_states_and_functions() -> None:
    assert is_monotonic(States((State("A", 1, 1),)), 0, 255)
    assert not is_monotonic(Function("numpy:sqrt"), 0, 255)


def test_high_degrees_are_judged_in_reasonable_time() -> None:
    # Chebyshev's polynomials turn as often as a polynomial can.
    before, chebyshev = [1.0], [0.0, 1.0]
    for _ in range(11):
        doubled = [0.0, *(2 * c for c in chebyshev)]
        before, chebyshev = chebyshev, [c - (before[n] if n < len(before) else 0.0) for n, c in enumerate(doubled)]
    scaled = tuple(c / 2.0 ** (31 * n) for n, c in enumerate(chebyshev))
    assert not is_monotonic(Polynomial(scaled), -(2**31), 2**31)
    low, high = engineering_range(Polynomial(scaled), -(2**31), 2**31) or (math.nan, math.nan)
    assert (low, high) == pytest.approx((-1.0, 1.0))
