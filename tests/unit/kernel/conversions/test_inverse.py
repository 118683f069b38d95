"""Engineering to raw, held against the conversion of every raw value."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from c2kit.errors import UnknownName, UsageError
from c2kit.kernel.conversions import bind, invert
from c2kit.model.commands import Argument
from c2kit.model.conversions import Conversion, Extrapolation, Function, PiecewiseLinear, Polynomial, State, States
from c2kit.model.fields import Encoding, Fixed
from tests.columns import numbers

POINTS = ((0.0, -40.0), (20.0, -10.0), (90.0, 0.0), (127.0, 85.0))


def argument(
    conversion: Conversion | None = None,
    bits: int = 8,
    encoding: Encoding = Encoding.UNSIGNED,
    **more: Any,  # noqa: ANN401 - any attribute
) -> Argument:
    return Argument(name="X", bit_length=bits, encoding=encoding, conversion=conversion, **more)


def back(made: Argument, value: object) -> Any:  # noqa: ANN401 - a number, bytes or a list
    return invert(made.conversion, made, value)


@pytest.mark.parametrize(
    "conversion",
    [
        Polynomial((1.0, 0.1)),
        Polynomial((1.0, -3.7)),
        Polynomial((0.0, 1.0, 0.5)),
        Polynomial((5.0, 1.0, 0.0, 1e-3)),
        PiecewiseLinear(POINTS),
        PiecewiseLinear(POINTS, Extrapolation.EXTEND),
        PiecewiseLinear(tuple((x, -y) for x, y in POINTS), Extrapolation.EXTEND),
    ],
)
def test_every_raw_value_comes_back(conversion: Conversion) -> None:
    made = argument(conversion, bits=7)
    convert = bind(made)
    assert convert is not None
    engineering = convert(numbers(range(128), np.uint8))[0].to_list()
    assert [back(made, value) for value in engineering] == list(range(128))
    nudged = [back(made, value + 0.01 * (next_one - value)) for value, next_one in itertools.pairwise(engineering)]
    assert nudged == list(range(127))


def test_the_nearest_raw_value_is_chosen() -> None:
    made = argument(Polynomial((0.0, 0.1)))
    assert [back(made, value) for value in (0.3, 0.34, 0.36, 1.23, 25.5, 25.549)] == [3, 3, 4, 12, 255, 255]
    assert back(made, -0.04) == 0
    assert back(argument(Polynomial((0.0, 2.0)), 64), 2**64 + 2) == 2**63 + 1
    signed = argument(Polynomial((0.0, -0.5)), 8, Encoding.TWOS_COMPLEMENT)
    assert [back(signed, value) for value in (64, -63.5, 0, 10.1)] == [-128, 127, 0, -20]


@pytest.mark.parametrize("value", [-0.06, 25.56, 1e300])
def test_what_is_beyond_the_type_is_refused_with_its_range(value: float) -> None:
    with pytest.raises(UsageError, match=r"X: no raw value has this engineering value, expected 0 to 25\.5"):
        back(argument(Polynomial((0.0, 0.1))), value)


def test_lines_outside_their_points() -> None:
    with pytest.raises(UsageError, match="expected -40 to 85, found -41"):
        back(argument(PiecewiseLinear(POINTS)), -41)
    assert back(argument(PiecewiseLinear(POINTS, Extrapolation.HOLD)), 85) == 127
    assert back(argument(PiecewiseLinear(POINTS, Extrapolation.EXTEND), 16), 170) == 164
    flat = PiecewiseLinear(((10.0, 1.0), (20.0, 2.0)), Extrapolation.HOLD)
    assert [back(argument(flat), value) for value in (1, 1.5, 2)] == [10, 15, 20]


def test_floats_are_inverted_to_the_last_digit() -> None:
    double = argument(Polynomial((0.0, 3.0)), 64, Encoding.IEEE754)
    assert back(double, 1.0) == 1 / 3
    cube = argument(Polynomial((0.0, 0.0, 0.0, 1.0)), 64, Encoding.IEEE754)
    assert [back(cube, value) for value in (27, -8.0, 0)] == [3.0, -2.0, 0.0]
    assert back(cube, 1e-300) == pytest.approx(1e-100, rel=1e-15)
    single = argument(Polynomial((0.0, 1.0)), 32, Encoding.IEEE754)
    with pytest.raises(UsageError, match="X: no raw value has this engineering value"):
        back(single, 3.5e38)
    extended = argument(PiecewiseLinear(POINTS, Extrapolation.HOLD), 32, Encoding.IEEE754)
    assert [back(extended, value) for value in (-40, -25, 85)] == [0.0, 10.0, 127.0]


@pytest.mark.parametrize(
    "conversion",
    [Polynomial((5.0,)), Polynomial((0.0, -3.0, 1.0)), PiecewiseLinear(((0.0, 0.0), (5.0, 5.0), (9.0, 0.0)))],
)
def test_what_turns_has_no_inverse(conversion: Conversion) -> None:
    with pytest.raises(UsageError, match="X: its conversion has no inverse"):
        back(argument(conversion), 5)


def test_a_function_has_no_inverse() -> None:
    with pytest.raises(UsageError, match="X: nothing is known of the inverse of its function"):
        back(argument(Function("numpy:sqrt")), 5)


STATES = States((State("OFF", 0, 0), State("WARM", 3, 9), State("HOT", 8, 12), State("WARM", 20, 20)))


def test_a_state_is_chosen_by_its_exact_name() -> None:
    made = argument(STATES)
    assert [back(made, name) for name in ("OFF", "WARM", "HOT")] == [0, 3, 8]
    with pytest.raises(UnknownName, match="no state 'Hot' in X; known: OFF, WARM, HOT"):
        back(made, "Hot")


def test_a_number_is_taken_where_it_has_a_state() -> None:
    made = argument(STATES)
    assert [back(made, value) for value in (0, 5, 12.0, np.uint8(20))] == [0, 5, 12, 20]
    for value in (1, 3.5, 255):
        with pytest.raises(UsageError, match="X: no state has this value, expected one of OFF, WARM, HOT"):
            back(made, value)


def test_without_a_conversion_an_integer_takes_whole_numbers_within_its_type() -> None:
    made = argument(None, 8, Encoding.TWOS_COMPLEMENT)
    assert [back(made, value) for value in (-128, 127, 3.0, np.int64(5), True)] == [-128, 127, 3, 5, 1]
    for value in (-129, 128, 1e30):
        with pytest.raises(UsageError, match="does not fit its type, expected -128 to 127"):
            back(made, value)
    with pytest.raises(UsageError, match="not a whole number"):
        back(made, 3.5)


@pytest.mark.parametrize("value", ["3", b"3", None, 3j, {}])
def test_what_is_not_a_number_is_refused(value: object) -> None:
    for conversion in (None, Polynomial((0.0, 1.0))):
        with pytest.raises(UsageError, match="X: the value is not a number"):
            back(argument(conversion), value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_only_a_float_field_takes_what_is_not_finite(value: float) -> None:
    for made in (argument(), argument(Polynomial((0.0, 1.0)), 64, Encoding.IEEE754)):
        with pytest.raises(UsageError, match="expected a finite number"):
            back(made, value)
    assert str(back(argument(None, 32, Encoding.IEEE754), value)) == str(value)


def test_floats_without_a_conversion() -> None:
    assert back(argument(None, 16, Encoding.IEEE754), 65504) == 65504.0
    for bits, encoding, value in (
        (16, Encoding.IEEE754, 65505),
        (32, Encoding.IEEE754, 3.5e38),
        (64, Encoding.IEEE754, 10**400),
        (32, Encoding.MIL_STD_1750A, 2e38),
    ):
        with pytest.raises(UsageError, match="does not fit its type"):
            back(argument(None, bits, encoding), value)


def test_booleans_take_true_and_false_only() -> None:
    made = argument(None, 1, Encoding.BOOLEAN)
    assert [back(made, value) for value in (True, False, 1, 0, np.bool_(True))] == [1, 0, 1, 0, 1]  # noqa: FBT003
    with pytest.raises(UsageError, match="neither true nor false"):
        back(argument(None, 8, Encoding.BOOLEAN), 2)


def test_bytes_are_taken_as_they_are() -> None:
    binary = argument(None, 8, Encoding.BINARY, length=Fixed((3,)))
    string = argument(None, 8, Encoding.STRING, length=Fixed((3,)))
    assert back(binary, b"ab") == back(binary, bytearray(b"ab")) == back(string, memoryview(b"ab")) == b"ab"
    with pytest.raises(UsageError, match="of the wrong kind, expected bytes"):
        back(binary, "ab")
    with pytest.raises(UsageError, match="of the wrong kind, expected text or bytes"):
        back(string, 5)


def test_arrays_are_inverted_element_by_element() -> None:
    made = argument(Polynomial((0.0, 0.5)), length=Fixed((3,)))
    assert back(made, (0.5, 1, 1.5)) == [1, 2, 3]
    assert back(made, np.array([[0.5, 1.0]])) == [[1, 2]]
    with pytest.raises(UsageError, match="X: it takes one value"):
        back(argument(), [1])
