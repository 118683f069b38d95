"""The folder of wheels that images are installed from, and what of it an image needs.

Nothing is asked but the wheels themselves: their metadata say what each of them requires. So the same folder gives the
same lock, on any machine and without a network.
"""

from __future__ import annotations

import hashlib
import zipfile
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field, frozen
from packaging.metadata import InvalidMetadata, Metadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from packaging.tags import Tag
    from packaging.version import Version

__all__ = ["Interpreter", "Release", "Wheel", "Wheels"]

_ANY_PLATFORM = "platform"
"""Stands for all platforms, where only the interpreter is asked for."""


@frozen(kw_only=True)
class Interpreter:
    """The Python that an image runs: CPython on Linux with glibc."""

    version: str = "3.13"
    machine: str = "x86_64"

    @cached_property
    def _tags(self) -> frozenset[tuple[str, str]]:
        """The kinds of interpreter and ABI that it is compatible with."""
        major, minor = self.version.split(".")
        numbers, name, platforms = (int(major), int(minor)), f"cp{major}{minor}", [_ANY_PLATFORM]
        tags = (*cpython_tags(numbers, [name], platforms), *compatible_tags(numbers, name, platforms))
        return frozenset((tag.interpreter, tag.abi) for tag in tags)

    def environment(self, extra: str) -> dict[str, str]:
        """What markers of requirements ask for."""
        return {
            "extra": extra,
            "implementation_name": "cpython",
            "implementation_version": f"{self.version}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.version}.0",
            "python_version": self.version,
            "sys_platform": "linux",
        }

    def takes(self, tags: Iterable[Tag]) -> bool:
        """Whether a wheel of one of these tags can be installed; how old the image's glibc is, only it knows."""
        return any((tag.interpreter, tag.abi) in self._tags and self._is_ours(tag.platform) for tag in tags)

    def _is_ours(self, platform: str) -> bool:
        is_linux = platform.startswith(("linux_", "manylinux"))
        return platform == "any" or (is_linux and platform.endswith(f"_{self.machine}"))


@frozen(kw_only=True)
class Wheel:
    """One file."""

    file: str
    name: str
    """The project's, in its canonical form."""
    version: Version
    tags: frozenset[Tag]
    sha256: str
    requires: tuple[Requirement, ...] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Wheel:
        """Read one. Raises UsageError for what is no wheel."""
        try:
            name, version, _, tags = parse_wheel_filename(path.name)
            with zipfile.ZipFile(path) as archive:
                metadata = Metadata.from_email(archive.read(_metadata_of(archive, path)), validate=False)
                requires = tuple(metadata.requires_dist or ())
        except (InvalidWheelFilename, InvalidMetadata, ExceptionGroup, zipfile.BadZipFile) as error:
            raise UsageError(
                f"the file {path}",
                expected="a wheel, complete",
                found=str(error),
                remedy="delete it, and fill the folder once more",
            ) from error
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        return cls(file=path.name, name=name, version=version, tags=tags, sha256=sha256, requires=requires)


@frozen(kw_only=True)
class Release:
    """One version of a project that an image installs; there is a wheel of it for each kind of machine."""

    name: str
    version: str
    sha256: tuple[str, ...]


@frozen
class Wheels:
    """All wheels of a folder, by their names."""

    folder: str
    wheels: tuple[Wheel, ...]

    @classmethod
    def read(cls, folder: Path) -> Wheels:
        """Read a folder; one that is not there has none. Raises UsageError for a file that is no wheel."""
        return cls(str(folder), tuple(Wheel.read(path) for path in sorted(folder.glob("*.whl"))))

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.wheels)

    def locked(self, wanted: Sequence[str], interpreter: Interpreter) -> tuple[Release, ...]:
        """All that is installed for these requirements, such as ``c2kit[kafka]``, sorted by name.

        Raises:
            UsageError: something is not in the folder, not as it is required, not for this interpreter, or is there
                in several versions, so that nobody can tell which one is meant.
        """
        closure = _Closure(self, interpreter)
        for requirement in wanted:
            closure.add(_requirement(requirement), asked_by="the image")
        return tuple(closure.releases[name] for name in sorted(closure.releases))

    def of(self, name: str) -> list[Wheel]:
        """The wheels of a project."""
        return [wheel for wheel in self.wheels if wheel.name == name]


@define
class _Closure:
    """What was found so far, and with which extras."""

    wheels: Wheels
    interpreter: Interpreter
    releases: dict[str, Release] = field(factory=dict)
    extras: dict[str, set[str]] = field(factory=dict)

    def add(self, requirement: Requirement, asked_by: str) -> None:
        """Add what a requirement names, and all that this requires in turn."""
        name = canonicalize_name(requirement.name)
        chosen = self._chosen(name, requirement, asked_by)
        self.releases[name] = Release(
            name=name, version=str(chosen[0].version), sha256=tuple(sorted(wheel.sha256 for wheel in chosen))
        )
        done = self.extras.setdefault(name, set())
        wanted = {"", *map(canonicalize_name, requirement.extras)} - done
        done |= wanted
        for further in self._required(chosen[0], sorted(wanted)):
            self.add(further, asked_by=f"{name} {chosen[0].version}")

    def _required(self, wheel: Wheel, extras: Sequence[str]) -> Iterator[Requirement]:
        for requirement in wheel.requires:
            marker = requirement.marker
            if marker is None:
                if "" in extras:
                    yield requirement
            elif any(marker.evaluate(self.interpreter.environment(extra)) for extra in extras):
                yield requirement

    def _chosen(self, name: str, requirement: Requirement, asked_by: str) -> list[Wheel]:
        """The wheels of the one version of a project that there is."""
        there = self.wheels.of(name)
        found = [wheel for wheel in there if self.interpreter.takes(wheel.tags)]
        versions = sorted({wheel.version for wheel in found})
        wanted = f"{requirement.name}{requirement.specifier}"
        what = f"the wheels in {self.wheels.folder}: {wanted}, which {asked_by} requires"
        if len(versions) > 1:
            raise UsageError(
                what,
                expected=f"one version of {name}",
                found=" and ".join(map(str, versions)),
                remedy="delete those that are not meant",
            )
        if not versions or not requirement.specifier.contains(versions[0], prereleases=True):
            raise UsageError(
                what,
                expected=f"a wheel for CPython {self.interpreter.version} on Linux, {self.interpreter.machine}",
                found=", ".join(wheel.file for wheel in there) or "none",
                remedy="fill the folder as the scaffold says",
            )
        return found


def _requirement(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise UsageError("a requirement", expected="such as scipy>=1.14", found=f"{text!r}: {error}") from error


def _metadata_of(archive: zipfile.ZipFile, path: Path) -> str:
    """Where the wheel's own metadata is: at the top, and there once."""
    found = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA") and name.count("/") == 1]
    if len(found) != 1:
        raise zipfile.BadZipFile(f"{len(found)} files METADATA in {path.name}")
    return found[0]
