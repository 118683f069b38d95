"""Conversions from raw to engineering values, as data. :mod:`c2kit.kernel.conversions` applies them to columns."""

from __future__ import annotations

from enum import Enum, unique

from attrs import frozen

__all__ = ["Conversion", "Extrapolation", "Function", "PiecewiseLinear", "Polynomial", "State", "States"]


@frozen
class Polynomial:
    """``coefficients[0] + coefficients[1] * raw + ...``; scale and offset is the polynomial ``(offset, scale)``."""

    coefficients: tuple[float, ...]


@unique
class Extrapolation(Enum):
    """What a piecewise linear conversion gives outside its points."""

    NONE = "none"
    """No value, and counted."""
    HOLD = "hold"
    """The value of the nearest end point."""
    EXTEND = "extend"
    """The line of the nearest segment goes on."""


@frozen
class PiecewiseLinear:
    """Straight lines through ``points``: at least two ``(raw, engineering)`` pairs, raw strictly rising."""

    points: tuple[tuple[float, float], ...]
    extrapolation: Extrapolation = Extrapolation.NONE


@frozen
class State:
    """The name of the raw values ``low`` to ``high``, both included."""

    name: str
    low: int
    high: int
    description: str = ""


@frozen
class States:
    """Names for raw values. A value without a state stays a number, and is counted."""

    states: tuple[State, ...]

    def name_of(self, raw: int) -> str | None:
        """The name of the first state that holds ``raw``; ``None`` where none does."""
        return next((state.name for state in self.states if state.low <= raw <= state.high), None)


@frozen
class Function:
    """A function of the user's: takes NumPy arrays (one for each input), gives numbers, as many.

    It must treat each value by itself, since batches may be cut anywhere; it sees only values that are there, and its
    results are kept as float64. ``path`` is ``package.module:name``. ``version`` is the user's own, and the function
    tells it in an attribute ``version`` (without one it is ``"1"``); it is part of the dictionary's hash, so that data
    decoded by another version is never mistaken for this one's.
    """

    path: str
    version: str = "1"


Conversion = Polynomial | PiecewiseLinear | States | Function
