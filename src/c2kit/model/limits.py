"""Limits: the values at which an item turns yellow or red."""

from __future__ import annotations

from enum import IntEnum, unique

from attrs import frozen

__all__ = ["LimitState", "Limits"]


@unique
class LimitState(IntEnum):
    """The state of one value against its limits, as it stands in a limit column."""

    GREEN = 0
    YELLOW_LOW = 1
    YELLOW_HIGH = 2
    RED_LOW = 3
    RED_HIGH = 4
    NO_VALUE = 5
    """Only in arrays: an element that is not a number. A single value that is none has no state."""


@frozen
class Limits:
    """One named set. Every bound is optional and is itself still inside: a value *below* ``red_low`` is red low."""

    name: str = "default"
    red_low: float | None = None
    yellow_low: float | None = None
    yellow_high: float | None = None
    red_high: float | None = None
