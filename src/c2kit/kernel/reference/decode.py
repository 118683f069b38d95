"""Decode fields one packet and one field after the other, by the rules of :mod:`c2kit.model.fields`, to the letter."""

from __future__ import annotations

import operator
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from attrs import define, field
from bitstring import Bits

from c2kit.kernel.bounds import check_bounds
from c2kit.kernel.contract import Column
from c2kit.kernel.layout import raw_dtype
from c2kit.kernel.reference.elements import Number, take, value_of
from c2kit.model.fields import Expand, FieldReference, Fixed, Prefixed, Terminated

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer
    from c2kit.kernel.layout import Layout
    from c2kit.model.fields import Field

__all__ = ["Value", "compare", "decode"]

Value = Number | list[Number] | bytes
"""What one field holds in one packet; arrays of any shape as the list of their elements, the last index fastest."""

_OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def decode(layout: Layout, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> list[Column]:
    """Decode each field of the layout to a column; see :meth:`c2kit.kernel.contract.Kernel.decode`.

    Raises:
        UsageError: a packet does not lie in the buffer.
    """
    check_bounds(buffer, starts, ends)
    view = memoryview(buffer).cast("B")
    packets = [view[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    decoded = [_Decoding(layout, Bits.from_bytes(bytes(packet))).values() for packet in packets]
    return [_column(field, [values.get(field.name) for values in decoded]) for field in layout.fields]


def compare(left: Value, comparison: str, right: float) -> bool:
    """Whether a condition holds: the two numbers are compared exactly, neither being rounded to the other's type."""
    number = float(left) if isinstance(left, np.floating) else left
    return bool(_OPERATORS[comparison](number, right))


@define
class _Decoding:
    """The state of decoding one packet: what is known when a field's turn comes."""

    layout: Layout
    packet: Bits
    known: dict[str, Value] = field(factory=dict)
    """The values of the fields so far that have one."""
    absent: set[str] = field(factory=set)
    """The fields so far whose ``present_if`` does not hold. What is neither here nor there did not fit."""
    cursor: int | None = 0
    """The bit after the field before; ``None`` where that is not known."""

    def values(self) -> dict[str, Value]:
        """The values of all fields that have one."""
        for item in self.layout.fields:
            start = self.cursor if item.bit_offset is None else item.bit_offset
            present = self.is_present(item)
            if present is False:
                self.absent.add(item.name)
                self.cursor = start
                continue
            found = self.read(item, start) if present and start is not None else None
            if found is None:
                self.cursor = None
            else:
                self.known[item.name], self.cursor = found
        return self.known

    def is_present(self, item: Field) -> bool | None:
        """Whether the field's conditions all hold; ``None`` where that depends on a field that did not fit."""
        answers = [
            compare(self.known[condition.field], condition.operator, condition.value)
            for condition in item.present_if
            if condition.field in self.known
        ]
        if not all(answers) or any(condition.field in self.absent for condition in item.present_if):
            return False
        return True if len(answers) == len(item.present_if) else None

    def read(self, item: Field, start: int) -> tuple[Value, int] | None:
        """The value of a field that begins at bit ``start``, and the bit after it; ``None`` where it does not fit."""
        match item.length:
            case None:
                numbers = self.numbers(item, start, 1)
                return None if numbers is None else (numbers[0], start + item.bit_length)
            case Terminated() as length:
                return self.terminated(length, start)
            case Prefixed() as length:
                return self.prefixed(length, start)
            case Expand():
                return self.expanded(item, start)
            case Fixed() | FieldReference():
                count = self.count(item)
                found = None if count is None else self.sequence(item, start, count)
                return None if count is None or found is None else (found, start + count * item.bit_length)

    def count(self, item: Field) -> int | None:
        """How many elements a field has whose number of elements is told before it."""
        if item.length is None:
            return 1
        if isinstance(item.length, Fixed):
            return item.length.count
        assert isinstance(item.length, FieldReference)  # noqa: S101 - the layout allows no other kind to get here
        told = self.known.get(item.length.field)
        return None if told is None else int(told) * item.length.multiply + item.length.add  # type: ignore[arg-type]

    def fits(self, start: int, bits: int) -> bool:
        """Whether so many bits, from bit ``start``, are in the packet."""
        return bits >= 0 and start + bits <= len(self.packet)

    def sequence(self, item: Field, start: int, count: int) -> bytes | list[Number] | None:
        """The ``count`` elements of an array, string or binary."""
        return self.byte_string(start, count) if item.encoding.is_bytes else self.numbers(item, start, count)

    def numbers(self, item: Field, start: int, count: int) -> list[Number] | None:
        """``count`` numbers, each beginning at the bit after the one before."""
        if not self.fits(start, count * item.bit_length):
            return None
        places = [start + number * item.bit_length for number in range(count)]
        return [value_of(take(self.packet, place, item.bit_length, item.byte_order), item.encoding) for place in places]

    def byte_string(self, start: int, count: int) -> bytes | None:
        """``count`` bytes, which need not stand on byte boundaries."""
        return self.packet[start : start + 8 * count].tobytes() if self.fits(start, 8 * count) else None

    def terminated(self, length: Terminated, start: int) -> tuple[Value, int] | None:
        """Bytes up to a terminator, or ``max_bytes`` of them."""
        step, limit = len(length.terminator), length.max_bytes
        size = 0
        while limit is None or size + step <= limit:
            chunk = self.byte_string(start + 8 * size, step)
            if chunk is None:
                break
            if chunk == length.terminator:
                return self.packet[start : start + 8 * size].tobytes(), start + 8 * (size + step)
            size += step
        value = None if limit is None else self.byte_string(start, limit)
        return None if limit is None or value is None else (value, start + 8 * limit)

    def prefixed(self, length: Prefixed, start: int) -> tuple[Value, int] | None:
        """Bytes whose number stands before them."""
        first = start + length.bit_length
        if not self.fits(start, length.bit_length):
            return None
        count = take(self.packet, start, length.bit_length, length.byte_order).uint
        value = self.byte_string(first, count)
        return None if value is None else (value, first + 8 * count)

    def expanded(self, item: Field, start: int) -> tuple[Value, int] | None:
        """Whole elements of what is left before the trailer, which ends with the packet."""
        sizes = [self.size_ahead(follower) for follower in self.layout.trailer]
        if any(size is None for size in sizes):
            return None
        end = len(self.packet) - sum(size for size in sizes if size is not None)
        if end < start:
            return None
        value = self.sequence(item, start, (end - start) // item.bit_length)
        return None if value is None else (value, end)

    def size_ahead(self, item: Field) -> int | None:
        """The bits that a field of the trailer will take; ``None`` where that depends on a field without a value."""
        present = self.is_present(item)
        count = self.count(item) if present else None
        if present is False:
            return 0
        return None if count is None or count < 0 else count * item.bit_length


def _column(item: Field, values: Sequence[Value | None]) -> Column:
    """One field's values over all packets, ``None`` where there is none."""
    has_value = np.array([value is not None for value in values], np.bool_)
    valid = None if has_value.all() else has_value
    if item.encoding.is_bytes:
        pieces = [b"" if value is None else value for value in values]
        joined = b"".join(pieces)  # type: ignore[arg-type]
        return Column(np.frombuffer(joined, np.uint8), valid, _offsets(pieces), is_bytes=True)
    if item.length is None:
        numbers = [0 if value is None else value for value in values]
        return Column(np.array(numbers, raw_dtype(item)), valid)
    if isinstance(item.length, Fixed):
        return Column(_fixed_array(item, item.length.shape, values), valid)
    lists = [[] if value is None else value for value in values]
    elements = [element for piece in lists for element in piece]  # type: ignore[union-attr]
    return Column(np.array(elements, raw_dtype(item)), valid, _offsets(lists))


def _fixed_array(item: Field, shape: tuple[int, ...], values: Sequence[Value | None]) -> npt.NDArray[np.generic]:
    if all(value is None for value in values):
        # No memory for what is not there: a shape may be far larger than any packet that came.
        return np.broadcast_to(np.zeros((), raw_dtype(item)), (len(values), *shape))
    array = np.zeros((len(values), *shape), raw_dtype(item))
    for number, value in enumerate(values):
        if value is not None:
            array[number] = np.array(value, raw_dtype(item)).reshape(shape)
    return array


def _offsets(pieces: Sequence[Value]) -> npt.NDArray[np.int64]:
    return np.array([0, *accumulate(len(piece) for piece in pieces)], np.int64)  # type: ignore[arg-type]
