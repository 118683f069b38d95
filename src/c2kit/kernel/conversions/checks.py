"""Conversions and limits that cannot be right, refused with the file and line of their item.

What is merely unwise (states outside the type, limits out of order) is the prover's business.
"""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING, NoReturn

from c2kit.errors import DefinitionError, UnknownName
from c2kit.model.conversions import Function, PiecewiseLinear, Polynomial, States
from c2kit.model.fields import Fixed
from c2kit.model.packets import DerivedItem, Item

if TYPE_CHECKING:
    from c2kit.model.commands import Argument
    from c2kit.model.conversions import Conversion
    from c2kit.model.fields import Field
    from c2kit.model.limits import Limits
    from c2kit.model.packets import Packet

__all__ = ["check_derived", "check_item"]

_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def check_item(item: Item | Argument) -> None:
    """Refuse a conversion that cannot be, or not of such an item, and limits of what has no number.

    Raises :class:`~c2kit.errors.DefinitionError`. Functions are not looked for: that is done where they are needed.
    """
    if item.conversion is not None:
        _check_conversion(item.conversion, item)
    if isinstance(item, Item):
        for limits in item.limits:
            _check_limits(limits, item)
            if item.encoding.is_bytes and not isinstance(item.conversion, Function):
                _refuse(item, "it has limits but no number", remedy="leave the limits out")


def check_derived(item: DerivedItem, packet: Packet) -> None:
    """Refuse a derived item whose inputs are not numbers of the packet defined before it.

    Raises :class:`~c2kit.errors.DefinitionError`.
    """
    _check_path(item.function, item)
    for limits in item.limits:
        _check_limits(limits, item)
    if not item.inputs:
        _refuse(item, "it is derived from nothing", remedy="name at least one input")
    earlier = packet.derived[: packet.derived.index(item)]
    known: dict[str, Item | DerivedItem] = {other.name: other for other in packet.items}
    known |= {other.name: other for other in earlier}
    for name in item.inputs:
        if name not in known:
            unknown = UnknownName(kind="item", name=name, known=known, where=f"packet {packet.name}")
            _refuse(item, f"its input {name} is no item before it", remedy=unknown.remedy)
        _check_input(item, known[name])


def _check_input(item: DerivedItem, other: Item | DerivedItem) -> None:
    if isinstance(other, DerivedItem):
        return
    if other.encoding.is_bytes and not isinstance(other.conversion, Function):
        _refuse(item, f"its input {other.name} is not a number", found=other.encoding.value)
    if other.is_array and not isinstance(other.length, Fixed):
        _refuse(item, f"the length of its input {other.name} varies", expected="a number or an array of fixed shape")


def _refuse(
    item: Field | DerivedItem, what: str, *, expected: object = None, found: object = None, remedy: str = ""
) -> NoReturn:
    raise DefinitionError(f"{item.name}: {what}", source=item.source, expected=expected, found=found, remedy=remedy)


def _check_conversion(conversion: Conversion, item: Field) -> None:
    kind = type(conversion).__name__
    if item.encoding.is_bytes and not isinstance(conversion, Function):
        _refuse(item, f"{kind} converts numbers", found=item.encoding.value, remedy="use a Function, or no conversion")
    match conversion:
        case Polynomial(coefficients):
            _check_polynomial(coefficients, item)
        case PiecewiseLinear(points):
            _check_points(points, item)
        case States():
            _check_states(conversion, item)
        case Function():
            _check_path(conversion, item)


def _check_polynomial(coefficients: tuple[float, ...], item: Field) -> None:
    if not coefficients:
        _refuse(item, "its polynomial has no coefficients", expected="at least one")
    _check_finite("coefficient", coefficients, item)


def _check_points(points: tuple[tuple[float, float], ...], item: Field) -> None:
    if len(points) < 2:
        _refuse(item, "a line has at least two points", expected="2 or more", found=len(points))
    for point in points:
        _check_finite("point", point, item)
    for (first, _), (second, _) in itertools.pairwise(points):
        if float(second) <= float(first):
            _refuse(item, "its points are not in rising order of raw value", found=f"{second:g} after {first:g}")


def _check_states(states: States, item: Field) -> None:
    if not item.encoding.is_integer:
        _refuse(item, "only integers have states", found=item.encoding.value)
    if not states.states:
        _refuse(item, "it has a list of states with none in it", expected="at least one")
    for state in states.states:
        if not state.name:
            _refuse(item, "a state has no name", found=f"{state.low} to {state.high}")
        if state.low > state.high:
            what = f"state {state.name} ends before it begins"
            _refuse(item, what, found=f"{state.low} to {state.high}", remedy="put the smaller number first")


def _check_path(function: Function, item: Field | DerivedItem) -> None:
    if not _PATH.fullmatch(function.path):
        _refuse(item, "its function has no import path", expected="package.module:name", found=repr(function.path))


def _check_limits(limits: Limits, item: Field | DerivedItem) -> None:
    bounds = (limits.red_low, limits.yellow_low, limits.yellow_high, limits.red_high)
    _check_finite(f"bound of limits {limits.name!r}", [bound for bound in bounds if bound is not None], item)


def _check_finite(what: str, numbers: tuple[float, ...] | list[float], item: Field | DerivedItem) -> None:
    for number in numbers:
        if not _is_finite(number):
            _refuse(item, f"a {what} is not a finite number", found=number)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer that no float64 holds
        return False
