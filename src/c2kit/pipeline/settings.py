"""What the environment says: where a mission runs differs by a few variables, and its script never does.

Credentials are no part of it: they come as mounted files only. What is read here may be logged.
"""

from __future__ import annotations

import difflib
import math
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from attrs import evolve, field, frozen

from c2kit.errors import UnknownName, UsageError
from c2kit.links._checks import a_port, split_address
from c2kit.pipeline.observing.logs import LogFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeVar

    from c2kit.pipeline.composition.mission import InterfaceSpec, Mission, StageSpec
    from c2kit.pipeline.composition.parts import Part

    Value = TypeVar("Value")

__all__ = ["DIRECTORY_PREFIX", "LINK_PREFIX", "VARIABLES", "Settings", "variable_of"]

LINK_PREFIX = "C2KIT_LINK_"
DIRECTORY_PREFIX = "C2KIT_DIR_"
VARIABLES = (
    "C2KIT_BUS",
    "C2KIT_DRAIN_SECONDS",
    "C2KIT_HTTP",
    "C2KIT_KAFKA_SECRETS",
    "C2KIT_LOG",
    "C2KIT_MISSION",
    "C2KIT_ORDINAL",
)
"""All but those that name an interface or a stage."""

_ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 - probes come from outside of a container; who wants less says it
_SO_NEAR_THAT_IT_IS_A_TYPO = 0.85


@frozen(kw_only=True)
class Settings:
    """What the environment says; None and the defaults where it says nothing.

    An empty value is refused like any other that cannot be right: it is what is left of a variable that somebody
    forgot to set.
    """

    bus: str | None = None
    mission: str | None = None
    """The name of the mission, for tools that look at a bus and have no script."""
    links: Mapping[str, str] = field(factory=dict)
    """Addresses, by variable."""
    directories: Mapping[str, Path] = field(factory=dict)
    """By variable."""
    http: tuple[str, int] | None = None
    """Host and port of health and metrics; port 0 lets the system choose, None serves nothing."""
    kafka_secrets: Path | None = None
    """The directory with the files by which a cluster knows who this is; None asks it without."""
    ordinal: int = 0
    """Which of its stage's replicas this process is."""
    drain_seconds: float = 30.0
    """How long a process that was told to end may take to finish its work."""
    log_format: LogFormat = LogFormat.TEXT
    others: tuple[str, ...] = ()
    """Names of variables that begin as ours do and are none, for finding typos."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read them. Raises UsageError, which names the variable, for a value that cannot be right."""
        ours = {name: value for name, value in environment.items() if name.startswith("C2KIT_")}
        links, directories = _beginning(LINK_PREFIX, ours), _beginning(DIRECTORY_PREFIX, ours)
        return cls(
            bus=_read(ours, "C2KIT_BUS", str, None),
            mission=_read(ours, "C2KIT_MISSION", str, None),
            links={name: _value(name, value, str) for name, value in links.items()},
            directories={name: _value(name, value, Path) for name, value in directories.items()},
            http=_read(ours, "C2KIT_HTTP", _host_and_port, None),
            kafka_secrets=_read(ours, "C2KIT_KAFKA_SECRETS", Path, None),
            ordinal=_read(ours, "C2KIT_ORDINAL", _ordinal, 0),
            drain_seconds=_read(ours, "C2KIT_DRAIN_SECONDS", _seconds, 30.0),
            log_format=_read(ours, "C2KIT_LOG", _log_format, LogFormat.TEXT),
            others=tuple(sorted(ours.keys() - {*VARIABLES, *links, *directories})),
        )

    def applied_to(self, mission: Mission) -> Mission:
        """The same mission with this bus, these addresses of links and these directories; the given one stays.

        Raises:
            UnknownName: a variable that names no interface or directory of the mission, or nearly is one of ours.
            UsageError: a value that is no address of that link; names the variable.
        """
        links = [variable_of(LINK_PREFIX, name) for name in mission.interfaces]
        keepers = [spec.raw_log_name for spec in mission.interfaces.values() if spec.raw_log is not None]
        keepers += [name for name, spec in mission.stages.items() if _keeps_files(spec.processors[-1])]
        directories = [variable_of(DIRECTORY_PREFIX, name) for name in keepers]
        where = f"mission {mission.name}"
        _check_known(self.links, links, where)
        _check_known(self.directories, directories, where)
        self._check_typos([*VARIABLES, *links, *directories], where)
        changed = evolve(mission, bus=self.bus or mission.bus)
        changed.interfaces.update((name, self._interface(spec)) for name, spec in mission.interfaces.items())
        changed.stages.update((name, self._stage(spec)) for name, spec in mission.stages.items())
        return changed

    def _check_typos(self, known: Iterable[str], where: str) -> None:
        for name in self.others:
            if difflib.get_close_matches(name, known, n=1, cutoff=_SO_NEAR_THAT_IT_IS_A_TYPO):
                raise UnknownName(kind="setting", name=name, known=known, where=where)

    def _interface(self, spec: InterfaceSpec) -> InterfaceSpec:
        directory = self.directories.get(variable_of(DIRECTORY_PREFIX, spec.raw_log_name))
        if directory is not None:
            spec = evolve(spec, raw_log=str(directory))
        variable = variable_of(LINK_PREFIX, spec.name)
        if variable in self.links:
            spec = evolve(spec, link=_value(variable, self.links[variable], spec.link.at))
        return spec

    def _stage(self, spec: StageSpec) -> StageSpec:
        directory = self.directories.get(variable_of(DIRECTORY_PREFIX, spec.name))
        if directory is None:
            return spec
        *before, sink = spec.processors
        return evolve(spec, processors=(*before, evolve(sink, directory=directory)))  # type: ignore[misc]


def variable_of(prefix: str, name: str) -> str:
    """The variable that says something of the interface or stage with that name."""
    return prefix + name.upper().replace("-", "_")


def _beginning(prefix: str, variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name.startswith(prefix)}


def _keeps_files(part: Part) -> bool:
    kind = type(part)
    return attrs.has(kind) and "directory" in attrs.fields_dict(kind)


def _check_known(given: Iterable[str], known: Iterable[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise UnknownName(kind="setting", name=name, known=known, where=where)


def _read(variables: Mapping[str, str], name: str, parse: Callable[[str], Value], default: Value) -> Value:
    return _value(name, variables[name], parse) if name in variables else default


def _value(name: str, text: str, parse: Callable[[str], Value]) -> Value:
    """The value of a variable; what is wrong with it is told with its name."""
    variable = f"environment variable {name}"
    if not text:
        raise UsageError(f"{variable}: it is empty", expected="a value", remedy="unset it where it is not wanted")
    try:
        return parse(text)
    except UsageError as error:
        what = f"{variable}: {error.what}"
        raise UsageError(what, expected=error.expected, found=error.found, remedy=error.remedy) from None


def _host_and_port(text: str) -> tuple[str, int]:
    host, port = split_address("the HTTP server", text, _ALL_ADDRESSES)
    a_port("the port of the HTTP server", port, lowest=0)
    return host, port


def _ordinal(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise UsageError("the number of a replica", expected="0, 1, 2, ...", found=repr(text))
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise UsageError("a time", expected="seconds, at least 0", found=repr(text))
    return seconds


def _log_format(text: str) -> LogFormat:
    if text not in list(LogFormat):
        raise UsageError("the form of the log", expected=" or ".join(LogFormat), found=repr(text))
    return LogFormat(text)
