"""One element of a field: where its bits are, and what value they stand for.

A string of bits is always written here with its most significant bit first; :func:`take` and :func:`put` turn the byte
orders of a packet into that and back, by the rules of :mod:`c2kit.model.fields`.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
from bitstring import BitArray, Bits

from c2kit.errors import UsageError
from c2kit.model.fields import Encoding

if TYPE_CHECKING:
    from c2kit.model.fields import Field

__all__ = ["Number", "bits_of", "put", "take", "value_of"]

Number = int | float | np.float32


def take(packet: Bits, start: int, count: int, byte_order: str) -> Bits:
    """The ``count`` bits that begin at bit ``start``; they must all be there."""
    if byte_order == "little":
        first, end = _whole_bytes(start, count)
        return _mirrored(packet[first:end])[start - first : start - first + count][::-1]
    bits = packet[start : start + count]
    if byte_order == "big":
        return bits
    places = list(bits.cut(8))
    return Bits.from_joined(places[byte_order.index(str(digit))] for digit in range(1, len(places) + 1))


def put(packet: BitArray, start: int, bits: Bits, byte_order: str) -> None:
    """Write bits where :func:`take` would find them; the packet must be long enough."""
    if byte_order == "little":
        first, end = _whole_bytes(start, len(bits))
        mirrored = BitArray(_mirrored(packet[first:end]))
        mirrored.overwrite(start - first, bits[::-1])
        packet.overwrite(first, _mirrored(mirrored))
    elif byte_order == "big":
        packet.overwrite(start, bits)
    else:
        value_bytes = list(bits.cut(8))
        packet.overwrite(start, Bits.from_joined(value_bytes[int(digit) - 1] for digit in byte_order))


def _whole_bytes(start: int, count: int) -> tuple[int, int]:
    """The bits of all bytes that hold some of these bits."""
    return start // 8 * 8, -(-(start + count) // 8) * 8


def _mirrored(whole_bytes: Bits) -> Bits:
    """Each byte with its least significant bit first: what little-endian bit offsets count along."""
    return Bits.from_joined(byte[::-1] for byte in whole_bytes.cut(8))


def value_of(bits: Bits, encoding: Encoding) -> Number:
    """The raw value of one number. An IEEE NaN keeps its sign and payload, binary16 in the payload's upper bits."""
    unsigned: int = bits.uint
    match encoding:
        case Encoding.TWOS_COMPLEMENT:
            return unsigned - 2 ** len(bits) if bits[0] else unsigned
        case Encoding.ONES_COMPLEMENT:
            return unsigned - (2 ** len(bits) - 1) if bits[0] else unsigned
        case Encoding.SIGN_MAGNITUDE:
            return 2 ** (len(bits) - 1) - unsigned if bits[0] else unsigned
        case Encoding.IEEE754:
            return _ieee754(bits)
        case Encoding.MIL_STD_1750A:
            # Mantissa: a two's complement fraction with its binary point after the sign; exponent: two's complement.
            mantissa = bits[:24] + bits[32:]
            return math.ldexp(mantissa.int, bits[24:32].int - (len(mantissa) - 1))
        case _:
            return unsigned


def _ieee754(bits: Bits) -> float | np.float32:
    value: float = bits.float
    if len(bits) == 64:
        return np.float64(value) if not math.isnan(value) else np.uint64(bits.uint).view(np.float64)
    if not math.isnan(value):
        return np.float32(value)
    # Hardware makes signalling NaNs quiet when it converts them; bits that are moved stay what they are.
    exponent_bits = 5 if len(bits) == 16 else 8
    wide = bits[:1] + "0b11111111" + bits[1 + exponent_bits :]
    return np.uint32((wide + Bits.from_zeros(32 - len(wide))).uint).view(np.float32)


def bits_of(field: Field, value: object) -> Bits:
    """The bits of one number.

    Raises:
        UsageError: it is not a number of the field's kind, or out of the field's range.
    """
    if field.encoding is Encoding.IEEE754:
        return _ieee754_bits(field, value)
    if field.encoding is Encoding.MIL_STD_1750A:
        return _mil_std_1750a_bits(field, value)
    return _integer_bits(field, value)


def _integer_bits(field: Field, value: object) -> Bits:
    width = field.bit_length
    low, high = field.raw_range or (0, 0)
    is_number = isinstance(value, Integral) and not isinstance(value, bool)
    is_truth = isinstance(value, bool | np.bool_) and field.encoding is Encoding.BOOLEAN
    number = int(value) if is_number or is_truth else None  # type: ignore[call-overload]
    if number is None or not low <= number <= high:
        raise _misfit(field, f"an integer from {low} to {high}", value)
    if number >= 0:
        return Bits.from_dtype(f"u{width}", number)
    if field.encoding is Encoding.TWOS_COMPLEMENT:
        return Bits.from_dtype(f"i{width}", number)
    magnitude = Bits.from_dtype(f"u{width}", -number)
    return ~magnitude if field.encoding is Encoding.ONES_COMPLEMENT else "0b1" + magnitude[1:]


def _float(field: Field, value: object) -> float:
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise _misfit(field, "a number", value)
    try:
        return float(value)
    except OverflowError:
        raise _misfit(field, f"a number that {field.bit_length} bits can hold", value) from None


def _ieee754_bits(field: Field, value: object) -> Bits:
    number = _float(field, value)
    bits = Bits.from_dtype(f"f{field.bit_length}", number)
    if math.isinf(bits.float) and not math.isinf(number):
        largest = {16: 65504.0, 32: float(np.finfo(np.float32).max)}[field.bit_length]
        raise _misfit(field, f"a number from {-largest} to {largest}, infinite or NaN", value)
    return bits


def _mil_std_1750a_bits(field: Field, value: object) -> Bits:
    """The nearest number (ties to even) with a normalised mantissa: 0.5 to 1, -1 to just under -0.5, or 0.

    What is too small for the least exponent becomes 0, as it does in the standard's own arithmetic.
    """
    number = _float(field, value)
    fraction_bits = field.bit_length - 8 - 1
    low, high = -(2.0**127), (1 - 2.0**-fraction_bits) * 2.0**127
    if not math.isfinite(number):
        raise _misfit(field, f"a number from {low} to {high}", value)
    fraction, exponent = math.frexp(number)
    mantissa = round(math.ldexp(fraction, fraction_bits))
    # Rounding may have carried into the next power of two, and negative powers of two have a mantissa of -1, not -0.5.
    if mantissa == 2**fraction_bits:
        mantissa, exponent = mantissa // 2, exponent + 1
    elif mantissa == -(2 ** (fraction_bits - 1)):
        mantissa, exponent = mantissa * 2, exponent - 1
    if exponent > 127:
        raise _misfit(field, f"a number from {low} to {high}", value)
    if exponent < -128 or mantissa == 0:
        mantissa = exponent = 0
    fraction_part = Bits.from_dtype(f"i{fraction_bits + 1}", mantissa)
    return fraction_part[:24] + Bits.from_dtype("i8", exponent) + fraction_part[24:]


def _misfit(field: Field, expected: str, found: object) -> UsageError:
    what = f"{field.name}: its {field.bit_length} bits cannot hold this"
    return UsageError(what, expected=expected, found=repr(found))
