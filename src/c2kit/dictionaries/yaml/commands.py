"""Commands as they are written in a dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from c2kit.dictionaries.yaml.computed import read_computed
from c2kit.dictionaries.yaml.fields import checked_name, text_of
from c2kit.dictionaries.yaml.headers import base_of
from c2kit.dictionaries.yaml.values import raw_value
from c2kit.kernel.layout import Layout
from c2kit.model.commands import Argument, Command, SequenceCount

if TYPE_CHECKING:
    from c2kit.dictionaries.yaml.headers import At, Base
    from c2kit.dictionaries.yaml.nodes import Node, ScalarNode
    from c2kit.dictionaries.yaml.scope import Scope

__all__ = ["read_command"]

_KEYS = frozenset(
    {
        "arguments",
        "byte_order",
        "computed",
        "description",
        "extends",
        "fixed",
        "hazard",
        "hazardous",
        "overlaps",
    }
)


def read_command(scope: Scope, name: ScalarNode, node: Node) -> Command | None:
    """One command; ``None`` where something is wrong with it, which was reported."""
    file = scope.file
    checked_name(file, name, "a command")
    entries = file.entries(node, f"command {name.value}", _KEYS)
    base = base_of(scope, entries, "arguments")
    base.read(scope, entries, "arguments")
    base.say(scope, node)
    base.finish("arguments")
    if not base.is_whole:
        return None
    arguments = {argument.name: argument for argument in base.fields}
    for key in ("fixed", "computed"):
        for at in base.merged.get(key, {}).values():
            changed = _settle(key, at, arguments)
            arguments[changed.name] = changed
    for argument in arguments.values():
        _check_sequence_count(scope, node, argument, arguments)
    Layout(tuple(arguments.values()))
    hazardous = file.boolean(entries["hazardous"], "hazardous") if "hazardous" in entries else False
    if "hazard" in entries and not (hazardous or any(each.hazardous_states for each in arguments.values())):
        what = f"command {name.value} has a hazard, and nobody would be asked to confirm it"
        raise file.wrong(entries["hazard"], what, remedy="add hazardous: true, or hazardous: [STATES] to an argument")
    return Command(
        name=name.value,
        arguments=tuple(arguments.values()),
        hazardous=hazardous,
        hazard=text_of(file, entries, "hazard"),
        description=text_of(file, entries, "description"),
        overlaps=_overlaps(base),
        source=file.source(name),
    )


def _settle(key: str, at: At, arguments: dict[str, Argument]) -> Argument:
    """An argument of the header that this command fixes, or has computed."""
    scope, name, node = at
    argument = arguments.get(name.value)
    if argument is None:
        what = f"{key} names {name.value}, which is no argument of the command"
        raise scope.file.wrong(name, what, remedy="name an argument of the command or of its header")
    if key == "fixed":
        value = raw_value(scope.file, node, argument)
        return evolve(argument, fixed=value, computed=None, default=None, required=False)
    computed = read_computed(scope.file, node, argument)
    return evolve(argument, computed=computed, fixed=None, default=None, required=False)


def _check_sequence_count(scope: Scope, node: Node, argument: Argument, arguments: dict[str, Argument]) -> None:
    if not isinstance(argument.computed, SequenceCount) or argument.computed.per is None:
        return
    per = argument.computed.per
    if per == argument.name or per not in arguments:
        what = f"{argument.name} is counted per {per}, which is no other argument of the command"
        raise scope.file.wrong(node, what, remedy="name an argument of the command or of its header")


def _overlaps(base: Base) -> bool:
    if "overlaps" not in base.said:
        return False
    scope, _, node = base.said["overlaps"]
    return scope.file.boolean(node, "overlaps")
