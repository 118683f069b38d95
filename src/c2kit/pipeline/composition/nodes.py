"""The nodes of a mission's graph: which streams each part reads and could write, as it was asked for."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from c2kit.batches.kinds import Kind, Scope
from c2kit.errors import UsageError
from c2kit.pipeline.composition.names import COMMAND_SOURCE, PROVISIONER, REPLAY
from c2kit.pipeline.composition.parts import RawLogger
from c2kit.processors import CommandEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c2kit.pipeline.composition.groups import Groups
    from c2kit.pipeline.composition.mission import InterfaceSpec, Mission, StageSpec
    from c2kit.pipeline.composition.parts import Part

__all__ = ["DEFINITIONS", "Node", "Stream", "nodes_of", "replayed"]

Stream = tuple[Kind, str]
"""A kind and the interface, target, stage or group that it is of."""

DEFINITIONS: tuple[Stream, ...] = ((Kind.DICTIONARIES, ""), (Kind.SCHEMAS, ""))
_OF_PACKETS = frozenset({Kind.PACKETS, Kind.TELEMETRY})
_PER_STAGE = (Kind.EVENTS, Kind.DEAD_LETTER)


@frozen(kw_only=True)
class Node:
    """A stage or interface, with the streams that it could write (``may``) and will (``writes``)."""

    name: str
    role: str
    defined_at: str = ""
    reads: tuple[Stream, ...] = ()
    """Without those of definitions, which all read that have to do with batches."""
    writes: tuple[Stream, ...] = ()
    may: tuple[Stream, ...] = ()
    targets: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    stage: StageSpec | None = None
    interface: InterfaceSpec | None = None
    processors: tuple[Part, ...] = ()

    @property
    def place(self) -> str:
        """The name and the line of the script that asked for it."""
        return f"{self.name} ({self.defined_at})" if self.defined_at else self.name

    @property
    def is_exclusive(self) -> bool:
        """Whether there is one at a time: who owns a link or counts commands, and who writes by itself."""
        alone = self.role in {"interface", PROVISIONER, REPLAY}
        return alone or any(isinstance(part, CommandEncoder) for part in self.processors)

    def is_by_packet(self, kind: Kind) -> bool:
        """Whether each packet of a target has a lane of its own in what it writes of that kind."""
        return kind in _OF_PACKETS and self.stage is not None and self.stage.lane == "packet"

    @property
    def directory(self) -> str | None:
        """Where a sink keeps its files."""
        return self.processors[-1].settings.get("directory") if self.role == "sink" else None

    @property
    def needs_definitions(self) -> bool:
        """Whether it decodes or encodes batches."""
        return self.role not in {COMMAND_SOURCE, PROVISIONER}


def nodes_of(mission: Mission, groups: Groups) -> list[Node]:
    """All nodes of a live mission."""
    provisioner = Node(name=PROVISIONER, role=PROVISIONER, writes=DEFINITIONS)
    stages = _stages(mission, groups)
    nodes = [provisioner, _command_source(mission), *_interfaces(mission), *_raw_logs(mission), *stages]
    return [
        evolve(
            node,
            reads=_shared(node.reads, groups),
            writes=_shared(node.writes, groups),
            may=_shared(node.may, groups),
        )
        for node in nodes
    ]


def _shared(streams: Iterable[Stream], groups: Groups) -> tuple[Stream, ...]:
    return tuple(dict.fromkeys((kind, groups.scope(kind, scope)) for kind, scope in streams))


def replayed(mission: Mission, nodes: Iterable[Node]) -> list[Node]:
    """The nodes of a replay: of these live ones, what follows from frames alone; who reads nothing of it falls away."""
    interfaces, targets = tuple(mission.interfaces), _served_targets(mission)
    frames = tuple((Kind.FRAMES, name) for name in interfaces)
    replay = Node(name=REPLAY, role=REPLAY, writes=frames, interfaces=interfaces, targets=targets)
    kept = [replay, *(node for node in nodes if node.processors)]
    while True:
        written = {stream for node in kept for stream in node.writes}
        fed = [evolve(node, reads=tuple(stream for stream in node.reads if stream in written)) for node in kept]
        fed = [node for node in fed if node.reads or node is fed[0]]
        if len(fed) == len(kept):
            return [*(node for node in nodes if node.role == PROVISIONER), *fed]
        kept = fed


def _served_targets(mission: Mission) -> tuple[str, ...]:
    return tuple(sorted({target for interface in mission.interfaces.values() for target in interface.targets}))


def _command_source(mission: Mission) -> Node:
    served = _served_targets(mission)
    commands = tuple((Kind.COMMANDS, target) for target in served)
    controls = tuple((Kind.LINK_CONTROL, name) for name in mission.interfaces)
    writes = (*controls, (Kind.COMMAND_STATUS, COMMAND_SOURCE))
    return Node(name=COMMAND_SOURCE, role=COMMAND_SOURCE, writes=writes, may=commands, targets=served)


def _interfaces(mission: Mission) -> Iterator[Node]:
    for name, spec in mission.interfaces.items():
        writes: list[Stream] = [(Kind.FRAMES, name), (Kind.COMMAND_STATUS, name), (Kind.EVENTS, name)]
        if spec.has_commands:
            writes.append((Kind.AUTO_COMMANDS, name))
        yield Node(
            name=name,
            role="interface",
            defined_at=spec.defined_at,
            reads=((Kind.UPLINK, name), (Kind.LINK_CONTROL, name)),
            writes=tuple(writes),
            may=((Kind.RAW, name),),
            targets=spec.targets,
            interfaces=(name,),
            interface=spec,
        )


def _raw_logs(mission: Mission) -> Iterator[Node]:
    """The sugar of ``raw_log=``: a stage of its own that writes what the interface's link says."""
    for name, spec in mission.interfaces.items():
        if spec.raw_log is not None:
            yield Node(
                name=spec.raw_log_name,
                role="sink",
                defined_at=spec.defined_at,
                reads=((Kind.RAW, name),),
                writes=tuple((kind, spec.raw_log_name) for kind in _PER_STAGE),
                targets=spec.targets,
                interfaces=(name,),
                processors=(RawLogger(spec.raw_log),),
            )


def _stages(mission: Mission, groups: Groups) -> Iterator[Node]:
    for spec in mission.stages.values():
        interfaces, targets = _served(mission, spec, groups)
        last = spec.processors[-1]
        reads = [
            (kind, scope)
            for kind in spec.processors[0].takes
            for scope in (interfaces if kind.scope is Scope.INTERFACE else targets)
            if kind is not Kind.AUTO_COMMANDS or mission.interfaces[scope].has_commands
        ]
        writes: list[Stream] = [(kind, spec.name) for kind in _PER_STAGE]
        may: list[Stream] = []
        for processor in spec.processors:
            gives = [processor.gives] if processor.gives is not None else []
            for kind in (*gives, *processor.also_gives):
                always = processor is last or kind in processor.also_gives or kind.label in spec.publish
                (writes if always else may).extend(_scoped(kind, spec.name, interfaces, targets))
        yield Node(
            name=spec.name,
            role="sink" if last.gives is None else "stage",
            defined_at=spec.defined_at,
            reads=tuple(reads),
            writes=tuple(writes),
            may=tuple(may),
            targets=targets,
            interfaces=interfaces,
            stage=spec,
            processors=spec.processors,
        )


def _scoped(kind: Kind, stage: str, interfaces: Iterable[str], targets: Iterable[str]) -> list[Stream]:
    if kind.scope is Scope.STAGE:
        return [(kind, stage)]
    return [(kind, scope) for scope in (interfaces if kind.scope is Scope.INTERFACE else targets)]


def _served(mission: Mission, spec: StageSpec, groups: Groups) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The interfaces and targets that a stage serves: what it names, or what none of its siblings does.

    What begins with frames is divided by interface: whoever names one of an interface's targets has all of it. And
    whoever names one of a group's targets has all of the group.
    """
    siblings = [
        other
        for other in mission.stages.values()
        if other is not spec and type(other.processors[0]) is type(spec.processors[0])
    ]
    behind: dict[str, list[str]] = defaultdict(list)
    for name, interface in mission.interfaces.items():
        for target in interface.targets:
            behind[target].append(name)
    for target in spec.targets or ():
        if target not in behind:
            raise UsageError(
                f"{spec.place} serves {target}, which is behind no interface",
                remedy=f"name {target} among the targets of an interface",
            )
    named = set(groups.whole(target for other in siblings for target in other.targets or ()))
    own = None if spec.targets is None else groups.whole(spec.targets)
    if spec.processors[0].takes[0].scope is Scope.INTERFACE:
        theirs = {name for target in named for name in behind.get(target, ())}
        if own is None:
            interfaces = [name for name in mission.interfaces if name not in theirs]
        else:
            interfaces = list(dict.fromkeys(name for target in own for name in behind[target]))
        targets = [target for name in interfaces for target in mission.interfaces[name].targets]
    else:
        targets = [target for target in behind if target not in named] if own is None else list(own)
        interfaces = [name for name, interface in mission.interfaces.items() if set(interface.targets) & set(targets)]
    return tuple(interfaces), tuple(dict.fromkeys(targets))
