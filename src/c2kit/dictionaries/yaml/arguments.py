"""Arguments of commands as they are written in a dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from c2kit.dictionaries.yaml.computed import read_computed
from c2kit.dictionaries.yaml.conditions import spans_of
from c2kit.dictionaries.yaml.fields import FIELD_KEYS, ITEM_KEYS, read_field
from c2kit.dictionaries.yaml.values import raw_value
from c2kit.kernel.conversions import check_item
from c2kit.model.commands import Argument
from c2kit.model.conversions import States
from c2kit.model.fields import Encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from c2kit.dictionaries.yaml.conditions import Earlier
    from c2kit.dictionaries.yaml.nodes import Node, ScalarNode, YamlFile
    from c2kit.dictionaries.yaml.scope import Scope

__all__ = ["read_argument"]

_KEYS = FIELD_KEYS | {"default", "required", "fixed", "computed", "minimum", "maximum", "hazardous"}
_GIVEN = ("default", "required", "minimum", "maximum", "hazardous")


def read_argument(scope: Scope, name: ScalarNode, node: Node, byte_order: str, earlier: Earlier) -> Argument:
    """One argument: a mapping with ``type`` and more.

    A header's items are read as arguments too; what only telemetry has (``limits``) then means nothing.
    """
    file = scope.file
    entries = file.entries(node, f"argument {name.value}", _KEYS | ITEM_KEYS)
    argument = Argument(**read_field(scope, name, node, entries, byte_order, earlier))
    if argument.conversion is not None:
        check_item(argument)
    settings = _settings(file, entries, argument)
    return evolve(argument, **settings) if settings else argument


def _settings(file: YamlFile, entries: Mapping[str, Node], argument: Argument) -> dict[str, Any]:
    _check_settings(file, entries, argument)
    return {
        _ATTRIBUTES.get(key, key): read(file, entries[key], argument)
        for key, read in _SETTINGS.items()
        if key in entries
    }


def _check_settings(file: YamlFile, entries: Mapping[str, Node], argument: Argument) -> None:
    if "fixed" in entries and "computed" in entries:
        raise file.wrong(entries["computed"], f"{argument.name} is fixed and computed", remedy="keep one of them")
    if "fixed" in entries or "computed" in entries:
        for key in _GIVEN:
            if key in entries:
                what = f"nobody can give {argument.name}, so that {key} means nothing"
                raise file.wrong(entries[key], what, remedy=f"remove {key}, or fixed and computed")


def _bound(file: YamlFile, node: Node, argument: Argument) -> float:
    if argument.encoding.is_bytes:
        raise file.wrong(node, "only numbers have a range", remedy="remove it")
    return file.number(node, f"a bound of {argument.name}")


def _hazardous(file: YamlFile, node: Node, argument: Argument) -> tuple[str, ...]:
    states = []
    for element in file.sequence(node, "hazardous", expected="a list of states"):
        state = file.name_of(element, "a state")
        if not spans_of(argument, state):
            raise file.wrong(element, f"{argument.name} has no state {state!r}", remedy=_known_states(argument))
        states.append(state)
    return tuple(sorted(set(states)))


def _known_states(argument: Argument) -> str:
    states = argument.conversion.states if isinstance(argument.conversion, States) else ()
    return f"known: {', '.join(state.name for state in states)}" if states else "give it states"


def _default(file: YamlFile, node: Node, argument: Argument) -> Any:  # noqa: ANN401 - as many kinds as there are types
    if not argument.is_array:
        return _default_element(file, node, argument)
    elements = file.sequence(node, f"the default of {argument.name}")
    return tuple(_default_element(file, element, argument) for element in elements)


def _default_element(file: YamlFile, node: Node, argument: Argument) -> int | float | str | bytes | bool:
    what = f"the default of {argument.name}"
    if argument.encoding is Encoding.STRING:
        return file.scalar(node, what)
    if argument.encoding is Encoding.BINARY:
        return file.octets(node, what)
    text = file.scalar(node, what, expected="a value")
    if isinstance(argument.conversion, States):
        if spans_of(argument, text):
            return text
        if not text[:1].isdigit() and text[:1] not in ("-", "+"):
            raise file.wrong(node, f"{argument.name} has no state {text!r}", remedy=_known_states(argument))
    if argument.encoding is Encoding.BOOLEAN and text.lower() in ("true", "false"):
        return file.boolean(node, what)
    return file.number(node, what)


def _required(file: YamlFile, node: Node, argument: Argument) -> bool:
    return file.boolean(node, f"required of {argument.name}")


_SETTINGS: dict[str, Callable[[YamlFile, Node, Argument], Any]] = {
    "fixed": raw_value,
    "computed": read_computed,
    "default": _default,
    "required": _required,
    "minimum": _bound,
    "maximum": _bound,
    "hazardous": _hazardous,
}
"""What reads each key that only arguments have."""
_ATTRIBUTES = {"hazardous": "hazardous_states"}
"""The attributes of :class:`Argument` that are not called as their key."""
