"""Packet definitions of every kind of layout, whose numbers have conversions of every kind.

Other tests may use it: ``from tests.property.definitions import packets``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from hypothesis import strategies as st

from c2kit.model.conversions import Conversion, Extrapolation, PiecewiseLinear, Polynomial, State, States
from c2kit.model.fields import Encoding, Field
from c2kit.model.packets import Item, Packet
from tests.property.layouts import layouts

if TYPE_CHECKING:
    from c2kit.kernel.layout import Layout

__all__ = ["packets"]

NUMBERS = st.one_of(
    st.integers(-5, 300).map(float),
    st.floats(-1e6, 1e6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 2.0**53, 2.0**63, 5e-324, 1.7e308, -1.7e308]),
)
POLYNOMIALS = st.lists(NUMBERS, min_size=1, max_size=5).map(lambda made: Polynomial(tuple(made)))


@st.composite
def _lines(draw: st.DrawFn) -> PiecewiseLinear:
    raw = sorted(draw(st.lists(NUMBERS.map(lambda value: value + 0.0), min_size=2, max_size=7, unique=True)))
    engineering = draw(st.lists(NUMBERS, min_size=len(raw), max_size=len(raw)))
    return PiecewiseLinear(tuple(zip(raw, engineering, strict=True)), draw(st.sampled_from(Extrapolation)))


@st.composite
def _states(draw: st.DrawFn) -> States:
    edges = st.one_of(st.integers(-4, 20), st.integers(-(2**64), 2**64))
    ranges = draw(st.lists(st.tuples(edges, edges).map(sorted), min_size=1, max_size=4))
    return States(tuple(State(f"S{number}", low, high) for number, (low, high) in enumerate(ranges)))


def _conversions(field: Field) -> st.SearchStrategy[Conversion | None]:
    if field.encoding.is_bytes:
        return st.none()
    kinds: list[st.SearchStrategy[Conversion | None]] = [st.none(), POLYNOMIALS, _lines(), _lines()]
    if field.encoding.is_integer:
        kinds.append(_states())
    return st.one_of(kinds)


@st.composite
def packets(draw: st.DrawFn, *, most_fields: int = 7, numbers_only: bool = False) -> Packet:
    """A definition without derived items and functions; of single numbers alone, if so asked."""
    layout: Layout = draw(layouts(most_fields=most_fields))
    items = []
    for field in layout.fields:
        if numbers_only and (field.length is not None or field.encoding.is_bytes):
            continue
        told = {each.name: getattr(field, each.name) for each in attrs.fields(Field)}
        if field.encoding is Encoding.UNSIGNED and draw(st.integers(0, 3)) == 0:
            told["encoding"] = Encoding.BOOLEAN
        items.append(Item(**told, conversion=draw(_conversions(Field(**told)))))
    return Packet(name="ANY", items=tuple(items))
