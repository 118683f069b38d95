"""Encode fields one after the other: the rules of :mod:`c2kit.model.fields` the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, field
from bitstring import BitArray, Bits

from c2kit.errors import UnknownName, UsageError
from c2kit.kernel.reference.decode import Value, compare
from c2kit.kernel.reference.elements import bits_of, put, value_of
from c2kit.model.fields import Expand, FieldReference, Fixed, Prefixed, Terminated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.kernel.contract import RawValue
    from c2kit.kernel.layout import Layout
    from c2kit.model.fields import Field

__all__ = ["encode"]


def encode(layout: Layout, values: Mapping[str, RawValue | Sequence[RawValue]]) -> bytes:
    """Encode raw values, one for each field that is present; see :meth:`c2kit.kernel.contract.Kernel.encode`.

    A number is an ``int`` or ``float`` (integers of the type only: 3.0 is none), a Boolean may be a ``bool`` too; NumPy
    scalars are as good. An array is a sequence of its elements, or for several dimensions the sequences of sequences of
    its shape. A string or binary is bytes; one of fixed size may be shorter and is padded. An expanding field takes the
    number of elements given; where they are narrower than a byte, the zeros that fill the last byte cannot be told from
    further elements.

    Raises:
        UsageError: a value is missing or superfluous, out of range or of the wrong type; an array or byte string has
            not the number of elements that its length field, its terminator or its place allows.
        UnknownName: a value for a field that the layout does not have.
    """
    for name in values:
        if name not in layout.index:
            raise UnknownName(kind="field", name=name, known=layout.index)
    return _Encoding(layout, values).packet_bytes()


@define
class _Encoding:
    """The state of encoding one packet."""

    layout: Layout
    values: Mapping[str, Any]
    packet: BitArray = field(factory=BitArray)
    known: dict[str, Value] = field(factory=dict)
    """The raw values that a decoder will find in the single numbers so far."""
    cursor: int = 0
    expanded: Field | None = None
    expanded_end: int = 0
    """Where the expanding field and its trailer end."""

    def packet_bytes(self) -> bytes:
        """Encode all fields."""
        for item in self.layout.fields:
            start = self.cursor if item.bit_offset is None else item.bit_offset
            self.cursor = self.write(item, start) if self.is_present(item) else self.skip(item, start)
        if self.expanded is not None and len(self.packet) != self.expanded_end:
            what = f"{self.expanded.name}: it must reach to the packet's end, and another field stands further on"
            expected, found = f"an end at byte {len(self.packet) // 8}", f"byte {self.expanded_end // 8}"
            raise UsageError(what, expected=expected, found=found, remedy="give it more elements")
        return self.packet.tobytes()

    def is_present(self, item: Field) -> bool:
        """Whether the field's conditions all hold."""
        return all(
            condition.field in self.known and compare(self.known[condition.field], condition.operator, condition.value)
            for condition in item.present_if
        )

    def skip(self, item: Field, start: int) -> int:
        """A field that is absent takes no bits."""
        if item.name in self.values:
            conditions = " and ".join(f"{when.field} {when.operator} {when.value}" for when in item.present_if)
            what = f"{item.name}: it is absent here, since it needs {conditions}"
            raise UsageError(what, expected="no value", found=repr(self.values[item.name]))
        return start

    def write(self, item: Field, start: int) -> int:
        """Write a field that begins at bit ``start``; gives the bit after it."""
        if item.name not in self.values:
            raise UsageError(f"{item.name}: it has no value", remedy="give it one")
        value = self.values[item.name]
        if item.encoding.is_bytes:
            return self.write_bytes(item, start, value)
        if item.length is None:
            bits = bits_of(item, value)
            self.known[item.name] = value_of(bits, item.encoding)
            return self.put(start, bits, item.byte_order)
        elements = _elements(item, value)
        self.check_count(item, len(elements))
        end = start
        self.reserve(start)
        for element in elements:
            end = self.put(end, bits_of(item, element), item.byte_order)
        return self.end_expansion(item, end) if isinstance(item.length, Expand) else end

    def write_bytes(self, item: Field, start: int, value: object) -> int:
        """Write a string or binary."""
        if not isinstance(value, bytes | bytearray | memoryview):
            remedy = "encode the text first" if isinstance(value, str) else ""
            raise UsageError(f"{item.name}: it is made of bytes", expected="bytes", found=repr(value), remedy=remedy)
        data = bytes(value)
        match item.length:
            case Fixed(shape=(size,)) if len(data) < size:
                data = data.ljust(size, item.text.padding[:1] if item.text and item.text.padding else b"\0")
            case Terminated() as length:
                data = _with_terminator(item, length, data)
            case Prefixed() as length:
                start = self.write_prefix(item, length, start, len(data))
            case _:
                pass
        self.check_count(item, len(data))
        end = self.put(start, Bits.from_bytes(data), "big")
        return self.end_expansion(item, end) if isinstance(item.length, Expand) else end

    def write_prefix(self, item: Field, length: Prefixed, start: int, count: int) -> int:
        """Write the length that stands before the bytes."""
        most = 2**length.bit_length - 1
        if count > most:
            raise UsageError(f"{item.name}: too long for its length", expected=f"up to {most} bytes", found=count)
        return self.put(start, Bits.from_dtype(f"u{length.bit_length}", count), length.byte_order)

    def check_count(self, item: Field, count: int) -> None:
        """Refuse a number of elements other than the one that is told before them."""
        match item.length:
            case Fixed() as length:
                expected, told = length.count, "it always has"
            case FieldReference(name, multiply, add):
                if name not in self.known:
                    raise UsageError(f"{item.name}: its length is told by {name}, which is absent here")
                expected = int(self.known[name]) * multiply + add  # type: ignore[arg-type]
                told = f"{name} = {self.known[name]!r} tells"
            case _:
                return
        if count != expected:
            unit = "bytes" if item.encoding.is_bytes else "elements"
            what = f"{item.name}: the wrong number of {unit}"
            raise UsageError(what, expected=f"the {expected} that {told}", found=count)

    def end_expansion(self, item: Field, end: int) -> int:
        """Where the trailer begins, so that it ends with the packet."""
        trailer_bits = sum(self.size_ahead(follower) for follower in self.layout.trailer)
        self.expanded, self.expanded_end = item, _whole_bytes(end + trailer_bits)
        self.reserve(self.expanded_end)
        return self.expanded_end - trailer_bits

    def size_ahead(self, item: Field) -> int:
        """The bits that a field of the trailer will take."""
        if not self.is_present(item):
            return 0
        if isinstance(item.length, FieldReference):
            told = self.known.get(item.length.field, 0)
            count = int(told) * item.length.multiply + item.length.add  # type: ignore[arg-type]
            return max(count, 0) * item.bit_length  # a length that is absent or negative is refused in its turn
        return item.fixed_bits or 0

    def put(self, start: int, bits: Bits, byte_order: str) -> int:
        """Write bits, whatever was there before; gives the bit after them."""
        self.reserve(start + len(bits))
        put(self.packet, start, bits, byte_order)
        return start + len(bits)

    def reserve(self, end: int) -> None:
        """Make the packet as long as it must be to hold what ends there."""
        missing = _whole_bytes(end) - len(self.packet)
        if missing > 0:
            self.packet.append(Bits.from_zeros(missing))


def _whole_bytes(bits: int) -> int:
    return -(-bits // 8) * 8


def _elements(item: Field, value: object) -> list[object]:
    """The elements of an array in order, from a sequence of them or from sequences of sequences of its shape."""
    shape = item.length.shape if isinstance(item.length, Fixed) else ()
    elements = _listed(item, value)
    return _nested(item, value, shape) if len(shape) > 1 and any(map(_is_sequence, elements)) else elements


def _nested(item: Field, value: object, shape: tuple[int, ...]) -> list[object]:
    rows = _listed(item, value)
    if len(rows) != shape[0]:
        what = f"{item.name}: the wrong shape"
        raise UsageError(what, expected=f"{shape[0]} at this depth", found=len(rows))
    return rows if len(shape) == 1 else [element for row in rows for element in _nested(item, row, shape[1:])]


def _listed(item: Field, value: object) -> list[object]:
    if not _is_sequence(value):
        raise UsageError(f"{item.name}: it is an array", expected="a sequence of numbers", found=repr(value))
    return list(value)  # type: ignore[call-overload,no-any-return]


def _is_sequence(value: object) -> bool:
    is_bytes_or_text = isinstance(value, str | bytes | bytearray | memoryview)
    return (isinstance(value, Sequence) and not is_bytes_or_text) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _with_terminator(item: Field, length: Terminated, data: bytes) -> bytes:
    """The bytes with what ends them, refused where a decoder would find another end."""
    step, limit = len(length.terminator), length.max_bytes
    is_room = limit is None or len(data) + step <= limit
    if not is_room and len(data) != limit:
        expected = f"up to {max(limit - step, 0)} bytes, or {limit}" if limit is not None else None
        raise UsageError(f"{item.name}: too long", expected=expected, found=len(data))
    ended = data + length.terminator if is_room else data
    places = range(0, len(ended) - step + 1, step)
    first = next((place for place in places if ended[place : place + step] == length.terminator), None)
    if first != (len(data) if is_room else None):
        what = f"{item.name}: the end of {data!r} cannot be found again"
        expected = f"bytes in steps of {step}, none of them the terminator {length.terminator!r}"
        raise UsageError(what, expected=expected)
    return ended
