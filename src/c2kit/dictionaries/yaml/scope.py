"""What a name means at a place of a file: the shared definitions of the file itself and of all that it includes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import define, field, frozen

from c2kit.dictionaries.yaml.nodes import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.dictionaries.yaml.headers import Header
    from c2kit.dictionaries.yaml.nodes import Node, YamlFile
    from c2kit.dictionaries.yaml.types import TypeReader
    from c2kit.model.conversions import Conversion, States
    from c2kit.model.limits import Limits
    from c2kit.model.source import Source
    from c2kit.model.time import Epoch

__all__ = ["Named", "Names", "Scope"]

T = TypeVar("T")


@frozen(eq=False)
class Named(Generic[T]):
    """A shared definition and where it stands; ``value`` is ``None`` where it is wrong, which was reported there."""

    value: T | None
    source: Source


@define(slots=True, eq=False)
class Names(Generic[T]):
    """The shared definitions of one kind, by name."""

    kind: str
    known: dict[str, Named[T]] = field(factory=dict)

    def find(self, file: YamlFile, node: Node) -> T | None:
        """The definition that a scalar names; ``None`` where that one is wrong itself."""
        name = file.name_of(node, f"a {self.kind}")
        try:
            return self.known[name].value
        except KeyError:
            remedy = did_you_mean(name, self.known)
            raise file.wrong(node, f"no {self.kind} {name!r} is defined here or included", remedy=remedy) from None

    def add(self, file: YamlFile, node: Node, value: T | None) -> None:
        """Define a name, which no included file may have defined already."""
        first = self.known.get(node.value)
        if first is not None:
            found = f"the first at {first.source}"
            raise file.wrong(node, f"{self.kind} {node.value} is defined twice", found=found, remedy="rename one")
        self.known[node.value] = Named(value, file.source(node))

    def include(self, file: YamlFile, node: Node, other: Names[T]) -> None:
        """Take over the names of an included file; the same definition may come by several ways."""
        for name, named in other.known.items():
            first = self.known.setdefault(name, named)
            if first is not named:
                what = f"{self.kind} {name} is defined by two included files"
                raise file.wrong(node, what, found=f"{first.source} and {named.source}", remedy="rename one")


@define(slots=True, eq=False)
class Scope:
    """A file while it is read, with everything that its definitions can refer to."""

    file: YamlFile
    folder: Path
    types: TypeReader
    offsets_from: str | None
    good_names: set[str]
    """Names of fields that were found to be well-formed, in any file: most stand in many packets."""
    good_displays: set[tuple[str, type]]
    """Display formats that were tried, with the type of value on which."""
    headers: Names[Header] = field(factory=lambda: Names("header"))
    conversions: Names[Conversion] = field(factory=lambda: Names("conversion"))
    states: Names[States] = field(factory=lambda: Names("set of states"))
    limits: Names[tuple[Limits, ...]] = field(factory=lambda: Names("set of limits"))
    epochs: Names[Epoch] = field(factory=lambda: Names("epoch"))
    notes: list[str] = field(factory=list)
    warnings: list[str] = field(factory=list)

    def path_of(self, node: Node, what: str) -> Path:
        """The file that a scalar names, as seen from this one."""
        path = self.folder / self.file.name_of(node, what)
        try:
            exists = path.is_file()
        except (OSError, ValueError):  # a name that no file can have
            exists = False
        if not exists:
            raise self.file.wrong(node, "no such file", found=str(path), remedy="write its path as seen from this file")
        return path

    def include(self, node: Node, other: Scope) -> None:
        """Make everything that an included file defines known here too."""
        self.headers.include(self.file, node, other.headers)
        self.conversions.include(self.file, node, other.conversions)
        self.states.include(self.file, node, other.states)
        self.limits.include(self.file, node, other.limits)
        self.epochs.include(self.file, node, other.epochs)
