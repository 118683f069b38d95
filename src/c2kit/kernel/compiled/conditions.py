"""Comparisons as the extension makes them: exact, whatever the types of both sides.

An integer is asked whether it lies from one integer to another, which any comparison with any number comes down to. A
float is compared with a float; where the operand is an integer that no float equals, with the nearest on either side.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from c2kit.model.fields import Encoding

if TYPE_CHECKING:
    from c2kit.model.fields import Condition, Field, FieldReference

__all__ = ["MOST_ELEMENTS", "ConditionDescription", "condition_on", "counts_within"]

ConditionDescription = tuple[int, int, bool, int, int, float]
"""The field, how it is compared, whether the answer is to be negated, the least, the greatest, the operand."""

MOST_ELEMENTS = 2**40
"""More than any packet holds, and few enough that their bits can be counted in 64 bits."""

_WITHIN_SIGNED, _WITHIN_UNSIGNED, _EQUAL, _LESS, _LESS_OR_EQUAL, _GREATER, _GREATER_OR_EQUAL = range(7)
_FLOAT_COMPARISONS = {
    "==": (_EQUAL, False),
    "!=": (_EQUAL, True),
    "<": (_LESS, False),
    "<=": (_LESS_OR_EQUAL, False),
    ">": (_GREATER, False),
    ">=": (_GREATER_OR_EQUAL, False),
}
_WORD = 2**64
_INFINITIES = (math.inf, -math.inf)


def condition_on(number: int, field: Field, condition: Condition) -> ConditionDescription:
    """A condition on ``field``, which is number ``number`` of its layout."""
    if field.encoding in {Encoding.IEEE754, Encoding.MIL_STD_1750A}:
        return _on_float(number, condition.operator, condition.value)
    low, high, is_negated = _interval(condition.operator, condition.value)
    return _within(number, field, low, high, is_negated=is_negated)


def counts_within(number: int, field: Field, length: FieldReference) -> ConditionDescription:
    """For which values of ``field`` the number of elements that it tells is one from 0 to :data:`MOST_ELEMENTS`."""
    multiply, add = length.multiply, length.add
    if multiply == 0:
        return _within(number, field, -math.inf, math.inf if 0 <= add <= MOST_ELEMENTS else -math.inf)
    first, last = (-add, MOST_ELEMENTS - add) if multiply > 0 else (add - MOST_ELEMENTS, add)
    return _within(number, field, -(-first // abs(multiply)), last // abs(multiply))


def _within(number: int, field: Field, low: float, high: float, *, is_negated: bool = False) -> ConditionDescription:
    least, most = field.raw_range or (0, 0)
    # What is outside the field's range asks for no more than its ends do; an empty range stays one.
    low, high = (max(low, least), min(high, most)) if low <= most and high >= least else (1, 0)
    kind = _WITHIN_SIGNED if field.encoding.is_signed else _WITHIN_UNSIGNED
    return number, kind, is_negated, int(low) % _WORD, int(high) % _WORD, 0.0


def _interval(operator: str, operand: float) -> tuple[float, float, bool]:
    """Which integers the comparison holds for: those from the first to the second, or all others."""
    if operand != operand:  # noqa: PLR0124 - a NaN, which is only ever unequal
        return math.inf, -math.inf, operator == "!="
    floor, ceiling = _floor(operand), _ceiling(operand)
    match operator:
        case "==" | "!=":
            return ceiling, floor, operator == "!="
        case "<":
            return -math.inf, ceiling - 1, False
        case "<=":
            return -math.inf, floor, False
        case ">":
            return floor + 1, math.inf, False
        case _:
            return ceiling, math.inf, False


def _floor(operand: float) -> float:
    return operand if operand in _INFINITIES else math.floor(operand)


def _ceiling(operand: float) -> float:
    return operand if operand in _INFINITIES else math.ceil(operand)


def _on_float(number: int, operator: str, operand: float) -> ConditionDescription:
    comparison, is_negated = _FLOAT_COMPARISONS[operator]
    nearest = _nearest(operand)
    if nearest == operand or nearest != nearest:  # noqa: PLR0124 - a NaN
        return number, comparison, is_negated, 0, 0, nearest
    if operator in {"==", "!="}:
        return number, _EQUAL, is_negated, 0, 0, math.nan
    # No float lies between the two neighbours.
    below = nearest if nearest < operand else math.nextafter(nearest, -math.inf)
    if operator in {"<", "<="}:
        return number, _LESS_OR_EQUAL, False, 0, 0, below
    return number, _GREATER_OR_EQUAL, False, 0, 0, math.nextafter(below, math.inf)


def _nearest(operand: float) -> float:
    try:
        return float(operand)
    except OverflowError:
        return math.inf if operand > 0 else -math.inf
