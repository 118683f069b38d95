"""Every kernel has the same limit states, of numbers of any type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.kernel import reference
from c2kit.kernel.contract import Column
from c2kit.model.limits import Limits
from tests.kernels import OTHERS
from tests.property.layouts import assert_same_columns, taken

BOUNDS = st.one_of(
    st.none(),
    st.integers(-300, 300).map(float),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.1, 127.5, -0.0, 2.0**24 + 1, 2.0**31, 2.0**53, 2.0**63, 3.5e38, -1e300]),
)
LIMITS = st.builds(Limits, st.just("any"), BOUNDS, BOUNDS, BOUNDS, BOUNDS)
TYPES = [np.dtype(kind) for kind in ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8")]


@st.composite
def columns(draw: st.DrawFn, limits: Limits) -> Column:
    """Numbers of any type, many of them near the bounds, some of them none; sometimes a part of other numbers."""
    dtype = draw(st.sampled_from(TYPES))
    bounds = [bound for bound in (limits.red_low, limits.yellow_low, limits.yellow_high, limits.red_high) if bound]
    near = st.sampled_from(bounds) if bounds else st.just(0.0)
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            numbers = st.one_of(st.floats(width=32), near.map(lambda number: float(np.float32(number))), near)
            drawn = np.array(draw(st.lists(numbers, max_size=12)), np.float64).astype(dtype)
    else:
        info = np.iinfo(dtype)
        whole = near.flatmap(lambda number: st.sampled_from([int(number) - 1, int(number), int(number) + 1]))
        inside = whole.map(lambda number: min(max(number, info.min), info.max))
        drawn = np.array(draw(st.lists(st.one_of(st.integers(info.min, info.max), inside), max_size=12)), dtype)
    if draw(st.booleans()):
        drawn = np.repeat(drawn, 2)[::2]
    valid = None
    if draw(st.booleans()):
        valid = np.array(draw(st.lists(st.booleans(), min_size=len(drawn), max_size=len(drawn))), np.bool_)
        drawn = np.where(valid, drawn, drawn.dtype.type(0))
    return Column(drawn, valid)


@given(st.data(), LIMITS)
def test_states_are_the_same(data: st.DataObject, limits: Limits) -> None:
    column = data.draw(columns(limits))
    expected = reference.limit_states(limits, column)
    for kernel in OTHERS.values():
        assert_same_columns([kernel.limit_states(limits, column)], [expected])


@pytest.mark.parametrize("count", [0, 1, 2, 31, 32, 33, 511, 512, 513, 10_000])
@given(data=st.data(), limits=LIMITS)
def test_as_many_states_as_there_are_values(count: int, data: st.DataObject, limits: Limits) -> None:
    few = data.draw(columns(limits).filter(lambda column: len(column) > 0))
    which = np.arange(count) % len(few)
    column = taken(few, which)
    expected = taken(reference.limit_states(limits, few), which)
    for kernel in OTHERS.values():
        assert_same_columns([kernel.limit_states(limits, column)], [expected])
