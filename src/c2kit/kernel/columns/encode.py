"""Encode by adding up one large integer, where every field is a plain value at a fixed place of its own.

Anything else (arrays, fields that vary or overlap, values that are refused) is left to the reference, whose answer this
is in any case.
"""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.errors import UsageError
from c2kit.kernel import reference
from c2kit.kernel.placement import bit_ranges
from c2kit.kernel.reference.elements import bits_of
from c2kit.model.fields import Encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from c2kit.kernel.contract import RawValue
    from c2kit.kernel.layout import Layout
    from c2kit.model.fields import Field

__all__ = ["encode", "plain_size_bytes"]

_MISFIT = -1
"""Instead of the bits of a value: let the reference say what is wrong with it, or take it for what it is."""


@frozen
class _Place:
    """Where the bits of one field go in the packet taken as one large integer."""

    name: str
    shift: int
    is_little: bool
    """Whether that integer is made of the packet's bytes in little-endian order."""
    bits_of: Callable[[object], int]


@frozen
class _Plan:
    """Every field of a layout, and the size of all its packets."""

    places: tuple[_Place, ...]
    size_bytes: int


def encode(layout: Layout, values: Mapping[str, RawValue | Sequence[RawValue]]) -> bytes:
    """Encode raw values; see :func:`c2kit.kernel.reference.encode`, which does the same."""
    plans = layout.plans
    if __name__ not in plans:  # `None` stands for layouts left to the reference
        plans[__name__] = _plan(layout)
    plan: _Plan | None = plans[__name__]
    packet = None if plan is None or len(values) != len(plan.places) else _encode(plan, values)
    return reference.encode(layout, values) if packet is None else packet


def _encode(plan: _Plan, values: Mapping[str, object]) -> bytes | None:
    big = little = 0
    for place in plan.places:
        bits = place.bits_of(values.get(place.name))
        if bits < 0:
            return None
        if place.is_little:
            little |= bits << place.shift
        else:
            big |= bits << place.shift
    if little:
        big |= int.from_bytes(little.to_bytes(plan.size_bytes, "little"))
    return big.to_bytes(plan.size_bytes)


def plain_size_bytes(layout: Layout) -> int | None:
    """The size of all packets where every field is a plain value at a fixed place of its own, else ``None``."""
    plain = [_is_plain(field) for field in layout.fields]
    if not layout.is_fixed or not all(plain):
        return None
    ranges = sorted(bits for field in layout.fields for bits in bit_ranges(field, layout.start_of(field.name)))
    if any(end > start for (_, end), (start, _) in itertools.pairwise(ranges)):
        return None
    return -(-layout.fixed_bits // 8)


def _plan(layout: Layout) -> _Plan | None:
    size_bytes = plain_size_bytes(layout)
    if size_bytes is None:
        return None
    places = [_place(field, layout.start_of(field.name), 8 * size_bytes) for field in layout.fields]
    return _Plan(tuple(places), size_bytes)


def _is_plain(field: Field) -> bool:
    return bool(field.fixed_bits) and (field.encoding.is_bytes or field.length is None)


def _place(field: Field, start: int, size_bits: int) -> _Place:
    is_little = field.byte_order == "little"
    shift = start if is_little else size_bits - start - (field.fixed_bits or 0)
    return _Place(field.name, shift, is_little, _ordered(field, _writer(field)))


def _writer(field: Field) -> Callable[[object], int]:
    """A function that gives a value's bits as an unsigned integer, most significant first."""
    match field.encoding:
        case Encoding.UNSIGNED | Encoding.BOOLEAN | Encoding.TWOS_COMPLEMENT:
            low, high = field.raw_range or (0, 0)
            return _integer_writer(low, high)
        case Encoding.IEEE754:
            return _float_writer({16: ">e", 32: ">f", 64: ">d"}[field.bit_length])
        case Encoding.STRING | Encoding.BINARY:
            return _bytes_writer((field.fixed_bits or 0) // 8)
        case _:
            return _reference_writer(field)


def _integer_writer(low: int, high: int) -> Callable[[object], int]:
    mask = high - low

    def write(value: object) -> int:
        return value & mask if type(value) is int and low <= value <= high else _MISFIT

    return write


def _float_writer(code: str) -> Callable[[object], int]:
    pack = struct.Struct(code).pack

    def write(value: object) -> int:
        if type(value) is not float or value != value:  # noqa: PLR0124 - how a NaN is known
            return _MISFIT
        try:
            return int.from_bytes(pack(value))
        except OverflowError:
            return _MISFIT

    return write


def _bytes_writer(size: int) -> Callable[[object], int]:
    def write(value: object) -> int:
        return int.from_bytes(value) if type(value) is bytes and len(value) == size else _MISFIT

    return write


def _reference_writer(field: Field) -> Callable[[object], int]:
    def write(value: object) -> int:
        try:
            bits: int = bits_of(field, value).uint
        except UsageError:
            return _MISFIT
        return bits

    return write


def _ordered(field: Field, write: Callable[[object], int]) -> Callable[[object], int]:
    """The same function, with the bytes of its result in an order told by digits."""
    digits = field.byte_order
    if digits in {"big", "little"}:
        return write

    def write_in_order(value: object) -> int:
        bits = write(value)
        if bits < 0:
            return _MISFIT
        ordered = bits.to_bytes(len(digits))
        return int.from_bytes(bytes(ordered[int(digit) - 1] for digit in digits))

    return write_in_order
