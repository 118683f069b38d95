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

    first_byte: int
    dtype: np.dtype[Any]
    count: int | None

    def read(self, rows: Bytes) -> npt.NDArray[Any]:
        """One value a row, or one row of ``count`` values."""
        size = self.dtype.itemsize * (1 if self.count is None else self.count)
        words = rows[:, self.first_byte : self.first_byte + size].view(self.dtype)
        return words[:, 0] if self.count is None else words


@frozen
class _Bits:
    """A number inside a word of 1, 2, 4 or 8 bytes that does not reach beyond the number's own last byte."""

    first_byte: int
    dtype: np.dtype[Any]
    shift: int
    """Bits of the word below the number."""
    bits: int
    is_signed: bool
    exotic: Field | None
    """Set where the number's bits are more than an integer or its two's complement."""

    def read(self, rows: Bytes) -> npt.NDArray[Any]:
        """One value a row."""
        width = 8 * self.dtype.itemsize
        words = rows[:, self.first_byte : self.first_byte + self.dtype.itemsize].view(self.dtype)[:, 0]
        if self.exotic is not None:
            patterns = (words.astype(np.uint64) >> self.shift) & (2**self.bits - 1)
            return values_of(patterns, self.exotic)
        if self.is_signed:
            native = words << (width - self.shift - self.bits)
            return native.view(f"i{self.dtype.itemsize}") >> (width - self.bits)
        if self.shift + self.bits == width:
            return words >> self.shift
        values = words >> self.shift if self.shift else words
        masked: npt.NDArray[Any] = values & 2**self.bits - 1
        return masked


RowReader = _Words | _Bits


def row_reader(field: Field, start: int) -> RowReader | None:
    """How to read a field that always begins at bit ``start`` from rows; ``None`` where rows are no help.

    The rows must reach to the field's last byte.
    """
    dtype = word_dtype(field)
    first_byte, first_bit = divmod(start, 8)
    size = field.fixed_bits
    if dtype is not None and not first_bit and size:
        return _Words(first_byte, dtype, None if field.length is None else size // field.bit_length)
    if field.length is not None or field.byte_order not in {"big", "little"}:
        return None
    end_byte = -(-(start + field.bit_length) // 8)
    width = next((width for width in (1, 2, 4, 8) if width >= end_byte - first_byte), 9)
    if width > min(8, end_byte):
        return None
    first_byte = end_byte - width
    before = start - 8 * first_byte
    is_little = field.byte_order == "little"
    is_plain = field.encoding in {Encoding.UNSIGNED, Encoding.BOOLEAN, Encoding.TWOS_COMPLEMENT}
    return _Bits(
        first_byte=first_byte,
        dtype=np.dtype(f"{'<' if is_little else '>'}u{width}"),
        shift=before if is_little else 8 * width - before - field.bit_length,
        bits=field.bit_length,
        is_signed=field.encoding is Encoding.TWOS_COMPLEMENT,
        exotic=None if is_plain else field,
    )
