"""Dictionary files: what one defines, what it includes, and to which target it belongs.

Names are lexical: a definition sees what its own file defines and what that file includes, and nothing of the files
that include it, so that each file can be read, and checked, alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from attrs import define, field

from c2kit.dictionaries.yaml.commands import read_command
from c2kit.dictionaries.yaml.conversions import read_limits, read_shared_conversion, read_states
from c2kit.dictionaries.yaml.fields import text_of
from c2kit.dictionaries.yaml.headers import Header
from c2kit.dictionaries.yaml.nodes import ScalarNode, YamlFile
from c2kit.dictionaries.yaml.packets import read_packet
from c2kit.dictionaries.yaml.scope import Named, Names, Scope
from c2kit.dictionaries.yaml.text import compose
from c2kit.dictionaries.yaml.time import read_epoch
from c2kit.dictionaries.yaml.types import TypeReader
from c2kit.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from c2kit.dictionaries.yaml.nodes import Node
    from c2kit.model.commands import Command
    from c2kit.model.packets import Packet
    from c2kit.model.source import Source

__all__ = ["LoadedFile", "YamlLoader"]

T = TypeVar("T")

_SECTIONS = ("epochs", "states", "limits", "conversions", "headers", "packets", "commands")
_DEEPEST_INCLUDE = 32
_KEYS = frozenset({"target", "description", "include", *_SECTIONS})


@define(slots=True, eq=False)
class LoadedFile:
    """What a file defines, with what it includes."""

    scope: Scope
    target: str | None = None
    target_source: Source | None = None
    description: str = ""
    packets: dict[str, Packet] = field(factory=dict)
    commands: dict[str, Command] = field(factory=dict)
    includes: list[LoadedFile] = field(factory=list)


@define(slots=True, eq=False)
class YamlLoader:
    """Reads files, each one once, and gathers what is wrong with them."""

    offsets_from: str | None = None
    files: dict[Path, LoadedFile | None] = field(factory=dict)
    """By resolved path; ``None`` for one that cannot be read at all."""
    problems: list[DefinitionError] = field(factory=list)
    included: set[Path] = field(factory=set)
    _types: TypeReader = field(factory=TypeReader)
    _numbers: dict[str, int | float | None] = field(factory=dict)
    _good_names: set[str] = field(factory=set)
    _good_displays: set[tuple[str, type]] = field(factory=set)
    _open: list[Path] = field(factory=list)

    def load(self, path: Path) -> LoadedFile | None:
        """The definitions of a file and of all that it includes; ``None`` where it cannot be read."""
        key = path.resolve()
        if key not in self.files:
            file = YamlFile(str(path), self.problems, self._numbers)
            self._open.append(key)
            try:
                self.files[key] = self._read(path, file)
            except DefinitionError as error:
                self.problems.append(error)
                self.files[key] = None
            finally:
                self._open.pop()
        return self.files[key]

    def _read(self, path: Path, file: YamlFile) -> LoadedFile | None:
        scope = Scope(file, path.parent, self._types, self.offsets_from, self._good_names, self._good_displays)
        entries = file.entries(compose(path, file.name), "a dictionary file", _KEYS)
        loaded = LoadedFile(scope, description=text_of(file, entries, "description"))
        if "target" in entries:
            loaded.target = _target_name(file, entries["target"])
            loaded.target_source = file.source(entries["target"])
        if "include" in entries and not self._include(loaded, entries["include"]):
            return None
        self._read_shared(scope, entries)
        _read_section(scope, entries, "packets", loaded.packets, read_packet)
        _read_section(scope, entries, "commands", loaded.commands, read_command)
        return loaded

    def _include(self, loaded: LoadedFile, node: Node) -> bool:
        """Take over what is included; whether all of it could be read."""
        file = loaded.scope.file
        elements = (
            [node] if isinstance(node, ScalarNode) else file.sequence(node, "include", expected="a list of files")
        )
        whole = True
        for element in elements:
            path = loaded.scope.path_of(element, "a file to include")
            key = path.resolve()
            if len(self._open) > _DEEPEST_INCLUDE:
                expected = f"at most {_DEEPEST_INCLUDE} files one inside the other"
                raise file.wrong(element, "files include each other too deep", expected=expected)
            if key in self._open:
                raise file.wrong(element, "files include each other in a circle", found=str(path), remedy="break it")
            included = self.load(path)
            self.included.add(key)
            if included is None:
                whole = False
                continue
            if included.target is not None:
                what = f"a file with a target ({included.target}) cannot be included"
                remedy = "move what both need into a file without target"
                raise file.wrong(element, what, remedy=remedy)
            loaded.scope.include(element, included.scope)
            loaded.includes.append(included)
        return whole

    def _read_shared(self, scope: Scope, entries: dict[str, Node]) -> None:
        _define(scope, entries, "epochs", scope.epochs, lambda name, node: read_epoch(scope.file, node, name.value))
        _define(scope, entries, "states", scope.states, lambda _, node: read_states(scope, node))
        _define(scope, entries, "limits", scope.limits, lambda _, node: read_limits(scope, node))
        _define(
            scope,
            entries,
            "conversions",
            scope.conversions,
            lambda name, node: read_shared_conversion(scope, name, node),
        )
        headers: list[Header] = []

        def header(name: ScalarNode, node: Node) -> Header:
            headers.append(Header(scope, name, node))
            return headers[-1]

        _define(scope, entries, "headers", scope.headers, header)
        for one in headers:
            try:
                one.check()
            except DefinitionError as error:
                scope.file.problems.append(error)
                scope.headers.known[one.name.value] = Named(None, scope.file.source(one.name))


def _target_name(file: YamlFile, node: Node) -> str:
    name = file.name_of(node, "target")
    if len(name) > 40 or not name.isascii() or not name.replace("-", "").isalnum() or name.startswith("-"):
        expected = "letters, digits and -, beginning with a letter or digit, at most 40"
        raise file.wrong(node, "no target can be named like this", expected=expected, found=repr(name))
    return name


def _define(
    scope: Scope, entries: dict[str, Node], key: str, names: Names[T], read: Callable[[ScalarNode, Node], T | None]
) -> None:
    """Read a section of shared definitions, reporting each that is wrong."""
    if key not in entries:
        return
    file = scope.file
    for name, node in file.pairs(entries[key], key):
        value = None
        try:
            value = read(name, node)
        except DefinitionError as error:
            file.problems.append(error)
        try:
            names.add(file, name, value)
        except DefinitionError as error:
            file.problems.append(error)


def _read_section(
    scope: Scope,
    entries: dict[str, Node],
    key: str,
    into: dict[str, T],
    read: Callable[[Scope, ScalarNode, Node], T | None],
) -> None:
    """Read packets or commands, reporting each that is wrong."""
    if key not in entries:
        return
    for name, node in scope.file.pairs(entries[key], key):
        try:
            one = read(scope, name, node)
        except DefinitionError as error:
            scope.file.problems.append(error)
        else:
            if one is not None:
                into[name.value] = one
