"""Fields at one place in every packet, read from packets laid out as rows of bytes.

A field then is a few columns of bytes, and is read with a few NumPy calls whatever the number of packets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from c2kit.kernel.columns.elements import word_dtype
from c2kit.kernel.columns.numbers import values_of
from c2kit.model.fields import Encoding

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.columns.packets import Bytes
    from c2kit.model.fields import Field

__all__ = ["RowReader", "row_reader"]


@frozen
class _Words:
    """Numbers that NumPy knows, or bytes, on byte boundaries: they are only looked at another way."""

    bytes: slice
    dtype: np.dtype[Any]
    is_single: bool

    def read(self, rows: Bytes) -> npt.NDArray[Any]:
        """One value a row, or one row of values."""
        words = rows[:, self.bytes].view(self.dtype)
        return words[:, 0] if self.is_single else words


@frozen
class _Bits:
    """A number inside a word of 1, 2, 4 or 8 bytes that does not reach beyond the number's own last byte.

    Shifts and masks are NumPy scalars of the word's type, which makes each step on a small batch a third faster.
    """

    bytes: slice
    dtype: np.dtype[Any]
    shift: np.unsignedinteger[Any] | None
    """By how many bits the word is to be shifted down, if at all."""
    mask: np.unsignedinteger[Any] | None
    """What is then left, if not everything."""
    exotic: Field | None
    """Set where the number is more than an unsigned integer."""

    def read(self, rows: Bytes) -> npt.NDArray[Any]:
        """One value a row."""
        values = rows[:, self.bytes].view(self.dtype)[:, 0]
        if self.shift is not None:
            values = values >> self.shift
        if self.mask is not None:
            values = values & self.mask
        return values if self.exotic is None else values_of(values.astype(np.uint64), self.exotic)


@frozen
class _SignedBits:
    """A two's complement number inside such a word: shifted up so that its sign is the word's, and down again."""

    bytes: slice
    dtype: np.dtype[Any]
    up: np.unsignedinteger[Any]
    down: np.signedinteger[Any]

    def read(self, rows: Bytes) -> npt.NDArray[Any]:
        """One value a row."""
        words = rows[:, self.bytes].view(self.dtype)[:, 0] << self.up
        values: npt.NDArray[Any] = words.view(self.down.dtype) >> self.down
        return values


RowReader = _Words | _Bits | _SignedBits


def row_reader(field: Field, start: int) -> RowReader | None:
    """How to read a field that always begins at bit ``start`` from rows; ``None`` where rows are no help.

    The rows must reach to the field's last byte.
    """
    dtype = word_dtype(field)
    first_byte, first_bit = divmod(start, 8)
    size = field.fixed_bits
    if dtype is not None and not first_bit and size:
        return _Words(slice(first_byte, first_byte + size // 8), dtype, field.length is None)
    if field.length is not None or field.byte_order not in {"big", "little"}:
        return None
    end_byte = -(-(start + field.bit_length) // 8)
    width = next((width for width in (1, 2, 4, 8) if width >= end_byte - first_byte), 9)
    if width > min(8, end_byte):
        return None
    return _bit_reader(field, start - 8 * (end_byte - width), end_byte - width, width)


def _bit_reader(field: Field, skipped: int, first_byte: int, width: int) -> _Bits | _SignedBits:
    """How to read a number that begins ``skipped`` bits after the first of a word of ``width`` bytes."""
    is_little = field.byte_order == "little"
    bits = field.bit_length
    above, below = (8 * width - skipped - bits, skipped) if is_little else (skipped, 8 * width - skipped - bits)
    place = slice(first_byte, first_byte + width)
    dtype = np.dtype(f"{'<' if is_little else '>'}u{width}")
    scalar = np.dtype(f"u{width}").type
    if field.encoding is Encoding.TWOS_COMPLEMENT:
        return _SignedBits(place, dtype, scalar(above), np.dtype(f"i{width}").type(8 * width - bits))
    return _Bits(
        bytes=place,
        dtype=dtype,
        shift=scalar(below) if below else None,
        mask=scalar(2**bits - 1) if above else None,
        exotic=None if field.encoding in {Encoding.UNSIGNED, Encoding.BOOLEAN} else field,
    )
