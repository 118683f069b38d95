"""The description of a mission: everything that a runner, a generator or a person needs to know of it, as plain data.

``c2kit graph --format json`` prints exactly this; what reads a mission (the scaffold, the API) reads this and nothing
else. It is frozen, and the same script gives the same description.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from attrs import asdict, field, frozen

from c2kit.errors import UsageError

__all__ = [
    "SCHEMA_VERSION",
    "LinkDescription",
    "MissionDescription",
    "PortDescription",
    "ProcessorDescription",
    "Resources",
    "Scale",
    "StageDescription",
    "StoreDescription",
    "StreamDescription",
]

SCHEMA_VERSION = 1


@frozen(kw_only=True)
class Resources:
    """What one replica of a stage asks of a cluster, as Kubernetes writes it; ``None`` leaves it to the default."""

    cpu: str | None = None
    memory: str | None = None


@frozen(kw_only=True)
class Scale:
    """How many replicas of a stage there may be; where more than ``lag`` records wait for each, one more starts."""

    min: int = 1
    max: int = 1
    lag: int = 1000

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot be."""
        for name, least in (("min", 1), ("max", self.min), ("lag", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise UsageError(
                    f"{name} of a Scale", expected=f"a whole number of at least {least}", found=repr(value)
                )


@frozen(kw_only=True)
class StreamDescription:
    """A stream: who writes it and who reads it, by the names of their stages."""

    name: str
    kind: str
    scope: str
    writers: tuple[str, ...]
    """One; or the interfaces of a group, each of which writes its own lane."""
    readers: tuple[str, ...]
    lanes: tuple[str, ...]
    """Those that are known beforehand; a stream of definitions has one for each of their hashes."""
    partitions: int
    is_shared: bool
    """Whether its lanes share the partitions, by their names alone, and more of them may come: those of a group, or of
    packets."""
    is_telemetry: bool
    compacted: bool
    """Whether the newest record of each lane is kept for ever, and nobody need have read it."""


@frozen(kw_only=True)
class ProcessorDescription:
    """A processor of a stage's chain: its class and what it was told."""

    name: str
    takes: str
    gives: str | None
    settings: dict[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class LinkDescription:
    """An interface's link: its class and what it was told."""

    name: str
    settings: dict[str, Any]
    told: tuple[str, ...]
    """Which of the settings are not what they are by default."""
    protocols: tuple[str, ...]
    targets: tuple[str, ...]


@frozen(kw_only=True)
class PortDescription:
    """A port that a stage serves, and who may call it."""

    name: str
    port: int
    protocol: str
    """``http`` or ``tcp``."""
    callers: tuple[str, ...]
    """Names of stages."""


@frozen(kw_only=True)
class StoreDescription:
    """A database outside of the bus; which stages use it, they say themselves."""

    name: str
    kind: str
    """``postgresql``."""


@frozen(kw_only=True)
class StageDescription:
    """A unit of deployment."""

    name: str
    identity: str
    """Who it is to the bus, which keeps positions and snapshots by it: ``<mission>.<stage>``."""
    role: str
    """``interface``, ``stage`` or ``sink``; ``provisioner``, ``command-source`` and ``replay`` are names too."""
    reads: tuple[str, ...]
    """Stream names."""
    writes: tuple[str, ...]
    processors: tuple[ProcessorDescription, ...] = ()
    link: LinkDescription | None = None
    targets: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    directory: str | None = None
    """Where a sink keeps its files; it needs a volume there."""
    exclusive: bool = False
    """Whether there is one at a time, and a second live one is fenced."""
    scale: Scale = field(factory=Scale)
    resources: Resources = field(factory=Resources)
    extras: tuple[str, ...] = ()
    """What of the package its container installs."""
    ports: tuple[PortDescription, ...] = ()
    """Beside that of health and metrics, which every stage serves."""
    stores: tuple[str, ...] = ()
    """Names of the stores that it reads or writes."""
    defined_at: str = ""
    """The line of the script that asked for it."""


@frozen(kw_only=True)
class MissionDescription:
    """A whole mission."""

    schema_version: int = SCHEMA_VERSION
    name: str
    bus: str
    replay: str | None = None
    """The id of the replay that it is of; ``None`` where it is live."""
    dictionary_hashes: dict[str, str]
    stages: tuple[StageDescription, ...]
    streams: tuple[StreamDescription, ...]
    stores: tuple[StoreDescription, ...] = ()
    """Databases; none yet, as no processor keeps anything in one."""

    def as_json(self) -> str:
        """The description as JSON, the same for the same mission."""
        return json.dumps(asdict(self), indent=2, sort_keys=True)

    def stage(self, name: str) -> StageDescription:
        """The stage of that name; raises KeyError."""
        return self._stages_by_name[name]

    @cached_property
    def _stages_by_name(self) -> dict[str, StageDescription]:
        return {stage.name: stage for stage in self.stages}

    @cached_property
    def streams_by_name(self) -> dict[str, StreamDescription]:
        """All streams, by name."""
        return {stream.name: stream for stream in self.streams}
