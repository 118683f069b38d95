"""A layout: fields in order, checked and resolved once, from which every kernel implementation works.

:class:`Layout` refuses, with the field's file and line, whatever cannot be decoded at all: references to nothing or to
later fields, widths that an encoding does not have, sizes that nothing tells. What is merely unwise (overlaps, gaps) is
the prover's business.
"""

from __future__ import annotations

import codecs
import itertools
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define

from c2kit.errors import DefinitionError
from c2kit.model.fields import Encoding, Expand, Field, FieldReference, Fixed, Prefixed, Terminated

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Layout", "raw_dtype"]

_FLOAT_WIDTHS = {Encoding.IEEE754: (16, 32, 64), Encoding.MIL_STD_1750A: (32, 48)}
_OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
MAX_BIT_OFFSET = 8 * 2**32
"""No packet is larger than 4 GiB; a larger offset or size is a typing error."""


def raw_dtype(field: Field) -> np.dtype[np.generic]:
    """The NumPy type of a number field's raw values: the next wider integer, or a float that holds them exactly."""
    if field.encoding is Encoding.IEEE754:
        return np.dtype(np.float64 if field.bit_length == 64 else np.float32)
    if field.encoding is Encoding.MIL_STD_1750A:
        return np.dtype(np.float64)
    width = next(width for width in (8, 16, 32, 64) if field.bit_length <= width)
    return np.dtype(f"{'i' if field.encoding.is_signed else 'u'}{width // 8}")


@define(frozen=True, slots=True, eq=False)
class Layout:
    """Fields in the order of their definition. Raises :class:`~c2kit.errors.DefinitionError` when made of nonsense.

    Equality is identity: a layout is compiled once per definition and then shared.
    """

    fields: tuple[Field, ...]

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot be decoded."""
        earlier: dict[str, Field] = {}
        for field in self.fields:
            if field.name in earlier:
                raise _wrong(field, "the name stands twice in one packet", remedy="rename one of the two")
            if not _is_plain_integer(field):
                _check_encoding(field)
                _check_length(field)
                _check_byte_order(field)
                _check_references(field, earlier)
            earlier[field.name] = field
        self._check_expansion()

    def _check_expansion(self) -> None:
        expanding = [index for index, field in enumerate(self.fields) if isinstance(field.length, Expand)]
        if len(expanding) > 1:
            second = self.fields[expanding[1]]
            raise _wrong(second, "two fields expand to what is left", remedy="only one field of a packet can expand")
        if not expanding:
            return
        known = {field.name for field in self.fields[: expanding[0]]}
        for field in self.trailer:
            needed = [condition.field for condition in field.present_if]
            if isinstance(field.length, FieldReference):
                needed.append(field.length.field)
            elif field.fixed_bits is None:
                raise _wrong(field, "its size is not known before the expanding field ahead of it ends")
            for name in needed:
                if name not in known:
                    raise _wrong(field, f"it stands after an expanding field but depends on {name}, which does too")

    @cached_property
    def plans(self) -> dict[str, Any]:
        """What implementations worked out from it, each under its module's name; nothing but time depends on it."""
        return {}

    @cached_property
    def trailer(self) -> tuple[Field, ...]:
        """The fields after the expanding one that take their place from it; together they end with the packet.

        A field with a place of its own ends the trailer: what follows it takes its place from there.
        """
        for index, field in enumerate(self.fields):
            if isinstance(field.length, Expand):
                followers = self.fields[index + 1 :]
                return tuple(itertools.takewhile(lambda follower: follower.bit_offset is None, followers))
        return ()

    @cached_property
    def index(self) -> dict[str, int]:
        """The place of each field by name."""
        return {field.name: number for number, field in enumerate(self.fields)}

    @cached_property
    def starts(self) -> tuple[int | None, ...]:
        """The first bit of each field, ``None`` where it varies from packet to packet."""
        starts: list[int | None] = []
        cursor: int | None = 0
        for field in self.fields:
            start = cursor if field.bit_offset is None else field.bit_offset
            starts.append(start)
            size = field.bit_length if field.length is None else field.fixed_bits
            cursor = None if start is None or size is None or field.present_if else start + size
        return tuple(starts)

    @cached_property
    def is_fixed(self) -> bool:
        """Whether every field has one place and one size in every packet."""
        return all(
            start is not None and field.fixed_bits is not None and not field.present_if
            for start, field in zip(self.starts, self.fields, strict=True)
        )

    @cached_property
    def fixed_bits(self) -> int:
        """The end of the last field that always has one place and size: the bits that a packet needs at least."""
        ends = [
            start + field.fixed_bits
            for start, field in zip(self.starts, self.fields, strict=True)
            if start is not None and field.fixed_bits is not None and not field.present_if
        ]
        return max(ends, default=0)

    def start_of(self, name: str) -> int:
        """The first bit of a field that is always present at one place. Raises DefinitionError for any other."""
        number = self.index[name]
        field, start = self.fields[number], self.starts[number]
        if start is None or field.fixed_bits is None or field.present_if:
            raise _wrong(field, "its place varies from packet to packet", expected="a fixed place, always present")
        return start

    def select(self, names: Sequence[str]) -> Layout:
        """The layout of some fields only, each where it stands here. Their places must not vary."""
        return Layout(tuple(_at(self.fields[self.index[name]], self.start_of(name)) for name in names))


def _at(field: Field, bit_offset: int) -> Field:
    """The bare field at an explicit place."""
    return Field(
        name=field.name,
        encoding=field.encoding,
        bit_length=field.bit_length,
        bit_offset=bit_offset,
        byte_order=field.byte_order,
        length=field.length,
        text=field.text,
        source=field.source,
    )


def _wrong(
    field: Field, what: str, *, expected: object = None, found: object = None, remedy: str = ""
) -> DefinitionError:
    return DefinitionError(f"{field.name}: {what}", source=field.source, expected=expected, found=found, remedy=remedy)


def _is_plain_integer(field: Field) -> bool:
    """Whether nothing can be wrong with it: most fields are such, and checking them took a quarter of loading."""
    return (
        field.length is None
        and (field.encoding is Encoding.UNSIGNED or field.encoding is Encoding.TWOS_COMPLEMENT)
        and 1 <= field.bit_length <= 64
        and field.byte_order in {"big", "little"}
        and field.bit_offset is None
        and field.text is None
        and not field.present_if
    )


def _check_encoding(field: Field) -> None:
    bits = field.bit_length
    if field.encoding.is_bytes:
        if bits != 8:
            raise _wrong(field, "strings and binary are made of bytes", expected="bit_length 8", found=bits)
        if field.length is None:
            raise _wrong(field, "nothing tells how many bytes it has", remedy="give it a length")
    elif field.encoding.is_float:
        widths = _FLOAT_WIDTHS[field.encoding]
        if bits not in widths:
            expected = f"a float of {' or '.join(map(str, widths))} bits"
            raise _wrong(field, f"no {field.encoding.value} float has this width", expected=expected, found=bits)
    elif not 1 <= bits <= 64:
        raise _wrong(field, "no integer has this width", expected="1 to 64 bits", found=bits)
    if field.bit_offset is not None and not 0 <= field.bit_offset <= MAX_BIT_OFFSET:
        raise _wrong(field, "bit offset outside any packet", expected=f"0 to {MAX_BIT_OFFSET}", found=field.bit_offset)
    if field.text is not None:
        _check_text(field)


def _check_text(field: Field) -> None:
    assert field.text is not None  # noqa: S101 - for the type checker
    try:
        is_text = codecs.lookup(field.text.charset)._is_text_encoding  # noqa: SLF001 - no public way to ask
    except (LookupError, ValueError):
        is_text = False
    if not is_text:
        raise _wrong(field, "no such character set", expected="a Python text codec", found=repr(field.text.charset))


def _check_length(field: Field) -> None:
    length = field.length
    if isinstance(length, Fixed):
        if not length.shape or any(extent < 0 for extent in length.shape) or length.count > MAX_BIT_OFFSET // 8:
            raise _wrong(field, "no array has this shape", expected="extents of at least 0", found=length.shape)
        if field.encoding.is_bytes and len(length.shape) != 1:
            raise _wrong(field, "strings and binary have one extent", expected="bytes", found=length.shape)
    elif isinstance(length, Terminated | Prefixed):
        if not field.encoding.is_bytes:
            raise _wrong(field, f"only strings and binary can be {type(length).__name__.lower()}")
        if isinstance(length, Terminated) and not length.terminator:
            raise _wrong(field, "the terminator is empty", expected="at least one byte")
        if isinstance(length, Terminated) and length.max_bytes is not None and length.max_bytes < 0:
            raise _wrong(field, "max_bytes is negative", expected="at least 0", found=length.max_bytes)
        if isinstance(length, Prefixed):
            _check_prefix(field, length)


def _check_prefix(field: Field, length: Prefixed) -> None:
    if not 1 <= length.bit_length <= 32:
        raise _wrong(field, "no length prefix has this width", expected="1 to 32 bits", found=length.bit_length)
    _check_order(field, length.byte_order, length.bit_length)


def _check_byte_order(field: Field) -> None:
    if field.encoding.is_bytes and field.byte_order != "big":
        raise _wrong(field, "strings and binary have no byte order", expected="big", found=field.byte_order)
    _check_order(field, field.byte_order, field.bit_length)


def _check_order(field: Field, order: str, bits: int) -> None:
    if order in {"big", "little"}:
        return
    expected_digits = "".join(str(digit) for digit in range(1, bits // 8 + 1))
    if bits % 8 or "".join(sorted(order)) != expected_digits:
        expected = f"big, little or the digits {expected_digits} in some order" if bits % 8 == 0 else "big or little"
        raise _wrong(field, f"no byte order of {bits} bits", expected=expected, found=repr(order))


def _check_references(field: Field, earlier: dict[str, Field]) -> None:
    if isinstance(field.length, FieldReference):
        _check_reference(field, field.length.field, earlier, "its length is told by")
        if not earlier[field.length.field].encoding.is_integer:
            raise _wrong(field, f"its length is told by {field.length.field}, which is not an integer")
    for condition in field.present_if:
        _check_reference(field, condition.field, earlier, "its presence depends on")
        if condition.operator not in _OPERATORS:
            expected = " ".join(_OPERATORS)
            raise _wrong(field, "no such comparison", expected=expected, found=repr(condition.operator))


def _check_reference(field: Field, name: str, earlier: dict[str, Field], why: str) -> None:
    other = earlier.get(name)
    if other is None:
        remedy = "name a field that is defined before this one"
        raise _wrong(field, f"{why} {name}, which is not defined before it", remedy=remedy)
    if other.encoding.is_bytes or other.is_array:
        raise _wrong(field, f"{why} {name}, which is not a single number")
