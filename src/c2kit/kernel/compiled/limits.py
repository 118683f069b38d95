"""Numbers against their limits; those that are no doubles, and arrays, as :mod:`c2kit.kernel.conversions` does."""

from __future__ import annotations

import functools
import math
import struct
from typing import TYPE_CHECKING

import numpy as np

from c2kit.kernel import _kernel
from c2kit.kernel.contract import Column
from c2kit.kernel.conversions import limit_states as by_columns

if TYPE_CHECKING:
    from c2kit.model.limits import Limits

__all__ = ["limit_states"]

_TYPES = frozenset(("u1", "u2", "u4", "i1", "i2", "i4", "f4", "f8"))


def limit_states(limits: Limits, engineering: Column) -> Column:
    """The states of a column; see :meth:`c2kit.kernel.contract.Kernel.limit_states`."""
    values, valid = engineering.values, engineering.valid
    kind = values.dtype.str[1:]
    if values.ndim > 1 or engineering.offsets is not None or kind not in _TYPES or not _is_plain(values):
        return by_columns(limits, engineering)
    states, are_numbers = np.empty(len(values), np.uint8), np.empty(len(values), np.bool_)
    bounds = _bounds(limits, is_single=kind == "f4")
    flags = valid if valid is None or valid.flags.c_contiguous else valid.copy()
    if _kernel.limits(kind, values, bounds, flags, states, are_numbers):
        valid = are_numbers
    return Column(states, valid)


def _is_plain(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bool:
    return values.dtype.isnative and values.flags.c_contiguous


@functools.lru_cache(maxsize=4096)
def _bounds(limits: Limits, *, is_single: bool) -> bytes:
    """The bounds as four doubles: yellow low and high, red low and high."""
    lows = [-math.inf if bound is None else bound for bound in (limits.yellow_low, limits.red_low)]
    highs = [math.inf if bound is None else bound for bound in (limits.yellow_high, limits.red_high)]
    bounds = np.array([lows[0], highs[0], lows[1], highs[1]], np.float64)
    if is_single:
        # As NumPy compares a float32: the bound is rounded first, to infinity where it is too large.
        with np.errstate(over="ignore"):
            bounds = bounds.astype(np.float32).astype(np.float64)
    return struct.pack("=4d", *bounds.tolist())
