"""Limit states, held against comparisons of Python's exact numbers."""

import math

import numpy as np
import pytest

from c2kit.kernel.conversions import limit_states
from c2kit.model.limits import Limits, LimitState
from tests.columns import numbers, ragged

G, YL, YH, RL, RH, NONE = LimitState
ALL = Limits(red_low=-10, yellow_low=0, yellow_high=10, red_high=20)


def test_a_bound_itself_is_still_inside() -> None:
    values = [-11, -10, -1, 0, 5, 10, 10.5, 20, 20.5, math.inf, -math.inf]
    states = limit_states(ALL, numbers(values, np.float64))
    assert states.to_list() == [RL, YL, YL, G, G, G, YH, YH, RH, RH, RL]
    assert states.values.dtype == np.uint8


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), [G, G, G]),
        (Limits(red_low=0), [RL, G, G]),
        (Limits(yellow_low=0), [YL, G, G]),
        (Limits(yellow_high=0), [G, G, YH]),
        (Limits(red_high=0), [G, G, RH]),
        (Limits(yellow_low=0, red_high=0), [YL, G, RH]),
        (Limits(yellow_low=0, red_low=0), [RL, G, G]),
    ],
)
def test_every_bound_is_optional(limits: Limits, expected: list[LimitState]) -> None:
    for dtype in (np.int16, np.float32):
        assert limit_states(limits, numbers([-1, 0, 1], dtype)).to_list() == expected


def test_what_has_no_value_or_is_not_a_number_has_no_state() -> None:
    states = limit_states(ALL, numbers([5, None, math.nan, 99], np.float64))
    assert states.to_list() == [G, None, None, RH]
    assert limit_states(ALL, numbers([5, math.nan], np.float64)).to_list() == [G, None]
    masked = limit_states(Limits(red_low=1), numbers([None, 0], np.int8))
    assert masked.to_list() == [None, RL]
    assert masked.values[0] == G


def test_an_array_has_a_state_for_each_element() -> None:
    fixed = limit_states(ALL, numbers([[5, 15], None, [math.nan, -99]], np.float64, (2,)))
    assert fixed.to_list() == [[G, YH], None, [NONE, RL]]
    varying = limit_states(ALL, ragged([[5, 15, 25], None, [], [math.nan]], np.float64))
    assert varying.to_list() == [[G, YH, RH], None, [], [NONE]]


def test_wide_integers_are_compared_exactly() -> None:
    edge = float(2**53)
    column = numbers([2**53, 2**53 + 1, 2**64 - 1], np.uint64)
    assert limit_states(Limits(red_high=edge), column).to_list() == [G, RH, RH]
    assert limit_states(Limits(red_low=edge), numbers([-(2**63), 2**53 - 1, 2**53], np.int64)).to_list() == [RL, RL, G]


@pytest.mark.parametrize("bound", [1.5, 1e30, -1e30, -0.5])
def test_bounds_between_and_beyond_the_values_of_the_type(bound: float) -> None:
    values = [0, 1, 2, 255]
    low = limit_states(Limits(red_low=bound), numbers(values, np.uint8)).to_list()
    high = limit_states(Limits(red_high=bound), numbers(values, np.uint8)).to_list()
    assert low == [RL if value < bound else G for value in values]
    assert high == [RH if value > bound else G for value in values]


def test_bounds_beyond_a_single_precision_float_are_passed_by_nothing() -> None:
    limits = Limits(red_low=-1e308, yellow_low=0.1, yellow_high=1e39, red_high=1e308)
    assert limit_states(limits, numbers([-3e38, 0.1, 3e38], np.float32)).to_list() == [YL, G, G]


def test_a_boolean_can_have_limits() -> None:
    assert limit_states(Limits(red_low=1), numbers([True, False], np.bool_)).to_list() == [G, RL]
