"""Elements at any places: the way that is always open, at some 20 ns an element, and the columns they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from c2kit.kernel.columns.numbers import values_of
from c2kit.kernel.contract import Column
from c2kit.kernel.layout import raw_dtype
from c2kit.model.fields import Encoding, Fixed

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.columns.packets import Bytes, Indices, Packets
    from c2kit.model.fields import Field

__all__ = ["Mask", "array_column", "element_dtype", "picked_column", "word_dtype"]

Mask = np.ndarray[Any, np.dtype[np.bool_]]

_KINDS = {Encoding.UNSIGNED: "u", Encoding.BOOLEAN: "u", Encoding.TWOS_COMPLEMENT: "i", Encoding.IEEE754: "f"}

_BLOCK_ELEMENTS = 2**15
"""Elements worked on at once: what is kept for each of them while that is done stays in the processor's cache."""
_LONG_BYTES = 32
"""A sequence of so many bytes is sooner copied as a whole than element by element."""


def word_dtype(field: Field) -> np.dtype[Any] | None:
    """The type of an element that begins on a byte boundary, as it stands there; ``None`` if NumPy does not know it.

    A half float is left out: NumPy would change some NaNs on the way to a single one.
    """
    if field.encoding.is_bytes:
        return np.dtype(np.uint8)
    digits = "".join(str(digit) for digit in range(1, field.bit_length // 8 + 1))
    sign = {"big": ">", digits: ">", "little": "<", digits[::-1]: "<"}.get(field.byte_order)
    kind = _KINDS.get(field.encoding)
    is_half = kind == "f" and field.bit_length == 16
    if sign is None or kind is None or is_half or field.bit_length not in {8, 16, 32, 64}:
        return None
    return np.dtype(f"{sign}{kind}{field.bit_length // 8}")


def element_dtype(field: Field) -> np.dtype[Any]:
    """The type of an element in a column."""
    return np.dtype(np.uint8) if field.encoding.is_bytes else raw_dtype(field)


def picked_column(
    packets: Packets, field: Field, valid: Mask | None, first_bits: Indices, counts: Indices | None
) -> Column:
    """The column of a field that begins at these bits of the data, one for each packet that has a value.

    ``counts`` are the numbers of elements; a single number has none.
    """
    if counts is None:
        return array_column((), _singles(packets, field, first_bits), valid)
    elements = _sequences(packets, field, first_bits, counts)
    if isinstance(field.length, Fixed) and not field.encoding.is_bytes:
        return array_column(field.length.shape, elements.reshape(len(counts), *field.length.shape), valid)
    sizes = np.zeros(len(packets) + 1, np.int64)
    sizes[1:][slice(None) if valid is None else valid] = counts
    return Column(elements, valid, np.cumsum(sizes), is_bytes=field.encoding.is_bytes)


def array_column(shape: tuple[int, ...], values: npt.NDArray[Any], valid: Mask | None) -> Column:
    """The column of numbers or arrays of one shape from the values of the packets that have one."""
    if valid is None:
        return Column(values)
    if shape and not len(values):
        # No memory for what is not there: a shape may be far larger than any packet that came.
        return Column(np.broadcast_to(np.zeros((), values.dtype), (len(valid), *shape)), valid)
    spread = np.zeros((len(valid), *shape), values.dtype)
    spread[valid] = values
    return Column(spread, valid)


def _singles(packets: Packets, field: Field, first_bits: Indices) -> npt.NDArray[Any]:
    """The values of elements that begin at these bits of the data; the result has the same shape."""
    values = np.empty(first_bits.shape, element_dtype(field))
    flat_bits, flat_values = first_bits.reshape(-1), values.reshape(-1)
    for low in range(0, len(flat_bits), _BLOCK_ELEMENTS):
        block = slice(low, low + _BLOCK_ELEMENTS)
        patterns = packets.patterns(flat_bits[block], field.bit_length, field.byte_order)
        flat_values[block] = patterns if field.encoding.is_bytes else values_of(patterns, field)
    return values


def _sequences(packets: Packets, field: Field, first_bits: Indices, counts: Indices) -> npt.NDArray[Any]:
    """The values of arrays or byte strings that begin at these bits and have so many elements, one after another."""
    total = int(counts.sum())
    dtype = word_dtype(field)
    is_long = total * field.bit_length >= 8 * _LONG_BYTES * len(counts)
    if dtype is not None and is_long and not (first_bits & 7).any():
        return _copied(packets.data, first_bits >> 3, counts * dtype.itemsize, dtype).astype(element_dtype(field))
    values = np.empty(total, element_dtype(field))
    ends = np.cumsum(counts)
    low = done = 0
    while low < len(counts):
        # As many sequences as make a block; at least one.
        high = max(int(np.searchsorted(ends, done + _BLOCK_ELEMENTS, "right")), low + 1)
        before = ends[low:high] - counts[low:high] - done
        firsts = np.repeat(first_bits[low:high] - field.bit_length * before, counts[low:high])
        places = firsts + field.bit_length * np.arange(len(firsts))
        values[done : done + len(firsts)] = _singles(packets, field, places)
        low, done = high, done + len(firsts)
    return values


def _copied(data: Bytes, first_bytes: Indices, sizes: Indices, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    view = data.data
    bounds = zip(first_bytes.tolist(), (first_bytes + sizes).tolist(), strict=True)
    return np.frombuffer(b"".join([view[first:end] for first, end in bounds]), dtype)
