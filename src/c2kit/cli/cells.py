"""Columns of a batch as lists of what stands in a text file: numbers with all their digits, states by name.

=================== ===================================== ====================================
value               in CSV                                in JSON
=================== ===================================== ====================================
none                an empty cell                         ``null``
integer             its decimal digits                    a number
float               the fewest digits that give the same  a number
                    float64
not a number,       ``nan``, ``inf``, ``-inf``            ``"NaN"``, ``"Infinity"``,
infinite                                                  ``"-Infinity"``
Boolean             ``true``, ``false``                   ``true``, ``false``
state               its name; the number without one      the same
text                the text                              a string
bytes               hexadecimal digits                    the same, a string
array of fixed size a column a member: ``name[i][j]``     an array
other array         a JSON array in one cell              an array
time                ISO 8601, UTC, with nanoseconds       the same, a string
=================== ===================================== ====================================

A float of fewer bits is written as the float64 of exactly its value.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from c2kit.model.conversions import States
from c2kit.model.fields import Fixed
from c2kit.model.packets import Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.batches import Column, TelemetryBatch
    from c2kit.model.packets import DerivedItem

    Cells = list[Any]
    """One value a packet."""

__all__ = ["ItemCells", "time_cells", "to_json"]

_MOST_NAMES = 65_536
"""States may be ranges of billions of values: so many of their names are kept, and not more."""

to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False).encode


def time_cells(times: Column, start: int, stop: int) -> Cells:
    """Times of packets; ``None`` where there is none."""
    stamps = times.values[start:stop].astype("datetime64[ns]")
    told = np.datetime_as_string(stamps, unit="ns", timezone="UTC").tolist()
    return _where_valid(told, times, start, stop)


def _where_valid(cells: Cells, column: Column, start: int, stop: int) -> Cells:
    if column.valid is None:
        return cells
    valid = column.valid[start:stop].tolist()
    return [cell if is_valid else None for cell, is_valid in zip(cells, valid, strict=True)]


@frozen(eq=False)
class ItemCells:
    """One item's values, raw or engineering, under one heading."""

    heading: str
    item: Item | DerivedItem
    is_raw: bool
    _states: _StateNames | None = field(init=False)

    @_states.default
    def _states_default(self) -> _StateNames | None:
        conversion = None if self.is_raw or not isinstance(self.item, Item) else self.item.conversion
        return _StateNames(conversion) if isinstance(conversion, States) else None

    def csv_headings(self) -> list[str]:
        """The headings of the columns that this item has."""
        length = self.item.length if isinstance(self.item, Item) and self.item.is_array else None
        places = np.ndindex(*length.shape) if isinstance(length, Fixed) else [()]
        return [self.heading + "".join(f"[{index}]" for index in place) for place in places]

    def csv(self, batch: TelemetryBatch, start: int, stop: int) -> list[Cells]:
        """The cells of some packets, column by column."""
        column = self._column(batch)
        if column.is_bytes:
            return [self._bytes(column, start, stop)]
        if column.offsets is not None:
            lists = self._numbers(column.to_list(start, stop), column)
            return [[None if cell is None else to_json(cell) for cell in lists]]
        members = column.values[start:stop].reshape(stop - start, -1).T
        words = [self._words(member.tolist(), member.dtype) for member in members]
        return [_where_valid(cells, column, start, stop) for cells in words]

    def json(self, batch: TelemetryBatch, start: int, stop: int) -> Cells:
        """The values of some packets, arrays as lists."""
        column = self._column(batch)
        if column.is_bytes:
            return self._bytes(column, start, stop)
        return self._numbers(column.to_list(start, stop), column)

    def _column(self, batch: TelemetryBatch) -> Column:
        return batch.raw[self.item.name] if self.is_raw else batch[self.item.name]

    def _bytes(self, column: Column, start: int, stop: int) -> Cells:
        cells = column.to_list(start, stop)
        return cells if column.is_text else [None if cell is None else cell.hex() for cell in cells]

    def _numbers(self, cells: Cells, column: Column) -> Cells:
        """What JSON takes."""
        if self._states is not None:
            return _each(self._states.__getitem__, cells)
        if column.values.dtype.kind == "f" and not np.isfinite(column.values).all():
            return _each(_json_float, cells)
        return cells

    def _words(self, cells: Cells, dtype: np.dtype[np.generic]) -> Cells:
        """What Python's CSV writer takes, which writes numbers as ``repr`` does."""
        if self._states is not None:
            return [self._states[cell] for cell in cells]
        if dtype == np.bool_:
            return ["true" if cell else "false" for cell in cells]
        return cells


class _StateNames(dict[int, "str | int"]):
    """The names of raw values, each looked up once; a value without a state stays a number."""

    def __init__(self, states: States) -> None:
        super().__init__()
        self._states = states

    def __missing__(self, raw: int) -> str | int:
        if len(self) >= _MOST_NAMES:
            self.clear()
        name = self[raw] = self._states.name_of(raw) or raw
        return name


def _each(function: Callable[[Any], Any], cells: Cells) -> Cells:
    """Apply a function to all that is neither a list nor nothing, in lists within lists."""
    return [
        _each(function, cell) if isinstance(cell, list) else None if cell is None else function(cell) for cell in cells
    ]


def _json_float(number: float) -> float | str:
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
