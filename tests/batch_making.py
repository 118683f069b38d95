"""Batches made from plain Python lists, which then are what a test compares with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen
from hypothesis import strategies as st

from c2kit.batches import Column, TelemetryBatch
from c2kit.model.conversions import Function, Polynomial, State, States
from c2kit.model.fields import Encoding, Expand, FieldReference, Fixed, Length, Prefixed, Terminated
from c2kit.model.limits import Limits
from c2kit.model.packets import DerivedItem, Item, Packet

if TYPE_CHECKING:
    from collections.abc import Sequence

HASH = "c0ffee" * 10 + "beef"


def numbers(values: Sequence[Any], dtype: str, shape: tuple[int, ...] = ()) -> Column:
    """A column of numbers or of arrays of one shape; ``None`` where there is no value."""
    filled = [np.zeros(shape).tolist() if value is None else value for value in values]
    array = np.array(filled, dtype=dtype).reshape(len(values), *shape)
    return Column(array, _valid(values))


def lists(values: Sequence[list[Any] | None], dtype: str) -> Column:
    """A column of arrays of varying length."""
    flat = [element for value in values for element in value or ()]
    return Column(np.array(flat, dtype=dtype), _valid(values), _offsets(values))


def strings(values: Sequence[bytes | str | None], *, is_text: bool = False) -> Column:
    """A column of bytes or of text."""
    encoded = [value.encode() if isinstance(value, str) else value for value in values]
    data = np.frombuffer(b"".join(value or b"" for value in encoded), np.uint8)
    return Column(data, _valid(values), _offsets(encoded), is_bytes=True, is_text=is_text)


def _valid(values: Sequence[object]) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
    valid = np.array([value is not None for value in values], np.bool_)
    return None if valid.all() else valid


def _offsets(values: Sequence[Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.cumsum([0, *(len(value or ()) for value in values)], dtype=np.int64)


@frozen(eq=False)
class Made:
    """A batch, and the lists that it was made of: raw, engineering and limit states by item."""

    batch: TelemetryBatch
    received: list[int]
    generated: list[int | None]
    raw: dict[str, list[Any]]
    engineering: dict[str, list[Any]]
    limits: dict[str, list[Any]]


_ELEMENTS: dict[str, st.SearchStrategy[Any]] = {
    "float": st.floats(allow_nan=False),
    "bool": st.booleans(),
    "text": st.text(max_size=4),
    "limits": st.integers(0, 5),
}
ROWS = st.sampled_from([0, 1, 2, 3, 7, 8, 9, 31, 32, 33])
_TIMES = st.integers(-(2**63), 2**63 - 1)
_CONVERSIONS = [None, Polynomial((1.0, 2.0)), Function("somewhere:something"), States((State("ON", 1, 1),))]
_INTEGERS = [
    Encoding.UNSIGNED,
    Encoding.TWOS_COMPLEMENT,
    Encoding.ONES_COMPLEMENT,
    Encoding.SIGN_MAGNITUDE,
    Encoding.BOOLEAN,
]
_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
_FLOAT_WIDTHS = [
    (Encoding.IEEE754, 16),
    (Encoding.IEEE754, 32),
    (Encoding.IEEE754, 64),
    (Encoding.MIL_STD_1750A, 32),
    (Encoding.MIL_STD_1750A, 48),
]
_NUMBER_LENGTHS: st.SearchStrategy[Length | None] = st.one_of(
    st.none(),
    st.none(),
    st.lists(st.integers(0, 3), min_size=1, max_size=3).map(lambda shape: Fixed(tuple(shape))),
    st.sampled_from([Expand(), FieldReference("n")]),
)
_BYTE_LENGTHS: st.SearchStrategy[Length] = st.sampled_from([Fixed((4,)), Expand(), Terminated(b"\0"), Prefixed(8)])


@st.composite
def items(draw: st.DrawFn, name: str) -> Item:
    """Any item that can be."""
    limits = draw(st.sampled_from([(), (Limits(red_high=1.0),)]))
    units, description = draw(st.sampled_from(["", "V", "°C"])), draw(st.text(max_size=5))
    kind = draw(st.sampled_from(["integer", "integer", "float", "bytes"]))
    if kind == "bytes":
        encoding = draw(st.sampled_from([Encoding.STRING, Encoding.BINARY]))
        conversion = draw(st.sampled_from([None, None, _CONVERSIONS[2]]))
        limits = limits if conversion else ()
        return Item(
            name=name,
            encoding=encoding,
            length=draw(_BYTE_LENGTHS),
            conversion=conversion,
            limits=limits,
            units=units,
            description=description,
        )
    if kind == "float":
        encoding, bits = draw(st.sampled_from(_FLOAT_WIDTHS))
        conversion = draw(st.sampled_from(_CONVERSIONS[:3]))
    else:
        encoding, bits = draw(st.sampled_from(_INTEGERS)), draw(st.integers(1, 64))
        conversion = draw(st.sampled_from(_CONVERSIONS))
    return Item(
        name=name,
        encoding=encoding,
        bit_length=bits,
        length=draw(_NUMBER_LENGTHS),
        conversion=conversion,
        limits=limits,
        units=units,
        description=description,
    )


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    """Any packet whose batches can be made; its bytes could not be decoded, which is not asked for here."""
    names = draw(st.lists(_NAMES, max_size=5, unique=True))
    derived_count = draw(st.integers(0, min(1, len(names))))
    own = tuple(draw(items(name)) for name in names[derived_count:])
    function = Function("somewhere:something")
    derived = tuple(
        DerivedItem(name=name, function=function, inputs=("n",), limits=(Limits(red_low=0.0),), units="W")
        for name in names[:derived_count]
    )
    return Packet(name=draw(_NAMES), items=own, derived=derived)


@st.composite
def telemetry(draw: st.DrawFn) -> Made:
    """A batch of any packet with any values, some of them absent."""
    packet, rows = draw(packets()), draw(ROWS)
    with_limits = draw(st.booleans())
    raw, engineering, limits = {}, {}, {}
    for item in packet.items_by_name.values():
        if isinstance(item, Item):
            raw[item.name] = _drawn(draw, item, "raw", rows)
        if kind := engineering_kind(item):
            engineering[item.name] = _drawn(draw, item, kind, rows)
        if with_limits and item.limits:
            limits[item.name] = _drawn(draw, item, "limits", rows)
    received = draw(st.lists(_TIMES, min_size=rows, max_size=rows))
    generated = draw(_column(_TIMES, rows))
    batch = TelemetryBatch(
        target="FIREFLY",
        packet=packet,
        dictionary_hash=HASH,
        received=np.array(received, np.int64),
        generated=numbers(generated, "i8"),
        raw={name: column_of(packet.items_by_name[name], "raw", values) for name, values in raw.items()},
        engineering={
            name: column_of(item, engineering_kind(item), engineering[name])
            for name, item in packet.items_by_name.items()
            if name in engineering
        },
        limits={name: column_of(packet.items_by_name[name], "limits", values) for name, values in limits.items()},
        interface=draw(_NAMES),
        origin=draw(st.sampled_from(["realtime", "stored", "replay:1"])),
    )
    return Made(batch, received, generated, raw, engineering, limits)


def engineering_kind(item: Item | DerivedItem) -> str:
    """What an item's own engineering values are; empty where they are the raw ones."""
    if isinstance(item, DerivedItem) or isinstance(item.conversion, Polynomial | Function):
        return "float"
    if item.conversion is None:
        return {Encoding.BOOLEAN: "bool", Encoding.STRING: "text"}.get(item.encoding, "")
    return ""


def _drawn(draw: st.DrawFn, item: Item | DerivedItem, kind: str, rows: int) -> list[Any]:
    return list(draw(_column(_values(item, kind), rows)))


def _column(values: st.SearchStrategy[Any], rows: int) -> st.SearchStrategy[list[Any]]:
    some = st.lists(st.one_of(values, st.none()), min_size=rows, max_size=rows)
    return st.one_of(some, st.lists(values, min_size=rows, max_size=rows), st.just([None] * rows))


def _values(item: Item | DerivedItem, kind: str) -> st.SearchStrategy[Any]:
    elements = _elements(item, kind)
    if not isinstance(item, Item) or not item.is_array:
        return elements
    if not isinstance(item.length, Fixed):
        return st.lists(elements, max_size=3)
    values = elements
    for extent in reversed(item.length.shape):
        values = st.lists(values, min_size=extent, max_size=extent)
    return values


def _elements(item: Item | DerivedItem, kind: str) -> st.SearchStrategy[Any]:
    if kind != "raw":
        return _ELEMENTS[kind]
    assert isinstance(item, Item)
    if item.encoding.is_bytes:
        return st.binary(max_size=4)
    if item.raw_range is not None:
        return st.integers(*item.raw_range)
    return st.floats(allow_nan=False, width=64 if _dtype(item, "raw") == "f8" else 32)


def column_of(item: Item | DerivedItem, kind: str, values: list[Any]) -> Column:
    """A column of an item's values of one kind."""
    if kind == "text" or (kind == "raw" and isinstance(item, Item) and item.encoding.is_bytes):
        return strings(values, is_text=kind == "text")
    dtype = _dtype(item, kind)
    if not isinstance(item, Item) or not item.is_array:
        return numbers(values, dtype)
    if isinstance(item.length, Fixed):
        return numbers(values, dtype, item.length.shape)
    return lists(values, dtype)


def _dtype(item: Item | DerivedItem, kind: str) -> str:
    if kind != "raw":
        return {"float": "f8", "bool": "?", "limits": "u1"}[kind]
    assert isinstance(item, Item)
    if item.encoding is Encoding.MIL_STD_1750A:
        return "f8"
    if item.encoding is Encoding.IEEE754:
        return "f8" if item.bit_length == 64 else "f4"
    size = next(size for size in (1, 2, 4, 8) if item.bit_length <= 8 * size)
    return f"{'u' if item.encoding in (Encoding.UNSIGNED, Encoding.BOOLEAN) else 'i'}{size}"
