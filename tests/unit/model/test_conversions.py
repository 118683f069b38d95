"""Conversions as data."""

import pytest

from c2kit.model.conversions import Extrapolation, Function, PiecewiseLinear, State, States


@pytest.mark.parametrize(("raw", "name"), [(0, "OFF"), (3, "WARM"), (5, "WARM"), (9, "HOT"), (1, None), (-1, None)])
def test_the_first_state_that_holds_a_value_names_it(raw: int, name: str | None) -> None:
    states = States((State("OFF", 0, 0), State("WARM", 3, 5), State("HOT", 5, 9)))
    assert states.name_of(raw) == name


def test_lines_do_not_extrapolate_unless_told() -> None:
    assert PiecewiseLinear(((0.0, 0.0), (1.0, 1.0))).extrapolation is Extrapolation.NONE


def test_another_version_is_another_function() -> None:
    assert Function("a:b") == Function("a:b", "1") != Function("a:b", "2")
