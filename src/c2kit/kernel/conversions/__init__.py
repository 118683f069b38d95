"""Raw values to engineering values, whole columns at a time, and back, one value at a time."""

from __future__ import annotations

from c2kit.kernel.conversions.apply import Convert, Derive, bind, bind_derived, engineering_dtype, has_own_engineering
from c2kit.kernel.conversions.checks import check_derived, check_item
from c2kit.kernel.conversions.inverse import Inverse, inverse_of, invert
from c2kit.kernel.conversions.limits import limit_states
from c2kit.kernel.conversions.monotonic import engineering_range, is_monotonic

__all__ = [
    "Convert",
    "Derive",
    "Inverse",
    "bind",
    "bind_derived",
    "check_derived",
    "check_item",
    "engineering_dtype",
    "engineering_range",
    "has_own_engineering",
    "inverse_of",
    "invert",
    "is_monotonic",
    "limit_states",
]
