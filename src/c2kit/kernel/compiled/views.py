"""Columns in a message, made when they are first looked at: most of a batch's never are, before it is written."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from c2kit.kernel.contract import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c2kit.kernel.compiled.program import Kind

__all__ = ["Views"]

_PLACE = struct.Struct("=qq")


class Views(Mapping[str, Column]):
    """Columns by the names of their items, none of them copied; they cannot be written to.

    ``numbers`` tells which column is an item's. Number ``n`` is of ``kinds[n]``, and begins where pair ``n`` of
    ``places`` says; flags (Booleans, and what has a value) stand in bytes of their own, one each.
    """

    __slots__ = ("_count", "_flags", "_kinds", "_made", "_message", "_numbers", "_places")

    def __init__(
        self, numbers: Mapping[str, int], kinds: Sequence[Kind], count: int, message: bytes, flags: bytes, places: bytes
    ) -> None:
        self._numbers = numbers
        self._kinds = kinds
        self._count = count
        self._message = message
        self._flags = flags
        self._places = places
        self._made: dict[str, Column] = {}

    def __getitem__(self, name: str) -> Column:
        """The column of an item. Raises KeyError."""
        column = self._made.get(name)
        if column is None:
            column = self._made[name] = self._column(self._numbers[name])
        return column

    def __contains__(self, name: object) -> bool:
        """Whether an item has a column."""
        return name in self._numbers

    def __iter__(self) -> Iterator[str]:
        """The names, in the order of the definition."""
        return iter(self._numbers)

    def __len__(self) -> int:
        """The number of columns."""
        return len(self._numbers)

    def _column(self, number: int) -> Column:
        dtype, count = self._kinds[number].dtype, self._count
        first, first_valid = _PLACE.unpack_from(self._places, _PLACE.size * number)
        values = np.ndarray(count, dtype, self._flags if dtype == np.bool_ else self._message, first)
        return Column(values, None if first_valid < 0 else np.ndarray(count, np.bool_, self._flags, first_valid))
