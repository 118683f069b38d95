"""Conversions as the extension is told of them: tuples, as ``program_parse.c`` reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define, field

from c2kit.kernel.conversions.apply import line_tables, state_ranges
from c2kit.kernel.tally import Tally
from c2kit.model.conversions import Extrapolation, PiecewiseLinear, Polynomial, States
from c2kit.model.fields import Encoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c2kit.model.packets import Item

__all__ = ["ConversionDescription", "Conversions"]

ConversionDescription = tuple[int, int, int, int, int]
"""Number of the field, kind, extrapolation, place of the first constant, how many coefficients, points or ranges."""

_POLYNOMIAL, _PIECEWISE, _STATES, _TRUTH = range(4)
_EXTRAPOLATIONS = {Extrapolation.NONE: 0, Extrapolation.HOLD: 1, Extrapolation.EXTEND: 2}


@define(eq=False)
class Conversions:
    """What is said of conversions, with the constants of all of them."""

    names: list[str] = field(factory=list)
    """Whose they are."""
    tallies: list[Tally] = field(factory=list)
    """What each of them counts."""
    described: list[ConversionDescription] = field(factory=list)
    numbers: list[float] = field(factory=list)
    ranges: list[int] = field(factory=list)

    @classmethod
    def of(cls, items: Sequence[Item]) -> Conversions:
        """The conversions of those items that the extension converts: single numbers, and not by functions."""
        conversions = cls()
        for number, item in enumerate(items):
            if item.length is None and not item.encoding.is_bytes:
                conversions._add(number, item)
        return conversions

    def description(self) -> tuple[tuple[ConversionDescription, ...], tuple[float, ...], tuple[int, ...]]:
        """The same as the extension is told it."""
        return tuple(self.described), tuple(self.numbers), tuple(self.ranges)

    @property
    def without_columns(self) -> set[int]:
        """The numbers of those that only count."""
        return {number for number, described in enumerate(self.described) if described[1] == _STATES}

    def dtypes(self) -> list[np.dtype[np.generic]]:
        """The types of their columns; of states, which have none, any."""
        return [np.dtype(np.bool_ if kind == _TRUTH else np.float64) for _, kind, *_ in self.described]

    def _add(self, number: int, item: Item) -> None:
        first = len(self.numbers)
        match item.conversion:
            case Polynomial(coefficients):
                self.numbers += map(float, coefficients)
                described = (number, _POLYNOMIAL, 0, first, len(coefficients))
            case PiecewiseLinear(points, extrapolation):
                for table in line_tables(points):
                    self.numbers += table.tolist()
                described = (number, _PIECEWISE, _EXTRAPOLATIONS[extrapolation], first, len(points))
            case States() as states:
                lows, highs = (bounds.tolist() for bounds in state_ranges(states, item))
                described = (number, _STATES, 0, len(self.ranges) // 2, len(lows))
                for low, high in zip(lows, highs, strict=True):
                    self.ranges += (low % 2**64, high - low)
            case None if item.encoding is Encoding.BOOLEAN:
                described = (number, _TRUTH, 0, 0, 0)
            case _:
                return
        self.names.append(item.name)
        self.tallies.append(Tally.WITHOUT_STATE if described[1] == _STATES else Tally.OUTSIDE_POINTS)
        self.described.append(described)
