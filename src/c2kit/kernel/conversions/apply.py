"""Columns of raw values to columns of engineering values.

===================== ==================================== =========================================================
item                  engineering column                   what has no value, or is counted
===================== ==================================== =========================================================
polynomial            float64
piecewise linear      float64                              outside the points, where it does not extrapolate: a
                                                           single number has no value, an element of an array is NaN
states                the raw column itself                a number without a state stays, and is counted
function              float64, whatever number it returns
Boolean               bool
string                UTF-8 text                           undecodable: no value
===================== ==================================== =========================================================

Arrays are converted element by element and keep their shape. Where there is no raw value there is no engineering value.
A 64-bit integer becomes the nearest float64 before it is converted; floats that are not numbers or infinite go through
as IEEE 754 says, silently.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve

from c2kit.errors import UsageError
from c2kit.kernel.contract import Column
from c2kit.kernel.conversions.checks import check_item
from c2kit.kernel.conversions.text import decode_text
from c2kit.kernel.conversions.userfunctions import resolve
from c2kit.kernel.layout import raw_dtype
from c2kit.kernel.tally import Tallies, Tally, tallies
from c2kit.model.conversions import Extrapolation, Function, PiecewiseLinear, Polynomial, States
from c2kit.model.fields import Encoding, Text
from c2kit.model.packets import DerivedItem

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.model.commands import Argument
    from c2kit.model.packets import Item

    Numbers = npt.NDArray[np.generic]
    Floats = npt.NDArray[np.float64]

__all__ = [
    "Convert",
    "Derive",
    "bind",
    "bind_derived",
    "engineering_dtype",
    "has_own_engineering",
    "line_tables",
    "state_ranges",
]

Convert = Callable[[Column], tuple[Column, Tallies]]
"""From a column of raw values to one of engineering values, and what was counted on the way."""
Derive = Callable[[Sequence[Column]], Column]
"""From the columns of a derived item's inputs, in their order, to its own."""


def engineering_dtype(item: Item | Argument | DerivedItem) -> np.dtype[np.generic] | None:
    """The type of an item's engineering values, ``None`` where that is the raw value's or text.

    It follows from the definition alone, so that a schema is known before the first packet.
    """
    if isinstance(item, DerivedItem) or isinstance(item.conversion, Polynomial | PiecewiseLinear | Function):
        return np.dtype(np.float64)
    if item.encoding is Encoding.BOOLEAN and item.conversion is None:
        return np.dtype(np.bool_)
    return None


def has_own_engineering(item: Item | Argument | DerivedItem) -> bool:
    """Whether the engineering value is not simply the raw one."""
    if engineering_dtype(item) is not None:
        return True
    return not isinstance(item, DerivedItem) and item.encoding is Encoding.STRING and item.conversion is None


def bind(item: Item | Argument) -> Convert | None:
    """The conversion of an item, with its function found and its tables made; ``None`` where raw values are it.

    An item with states gives back the very column that it was given, since states only count. Raises
    :class:`~c2kit.errors.DefinitionError` for a conversion that cannot be, or whose function is missing or another
    version. What the returned callable raises is what a user's function raised.
    """
    check_item(item)
    match item.conversion:
        case Polynomial(coefficients):
            return partial(_polynomial, coefficients)
        case PiecewiseLinear(points, extrapolation):
            return partial(_piecewise, *line_tables(points), extrapolation)
        case States() as states:
            return partial(_states, *state_ranges(states, item))
        case Function() as function:
            return partial(_function, resolve(function, where=item.name, source=item.source), item.name)
        case None:
            return _bind_encoding(item)


def _bind_encoding(item: Item | Argument) -> Convert | None:
    if item.encoding is Encoding.BOOLEAN:
        return _boolean
    if item.encoding is Encoding.STRING:
        return partial(decode_text, item.text or Text())
    return None


def bind_derived(item: DerivedItem) -> Derive:
    """A derived item's function, found, to be called with its inputs' engineering columns. Errors as :func:`bind`."""
    return partial(_derive, resolve(item.function, where=item.name, source=item.source), item.name)


def _with_values(raw: Column, values: Numbers) -> Column:
    """The same packets with other values; those without a value are 0."""
    if raw.valid is not None and raw.offsets is None:
        values[~raw.valid] = 0
    return evolve(raw, values=values)


def _as_float64(values: Numbers) -> Floats:
    """A copy. A narrow signalling NaN, which any bytes may be, is widened without a warning."""
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def _polynomial(coefficients: tuple[float, ...], raw: Column) -> tuple[Column, Tallies]:
    values = _as_float64(raw.values)
    with np.errstate(all="ignore"):
        result = np.full_like(values, coefficients[-1])
        for coefficient in coefficients[-2::-1]:
            result *= values
            result += coefficient
    return _with_values(raw, result), tallies({})


def line_tables(points: Sequence[tuple[float, float]]) -> tuple[Floats, Floats, Floats]:
    """The points' raw and engineering values, and the slope of the line behind each; the last one's goes on."""
    x, y = np.array(points, np.float64).T
    with np.errstate(all="ignore"):
        slopes = np.diff(y) / np.diff(x)
    return x, y, np.append(slopes, slopes[-1])


def _piecewise(
    x: Floats, y: Floats, slopes: Floats, extrapolation: Extrapolation, raw: Column
) -> tuple[Column, Tallies]:
    values = _as_float64(raw.values)
    if extrapolation is Extrapolation.HOLD:
        values = np.where(values < x[0], x[0], np.where(values > x[-1], x[-1], values))
    at = np.maximum(np.searchsorted(x, values, "right") - 1, 0)
    with np.errstate(all="ignore"):
        result = y[at] + (values - x[at]) * slopes[at]
    # At a point its own value, however steep the line behind it is.
    result = np.where(values == x[at], y[at], result)
    if extrapolation is not Extrapolation.NONE:
        return _with_values(raw, result), tallies({})
    return _without(_with_values(raw, result), ~((values >= x[0]) & (values <= x[-1])))


def _without(column: Column, outside: npt.NDArray[np.bool_]) -> tuple[Column, Tallies]:
    """Take away the values that are outside: a single number's packet has none, an array's element is NaN."""
    if column.offsets is not None or column.values.ndim > 1:
        if column.offsets is None and column.valid is not None:
            outside = outside & column.valid.reshape(-1, *[1] * (outside.ndim - 1))
        column.values[outside] = np.nan
        return column, tallies({Tally.OUTSIDE_POINTS: np.count_nonzero(outside)})
    present = column.valid if column.valid is not None else np.ones(len(column), np.bool_)
    count = np.count_nonzero(outside & present)
    if not count:
        return column, tallies({})
    column.values[outside] = 0
    return evolve(column, valid=present & ~outside), tallies({Tally.OUTSIDE_POINTS: count})


def state_ranges(states: States, item: Item | Argument) -> tuple[Numbers, Numbers]:
    """The values that have a state as rising ranges that do not touch, within what the item's type can hold."""
    smallest, largest = item.raw_range or (0, 0)
    lows: list[int] = []
    highs: list[int] = []
    for low, high in sorted((max(state.low, smallest), min(state.high, largest)) for state in states.states):
        if low > high:
            continue
        if highs and low <= highs[-1] + 1:
            highs[-1] = max(highs[-1], high)
        else:
            lows.append(low)
            highs.append(high)
    return np.array(lows, raw_dtype(item)), np.array(highs, raw_dtype(item))


def _states(lows: Numbers, highs: Numbers, raw: Column) -> tuple[Column, Tallies]:
    values = raw.values
    # A value has a state where as many ranges began at or before it as did not end before it, and one more.
    begun = np.searchsorted(lows, values, "right")
    ended = np.searchsorted(highs, values, "left")
    without = begun == ended
    if raw.valid is not None and raw.offsets is None:
        without &= raw.valid.reshape(-1, *[1] * (values.ndim - 1))
    return raw, tallies({Tally.WITHOUT_STATE: np.count_nonzero(without)})


def _boolean(raw: Column) -> tuple[Column, Tallies]:
    return evolve(raw, values=raw.values != 0), tallies({})


def _function(function: Callable[..., object], name: str, raw: Column) -> tuple[Column, Tallies]:
    """Only what has a value reaches the function; strings and binary do as objects, ``bytes`` each."""
    if raw.is_bytes:
        values = np.empty(len(raw), np.object_)
        values[:] = raw.to_list()
        raw = Column(values, raw.valid)
    present = slice(None) if raw.valid is None or raw.offsets is not None else raw.valid
    inputs = raw.values[present]
    result = np.zeros(raw.values.shape)
    result[present] = _called(function, name, [inputs], inputs.shape)
    return evolve(raw, values=result), tallies({})


def _derive(function: Callable[..., object], name: str, inputs: Sequence[Column]) -> Column:
    """Only packets in which every input has a value reach the function."""
    masks = [column.valid for column in inputs if column.valid is not None]
    count = len(inputs[0])
    if not masks:
        return Column(_called(function, name, [column.values for column in inputs], (count,)))
    valid = np.logical_and.reduce(masks)
    result = np.zeros(count)
    result[valid] = _called(function, name, [column.values[valid] for column in inputs], (int(valid.sum()),))
    return Column(result, valid)


def _called(
    function: Callable[..., object], name: str, inputs: list[npt.NDArray[Any]], shape: tuple[int, ...]
) -> Floats:
    """The function's result as float64. Raises UsageError where it is not one number for each that was given."""
    frozen = [values.view() for values in inputs]
    for values in frozen:
        # Raw values are shared: a function that wrote into them would change telemetry for everybody else.
        values.flags.writeable = False
    result = np.asarray(function(*frozen))
    if result.dtype.kind not in "biuf" or result.shape != shape:
        raise UsageError(
            f"{name}: its function did not return one number for each value",
            expected=f"an array of numbers of shape {shape}",
            found=f"{result.dtype} of shape {result.shape}",
            remedy="mend the function",
        )
    return _as_float64(result)
