"""On what the presence of a field depends, as it is written in a dictionary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from c2kit.dictionaries.yaml.nodes import SequenceNode
from c2kit.model.conversions import States
from c2kit.model.fields import Condition

if TYPE_CHECKING:
    from c2kit.dictionaries.yaml.nodes import Node, ScalarNode, YamlFile
    from c2kit.model.commands import Argument
    from c2kit.model.packets import Item

__all__ = ["Earlier", "read_conditions", "spans_of"]

Earlier = dict[str, "Item | Argument | None"]
"""The fields before this one, by name; ``None`` for one that is wrong itself, which was reported there."""


_COMPARISON = re.compile(r"\s*(==|!=|<=|>=|<|>)\s*(.+?)\s*", re.DOTALL)


def read_conditions(file: YamlFile, node: Node, earlier: Earlier) -> tuple[Condition, ...]:
    """``{MODE: 2}``, ``{MODE: SCIENCE}``, ``{MODE: ">= 2"}`` or ``{MODE: [">= 2", "< 5"]}``; all of them must hold."""
    conditions: list[Condition] = []
    pairs = file.pairs(node, "only_if")
    for name, value in pairs:
        comparisons: list[Node] = value.value if isinstance(value, SequenceNode) else [value]
        if not comparisons:
            raise file.wrong(value, f"{name.value} is compared with nothing", expected='[">= 2", "< 5"]')
        for comparison in comparisons:
            conditions.extend(_condition(file, name, comparison, earlier))
    if not pairs:
        raise file.wrong(node, "only_if must not be empty", expected='{ITEM: 1} or {ITEM: ">= 2"}')
    # All of them must hold, so that their order means nothing and must not change the hash.
    places = {name: place for place, name in enumerate(earlier)} if len(pairs) > 1 else {}
    return tuple(sorted(conditions, key=lambda one: (places.get(one.field, 0), one.operator, one.value)))


def _condition(file: YamlFile, name: ScalarNode, node: Node, earlier: Earlier) -> list[Condition]:
    text = file.scalar(node, f"what {name.value} is compared with", expected='a value, or a comparison such as ">= 2"')
    compared = _COMPARISON.fullmatch(text)
    operator, operand = compared.groups() if compared else ("==", text)
    if name.value not in earlier:
        remedy = "name an item that is defined before this one"
        raise file.wrong(name, f"its presence depends on {name.value}, which is not defined before it", remedy=remedy)
    other = earlier[name.value]
    if other is None:
        return []
    spans = spans_of(other, operand)
    if spans:
        return _state_condition(file, name, node, operator, spans)
    value = _operand(operand)
    if value is None:
        expected = "a number, or one of its states" if isinstance(other.conversion, States) else "a number"
        raise file.wrong(node, f"{name.value} cannot be compared with this", expected=expected, found=repr(operand))
    return [Condition(name.value, operator, value)]


def spans_of(field: Item | Argument, name: str) -> list[tuple[int, int]]:
    """The raw values that a state of a field names, as ranges; none where it has no such state."""
    if not isinstance(field.conversion, States):
        return []
    return [(state.low, state.high) for state in field.conversion.states if state.name == name]


def _state_condition(
    file: YamlFile, name: ScalarNode, node: Node, operator: str, spans: list[tuple[int, int]]
) -> list[Condition]:
    low, high = spans[0]
    if len(spans) == 1 and low == high:
        return [Condition(name.value, operator, low)]
    if len(spans) == 1 and operator == "==":
        return [Condition(name.value, ">=", low), Condition(name.value, "<=", high)]
    remedy = "compare with numbers, for example [>= 2, <= 5]"
    raise file.wrong(node, "this state is more than one value", remedy=remedy)


def _operand(text: str) -> int | float | None:
    if text.lower() in ("true", "false"):
        return int(text.lower() == "true")
    for convert in (lambda: int(text, 0), lambda: float(text)):
        try:
            value: int | float = convert()
        except ValueError:
            continue
        return value if -(2**63) <= value < 2**64 else None
    return None
