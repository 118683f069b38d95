"""Conversions, states and limits as they are written in a dictionary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from c2kit.dictionaries.yaml.nodes import MappingNode, ScalarNode, SequenceNode, is_plain, kind_of
from c2kit.model.conversions import Extrapolation, Function, PiecewiseLinear, Polynomial, State, States
from c2kit.model.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from c2kit.dictionaries.yaml.nodes import Node, YamlFile
    from c2kit.dictionaries.yaml.scope import Scope
    from c2kit.model.conversions import Conversion

__all__ = [
    "CONVERSION_KEYS",
    "INLINE_CONVERSION_KEYS",
    "read_conversion",
    "read_function",
    "read_limits",
    "read_shared_conversion",
    "read_states",
]

INLINE_CONVERSION_KEYS = frozenset({"scale", "offset", "polynomial", "piecewise", "extrapolate", "function", "version"})
"""What a shared conversion is written with."""
CONVERSION_KEYS = INLINE_CONVERSION_KEYS | {"conversion", "states"}
"""What an item's conversion is written with: these, or a name."""

_BOUNDS = ("red_low", "yellow_low", "yellow_high", "red_high")
_FUNCTION = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_SPAN = re.compile(r"\s*([+-]?\w+)\s*\.\.\s*([+-]?\w+)\s*", re.ASCII)


def read_conversion(scope: Scope, entries: Mapping[str, Node]) -> Conversion | None:
    """The conversion that an item's keys tell; ``None`` where they tell none."""
    file = scope.file
    kinds = [key for key in _READERS if key in entries]
    if "offset" in kinds and "scale" in kinds:
        kinds.remove("offset")
    if len(kinds) > 1:
        remedy = "one polynomial can scale and offset; keep one of them"
        raise file.wrong(entries[kinds[1]], "an item has one conversion", found=" and ".join(kinds), remedy=remedy)
    kind = kinds[0] if kinds else ""
    for key, whose in (("extrapolate", "piecewise"), ("version", "function")):
        if key in entries and kind != whose:
            raise file.wrong(entries[key], f"{key} belongs to {whose}", remedy="remove it")
    return _READERS[kind](scope, entries) if kind else None


def read_shared_conversion(scope: Scope, name: ScalarNode, node: Node) -> Conversion:
    """A conversion under ``conversions:``."""
    entries = scope.file.entries(node, f"conversion {name.value}", INLINE_CONVERSION_KEYS)
    conversion = read_conversion(scope, entries)
    if conversion is None:
        expected = "polynomial, piecewise, scale, offset or function"
        raise scope.file.wrong(node, f"conversion {name.value} says nothing", expected=expected)
    return conversion


def _scale(file: YamlFile, entries: Mapping[str, Node]) -> Polynomial:
    scale = file.number(entries["scale"], "scale") if "scale" in entries else 1
    offset = file.number(entries["offset"], "offset") if "offset" in entries else 0
    return Polynomial((offset, scale))


def _polynomial(file: YamlFile, node: Node) -> Polynomial:
    expected = "a list of numbers, the constant first"
    coefficients = file.sequence(node, "polynomial", expected=expected)
    if not 1 <= len(coefficients) <= 32:
        raise file.wrong(node, "no polynomial has so many coefficients", expected="1 to 32", found=len(coefficients))
    return Polynomial(tuple(file.number(coefficient, "a coefficient") for coefficient in coefficients))


def _piecewise(file: YamlFile, node: Node, extrapolate: Node | None) -> PiecewiseLinear:
    expected = "a list of [raw, engineering] pairs"
    points: list[tuple[float, float]] = []
    for element in file.sequence(node, "piecewise", expected=expected):
        pair = file.sequence(element, "a point", expected="[raw, engineering]")
        if len(pair) != 2:
            found = f"{len(pair)} numbers"
            raise file.wrong(element, "a point has two numbers", expected="[raw, engineering]", found=found)
        point = (file.number(pair[0], "a raw value"), file.number(pair[1], "an engineering value"))
        if points and point[0] <= points[-1][0]:
            expected = f"more than {points[-1][0]}"
            raise file.wrong(pair[0], "raw values must rise from point to point", expected=expected, found=point[0])
        points.append(point)
    if len(points) < 2:
        raise file.wrong(node, "a piecewise conversion has two points at least", expected=expected, found=len(points))
    policy = Extrapolation.NONE
    if extrapolate is not None:
        known = [member.value for member in Extrapolation]
        text = file.scalar(extrapolate, "extrapolate")
        if text not in known:
            raise file.wrong(extrapolate, "no such extrapolation", expected=" or ".join(known), found=repr(text))
        policy = Extrapolation(text)
    return PiecewiseLinear(tuple(points), policy)


def read_function(file: YamlFile, node: Node, version: Node | None) -> Function:
    """``package.module:name``; it is imported by who uses it, never while a dictionary loads."""
    path = file.scalar(node, "function")
    if _FUNCTION.fullmatch(path) is None:
        raise file.wrong(node, "a function is told by its place", expected="package.module:name", found=repr(path))
    if version is None:
        return Function(path)
    return Function(path, file.name_of(version, "version"))


_READERS: dict[str, Callable[[Scope, Mapping[str, Node]], Conversion | None]] = {
    "conversion": lambda scope, entries: scope.conversions.find(scope.file, entries["conversion"]),
    "states": lambda scope, entries: read_states(scope, entries["states"]),
    "polynomial": lambda scope, entries: _polynomial(scope.file, entries["polynomial"]),
    "piecewise": lambda scope, entries: _piecewise(scope.file, entries["piecewise"], entries.get("extrapolate")),
    "function": lambda scope, entries: read_function(scope.file, entries["function"], entries.get("version")),
    "scale": lambda scope, entries: _scale(scope.file, entries),
    "offset": lambda scope, entries: _scale(scope.file, entries),
}
"""What reads each kind of conversion."""


def read_states(scope: Scope, node: Node) -> States | None:
    """States in place, or the name of shared ones."""
    if isinstance(node, ScalarNode):
        return scope.states.find(scope.file, node)
    states: list[State] = []
    for name, value in scope.file.pairs(node, "states"):
        if not name.value:
            raise scope.file.wrong(name, "a state must have a name", found="nothing")
        states.extend(_states_of(scope.file, name.value, value))
    if not states:
        raise scope.file.wrong(node, "states must not be empty", expected="NAME: value, or NAME: low..high")
    return States(tuple(_in_order(states)))


def _in_order(states: list[State]) -> list[State]:
    """By value, where each has one name: then the order of the file means nothing and must not change the hash."""
    if _rise(states):
        return states
    ordered = sorted(states, key=lambda state: (state.low, state.high))
    return ordered if _rise(ordered) else states


def _rise(states: list[State]) -> bool:
    """Whether each state begins above the one before it."""
    high = states[0].low - 1
    for state in states:
        if state.low <= high:
            return False
        high = state.high
    return True


def _states_of(file: YamlFile, name: str, node: Node) -> list[State]:
    description = ""
    if isinstance(node, MappingNode):
        entries = file.entries(node, f"state {name}", ("value", "description"))
        if "value" not in entries:
            raise file.wrong(node, f"state {name} has no value", remedy="add value: 1, or value: 2..5")
        if "description" in entries:
            description = file.scalar(entries["description"], "description")
        node = entries["value"]
    if not isinstance(node, SequenceNode):
        return [State(name, *_span(file, name, node), description)]
    if not node.value:
        raise file.wrong(node, f"state {name} has no value", expected="[2..5, 9]")
    return [State(name, *_span(file, name, element), description) for element in node.value]


def _span(file: YamlFile, name: str, node: Node) -> tuple[int, int]:
    what = f"the value of state {name}"
    text = file.scalar(node, what, expected="an integer or a range such as 2..5")
    span = _SPAN.fullmatch(text) if is_plain(node) else None
    if span is None:
        low = file.integer(node, what)
        return low, low
    low, high = (_end_of_span(file, node, end) for end in span.groups())
    if low > high:
        raise file.wrong(node, f"{what} ends before it begins", found=text, remedy=f"write {high}..{low}")
    return low, high


def _end_of_span(file: YamlFile, node: Node, text: str) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        value = 2**64
    if not -(2**63) <= value < 2**64:
        expected = "integers of up to 64 bits, such as 2..5"
        raise file.wrong(node, "no such range", expected=expected, found=repr(node.value))
    return value


def read_limits(scope: Scope, node: Node) -> tuple[Limits, ...]:
    """One set of bounds, several by their names, or the name of shared ones."""
    file = scope.file
    if isinstance(node, ScalarNode):
        return scope.limits.find(file, node) or ()
    pairs = file.mapping(node, "limits")
    if not pairs:
        raise file.wrong(node, "limits must not be empty", expected=" or ".join(_BOUNDS))
    if not isinstance(pairs[0][1], MappingNode):
        return (_bounds(file, "default", node),)
    # Sets are chosen by their names, so that their order means nothing and must not change the hash.
    sets = [_bounds(file, name.value, value) for name, value in file.pairs(node, "limits")]
    return tuple(sorted(sets, key=lambda one: (one.name != "default", one.name)))


def _bounds(file: YamlFile, name: str, node: Node) -> Limits:
    if not name:
        raise file.wrong(node, "a set of limits must have a name", found="nothing")
    entries = file.entries(node, f"limits {name}", _BOUNDS)
    if not entries:
        raise file.wrong(node, f"limits {name} has no bound", expected=" or ".join(_BOUNDS), found=kind_of(node))
    return Limits(name, **{bound: file.number(value, bound) for bound, value in entries.items()})
