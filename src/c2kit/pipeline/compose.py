"""From a mission to its description: which stage reads and writes which streams, or why that cannot be.

Three steps: what each stage reads and could write, whether every stream has one writer and every reader a stream, and
all of it as plain data. All refusals name both sides and the lines of the script that asked for them.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from attrs import evolve

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
from c2kit.pipeline.names import PROVISIONER, replay_prefix, stage_identity, stream_name
from c2kit.pipeline.nodes import DEFINITIONS, Node, Stream, nodes_of, replayed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c2kit.pipeline.mission import InterfaceSpec, Mission, StageSpec
    from c2kit.pipeline.parts import Part

__all__ = ["compose"]


def compose(mission: Mission, replay: str | None = None) -> MissionDescription:
    """The description of a mission, live or of the replay of that id.

    Raises UsageError for whatever does not fit together.
    """
    prefix = replay_prefix(replay)
    for stage in mission.stages.values():
        _check_chain(stage)
    nodes = nodes_of(mission)
    read = {stream for node in nodes for stream in node.reads}
    nodes = [evolve(node, writes=(*node.writes, *(stream for stream in node.may if stream in read))) for node in nodes]
    writers = _writers(nodes)
    nodes = [_without_missing_uplink(node, writers) for node in nodes]
    _check_read(nodes, writers)
    if replay is not None:
        nodes = replayed(mission, nodes)
        writers = _writers(nodes)
    return MissionDescription(
        name=mission.name,
        bus=mission.bus,
        replay=replay,
        dictionary_hashes={target.name: target.hash for target in mission.dictionary.targets},
        stages=tuple(_describe_node(mission, node, prefix) for node in sorted(nodes, key=lambda node: node.name)),
        streams=tuple(_streams(mission, nodes, writers, prefix)),
    )


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


def _writers(nodes: Sequence[Node]) -> dict[Stream, Node]:
    writers: dict[Stream, Node] = {}
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


def _without_missing_uplink(node: Node, writers: dict[Stream, Node]) -> Node:
    """An interface that nobody sends commands to is one that only listens."""
    if node.interface is None:
        return node
    return evolve(node, reads=tuple(stream for stream in node.reads if stream in writers))


def _check_read(nodes: Sequence[Node], writers: dict[Stream, Node]) -> None:
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


def _reads(node: Node) -> tuple[Stream, ...]:
    return (*node.reads, *DEFINITIONS) if node.needs_definitions else node.reads


def _describe_node(mission: Mission, node: Node, prefix: str) -> StageDescription:
    extras = {"kafka"} if mission.bus.startswith("kafka:") else set()
    if node.interface is not None and isinstance(node.interface.link, Serial):
        extras.add("serial")
    settings = node.stage or node.interface
    described = StageDescription(
        name=node.name,
        identity=stage_identity(mission.name, node.name, prefix=prefix if node.role != PROVISIONER else ""),
        role=node.role,
        reads=tuple(sorted(stream_name(mission.name, *stream, prefix=prefix) for stream in _reads(node))),
        writes=tuple(sorted(stream_name(mission.name, *stream, prefix=prefix) for stream in node.writes)),
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


def _streams(
    mission: Mission, nodes: Sequence[Node], writers: dict[Stream, Node], prefix: str
) -> Iterator[StreamDescription]:
    readers: dict[Stream, list[str]] = defaultdict(list)
    for node in nodes:
        for stream in _reads(node):
            readers[stream].append(node.name)
    for (kind, scope), writer in sorted(writers.items(), key=lambda entry: (entry[0][0].label, entry[0][1])):
        lanes = _lanes(mission, kind, scope)
        yield StreamDescription(
            name=stream_name(mission.name, kind, scope, prefix=prefix),
            kind=str(kind),
            scope=scope,
            writer=writer.name,
            readers=tuple(sorted(readers[kind, scope])),
            lanes=lanes,
            partitions=max(1, len(lanes)),
            is_telemetry=kind.is_telemetry,
            compacted=kind.is_compacted,
        )


def _lanes(mission: Mission, kind: Kind, scope: str) -> tuple[str, ...]:
    """The lanes of a stream: the interface before identification, interface and target after."""
    if kind.scope is Scope.MISSION:
        return ()
    if kind.scope is not Scope.TARGET or kind is Kind.COMMANDS:
        return (scope,)
    behind = [name for name, interface in mission.interfaces.items() if scope in interface.targets]
    return tuple(f"{interface}/{scope}" for interface in behind)
