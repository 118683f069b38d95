"""Conversions of columns and their inverses, held against one value at a time in exact arithmetic."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from c2kit.errors import UsageError
from c2kit.kernel.conversions import bind, engineering_range, invert, is_monotonic, limit_states
from c2kit.kernel.layout import raw_dtype
from c2kit.kernel.tally import Tally
from c2kit.model.conversions import Extrapolation, PiecewiseLinear, Polynomial, State, States
from c2kit.model.fields import Encoding, Expand, Text
from c2kit.model.limits import Limits, LimitState
from c2kit.model.packets import Item
from tests.columns import numbers, ragged, strings

INTEGERS = [Encoding.UNSIGNED, Encoding.TWOS_COMPLEMENT, Encoding.ONES_COMPLEMENT, Encoding.SIGN_MAGNITUDE]
COEFFICIENTS = st.one_of(
    st.integers(-5, 5).map(float), st.floats(-1e6, 1e6), st.floats(allow_nan=False, allow_infinity=False, width=32)
)
SMALL = st.one_of(st.integers(-300, 300).map(float), st.floats(-300, 300))


@st.composite
def lines(draw: st.DrawFn) -> PiecewiseLinear:
    """Lines through points near the values of a byte."""
    raw = sorted(draw(st.lists(SMALL.map(lambda value: value + 0.0), min_size=2, max_size=6, unique=True)))
    engineering = draw(st.lists(SMALL, min_size=len(raw), max_size=len(raw)))
    if draw(st.booleans()):
        engineering.sort(reverse=draw(st.booleans()))
    return PiecewiseLinear(tuple(zip(raw, engineering, strict=True)), draw(st.sampled_from(Extrapolation)))


POLYNOMIALS = st.lists(COEFFICIENTS, min_size=1, max_size=6).map(lambda made: Polynomial(tuple(made)))


def engineering_of(conversion: Polynomial | PiecewiseLinear, raw: int) -> Fraction | None:
    """The conversion as its definition says, without any shortcut."""
    if isinstance(conversion, Polynomial):
        return sum((Fraction(c) * raw**n for n, c in enumerate(conversion.coefficients)), Fraction(0))
    points = [(Fraction(x), Fraction(y)) for x, y in conversion.points]
    if not points[0][0] <= raw <= points[-1][0]:
        if conversion.extrapolation is Extrapolation.NONE:
            return None
        if conversion.extrapolation is Extrapolation.HOLD:
            return points[0][1] if raw < points[0][0] else points[-1][1]
    segments = list(itertools.pairwise(points))
    (x0, y0), (x1, y1) = next((s for s in segments if raw <= s[1][0]), segments[-1])
    return y0 + (raw - x0) / (x1 - x0) * (y1 - y0)


@st.composite
def byte_items(draw: st.DrawFn) -> tuple[Item, list[Fraction | None]]:
    """An integer item of up to 8 bits with a conversion, and what each of its raw values is."""
    conversion = draw(st.one_of(POLYNOMIALS, lines()))
    item = Item(
        name="X",
        bit_length=draw(st.integers(2, 8)),
        encoding=draw(st.sampled_from(INTEGERS)),
        conversion=conversion,
    )
    low, high = item.raw_range or (0, 0)
    return item, [engineering_of(conversion, raw) for raw in range(low, high + 1)]


def scale_of(conversion: Polynomial | PiecewiseLinear) -> float:
    """A bound of what float64 may be off: rounding in proportion to the largest number on the way."""
    if isinstance(conversion, Polynomial):
        return 1e-14 * sum(abs(c) * 256.0**n for n, c in enumerate(conversion.coefficients)) + 1e-300
    slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in itertools.pairwise(conversion.points)]
    return 1e-12 * (max(map(abs, slopes)) + 1) * 1000


@given(byte_items())
def test_every_raw_value_is_converted_as_defined(made: tuple[Item, list[Fraction | None]]) -> None:
    item, wanted = made
    assert isinstance(item.conversion, Polynomial | PiecewiseLinear)
    convert = bind(item)
    assert convert is not None
    low, high = item.raw_range or (0, 0)
    column, tally = convert(numbers(range(low, high + 1), raw_dtype(item)))
    found = column.to_list()
    assert [value is None for value in found] == [value is None for value in wanted]
    assert tally[Tally.OUTSIDE_POINTS] == wanted.count(None)
    tolerance = scale_of(item.conversion)
    if math.isfinite(tolerance):
        assert all(abs(a - float(b)) <= tolerance for a, b in zip(found, wanted, strict=True) if b is not None)


@given(byte_items())
def test_monotonic_and_range_are_what_looking_at_every_value_says(made: tuple[Item, list[Fraction | None]]) -> None:
    item, every = made
    assert isinstance(item.conversion, Polynomial | PiecewiseLinear)
    low, high = item.raw_range or (0, 0)
    values = [value for value in every if value is not None]
    steps = [later - earlier for earlier, later in itertools.pairwise(values)]
    rises, falls = all(step >= 0 for step in steps), all(step <= 0 for step in steps)
    wanted = len(values) == 1 or (rises != falls)
    assert is_monotonic(item.conversion, low, high) == wanted
    reach = (float(min(values)), float(max(values))) if values else None
    assert engineering_range(item.conversion, low, high) == reach


NUMBER_ITEMS = st.builds(
    lambda encoding, bits: Item(name="X", encoding=encoding, bit_length=bits),
    st.sampled_from(INTEGERS),
    st.integers(1, 64),
)


@given(NUMBER_ITEMS, COEFFICIENTS, COEFFICIENTS, st.data())
def test_a_line_is_inverted_as_a_polynomial_is_that_has_more_terms(
    item: Item, offset: float, scale: float, data: st.DataObject
) -> None:
    # A polynomial of three coefficients is inverted by bisection, one of two at once.
    low, high = item.raw_range or (0, 0)
    raw = data.draw(st.integers(low - 2, high + 2))
    halves = data.draw(st.integers(-2, 2))
    wanted = data.draw(st.sampled_from([raw, offset, offset + scale * raw, offset + scale * (raw + halves / 2)]))

    def outcome(*coefficients: float) -> object:
        try:
            return invert(Polynomial(coefficients), item, wanted)
        except UsageError as error:
            return str(error)

    assert outcome(offset, scale) == outcome(offset, scale, 0.0)


@given(byte_items(), st.one_of(SMALL, st.floats(allow_nan=False, allow_infinity=False)), st.data())
def test_an_inverse_is_the_nearest_raw_value_or_is_refused(
    made: tuple[Item, list[Fraction | None]], anything: float, data: st.DataObject
) -> None:
    item, every = made
    assert isinstance(item.conversion, Polynomial | PiecewiseLinear)
    low, high = item.raw_range or (0, 0)
    values = [value for value in every if value is not None]
    wanted = data.draw(st.sampled_from([*map(float, values), anything]))
    try:
        raw = invert(item.conversion, item, wanted)
    except UsageError as error:
        if "has no inverse" in str(error):
            assert not is_monotonic(item.conversion, low, high)
        else:
            assert not min(values) <= Fraction(wanted) <= max(values)
        return
    assert low <= raw <= high
    found = engineering_of(item.conversion, raw)
    assert found is not None
    assert abs(found - Fraction(wanted)) == min(abs(value - Fraction(wanted)) for value in values)


@st.composite
def state_items(draw: st.DrawFn) -> Item:
    """Integers of any width with states here and there, some of them where no raw value can be."""
    item = Item(name="X", bit_length=draw(st.integers(2, 64)), encoding=draw(st.sampled_from(INTEGERS)))
    low, high = item.raw_range or (0, 0)
    edges = st.one_of(st.integers(low, high), st.integers(-10, 300), st.sampled_from([low, high, low - 1, high + 1]))
    ranges = draw(st.lists(st.tuples(edges, edges).map(sorted), min_size=1, max_size=6))
    states = States(tuple(State(f"S{n}", low, high) for n, (low, high) in enumerate(ranges)))
    return Item(name="X", bit_length=item.bit_length, encoding=item.encoding, conversion=states)


@given(state_items(), st.data())
def test_what_no_state_names_is_counted(item: Item, data: st.DataObject) -> None:
    assert isinstance(item.conversion, States)
    states = item.conversion
    low, high = item.raw_range or (0, 0)
    edges = [v for s in states.states for v in (s.low - 1, s.low, s.high, s.high + 1) if low <= v <= high]
    value = st.one_of(st.none(), st.integers(low, high), *([st.sampled_from(edges)] if edges else []))
    values = data.draw(st.lists(value, max_size=20))
    convert = bind(item)
    assert convert is not None
    tally = convert(numbers(values, raw_dtype(item)))[1]
    assert tally[Tally.WITHOUT_STATE] == sum(v is not None and states.name_of(v) is None for v in values)


CHARSETS = ["utf-8", "ascii", "latin-1", "cp1252", "utf-16-le", "utf-16", "shift_jis", "cp500", "utf-8-sig"]
ENDS = [b"", b"\0", b" ", b"\n", b"\0\0", b"ab", b"\x80"]
PIECES = st.sampled_from([b"\0", b" ", b"a", b"b", b"\n", "\u00e4".encode(), b"\xff", b"\x80", b"\0\0", b"ab"])


def text_of(text: Text, data: bytes) -> str | None:
    """Character by character, as the model says."""
    if step := len(text.terminator):
        for place in range(0, len(data), step):
            if data[place : place + step] == text.terminator:
                data = data[:place]
                break
    while text.padding and data.endswith(text.padding):
        data = data[: -len(text.padding)]
    try:
        return data.decode(text.charset)
    except UnicodeError:
        return None


@given(
    st.builds(Text, st.sampled_from(CHARSETS), padding=st.sampled_from(ENDS), terminator=st.sampled_from(ENDS)),
    st.lists(st.one_of(st.none(), st.lists(PIECES, max_size=8).map(b"".join), st.binary(max_size=5)), max_size=8),
)
def test_text_is_what_decoding_each_string_gives(text: Text, values: list[bytes | None]) -> None:
    convert = bind(Item(name="S", encoding=Encoding.STRING, length=Expand(), text=text))
    assert convert is not None
    column, tally = convert(strings(values))
    wanted = [None if value is None else text_of(text, value) for value in values]
    assert column.to_list() == wanted
    assert tally[Tally.UNDECODABLE_TEXT] == wanted.count(None) - values.count(None)
    assert column.offsets is not None
    assert column.offsets[-1] == len(column.values)


BOUNDS = st.one_of(st.none(), st.integers(-300, 300).map(float), st.floats(allow_nan=False, allow_infinity=False))
WIDE = st.one_of(st.integers(-300, 300), st.integers(-(2**63), 2**63 - 1))


def state_of(limits: Limits, value: float | None) -> LimitState | None:
    if value is None or math.isnan(value):
        return None
    for low, high, states in (
        (limits.red_low, limits.red_high, (LimitState.RED_LOW, LimitState.RED_HIGH)),
        (limits.yellow_low, limits.yellow_high, (LimitState.YELLOW_LOW, LimitState.YELLOW_HIGH)),
    ):
        # Python compares integers with floats exactly. Where both bounds are passed they are out of order: high wins.
        if high is not None and value > high:
            return states[1]
        if low is not None and value < low:
            return states[0]
    return LimitState.GREEN


@given(st.builds(Limits, st.just("any"), BOUNDS, BOUNDS, BOUNDS, BOUNDS), st.data())
def test_limit_states_are_exact_comparisons(limits: Limits, data: st.DataObject) -> None:
    is_integer = data.draw(st.booleans())
    element = WIDE if is_integer else st.floats()
    dtype = np.int64 if is_integer else np.float64
    values = data.draw(st.lists(st.one_of(st.none(), element), max_size=20))
    assert limit_states(limits, numbers(values, dtype)).to_list() == [state_of(limits, value) for value in values]
    arrays = [None if value is None else [value] for value in values]
    in_arrays = [None if value is None else [state_of(limits, value)] for value in values]
    shown = limit_states(limits, ragged(arrays, dtype)).to_list()
    assert shown == [
        None if states is None else [LimitState.NO_VALUE if states[0] is None else states[0]] for states in in_arrays
    ]
