"""Numbers as the extension is told of them: tuples, as ``objects.c`` reads them and ``program.h`` explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.kernel.layout import raw_dtype
from c2kit.model.fields import Encoding, Field

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ElementDescription", "described"]

ElementDescription = tuple[int, int, int, int, bytes]
"""Encoding, bits, byte order, bytes in a column, and for a mixed order the place of each byte of the value."""

_BIG, _LITTLE, _MIXED = range(3)
_ENCODINGS: Mapping[Encoding, int] = {
    Encoding.UNSIGNED: 0,
    Encoding.BOOLEAN: 0,
    Encoding.TWOS_COMPLEMENT: 1,
    Encoding.ONES_COMPLEMENT: 2,
    Encoding.SIGN_MAGNITUDE: 3,
    Encoding.IEEE754: 4,
    Encoding.MIL_STD_1750A: 5,
    Encoding.STRING: 6,
    Encoding.BINARY: 6,
}


def described(field: Field, start: int | None) -> ElementDescription:
    """One element of a field that begins at bit ``start``; ``None`` where that varies."""
    width = 1 if field.encoding.is_bytes else raw_dtype(field).itemsize
    order, places = _order(field, is_aligned=start is not None and start % 8 == 0)
    return _ENCODINGS[field.encoding], field.bit_length, order, width, places


def _order(field: Field, *, is_aligned: bool) -> tuple[int, bytes]:
    if field.byte_order in {"big", "little"}:
        return _BIG if field.byte_order == "big" else _LITTLE, b""
    digits = "".join(str(digit) for digit in range(1, field.bit_length // 8 + 1))
    if field.byte_order == digits:
        return _BIG, b""
    # Only of whole bytes are the bits the same, counted from either end.
    if is_aligned and field.byte_order == digits[::-1]:
        return _LITTLE, b""
    return _MIXED, bytes(field.byte_order.index(digit) for digit in digits)
