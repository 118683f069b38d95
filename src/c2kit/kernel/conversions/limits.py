"""Engineering values against their limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve

from c2kit.model.limits import LimitState

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.contract import Column
    from c2kit.model.limits import Limits

    Values = npt.NDArray[Any]
    """Numbers of any type."""
    Flags = npt.NDArray[np.bool_]

__all__ = ["limit_states"]


def limit_states(limits: Limits, engineering: Column) -> Column:
    """The :class:`~c2kit.model.limits.LimitState` codes (uint8) of a column of numbers.

    An array has a state for each element and keeps its shape. What is not a number is neither good nor bad: a single
    one has no state, an element of an array has ``NO_VALUE``. Integers are compared exactly, whatever their width.
    """
    values = engineering.values
    states = np.full(values.shape, LimitState.GREEN, np.uint8)
    for bound, state in ((limits.yellow_low, LimitState.YELLOW_LOW), (limits.yellow_high, LimitState.YELLOW_HIGH)):
        states[_passed(values, bound, state)] = state
    for bound, state in ((limits.red_low, LimitState.RED_LOW), (limits.red_high, LimitState.RED_HIGH)):
        states[_passed(values, bound, state)] = state
    if engineering.valid is not None and engineering.offsets is None:
        states[~engineering.valid] = LimitState.GREEN
    return _without_nan(evolve(engineering, values=states), values)


def _passed(values: Values, bound: float | None, state: LimitState) -> Flags:
    if bound is None:
        return np.zeros(values.shape, np.bool_)
    is_low = state in (LimitState.YELLOW_LOW, LimitState.RED_LOW)
    if values.dtype.kind in "iu" and math.isfinite(bound):
        # Comparing with a float would round a wide integer first.
        bound = math.ceil(bound) if is_low else math.floor(bound)
    # A bound is rounded to the type of a float32 column; one that is too large for it is passed by nothing finite.
    with np.errstate(over="ignore"):
        passed: Flags = values < bound if is_low else values > bound
    return passed


def _without_nan(states: Column, values: Values) -> Column:
    if values.dtype.kind != "f":
        return states
    nan = np.isnan(values)
    if not nan.any():
        return states
    if states.offsets is not None or values.ndim > 1:
        states.values[nan] = LimitState.NO_VALUE
        return states
    return evolve(states, valid=~nan if states.valid is None else states.valid & ~nan)
