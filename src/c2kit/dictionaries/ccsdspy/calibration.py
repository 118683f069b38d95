"""Calibrations as they stand in the cells of a CSV: JSON, for states or for a polynomial.

=============================================== ====================================================
``{"0": "OFF", "1": "ON", "[2,9]": "SPARE"}``   states: of a value, or of a range, both ends included
``{"0": 2000, "1": -0.0027, "3": 1.6e-9}``      polynomial: coefficients by the power of the raw value
``[-0.0027, 2000]``                             polynomial: from the highest power down to the constant
=============================================== ====================================================
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from c2kit.model.conversions import Polynomial, State, States

if TYPE_CHECKING:
    from c2kit.dictionaries.ccsdspy.table import Row
    from c2kit.errors import DefinitionError
    from c2kit.model.conversions import Conversion

__all__ = ["read_calibration"]

_HIGHEST_POWER = 64
"""Higher powers of a raw value are out of the range of any number; a larger one is a typing error."""
_INTEGER = r"-?(?:0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20})"
_SINGLE = re.compile(_INTEGER)
_RANGE = re.compile(rf"\[\s*({_INTEGER})\s*,\s*({_INTEGER})\s*\]|({_INTEGER})\s*(?:-|\.\.|:)\s*({_INTEGER})")
_EXPECTED = """states as {"0": "OFF", "[1,3]": "ON"} or a polynomial as {"0": 20, "1": 0.5}"""
_RAW_VALUES = range(-(1 << 63), 1 << 64)


class _NotJsonError(ValueError):
    """A reason why text is not the JSON of a calibration."""


def read_calibration(row: Row) -> Conversion | None:
    """The conversion that a row's calibration says; ``None`` where it says nothing.

    Raises:
        DefinitionError: it is no calibration.
    """
    text = row.text("calibration")
    if not text:
        return None
    try:
        content = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise _wrong(row, f"the calibration is not JSON ({error})", found=text) from None
    if isinstance(content, dict) and content:
        if all(isinstance(value, str) for value in content.values()):
            return States(tuple(_state(row, key, name) for key, name in content.items()))
        if all(map(_is_number, content.values())):
            return _polynomial_by_powers(row, content)
    if isinstance(content, list) and content and all(map(_is_number, content)):
        return _polynomial(row, content[::-1])
    raise _wrong(row, "no such calibration", found=text)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _NotJsonError("a key stands twice")
    return made


def _no_constant(name: str) -> Any:  # noqa: ANN401 - what JSON gives
    raise _NotJsonError(f"{name} is not a number")


def _integer(digits: str) -> int | float:
    """An integer, or a float where it is longer than any that is needed exactly."""
    return int(digits) if len(digits) <= 20 else float(digits)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _state(row: Row, key: str, name: str) -> State:
    bounds = _RANGE.fullmatch(key.strip())
    if bounds:
        low, high = (int(text, 0 if "x" in text.lower() else 10) for text in bounds.groups() if text is not None)
    elif _SINGLE.fullmatch(key.strip()):
        low = high = int(key, 0 if "x" in key.lower() else 10)
    else:
        expected = 'an integer such as "3" or a range such as "[3,5]"'
        raise _wrong(row, f"the state {name!r} has no value", found=repr(key), expected=expected)
    if low > high:
        raise _wrong(
            row, f"the state {name!r} ends before it begins", found=repr(key), expected="the smaller one first"
        )
    if low not in _RAW_VALUES or high not in _RAW_VALUES:
        expected = "values of at most 64 bits"
        raise _wrong(row, f"the state {name!r} is out of range", found=repr(key), expected=expected)
    if not name:
        raise _wrong(row, "a state has no name", found=repr(key), expected="a name")
    return State(name, low, high)


def _polynomial_by_powers(row: Row, content: dict[str, float]) -> Polynomial:
    powers: dict[int, float] = {}
    for key, coefficient in content.items():
        if not re.fullmatch("[0-9]{1,4}", key.strip()) or int(key) > _HIGHEST_POWER:
            expected = f"0 to {_HIGHEST_POWER}"
            raise _wrong(row, "a polynomial has no such power", found=repr(key), expected=expected)
        if int(key) in powers:
            raise _wrong(row, "a power stands twice", found=repr(key), expected="one coefficient a power")
        powers[int(key)] = coefficient
    return _polynomial(row, [powers.get(power, 0.0) for power in range(max(powers) + 1)])


def _polynomial(row: Row, coefficients: list[float]) -> Polynomial:
    if len(coefficients) > _HIGHEST_POWER + 1:
        expected = f"at most {_HIGHEST_POWER + 1} coefficients"
        raise _wrong(row, "the polynomial is too long", found=len(coefficients), expected=expected)
    for coefficient in coefficients:
        if not math.isfinite(coefficient):
            raise _wrong(row, "a coefficient is too large", found=coefficient, expected="finite numbers")
    return Polynomial(tuple(map(float, coefficients)))


def _wrong(row: Row, what: str, *, found: object, expected: str = _EXPECTED) -> DefinitionError:
    text = str(found)
    return row.wrong("calibration", what, expected=expected, found=text if len(text) < 100 else f"{text[:100]}...")
