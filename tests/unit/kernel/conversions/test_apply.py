"""Engineering columns, held against conversions done one value at a time with fractions."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from c2kit.errors import DefinitionError, UsageError
from c2kit.kernel.contract import Column
from c2kit.kernel.conversions import Convert, bind, bind_derived, engineering_dtype
from c2kit.kernel.tally import Tally
from c2kit.model.commands import Argument
from c2kit.model.conversions import Conversion, Extrapolation, Function, PiecewiseLinear, Polynomial, State, States
from c2kit.model.fields import Encoding, Expand, Fixed
from c2kit.model.packets import DerivedItem, Item
from tests.columns import numbers, ragged, strings

LINE = ((0.0, 10.0), (10.0, 20.0), (30.0, 0.0))


def item(conversion: Conversion | None, bits: int = 16, encoding: Encoding = Encoding.UNSIGNED, **more: Any) -> Item:  # noqa: ANN401 - any attribute
    return Item(name="X", bit_length=bits, encoding=encoding, conversion=conversion, **more)


def bound(made: Item | Argument) -> Convert:
    convert = bind(made)
    assert convert is not None
    return convert


def test_what_has_no_conversion_needs_none() -> None:
    assert bind(item(None)) is None
    assert bind(item(None, 64, Encoding.IEEE754)) is None
    assert bind(item(None, 8, Encoding.BINARY, length=Fixed((3,)))) is None
    assert engineering_dtype(item(None)) is None


@pytest.mark.parametrize("coefficients", [(7.5,), (1.0, 0.5), (-3.0, 0.25, 2.0), (0.0, 0.0, 0.0, 1.0), (1, 2)])
@pytest.mark.parametrize(
    ("dtype", "values"),
    [(np.uint8, [0, 1, 255]), (np.int16, [-32768, -1, 0, 32767]), (np.float32, [-0.5, 1.25]), (np.uint64, [2**53, 3])],
)
def test_polynomials_are_evaluated_in_float64(
    coefficients: tuple[float, ...], dtype: npt.DTypeLike, values: list[float]
) -> None:
    column, tally = bound(item(Polynomial(coefficients)))(numbers(values, dtype))
    expected = [float(sum(Fraction(c) * Fraction(v) ** n for n, c in enumerate(coefficients))) for v in values]
    assert column.values.dtype == np.float64
    assert column.to_list() == pytest.approx(expected, rel=1e-15)
    assert not tally


def test_a_wide_integer_is_rounded_to_float64_before_it_is_converted() -> None:
    column, _ = bound(item(Polynomial((0.0, 1.0)), 64))(numbers([2**64 - 1, 2**53 + 1], np.uint64))
    assert column.to_list() == [2.0**64, 2.0**53]


@pytest.mark.parametrize("conversion", [Polynomial((1.0, 2.0)), PiecewiseLinear(LINE, Extrapolation.EXTEND)])
def test_a_signalling_nan_goes_through_silently(conversion: Conversion) -> None:
    # Any bytes may be one. NumPy warns when it widens it.
    signalling = np.array([0x7F800001, 0xFF800001], np.uint32).view(np.float32)
    column, _ = bound(item(conversion, 32, Encoding.IEEE754))(Column(signalling))
    assert np.isnan(column.values).all()


def test_what_is_not_finite_goes_through_silently() -> None:
    floats = [math.inf, -math.inf, math.nan, 1e200]
    column, tally = bound(item(Polynomial((1.0, 2.0, 3.0)), 64, Encoding.IEEE754))(numbers(floats, np.float64))
    assert [str(value) for value in column.to_list()] == ["inf", "inf", "nan", "inf"]
    assert not tally


@pytest.mark.parametrize(
    "conversion", [Polynomial((5.0, 1.0)), PiecewiseLinear(LINE), Function("c2kit.functions:product")]
)
def test_where_there_is_no_raw_value_there_is_no_engineering_value_and_the_place_is_zero(
    conversion: Conversion,
) -> None:
    column, tally = bound(item(conversion))(numbers([1, None, 3], np.uint16))
    assert column.to_list()[1] is None
    assert column.values[1] == 0
    assert None not in (column.to_list()[0], column.to_list()[2])
    assert not tally


def test_arrays_keep_their_shape() -> None:
    double = Polynomial((0.0, 2.0))
    fixed, _ = bound(item(double, length=Fixed((2, 2))))(numbers([[[1, 2], [3, 4]], None], np.uint16, (2, 2)))
    assert fixed.to_list() == [[[2.0, 4.0], [6.0, 8.0]], None]
    varying, _ = bound(item(double, length=Expand()))(ragged([[1, 2, 3], None, [], [4]], np.uint16))
    assert varying.to_list() == [[2.0, 4.0, 6.0], None, [], [8.0]]


def by_hand(raw: float, extrapolation: Extrapolation) -> float | None:
    points = [(Fraction(x), Fraction(y)) for x, y in LINE]
    value = Fraction(raw)
    if not points[0][0] <= value <= points[-1][0]:
        if extrapolation is Extrapolation.NONE:
            return None
        if extrapolation is Extrapolation.HOLD:
            value = min(max(value, points[0][0]), points[-1][0])
    (x0, y0), (x1, y1) = points[:2] if value < points[1][0] else points[1:]
    return float(y0 + (value - x0) * (y1 - y0) / (x1 - x0))


@pytest.mark.parametrize("extrapolation", Extrapolation)
def test_lines_between_points_and_beyond(extrapolation: Extrapolation) -> None:
    raw = [-100, -1, 0, 1, 9, 10, 11, 29, 30, 31, 1000]
    column, tally = bound(item(PiecewiseLinear(LINE, extrapolation)))(numbers(raw, np.int16))
    expected = [by_hand(value, extrapolation) for value in raw]
    assert [value is None for value in column.to_list()] == [value is None for value in expected]
    assert [value or 0.0 for value in column.to_list()] == pytest.approx([value or 0.0 for value in expected])
    assert tally == ({Tally.OUTSIDE_POINTS: 4} if extrapolation is Extrapolation.NONE else {})


def test_every_point_is_met_exactly() -> None:
    points = ((-0.1, 0.3), (0.7, 1 / 3), (1.1, -2.7), (1e6, 1e-9))
    for extrapolation in Extrapolation:
        column, _ = bound(item(PiecewiseLinear(points, extrapolation), 64, Encoding.IEEE754))(
            numbers([x for x, _ in points], np.float64)
        )
        assert column.to_list() == [y for _, y in points]


def test_outside_the_points_an_element_of_an_array_is_not_a_number() -> None:
    conversion = PiecewiseLinear(LINE)
    fixed, tally = bound(item(conversion, length=Fixed((2,))))(numbers([[0, 99], None, [98, 97]], np.uint8, (2,)))
    assert np.isnan(fixed.values).tolist() == [[False, True], [False, False], [True, True]]
    assert fixed.valid is not None
    assert fixed.valid.tolist() == [True, False, True]
    assert tally == {Tally.OUTSIDE_POINTS: 3}
    varying, tally = bound(item(conversion, length=Expand()))(ragged([[0, 99], None, [5]], np.uint8))
    assert np.isnan(varying.values).tolist() == [False, True, False]
    assert tally == {Tally.OUTSIDE_POINTS: 1}


def test_what_is_not_a_number_is_outside_every_point() -> None:
    floats = numbers([math.nan, math.inf, 5.0, None], np.float64)
    column, tally = bound(item(PiecewiseLinear(LINE), 64, Encoding.IEEE754))(floats)
    assert column.to_list() == [None, None, 15.0, None]
    assert column.values.tolist() == [0.0, 0.0, 15.0, 0.0]
    assert tally == {Tally.OUTSIDE_POINTS: 2}


STATES = States(
    (State("OFF", 0, 0), State("ON", 1, 1), State("WARM", 5, 9), State("HOT", 8, 12), State("FAR", 900, 990))
)


def test_states_give_back_the_raw_column_and_count_what_they_do_not_name() -> None:
    raw = numbers([0, 1, 2, 4, 5, 9, 12, 13, 255, None], np.uint8)
    column, tally = bound(item(STATES, 8))(raw)
    assert column is raw
    named = [STATES.name_of(value) for value in (0, 1, 2, 4, 5, 9, 12, 13, 255)]
    assert tally == {Tally.WITHOUT_STATE: named.count(None)} == {Tally.WITHOUT_STATE: 4}


@pytest.mark.parametrize(
    ("bits", "encoding", "dtype"),
    [(8, Encoding.UNSIGNED, np.uint8), (8, Encoding.TWOS_COMPLEMENT, np.int8), (5, Encoding.SIGN_MAGNITUDE, np.int8)],
)
def test_states_beyond_the_type_name_nothing(bits: int, encoding: Encoding, dtype: npt.DTypeLike) -> None:
    made = item(States((State("LOW", -(2**70), -3), State("HIGH", 7, 2**70))), bits, encoding)
    low, high = made.raw_range or (0, 0)
    values = list(range(low, high + 1))
    assert bound(made)(numbers(values, dtype))[1] == {
        Tally.WITHOUT_STATE: sum(1 for value in values if -3 < value < 7),
    }


def test_states_of_64_bits_are_compared_exactly() -> None:
    made = item(States((State("TOP", 2**64 - 1, 2**64 - 1), State("HALF", 2**53, 2**53))), 64)
    raw = numbers([2**64 - 1, 2**64 - 2, 2**53, 2**53 + 1], np.uint64)
    assert bound(made)(raw)[1] == {Tally.WITHOUT_STATE: 2}
    nothing = item(States((State("NEVER", -5, -1),)), 64)
    assert bound(nothing)(raw)[1] == {Tally.WITHOUT_STATE: 4}


def test_states_in_arrays_are_counted_element_by_element() -> None:
    fixed = numbers([[0, 3], None, [2, 1]], np.uint8, (2,))
    assert bound(item(STATES, 8, length=Fixed((2,))))(fixed)[1] == {Tally.WITHOUT_STATE: 2}
    varying = ragged([[0, 3], None, [2, 1, 2]], np.uint8)
    assert bound(item(STATES, 8, length=Expand()))(varying)[1] == {Tally.WITHOUT_STATE: 3}


def test_a_boolean_is_true_where_it_is_not_zero() -> None:
    made = item(None, 3, Encoding.BOOLEAN)
    column, tally = bound(made)(numbers([0, 1, 7, None], np.uint8))
    assert column.to_list() == [False, True, True, None]
    assert column.values.dtype == np.bool_ == engineering_dtype(made)
    assert not tally


def test_a_boolean_with_states_keeps_its_code() -> None:
    made = item(States((State("OPEN", 0, 0), State("SHUT", 1, 1))), 1, Encoding.BOOLEAN)
    raw = numbers([0, 1], np.uint8)
    assert bound(made)(raw)[0] is raw
    assert engineering_dtype(made) is None


def half(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values // 2


half.version = "7"  # type: ignore[attr-defined]


def lengths(values: npt.NDArray[Any]) -> list[int]:
    return [len(value) for value in values]


def scalar(values: npt.NDArray[Any]) -> float:
    return float(values.sum())


def words(values: npt.NDArray[Any]) -> list[str]:
    return [str(value) for value in values]


def vandal(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    values[:] = 0
    return values


def picky(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if (values == 0).any():
        message = "zero is not for me"
        raise ArithmeticError(message)
    return values


def function(name: str, version: str = "1") -> Function:
    return Function(f"{__name__}:{name}", version)


def test_a_users_function_gives_float64_whatever_number_it_returns() -> None:
    made = item(function("half", "7"))
    column, tally = bound(made)(numbers([7, None, 10], np.uint16))
    assert column.to_list() == [3.0, None, 5.0]
    assert column.values.dtype == np.float64 == engineering_dtype(made)
    assert not tally


def test_a_users_function_sees_arrays_in_their_shape_or_one_after_another() -> None:
    fixed = item(function("half", "7"), length=Fixed((2,)))
    assert bound(fixed)(numbers([[2, 5], None], np.uint16, (2,)))[0].to_list() == [[1.0, 2.0], None]
    varying = item(function("half", "7"), length=Expand())
    assert bound(varying)(ragged([[2], None, [4, 7]], np.uint16))[0].to_list() == [[1.0], None, [2.0, 3.0]]


def test_a_users_function_may_make_numbers_of_bytes() -> None:
    made = item(function("lengths"), 8, Encoding.BINARY, length=Expand())
    assert bound(made)(strings([b"abc", None, b""]))[0].to_list() == [3.0, None, 0.0]


def test_a_users_function_sees_only_what_is_there() -> None:
    convert = bound(item(function("picky")))
    assert convert(numbers([1, None, 2], np.uint16))[0].to_list() == [1.0, None, 2.0]
    with pytest.raises(ArithmeticError, match="zero is not for me"):
        convert(numbers([1, 0], np.uint16))


def test_a_users_function_cannot_change_raw_values() -> None:
    raw = numbers([1, 2], np.uint16)
    with pytest.raises(ValueError, match="read-only"):
        bound(item(function("vandal")))(raw)
    assert raw.to_list() == [1, 2]


@pytest.mark.parametrize(("name", "found"), [("scalar", r"float64 of shape \(\)"), ("words", r"<U.* of shape \(2,\)")])
def test_a_function_that_does_not_give_one_number_a_value_is_told_so(name: str, found: str) -> None:
    with pytest.raises(UsageError, match=rf"X: its function .*numbers of shape \(2,\).*{found}"):
        bound(item(function(name)))(numbers([1, 2], np.uint16))


def test_a_conversion_that_cannot_be_is_refused_when_it_is_bound() -> None:
    with pytest.raises(DefinitionError, match="X: its polynomial has no coefficients"):
        bind(item(Polynomial(())))
    with pytest.raises(DefinitionError, match=r"X: its function no\.such:thing cannot be imported"):
        bind(item(Function("no.such:thing")))


def test_an_argument_is_bound_like_an_item() -> None:
    argument = Argument(name="A", conversion=Polynomial((0.0, 2.0)))
    assert bound(argument)(numbers([4], np.uint8))[0].to_list() == [8.0]


def derived(path: str, *inputs: str) -> DerivedItem:
    return DerivedItem(name="D", function=Function(path), inputs=inputs)


def test_a_derived_item_is_computed_where_all_its_inputs_have_a_value() -> None:
    made = derived("c2kit.functions:product", "VOLTAGE", "CURRENT")
    column = bind_derived(made)([numbers([2.0, 3.0, None], np.float64), numbers([4, None, 5], np.uint8)])
    assert column.to_list() == [8.0, None, None]
    assert column.values.tolist() == [8.0, 0.0, 0.0]
    assert column.values.dtype == np.float64 == engineering_dtype(made)


def test_a_derived_item_may_reduce_an_array_and_take_booleans() -> None:
    total = bind_derived(derived(f"{__name__}:row_sums", "A", "B"))
    column = total([numbers([[1, 2], [3, 4]], np.uint8, (2,)), numbers([True, False], np.bool_)])
    assert column.to_list() == [4.0, 7.0]
    assert column.valid is None


def row_sums(array: npt.NDArray[Any], flag: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array.sum(axis=1) + flag  # type: ignore[no-any-return]


def test_no_packets_are_converted_to_no_values() -> None:
    for conversion in (Polynomial((1.0, 2.0)), PiecewiseLinear(LINE), STATES, function("picky")):
        column, tally = bound(item(conversion))(numbers([], np.uint16))
        assert len(column) == 0
        assert not tally
    empty = [numbers([], np.float64)]
    assert len(bind_derived(derived("c2kit.functions:sum", "A"))(empty)) == 0


def test_raw_columns_are_never_changed() -> None:
    for conversion in (Polynomial((1.0, 2.0)), PiecewiseLinear(LINE), STATES, function("picky")):
        raw = numbers([5.0, 99.0, None], np.float64)
        before = raw.values.copy()
        made = item(conversion, 64, Encoding.IEEE754) if conversion is not STATES else item(STATES)
        bound(made)(numbers([5, 99, None], np.uint16) if conversion is STATES else raw)
        assert raw.values.tolist() == before.tolist()
