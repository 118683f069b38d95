"""From bits to numbers, for many elements at once.

A *pattern* is the bits of one element as an unsigned 64-bit integer, its byte order undone. Every function here works
on arrays of any shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from c2kit.kernel.layout import raw_dtype
from c2kit.model.fields import Encoding

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.model.fields import Field

__all__ = ["Patterns", "arranged", "compare", "values_of", "widened"]

Patterns = np.ndarray[Any, np.dtype[np.uint64]]


def arranged(patterns: Patterns, byte_order: str) -> Patterns:
    """Put the bytes of patterns that were read in big-endian order where digits such as ``2143`` say they belong."""
    count = len(byte_order)
    places = np.ascontiguousarray(patterns, ">u8")[..., None].view(np.uint8)[..., 8 - count :]
    ordered = np.zeros((*patterns.shape, 8), np.uint8)
    ordered[..., 8 - count :] = places[..., [byte_order.index(str(digit)) for digit in range(1, count + 1)]]
    return ordered.view(">u8")[..., 0].astype(np.uint64)


def values_of(patterns: Patterns, field: Field) -> npt.NDArray[Any]:
    """The raw values of the field's elements."""
    bits = field.bit_length
    match field.encoding:
        case Encoding.TWOS_COMPLEMENT:
            return _signed(patterns, bits).astype(raw_dtype(field))
        case Encoding.ONES_COMPLEMENT:
            values = _signed(patterns, bits)
            values += values < 0
            return values.astype(raw_dtype(field))
        case Encoding.SIGN_MAGNITUDE:
            magnitudes: npt.NDArray[np.int64] = (patterns & (2 ** (bits - 1) - 1)).view(np.int64)
            return np.where(patterns >> (bits - 1), -magnitudes, magnitudes).astype(raw_dtype(field))
        case Encoding.IEEE754:
            return _ieee754(patterns, bits)
        case Encoding.MIL_STD_1750A:
            return _mil_std_1750a(patterns, bits)
        case _:
            return patterns.astype(raw_dtype(field))


def _signed(patterns: Patterns, bits: int) -> npt.NDArray[np.int64]:
    """Two's complement numbers: the sign bit is shifted to the top, and comes back down with copies of itself."""
    return (patterns << (64 - bits)).view(np.int64) >> (64 - bits)


def _ieee754(patterns: Patterns, bits: int) -> npt.NDArray[np.floating[Any]]:
    if bits == 64:
        return patterns.view(np.float64)
    if bits == 32:
        return patterns.astype(np.uint32).view(np.float32)
    return widened(patterns.astype(np.uint16))


def widened(patterns: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
    """Half floats as single ones. A NaN keeps its sign and payload, whatever the processor makes of it."""
    with np.errstate(invalid="ignore"):
        values = patterns.view(np.float16).astype(np.float32)
    is_nan = np.isnan(values)
    if is_nan.any():
        wide = patterns[is_nan].astype(np.uint32)
        values.view(np.uint32)[is_nan] = (wide & 0x8000) << 16 | 0x7F800000 | (wide & 0x3FF) << 13
    return values


def _mil_std_1750a(patterns: Patterns, bits: int) -> npt.NDArray[np.float64]:
    """Mantissa: a two's complement fraction with its binary point after the sign; exponent: two's complement.

    The mantissa's 24 upper bits stand before the exponent, its 16 lower ones, if it has them, after it.
    """
    lower = bits - 32
    upper: Patterns = patterns >> np.uint64(lower)
    exponents = _signed(upper, 8).astype(np.int32)
    fractions: Patterns = (upper >> np.uint64(8)) << np.uint64(lower) | patterns & np.uint64(2**lower - 1)
    mantissas = _signed(fractions, 24 + lower)
    return np.ldexp(mantissas.astype(np.float64), exponents - (23 + lower))


_UFUNCS = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def compare(values: npt.NDArray[Any], comparison: str, right: float) -> npt.NDArray[np.bool_]:
    """Compare exactly, neither side being rounded to the other's type."""
    is_integer = values.dtype.kind in "iu"
    with np.errstate(invalid="ignore"):  # NaNs
        if not is_integer and (not isinstance(right, int) or abs(right) <= 2**53):
            values, right = values.astype(np.float64), float(right)
        elif is_integer != isinstance(right, int):
            # NumPy would round one side to a float; Python compares as if both were written out.
            values = values.astype(object)
        answers: npt.NDArray[np.bool_] = _UFUNCS[comparison](values, right).astype(np.bool_)
    return answers
