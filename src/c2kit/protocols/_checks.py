"""How constructors refuse what cannot work."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import TYPE_CHECKING

from c2kit.errors import UsageError

if TYPE_CHECKING:
    from typing import SupportsIndex

__all__ = ["MAXIMUM_BYTES", "all_in_range", "in_range", "some_bytes"]

MAXIMUM_BYTES = 1_048_576
"""The longest frame where nothing else is told: longer than most links know, and nothing to a computer."""


def in_range(what: str, value: SupportsIndex, least: int, most: int | None = None) -> int:
    """The value, if it is an integer in that range; else raises UsageError."""
    expected = f"at least {least}" if most is None else f"{least} to {most}"
    try:
        number = operator.index(value)
    except TypeError:
        raise UsageError(what, expected=f"an integer, {expected}", found=repr(value)) from None
    if number < least or (most is not None and number > most):
        raise UsageError(what, expected=expected, found=number)
    return number


def all_in_range(what: str, values: Iterable[SupportsIndex], least: int, most: int) -> list[int]:
    """The values, if they are integers in that range; else raises UsageError."""
    if not isinstance(values, Iterable):
        raise UsageError(what, expected="several of them", found=repr(values), remedy=f"give [{values!r}]")
    return [in_range(what, value, least, most) for value in values]


def some_bytes(what: str, value: object) -> bytes:
    """The value, if it is bytes and at least one; else raises UsageError."""
    if isinstance(value, bytes | bytearray | memoryview) and len(value):
        return bytes(value)
    raise UsageError(what, expected="at least one byte", found=repr(value))
