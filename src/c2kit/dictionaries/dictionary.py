"""The dictionary: all targets' definitions, loaded from files, checked, immutable."""

from __future__ import annotations

import gc
import re
from contextlib import contextmanager
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from attrs import define, field, frozen

from c2kit.dictionaries.ccsdspy import load_csv
from c2kit.dictionaries.yaml.files import YamlLoader
from c2kit.errors import DefinitionError, UnknownName, UsageError
from c2kit.kernel.layout import Layout
from c2kit.model.packets import Packet
from c2kit.model.source import Source
from c2kit.model.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from c2kit.dictionaries.yaml.files import LoadedFile
    from c2kit.model.commands import Command

__all__ = ["Dictionary"]

OffsetsFrom = Literal["packet", "data"]
_YAML = (".yaml", ".yml")


def _sorted_targets(targets: Iterable[Target]) -> tuple[Target, ...]:
    return tuple(sorted(targets, key=lambda target: target.name))


@frozen
class Dictionary:
    """The definitions of all targets, sorted by name; ``dictionary["FIREFLY"]`` is one of them.

    Two dictionaries are equal if they define the same, wherever and however that was written.
    """

    targets: tuple[Target, ...] = field(default=(), converter=_sorted_targets)
    notes: tuple[str, ...] = field(default=(), eq=False)
    """Choices that were made for the user, to be shown."""
    warnings: tuple[str, ...] = field(default=(), eq=False)
    """What is odd in imported definitions, and was loaded all the same."""

    @classmethod
    def load(
        cls,
        paths: str | PathLike[str] | Sequence[str | PathLike[str]],
        *,
        offsets_from: OffsetsFrom | None = None,
    ) -> Dictionary:
        """Load YAML and CSV files, and directories with all the YAML files below them.

        A target may be spread over several files. A CSV file is one packet, which any bytes match, of a target named
        after the file; in a directory it counts only where a YAML file names it. ``offsets_from`` says whether a CSV's
        bit offsets count from the packet's first bit or from the end of its primary header; ``None`` decides by looking
        at them, and says so in ``notes``.

        Raises:
            DefinitionError: everything that is wrong in the files, with file, line and column.
            UsageError: no paths at all, or no such ``offsets_from``.
        """
        given = [paths] if isinstance(paths, str | PathLike) else list(paths)
        if not given:
            raise UsageError("no dictionary to load", expected="a path, or several", found="none")
        if offsets_from not in (None, "packet", "data"):
            raise UsageError("offsets_from", expected="'packet', 'data' or None", found=repr(offsets_from))
        with _no_garbage_collection():
            return _Loading(YamlLoader(offsets_from)).load([Path(path) for path in given], offsets_from)

    def target(self, name: str) -> Target:
        """The target of that name. Raises :class:`~c2kit.errors.UnknownName`."""
        target = self._by_name.get(name)
        if target is None:
            raise UnknownName(kind="target", name=name, known=tuple(self))
        return target

    def __getitem__(self, name: str) -> Target:
        """The target of that name. Raises :class:`~c2kit.errors.UnknownName`."""
        return self.target(name)

    def __iter__(self) -> Iterator[str]:
        """The names of the targets."""
        return (target.name for target in self.targets)

    def __len__(self) -> int:
        """The number of targets."""
        return len(self.targets)

    def __contains__(self, name: object) -> bool:
        """Whether there is a target of that name."""
        return name in self._by_name

    @cached_property
    def _by_name(self) -> dict[str, Target]:
        return {target.name: target for target in self.targets}

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """The content hash of each target, by its name."""
        return {target.name: target.hash for target in self.targets}


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Thousands of new objects, all alive, none in a cycle: the collector would search in vain for half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@define(slots=True, eq=False)
class _Parts:
    """What the files read so far say of one target."""

    name: str
    source: Source
    description: str = ""
    packets: dict[str, Packet] = field(factory=dict)
    commands: dict[str, Command] = field(factory=dict)

    def target(self) -> Target:
        """The target that they make together."""
        return Target(
            name=self.name,
            packets=tuple(self.packets.values()),
            commands=tuple(self.commands.values()),
            description=self.description,
            source=self.source,
        )


@define(slots=True, eq=False)
class _Loading:
    """One call of :meth:`Dictionary.load`."""

    yaml: YamlLoader
    parts: dict[str, _Parts] = field(factory=dict)
    """By the target's name in lower case: names that differ by case only are one name to file systems and brokers."""
    notes: list[str] = field(factory=list)
    warnings: list[str] = field(factory=list)
    problems: list[DefinitionError] = field(factory=list)

    def load(self, paths: list[Path], offsets_from: OffsetsFrom | None) -> Dictionary:
        """Read all files, then put their targets together."""
        files = [file for path in paths for file in self._files_of(path)]
        csv_files = {file.resolve(): file for file in files if file.suffix.lower() == ".csv"}
        yaml_files = {file.resolve(): file for file in files if file.suffix.lower() in _YAML}
        for file in csv_files.values():
            self._add_csv(file, offsets_from)
        for key, loaded in [(key, self.yaml.load(file)) for key, file in yaml_files.items()]:
            if loaded is not None:
                self._add_file(loaded, is_included=key in self.yaml.included)
        self._raise_problems()
        if not self.parts:
            where = Source(str(paths[0]), 1, 1) if files == paths[:1] else Source(str(paths[0]))
            raise DefinitionError("no target is defined", source=where, remedy="begin a file with target: NAME")
        targets = tuple(part.target() for part in self.parts.values())
        return Dictionary(targets, tuple(dict.fromkeys(self.notes)), tuple(dict.fromkeys(self.warnings)))

    def _files_of(self, path: Path) -> list[Path]:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _YAML and _is_meant(file, path))
            if not files:
                remedy = "put a .yaml file into it, or name .csv files themselves"
                raise DefinitionError("no definitions in this directory", source=Source(str(path)), remedy=remedy)
            return files
        if not path.is_file():
            what = "not a file" if path.exists() else "no such file or directory"
            raise DefinitionError(what, source=Source(str(path)), remedy="mend the path")
        if path.suffix.lower() not in (*_YAML, ".csv"):
            expected = ".yaml, .yml or .csv"
            raise DefinitionError("not a kind of definition", source=Source(str(path)), expected=expected)
        return [path]

    def _add_csv(self, path: Path, offsets_from: OffsetsFrom | None) -> None:
        """A packet that any bytes match, of a target named after the file."""
        source = Source(str(path), 1, 1)
        stem = re.sub(r"[^A-Z0-9]+", "-", path.stem.upper()).strip("-")[:40].rstrip("-") or "CSV"
        try:
            definition = load_csv(path, offsets_from=offsets_from)
            Layout(definition.items)
        except DefinitionError as error:
            self.problems.append(error)
            return
        packet = Packet(name=stem.replace("-", "_"), items=definition.items, overlaps=True, source=source)
        self.notes.extend(definition.notes)
        self.warnings.extend(definition.warnings)
        self._merge(self._part(stem, source), [packet], [])

    def _add_file(self, file: LoadedFile, *, is_included: bool) -> None:
        if file.target is None or file.target_source is None:
            if (file.packets or file.commands) and not is_included:
                what = "its packets and commands belong to no target"
                remedy = "add target: NAME, or include it in a file that has one"
                self.problems.append(DefinitionError(what, source=Source(file.scope.file.name, 1, 1), remedy=remedy))
            return
        part = self._part(file.target, file.target_source)
        if file.description and part.description and file.description != part.description:
            what = f"target {file.target} is described twice"
            self.problems.append(
                DefinitionError(what, source=file.target_source, found=f"the first at {part.source}", remedy="keep one")
            )
        part.description = part.description or file.description
        for each in _with_includes(file):
            self._merge(part, each.packets.values(), each.commands.values())
            self.notes.extend(each.scope.notes)
            self.warnings.extend(each.scope.warnings)

    def _part(self, name: str, source: Source) -> _Parts:
        part = self.parts.setdefault(name.lower(), _Parts(name, source))
        if part.name != name:
            what, found = f"target {name} differs from another by case only", f"{part.name} at {part.source}"
            self.problems.append(DefinitionError(what, source=source, found=found, remedy="write them alike"))
        return part

    def _merge(self, part: _Parts, packets: Iterable[Packet], commands: Iterable[Command]) -> None:
        for packet in packets:
            self._refuse_second("packet", part, packet, part.packets.setdefault(packet.name, packet))
        for command in commands:
            self._refuse_second("command", part, command, part.commands.setdefault(command.name, command))

    def _refuse_second(self, kind: str, part: _Parts, one: Packet | Command, first: Packet | Command) -> None:
        if first is not one:
            what = f"{kind} {part.name} {one.name} is defined twice"
            found, remedy = f"the first at {first.source}", "rename or remove one of the two"
            self.problems.append(DefinitionError(what, source=one.source, found=found, remedy=remedy))

    def _raise_problems(self) -> None:
        problems = [*self.yaml.problems, *self.problems]
        if problems:
            raise DefinitionError.of_many(problems)


def _is_meant(file: Path, folder: Path) -> bool:
    """Whether it is a file, and not hidden."""
    return file.is_file() and not any(part.startswith(".") for part in file.relative_to(folder).parts)


def _with_includes(file: LoadedFile) -> Iterator[LoadedFile]:
    """A file and all that it includes, each one once."""
    seen: set[int] = set()
    waiting = [file]
    while waiting:
        each = waiting.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting.extend(each.includes)
