"""Layouts of every kind, bytes of every kind, and what it means that two columns are the same.

Other tests may use it: ``from tests.property.layouts import layouts, batches``.
"""

from __future__ import annotations

import math
import operator
import random
from typing import Any, Literal, cast

import numpy as np
from attrs import evolve, frozen
from hypothesis import strategies as st

from c2kit.errors import DefinitionError
from c2kit.kernel.contract import Column
from c2kit.kernel.layout import Layout
from c2kit.model.fields import (
    Condition,
    Encoding,
    Expand,
    Field,
    FieldReference,
    Fixed,
    Length,
    Prefixed,
    Terminated,
    Text,
)

__all__ = [
    "Batch",
    "assert_same_columns",
    "batches",
    "fields",
    "in_one_order",
    "layouts",
    "number_fields",
    "packet_values",
    "plain_layouts",
    "random_bytes",
    "taken",
]

Values = dict[str, Any]
"""What an encoder is given: a number, bytes or a list for each field that is present."""

NUMBERS = [encoding for encoding in Encoding if not encoding.is_bytes]
FLOAT_WIDTHS = {Encoding.IEEE754: [16, 32, 64], Encoding.MIL_STD_1750A: [32, 48]}
IN_ORDER = st.none()
ANYWHERE = st.one_of(
    st.none(), st.none(), st.none(), st.integers(0, 120), st.integers(0, 15).map(lambda byte: 8 * byte)
)
INTEGER_WIDTHS = st.one_of(st.integers(1, 64), st.sampled_from([1, 7, 8, 9, 16, 24, 32, 57, 58, 63, 64]))
OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
BOUNDARIES = [0, 1, -1, 2, 127, 255, 2**31, 2**53 + 1, 2**63, -(2**63), 2**64 - 1, 10**400]
OPERANDS = st.one_of(
    st.integers(-3, 3),
    st.integers(-3, 20),
    st.sampled_from(BOUNDARIES),
    st.floats(),
    st.sampled_from([0.5, 0.1, 2.0**53, 2.0**64, 1e300]),
)


@st.composite
def byte_orders(draw: st.DrawFn, bits: int) -> str:
    """Big, little, and where there are whole bytes any other order of them."""
    if bits % 8 or draw(st.booleans()):
        return draw(st.sampled_from(["big", "little"]))
    digits = "".join(str(digit) for digit in range(1, bits // 8 + 1))
    return draw(st.one_of(st.sampled_from([digits, digits[::-1]]), st.permutations(digits).map("".join)))


@st.composite
def number_fields(draw: st.DrawFn, name: str, *, offsets: st.SearchStrategy[int | None] = ANYWHERE) -> Field:
    """A number of any encoding, width and byte order, one or several, at its own place or after the one before."""
    encoding = draw(st.sampled_from(NUMBERS))
    widths = FLOAT_WIDTHS.get(encoding)
    bits = draw(INTEGER_WIDTHS if widths is None else st.sampled_from(widths))
    shape = draw(st.one_of(st.none(), st.none(), st.lists(st.integers(0, 4), min_size=1, max_size=3)))
    return Field(
        name=name,
        encoding=encoding,
        bit_length=bits,
        byte_order=draw(byte_orders(bits)),
        bit_offset=draw(offsets),
        length=None if shape is None else Fixed(tuple(shape)),
    )


@st.composite
def _lengths(draw: st.DrawFn, earlier: list[Field], *, is_bytes: bool) -> Length:
    """A length that varies, if anything before can tell it."""
    tellers = [field.name for field in earlier if field.encoding.is_integer and field.length is None]
    kinds: list[st.SearchStrategy[Length]] = [st.just(Expand())]
    if tellers:
        reference = st.builds(
            FieldReference,
            st.sampled_from(tellers),
            multiply=st.sampled_from([1, 1, 1, 1, 2, 3, -1, 0, 2**30]),
            add=st.sampled_from([0, 0, 0, 0, 0, 1, 2, -1, -7, 2**70]),
        )
        kinds += [reference, reference]
    if is_bytes:
        limits = st.one_of(st.none(), st.integers(0, 7))
        terminators = st.sampled_from([b"\0", b"\1", b"\0\0", b"\0\1", b"\1\0\1"])
        kinds += [
            st.builds(Fixed, st.tuples(st.integers(0, 9))),
            st.builds(Terminated, terminators, limits),
            st.integers(1, 16).flatmap(lambda bits: st.builds(Prefixed, st.just(bits), byte_orders(bits))),
        ]
    return draw(st.one_of(kinds))


@st.composite
def fields(
    draw: st.DrawFn, name: str, earlier: list[Field], *, offsets: st.SearchStrategy[int | None] = ANYWHERE
) -> Field:
    """A field of any kind that may follow these; it may still not be allowed in one layout with them."""
    kind = draw(st.sampled_from(["number", "number", "count", "array", "string", "binary"]))
    if kind == "number":
        field = draw(number_fields(name, offsets=offsets))
    elif kind == "count":
        # Few bits, so that what they count fits into a packet now and then.
        field = Field(name=name, encoding=draw(st.sampled_from(NUMBERS[:4])), bit_length=draw(st.integers(1, 4)))
    elif kind == "array":
        field = evolve(draw(number_fields(name)), length=draw(_lengths(earlier, is_bytes=False)), bit_offset=None)
    else:
        length = draw(_lengths(earlier, is_bytes=True))
        encoding, text = (Encoding.STRING, Text(padding=b" ")) if kind == "string" else (Encoding.BINARY, None)
        field = Field(name=name, encoding=encoding, length=length, bit_offset=draw(offsets), text=text)
    tellers = [other.name for other in earlier if other.length is None and not other.encoding.is_bytes]
    if tellers and draw(st.integers(0, 2)) == 0:
        conditions = st.builds(Condition, st.sampled_from(tellers), st.sampled_from(list(OPERATORS)), OPERANDS)
        field = evolve(field, present_if=tuple(draw(st.lists(conditions, min_size=1, max_size=2))))
    return field


@st.composite
def layouts(draw: st.DrawFn, *, most_fields: int = 7, offsets: st.SearchStrategy[int | None] = ANYWHERE) -> Layout:
    """A layout of fields of any kind; what a layout must not have is left out."""
    chosen: list[Field] = []
    for number in range(draw(st.integers(1, most_fields))):
        field = draw(fields(f"F{number}", chosen, offsets=offsets))
        try:
            Layout((*chosen, field))
        except DefinitionError:
            continue
        chosen.append(field)
    return Layout(tuple(chosen))


@st.composite
def plain_layouts(draw: st.DrawFn, *, offsets: st.SearchStrategy[int | None] = ANYWHERE) -> Layout:
    """Single numbers, and bytes of fixed size: what one packet at a time has a way of its own for."""
    plain: list[Field] = []
    for index in range(draw(st.integers(1, 7))):
        field = evolve(draw(number_fields(f"F{index}", offsets=offsets)), length=None)
        if draw(st.integers(0, 4)) == 0:
            size = Fixed((draw(st.integers(1, 19)),))
            field = Field(name=field.name, encoding=Encoding.BINARY, length=size, bit_offset=field.bit_offset)
        plain.append(field)
    return Layout(tuple(plain))


def in_one_order(layout: Layout, byte_order: str) -> Layout:
    """The same layout with all its bits counted the same way.

    Where both ways meet in one byte, bits that follow each other in one are not next to each other in the other.
    """
    fields = []
    for field in layout.fields:
        order = byte_order if field.byte_order in {"big", "little"} else field.byte_order
        length = evolve(field.length, byte_order="big") if isinstance(field.length, Prefixed) else field.length
        fields.append(evolve(field, byte_order=order, length=length))
    return Layout(tuple(fields))


@frozen(eq=False)
class Batch:
    """Packets somewhere in a buffer."""

    buffer: bytes
    starts: np.ndarray[tuple[int], np.dtype[np.int64]]
    ends: np.ndarray[tuple[int], np.dtype[np.int64]]

    @classmethod
    def of(cls, buffer: bytes, bounds: list[tuple[int, int]]) -> Batch:
        """The packets between these bytes."""
        array = np.array(bounds, np.int64).reshape(-1, 2)
        return cls(buffer, array[:, 0].copy(), array[:, 1].copy())

    def packets(self) -> list[bytes]:
        """Each packet's own bytes."""
        return [self.buffer[start:end] for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)]


@st.composite
def random_bytes(draw: st.DrawFn, size: int) -> bytes:
    """Bytes with all sorts of numbers in them: evenly random ones, mostly zeros, mostly ones."""
    generator = random.Random(draw(st.integers(0, 2**32)))
    data = generator.randbytes(size)
    thinning = draw(st.sampled_from(["none", "zeros", "ones", "bits"]))
    if thinning == "none":
        return data
    masks = {"zeros": (0x00, 0xFF), "ones": (0xFF, 0x00), "bits": (0x01, 0x80)}[thinning]
    if thinning == "ones":
        return bytes(byte | generator.choice(masks) for byte in data)
    return bytes(byte & generator.choice(masks) for byte in data)


@st.composite
def batches(draw: st.DrawFn, layout: Layout) -> Batch:
    """Packets long and short for the layout: back to back, at even steps, or anywhere, in any order and overlapping."""
    typical = min(layout.fixed_bits // 8, 200) + draw(st.integers(0, 60))
    count = draw(st.integers(0, 9))
    arrangement = draw(st.sampled_from(["even", "back to back", "anywhere"]))
    before, after = draw(st.integers(0, 3)), draw(st.integers(0, 20))
    if arrangement == "even":
        size = draw(st.one_of(st.just(typical), st.integers(0, typical)))
        step = size + draw(st.integers(0, 3))
        bounds = [(before + number * step, before + number * step + size) for number in range(count)]
    else:
        sizes = [draw(st.one_of(st.just(typical), st.integers(0, typical + 8))) for _ in range(count)]
        starts = [before + sum(sizes[:number]) for number in range(count)]
        if arrangement == "anywhere":
            starts = [draw(st.integers(0, 60)) for _ in range(count)]
        bounds = [(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    end = max((end for _, end in bounds), default=0)
    return Batch.of(draw(random_bytes(end + after)), bounds)


@st.composite
def packet_values(draw: st.DrawFn, layout: Layout) -> tuple[Layout, Values]:
    """Values that a packet can hold, with the part of the layout for which there are some.

    Of a negative number of elements, or of far too many, there are none; the layout then ends before that field.
    """
    values: Values = {}
    for number, field in enumerate(layout.fields):
        if not all(_holds(condition, values) for condition in field.present_if):
            continue
        count = _count(field, values)
        if count is None or not 0 <= count <= 60:
            return Layout(layout.fields[:number]), values
        values[field.name] = draw(_field_values(field, count))
    return layout, values


def _holds(condition: Condition, values: Values) -> bool:
    return condition.field in values and OPERATORS[condition.operator](values[condition.field], condition.value)


def _count(field: Field, values: Values) -> int | None:
    if isinstance(field.length, FieldReference):
        told = values.get(field.length.field)
        return told * field.length.multiply + field.length.add if isinstance(told, int) else None
    return field.length.count if isinstance(field.length, Fixed) else 1


@st.composite
def _field_values(draw: st.DrawFn, field: Field, count: int) -> object:
    match field.length:
        case None:
            return draw(_numbers(field))
        case Terminated() as length:
            return draw(_terminated(length))
        case Prefixed(bit_length):
            return draw(st.binary(max_size=min(2**bit_length - 1, 9)))
        case Expand():
            count = draw(st.integers(0, 9))
        case _:
            pass
    return draw(st.binary(min_size=count, max_size=count) if field.encoding.is_bytes else _arrays(field, count))


def _arrays(field: Field, count: int) -> st.SearchStrategy[list[object]]:
    return st.lists(_numbers(field), min_size=count, max_size=count)


@st.composite
def _terminated(draw: st.DrawFn, length: Terminated) -> bytes:
    step, limit = len(length.terminator), length.max_bytes
    chunks = st.binary(min_size=step, max_size=step).filter(lambda chunk: chunk != length.terminator)
    most = 4 if limit is None else limit // step - 1
    if limit is None or (most >= 0 and draw(st.booleans())):
        return b"".join(draw(st.lists(chunks, max_size=most)))
    full = draw(st.lists(chunks, min_size=limit // step, max_size=limit // step))
    return b"".join(full) + draw(st.binary(min_size=limit % step, max_size=limit % step))


def _numbers(field: Field) -> st.SearchStrategy[int | float]:
    bits = field.bit_length
    match field.encoding:
        case Encoding.UNSIGNED | Encoding.BOOLEAN:
            return st.integers(0, 2**bits - 1)
        case Encoding.TWOS_COMPLEMENT:
            return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        case Encoding.IEEE754:
            # A NaN's payload may get lost on the way through Python floats.
            return st.floats(width=cast("Literal[16, 32, 64]", bits), allow_nan=False)
        case Encoding.MIL_STD_1750A:
            fraction = bits - 9
            mantissas = st.integers(2 ** (fraction - 1), 2**fraction - 1)
            either_sign = st.one_of(mantissas, mantissas.map(lambda mantissa: -mantissa - 1), st.just(0))
            return st.builds(math.ldexp, either_sign, st.integers(-128 - fraction, 127 - fraction))
        case _:
            return st.integers(-(2 ** (bits - 1)) + 1, 2 ** (bits - 1) - 1)


def assert_same_columns(found: list[Column], expected: list[Column]) -> None:
    """Columns are the same where every bit of them is: types, values (NaNs too), what has a value, offsets."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.is_bytes == other.is_bytes
        assert one.values.dtype == other.values.dtype
        assert one.values.dtype.isnative
        assert one.values.shape == other.values.shape
        assert one.values.tobytes() == other.values.tobytes()
        assert _listed(one.valid) == _listed(other.valid)
        assert _listed(one.offsets) == _listed(other.offsets)
        assert one.offsets is None or one.offsets.dtype == np.int64


def taken(column: Column, which: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Column:
    """The column of these packets of another one, as a kernel would have made it."""
    valid = None if column.valid is None or column.valid[which].all() else column.valid[which]
    if column.offsets is None:
        return Column(column.values[which], valid)
    lows, sizes = column.offsets[:-1][which], np.diff(column.offsets)[which]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    places = np.repeat(lows - offsets[:-1], sizes) + np.arange(offsets[-1])
    return Column(column.values[places], valid, offsets, is_bytes=column.is_bytes)


def _listed(array: np.ndarray[tuple[int], np.dtype[np.generic]] | None) -> list[object] | None:
    return None if array is None else array.tolist()
