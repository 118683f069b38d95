"""Headers: fields that packets and commands share, with what is said about them.

A header is read where it is first extended, as items for packets and as arguments for commands. It keeps the scope of
its own file, so that it means the same wherever that is included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from c2kit.dictionaries.yaml.arguments import read_argument
from c2kit.dictionaries.yaml.fields import checked_name, read_item
from c2kit.dictionaries.yaml.nodes import ScalarNode
from c2kit.errors import DefinitionError
from c2kit.model.commands import Argument
from c2kit.model.packets import Item
from c2kit.model.source import Source

if TYPE_CHECKING:
    from c2kit.dictionaries.yaml.conditions import Earlier
    from c2kit.dictionaries.yaml.nodes import Node, YamlFile
    from c2kit.dictionaries.yaml.scope import Scope

__all__ = ["At", "Base", "Header", "base_of"]

_COMMON = frozenset({"extends", "description", "byte_order", "overlaps", "items", "trailer", "length", "size_bytes"})
_TELEMETRY = frozenset({"identify", "time"})
_COMMAND = frozenset({"arguments", "fixed", "computed"})
_MERGED = frozenset({"identify", "fixed", "computed"})
_DEEPEST = 32
"""Headers one on the other; a chain that is longer was made by mistake."""
_READERS: dict[str, tuple[type[Any], Any]] = {"items": (Item, read_item), "arguments": (Argument, read_argument)}
"""What makes a field of a type alone, and what reads one with more to say."""

At = tuple["Scope", "ScalarNode", "Node"]
"""A key and its value, with the scope of the file in which they stand."""


@define(slots=True, eq=False)
class Base:
    """Fields in order, and what was said about them: of a header, or of a packet or command so far."""

    fields: list[Any] = field(factory=list)
    """Items, or arguments."""
    earlier: Earlier = field(factory=dict)
    said: dict[str, At] = field(factory=dict)
    """``time``, ``length``, ``size_bytes``, ``overlaps``: the last one counts."""
    merged: dict[str, dict[str, At]] = field(factory=dict)
    """``identify``, ``fixed`` and ``computed``, by the name of the field: the last one counts for each name."""
    trailers: list[tuple[Scope, Node, str]] = field(factory=list)
    """Fields that come after all others, with their byte order: the outermost header's first, and it stands last."""
    is_whole: bool = True
    """Whether all of it could be read."""
    depth: int = 0
    """How many headers it extends, one by way of the other."""

    def copy(self) -> Base:
        """The same, to go on from."""
        return Base(
            self.fields.copy(),
            self.earlier.copy(),
            self.said.copy(),
            {key: entries.copy() for key, entries in self.merged.items()},
            self.trailers.copy(),
            self.is_whole,
            self.depth,
        )

    def read(self, scope: Scope, entries: dict[str, Node], kind: str) -> None:
        """Add the fields that stand here, as ``items`` or ``arguments``, and keep the trailer for the end."""
        byte_order = _byte_order(scope, entries)
        for key in ("items", "arguments"):
            if key in entries:
                self._read_fields(scope, entries[key], kind, byte_order)
        if "trailer" in entries:
            self.trailers.append((scope, entries["trailer"], byte_order))

    def finish(self, kind: str) -> None:
        """Add the fields of all trailers, the innermost header's first."""
        for scope, node, byte_order in reversed(self.trailers):
            self._read_fields(scope, node, kind, byte_order)

    def _read_fields(self, scope: Scope, fields: Node, kind: str, byte_order: str) -> None:
        """Add fields, reporting each that is wrong.

        Most fields are a name and a type in a word. They are made here, since there are so many of them.
        """
        file, earlier, add = scope.file, self.earlier, self.fields.append
        make, read = _READERS[kind]
        known = scope.types.known(byte_order)
        for name, node in file.mapping(fields, kind):
            text = name.value
            try:
                if text not in scope.good_names:
                    scope.good_names.add(checked_name(file, name, f"one of the {kind}"))
                if text in earlier:
                    raise _twice(file, name, earlier[text])
                if type(node) is ScalarNode:
                    spec = known.get(node.value) or scope.types.read(file, node, byte_order)
                    mark = name.start_mark
                    one = make(
                        name=text,
                        encoding=spec.encoding,
                        bit_length=spec.bit_length,
                        byte_order=spec.byte_order,
                        length=spec.length,
                        text=spec.text,
                        source=Source(file.name, mark.line + 1, mark.column + 1),
                    )
                else:
                    one = read(scope, name, node, byte_order, earlier)
                earlier[text] = one
                add(one)
            except DefinitionError as error:
                earlier.setdefault(text)
                file.problems.append(error)
                self.is_whole = False

    def say(self, scope: Scope, node: Node) -> None:
        """Take over what a header, packet or command says about its fields."""
        settled: set[str] = set()
        for key, value in scope.file.pairs(node, "it"):
            name = key.value
            if name in ("time", "length", "size_bytes", "overlaps"):
                self.said[name] = (scope, key, value)
            elif name in _MERGED:
                entries = self.merged.setdefault(name, {})
                for field_name, told in scope.file.pairs(value, name):
                    if field_name.value in settled:
                        what = f"{field_name.value} is fixed and computed"
                        raise scope.file.wrong(field_name, what, remedy="keep one of them")
                    settled.add(field_name.value)
                    for other in _MERGED - {name}:
                        self.merged.get(other, {}).pop(field_name.value, None)
                    entries[field_name.value] = (scope, field_name, told)


def _twice(file: YamlFile, name: ScalarNode, first: Item | Argument | None) -> DefinitionError:
    found = f"the first at {first.source}" if first is not None else None
    return file.wrong(name, f"{name.value} stands twice", found=found, remedy="rename one of the two")


def _byte_order(scope: Scope, entries: dict[str, Node]) -> str:
    if "byte_order" not in entries:
        return "big"
    node = entries["byte_order"]
    order = scope.file.scalar(node, "byte_order")
    if order not in ("big", "little"):
        raise scope.file.wrong(node, "no byte order for many fields", expected="big or little", found=repr(order))
    return order


@define(slots=True, eq=False)
class Header:
    """One header, read when it is needed."""

    scope: Scope
    name: ScalarNode
    node: Node
    _bases: dict[str, Base] = field(factory=dict)
    _open: set[str] = field(factory=set)

    def check(self) -> None:
        """Read it as what it is, though nothing may extend it."""
        keys = {key.value for key, _ in self.scope.file.pairs(self.node, f"header {self.name.value}")}
        kind = "items" if _COMMAND.isdisjoint(keys) else "arguments"
        self.base(kind, self.scope, self.name).copy().finish(kind)

    def base(self, kind: str, scope: Scope, extends: Node, *, below: int = 0) -> Base:
        """What it gives to packets (``items``) or commands (``arguments``); ``below`` headers are waiting for it."""
        if kind in self._open:
            what = f"header {self.name.value} extends itself by way of others"
            raise scope.file.wrong(extends, what, remedy="break the circle")
        if below > _DEEPEST:
            raise scope.file.wrong(extends, "headers extend each other too deep", expected=f"at most {_DEEPEST}")
        if kind not in self._bases:
            self._open.add(kind)
            try:
                self._bases[kind] = self._read(kind, scope, extends, below)
            finally:
                self._open.discard(kind)
        return self._bases[kind]

    def _read(self, kind: str, scope: Scope, extends: Node, below: int) -> Base:
        file = self.scope.file
        what = f"header {self.name.value}"
        entries = file.entries(self.node, what, _COMMON | _TELEMETRY | _COMMAND)
        foreign = sorted((_COMMAND if kind == "items" else _TELEMETRY).intersection(entries))
        if foreign:
            whose = "commands" if kind == "items" else "telemetry"
            remedy = "extend a header that has only items"
            raise scope.file.wrong(extends, f"{what} is for {whose}", found=", ".join(foreign), remedy=remedy)
        if "items" in entries and "arguments" in entries:
            raise file.wrong(entries["arguments"], f"{what} has items and arguments", remedy="keep one of them")
        base = base_of(self.scope, entries, kind, below=below + 1)
        base.depth += 1
        if base.depth > _DEEPEST:
            raise file.wrong(self.name, "headers extend each other too deep", expected=f"at most {_DEEPEST}")
        base.read(self.scope, entries, kind)
        base.say(self.scope, self.node)
        return base


def base_of(scope: Scope, entries: dict[str, Node], kind: str, *, below: int = 0) -> Base:
    """What ``extends`` gives, to go on from; nothing where it does not stand."""
    if "extends" not in entries:
        return Base()
    header = scope.headers.find(scope.file, entries["extends"])
    if header is None:
        return Base(is_whole=False)
    base: Base = header.base(kind, scope, entries["extends"], below=below)
    return base.copy()
