"""From a mission to its description: which stage reads and writes which streams, or why that cannot be.

Four steps: what each stage serves, what it reads, what it writes, and whether every stream has one writer and every
reader a stream. All refusals name both sides and the lines of the script that asked for them.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from c2kit.batches.kinds import Kind, Scope
from c2kit.errors import UsageError
from c2kit.links import Serial
from c2kit.pipeline.description import (
    LinkDescription,
    MissionDescription,
    ProcessorDescription,
    StageDescription,
    StreamDescription,
)
from c2kit.pipeline.names import stream_name
from c2kit.pipeline.parts import RawLogger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from c2kit.pipeline.mission import InterfaceSpec, Mission, StageSpec
    from c2kit.pipeline.parts import Part

__all__ = ["COMMAND_SOURCE", "compose"]

COMMAND_SOURCE = "command-source"
"""The one that writes commands: ``c2kit send``, later the API. It runs in no container, but has an identity."""
_PER_STAGE = (Kind.EVENTS, Kind.DEAD_LETTER)

Stream = tuple[Kind, str]
"""A kind and the interface, target or stage that it is of."""


@frozen(kw_only=True)
class _Node:
    """A stage or interface, with the streams that it could write (``may``) and will (``writes``)."""

    name: str
    role: str
    defined_at: str
    reads: tuple[Stream, ...] = ()
    writes: tuple[Stream, ...] = ()
    may: tuple[Stream, ...] = ()
    targets: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    stage: StageSpec | None = None
    interface: InterfaceSpec | None = None
    processors: tuple[Part, ...] = field(default=())

    @property
    def place(self) -> str:
        return f"{self.name} ({self.defined_at})" if self.defined_at else self.name


def compose(mission: Mission) -> MissionDescription:
    """The description of a mission. Raises UsageError for whatever does not fit together."""
    for stage in mission.stages.values():
        _check_chain(stage)
    nodes = [_command_source(mission), *_interfaces(mission), *_raw_logs(mission), *_stages(mission)]
    read = {stream for node in nodes for stream in node.reads}
    nodes = [evolve(node, writes=(*node.writes, *(stream for stream in node.may if stream in read))) for node in nodes]
    writers = _writers(nodes)
    nodes = [_without_missing_uplink(node, writers) for node in nodes]
    _check_read(nodes, writers)
    return MissionDescription(
        name=mission.name,
        bus=mission.bus,
        dictionary_hashes={target.name: target.hash for target in mission.dictionary.targets},
        stages=tuple(_describe_node(mission, node) for node in sorted(nodes, key=lambda node: node.name)),
        streams=tuple(_streams(mission, nodes, writers)),
    )


# -- what each part reads and writes ------------------------------------------------------------


def _command_source(mission: Mission) -> _Node:
    served = sorted({target for interface in mission.interfaces.values() for target in interface.targets})
    writes = [(Kind.COMMANDS, target) for target in served] + [(Kind.COMMAND_STATUS, COMMAND_SOURCE)]
    return _Node(name=COMMAND_SOURCE, role="command-source", defined_at="", writes=tuple(writes), targets=tuple(served))


def _interfaces(mission: Mission) -> Iterator[_Node]:
    for name, spec in mission.interfaces.items():
        writes: list[Stream] = [(Kind.FRAMES, name), (Kind.COMMAND_STATUS, name), (Kind.EVENTS, name)]
        if spec.has_commands:
            writes.append((Kind.AUTO_COMMANDS, name))
        yield _Node(
            name=name,
            role="interface",
            defined_at=spec.defined_at,
            reads=((Kind.UPLINK, name),),
            writes=tuple(writes),
            may=((Kind.RAW, name),),
            targets=spec.targets,
            interfaces=(name,),
            interface=spec,
        )


def _raw_logs(mission: Mission) -> Iterator[_Node]:
    """The sugar of ``raw_log=``: a stage of its own that writes what the interface's link says."""
    for name, spec in mission.interfaces.items():
        if spec.raw_log is not None:
            yield _Node(
                name=f"{name}-raw-log",
                role="sink",
                defined_at=spec.defined_at,
                reads=((Kind.RAW, name),),
                writes=tuple((kind, f"{name}-raw-log") for kind in _PER_STAGE),
                targets=spec.targets,
                interfaces=(name,),
                processors=(RawLogger(spec.raw_log),),
            )


def _stages(mission: Mission) -> Iterator[_Node]:
    for spec in mission.stages.values():
        interfaces, targets = _served(mission, spec)
        last = spec.processors[-1]
        reads = [
            (kind, scope)
            for kind in spec.processors[0].takes
            for scope in (interfaces if kind.scope is Scope.INTERFACE else targets)
            if kind is not Kind.AUTO_COMMANDS
            or (mission.interfaces[scope].on_connect or mission.interfaces[scope].periodic)
        ]
        writes: list[Stream] = [(kind, spec.name) for kind in _PER_STAGE]
        may: list[Stream] = []
        for processor in spec.processors:
            gives = [processor.gives] if processor.gives is not None else []
            for kind in (*gives, *processor.also_gives):
                always = processor is last or kind in processor.also_gives or kind.label in spec.publish
                (writes if always else may).extend(_scoped(kind, spec.name, interfaces, targets))
        yield _Node(
            name=spec.name,
            role="sink" if last.gives is None else "stage",
            defined_at=spec.defined_at,
            reads=tuple(reads),
            writes=tuple(dict.fromkeys(writes)),
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


def _served(mission: Mission, spec: StageSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The interfaces and targets that a stage serves: what it names, or what none of its siblings does.

    What begins with frames is divided by interface: whoever names one of an interface's targets has all of it.
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
                f"stage {spec.name} ({spec.defined_at}) serves {target}, which is behind no interface",
                remedy=f"name {target} among the targets of an interface",
            )
    named = {target for other in siblings for target in other.targets or ()}
    if spec.processors[0].takes[0].scope is Scope.INTERFACE:
        theirs = {name for target in named for name in behind.get(target, ())}
        if spec.targets is None:
            interfaces = [name for name in mission.interfaces if name not in theirs]
        else:
            interfaces = list(dict.fromkeys(name for target in spec.targets for name in behind[target]))
        targets = [target for name in interfaces for target in mission.interfaces[name].targets]
    else:
        targets = [target for target in behind if target not in named] if spec.targets is None else list(spec.targets)
        interfaces = [name for name, interface in mission.interfaces.items() if set(interface.targets) & set(targets)]
    return tuple(interfaces), tuple(dict.fromkeys(targets))


# -- whether it fits together -------------------------------------------------------------------


def _check_chain(spec: StageSpec) -> None:
    for before, after in pairwise(spec.processors):
        if before.gives not in after.takes:
            takes = " or ".join(str(kind) for kind in after.takes)
            gives = "nothing: it is a sink" if before.gives is None else str(before.gives)
            raise UsageError(
                f"stage {spec.name} ({spec.defined_at}): {type(after).__name__} takes {takes}",
                found=f"{type(before).__name__} before it gives {gives}",
                remedy="put a processor between them that turns one into the other, or divide the stage",
            )


def _writers(nodes: Sequence[_Node]) -> dict[Stream, _Node]:
    writers: dict[Stream, _Node] = {}
    for node in nodes:
        for kind, scope in node.writes:
            other = writers.setdefault((kind, scope), node)
            if other is not node:
                raise UsageError(
                    f"stages {other.place} and {node.place} would both write {kind}.{scope}",
                    expected="one writer of each stream",
                    remedy="give them different targets=, or make them one stage with a larger scale=",
                )
    return writers


def _without_missing_uplink(node: _Node, writers: dict[Stream, _Node]) -> _Node:
    """An interface that nobody sends commands to is one that only listens."""
    if node.interface is None:
        return node
    return evolve(node, reads=tuple(stream for stream in node.reads if stream in writers))


def _check_read(nodes: Sequence[_Node], writers: dict[Stream, _Node]) -> None:
    for node in nodes:
        if node.stage is not None and not node.reads:
            kinds = " or ".join(str(kind) for kind in node.processors[0].takes)
            raise UsageError(
                f"stage {node.place} has nothing to read: no interface or target is left for it",
                expected=f"streams of {kinds}",
                remedy="add an interface, or look whether another stage names all targets",
            )
        required = [stream for stream in node.reads if node.role != "sink" or stream[0] is node.processors[0].takes[0]]
        for kind, scope in required:
            if (kind, scope) not in writers:
                raise UsageError(
                    f"stage {node.place} reads {kind}.{scope}, which nobody writes",
                    remedy=f"add a stage whose processors give {kind}",
                )


# -- plain data ---------------------------------------------------------------------------------


def _describe_node(mission: Mission, node: _Node) -> StageDescription:
    extras = {"kafka"} if mission.bus.startswith("kafka:") else set()
    if node.interface is not None and isinstance(node.interface.link, Serial):
        extras.add("serial")
    settings = node.stage or node.interface
    described = StageDescription(
        name=node.name,
        role=node.role,
        reads=tuple(sorted(stream_name(mission.name, *stream) for stream in node.reads)),
        writes=tuple(sorted(stream_name(mission.name, *stream) for stream in node.writes)),
        processors=tuple(_describe_processor(processor) for processor in node.processors),
        link=None if node.interface is None else _describe_link(node.interface),
        targets=node.targets,
        interfaces=node.interfaces,
        directory=node.processors[-1].settings.get("directory") if node.role == "sink" else None,
        extras=tuple(sorted(extras)),
        defined_at=node.defined_at,
    )
    if node.stage is not None:
        described = evolve(described, scale=node.stage.scale)
    return described if settings is None else evolve(described, resources=settings.resources)


def _describe_processor(processor: Part) -> ProcessorDescription:
    return ProcessorDescription(
        name=type(processor).__name__,
        takes=str(processor.takes[0]),
        gives=None if processor.gives is None else str(processor.gives),
        settings=processor.settings,
    )


def _describe_link(spec: InterfaceSpec) -> LinkDescription:
    settings = getattr(spec.link, "settings", {})
    return LinkDescription(
        name=type(spec.link).__name__,
        settings=dict(settings),
        protocols=tuple(type(protocol).__name__ for protocol in spec.protocols),
        targets=spec.targets,
    )


def _streams(mission: Mission, nodes: Sequence[_Node], writers: dict[Stream, _Node]) -> Iterator[StreamDescription]:
    readers: dict[Stream, list[str]] = defaultdict(list)
    for node in nodes:
        for stream in node.reads:
            readers[stream].append(node.name)
    for (kind, scope), writer in sorted(writers.items(), key=lambda entry: (entry[0][0].label, entry[0][1])):
        lanes = _lanes(mission, kind, scope)
        yield StreamDescription(
            name=stream_name(mission.name, kind, scope),
            kind=str(kind),
            scope=scope,
            writer=writer.name,
            readers=tuple(sorted(readers[kind, scope])),
            lanes=lanes,
            partitions=len(lanes),
            is_telemetry=kind.is_telemetry,
        )


def _lanes(mission: Mission, kind: Kind, scope: str) -> tuple[str, ...]:
    """The lanes of a stream: the interface before identification, interface and target after."""
    if kind.scope is not Scope.TARGET or kind is Kind.COMMANDS:
        return (scope,)
    behind = [name for name, interface in mission.interfaces.items() if scope in interface.targets]
    return tuple(f"{interface}/{scope}" for interface in behind)
