"""A layout as a program of the extension, compiled once and kept with the layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, field, frozen

from c2kit.kernel import _kernel
from c2kit.kernel.compiled.conditions import condition_on, counts_within
from c2kit.kernel.compiled.conversions import Conversions
from c2kit.kernel.compiled.description import described
from c2kit.kernel.contract import Column
from c2kit.kernel.layout import raw_dtype
from c2kit.model.fields import Expand, Field, FieldReference, Fixed, Prefixed, Terminated

if TYPE_CHECKING:
    from c2kit.kernel.compiled.conditions import ConditionDescription
    from c2kit.kernel.compiled.description import ElementDescription
    from c2kit.kernel.layout import Layout

__all__ = ["Compiled", "Kind", "compiled", "compiled_with"]

_SINGLE, _FIXED, _REFERENCE, _EXPAND, _TERMINATED, _PREFIXED = range(6)


@frozen(eq=False)
class Kind:
    """What kind of column a field has."""

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    is_bytes: bool

    @classmethod
    def of(cls, field: Field) -> Kind:
        """The kind of the field's column."""
        is_bytes = field.encoding.is_bytes
        shape = field.length.shape if isinstance(field.length, Fixed) and not is_bytes else ()
        return cls(raw_dtype(_BYTE if is_bytes else field), shape, is_bytes)


_BYTE = Field(name="BYTE")


@frozen(eq=False)
class Compiled:
    """A layout's program, and the kinds of the columns of its fields and then of its conversions."""

    program: _kernel.Program
    kinds: tuple[Kind, ...]


def compiled(layout: Layout) -> Compiled | None:
    """The layout, compiled; ``None`` where its fields lie further apart than the extension counts."""
    try:
        plan: Compiled | None = layout.plans[__name__]
    except KeyError:
        plan = layout.plans[__name__] = compiled_with(layout, Conversions())
    return plan


def compiled_with(layout: Layout, conversions: Conversions) -> Compiled | None:
    """The layout, compiled with conversions of its fields, and not kept; ``None`` as :func:`compiled`."""
    writing = _Writing(layout)
    fields = tuple(writing.field(number) for number in range(len(layout.fields)))
    conditions, terminators = tuple(writing.conditions), bytes(writing.terminators)
    kinds = tuple(Kind.of(each) for each in layout.fields)
    kinds += tuple(Kind(dtype, (), is_bytes=False) for dtype in conversions.dtypes())
    dtypes = tuple(kind.dtype for kind in kinds)
    try:
        program = _kernel.Program(
            fields, conditions, terminators, conversions.description(), Column, np.ndarray, dtypes
        )
    except ValueError:
        return None
    return Compiled(program, kinds)


@frozen(kw_only=True)
class _Length:
    """The kind of a length, and what that kind needs."""

    kind: int = field(kw_only=False)
    count: int = 0
    told: ConditionDescription | tuple[()] = ()
    """Of a reference: for which values there are so many elements."""
    multiply: int = 0
    add: int = 0
    prefix: ElementDescription | tuple[()] = ()
    terminator: tuple[int, int] = (0, 0)
    """Its first byte among those of the layout, and its bytes."""
    max_bytes: int | None = None
    trailing: int = 0

    def described(self) -> tuple[Any, ...]:
        """The same as the extension is told it."""
        most = -1 if self.max_bytes is None else self.max_bytes
        factor, summand = self.multiply % 2**64, self.add % 2**64
        return self.kind, self.count, self.told, factor, summand, self.prefix, *self.terminator, most, self.trailing


@define(eq=False)
class _Writing:
    """What is said of fields in terms of what was said before them."""

    layout: Layout
    conditions: list[ConditionDescription] = field(factory=list)
    terminators: bytearray = field(factory=bytearray)

    def field(self, number: int) -> tuple[Any, ...]:
        """The element, its first bit, its conditions, its length."""
        item, start = self.layout.fields[number], self.layout.starts[number]
        first = len(self.conditions)
        for condition in item.present_if:
            teller = self.layout.index[condition.field]
            self.conditions.append(condition_on(teller, self.layout.fields[teller], condition))
        place = -1 if start is None else start
        return described(item, start), place, first, len(item.present_if), self.length(item).described()

    def length(self, item: Field) -> _Length:
        """What tells how many elements a field has."""
        match item.length:
            case None:
                return _Length(_SINGLE, count=1)
            case Fixed() as length:
                return _Length(_FIXED, count=length.count)
            case FieldReference(name, multiply, add) as length:
                number = self.layout.index[name]
                told = counts_within(number, self.layout.fields[number], length)
                return _Length(_REFERENCE, told=told, multiply=multiply, add=add)
            case Expand():
                return _Length(_EXPAND, trailing=len(self.layout.trailer))
            case Terminated(terminator, max_bytes):
                place = len(self.terminators)
                self.terminators += terminator
                return _Length(_TERMINATED, terminator=(place, len(terminator)), max_bytes=max_bytes)
            case Prefixed(bit_length, byte_order):
                number_before = Field(name=item.name, bit_length=bit_length, byte_order=byte_order)
                return _Length(_PREFIXED, prefix=described(number_before, None))
