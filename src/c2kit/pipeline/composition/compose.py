"""From a mission to its description: which stage reads and writes which streams, or why that cannot be.

Three steps, a module each: what each stage reads and could write, whether that fits together, and all of it as plain
data.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from attrs import NOTHING, evolve

from c2kit.links import Serial
from c2kit.pipeline.composition.checks import check_nodes, check_specs, writers_of
from c2kit.pipeline.composition.description import (
    LinkDescription,
    MissionDescription,
    ProcessorDescription,
    StageDescription,
    StreamDescription,
)
from c2kit.pipeline.composition.groups import Groups
from c2kit.pipeline.composition.names import PROVISIONER, replay_prefix, stage_identity, stream_name
from c2kit.pipeline.composition.nodes import DEFINITIONS, Node, Stream, nodes_of, replayed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from c2kit.pipeline.composition.mission import InterfaceSpec, Mission
    from c2kit.pipeline.composition.parts import Part

__all__ = ["compose"]


def compose(mission: Mission, replay: str | None = None) -> MissionDescription:
    """The description of a mission, live or of the replay of that id.

    Raises UsageError for whatever does not fit together.
    """
    prefix = replay_prefix(replay)
    check_specs(mission)
    groups = Groups(mission)
    nodes = _live(mission, groups)
    if replay is not None:
        groups = Groups(mission, are_ignored=True)  # whoever replays a log knows of interfaces, and not of groups
        nodes = replayed(mission, _live(mission, groups))
    return MissionDescription(
        name=mission.name,
        bus=mission.bus,
        replay=replay,
        dictionary_hashes={target.name: target.hash for target in mission.dictionary.targets},
        stages=tuple(_describe_node(mission, node, prefix) for node in sorted(nodes, key=lambda node: node.name)),
        streams=tuple(_streams(mission, groups, nodes, prefix)),
    )


def _live(mission: Mission, groups: Groups) -> list[Node]:
    """The nodes of a mission, which fit together."""
    nodes = nodes_of(mission, groups)
    read = {stream for node in nodes for stream in node.reads}
    wanted = {node.name: [stream for stream in node.may if stream in read] for node in nodes}
    nodes = [evolve(node, writes=tuple(dict.fromkeys((*node.writes, *wanted[node.name])))) for node in nodes]
    writers = writers_of(nodes)
    check_nodes(groups, nodes, writers)
    return [_without_unwritten(node, writers) for node in nodes]


def _without_unwritten(node: Node, writers: Collection[Stream]) -> Node:
    """An interface that nobody sends commands to is one that only listens; a sink keeps what there is."""
    return evolve(node, reads=tuple(stream for stream in node.reads if stream in writers))


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
        directory=node.directory,
        exclusive=node.is_exclusive,
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
    settings = spec.link.settings
    defaults = {each.name: each.default for each in getattr(spec.link, "__attrs_attrs__", ())}
    return LinkDescription(
        name=type(spec.link).__name__,
        settings=settings,
        told=tuple(name for name, value in settings.items() if defaults.get(name, NOTHING) != value),
        protocols=tuple(type(protocol).__name__ for protocol in spec.protocols),
        targets=spec.targets,
    )


def _streams(mission: Mission, groups: Groups, nodes: Sequence[Node], prefix: str) -> Iterator[StreamDescription]:
    readers: dict[Stream, list[Node]] = defaultdict(list)
    for node in nodes:
        for stream in _reads(node):
            readers[stream].append(node)
    written = sorted(writers_of(nodes).items(), key=lambda entry: (entry[0][0].label, entry[0][1]))
    for (kind, scope), writers in written:
        is_by_packet = writers[0].is_by_packet(kind)
        lanes = groups.lanes(kind, scope, by_packet=is_by_packet)
        is_shared = is_by_packet or groups.is_shared(kind, scope)
        scales = [node.stage.scale.max for node in readers[kind, scope] if node.stage is not None]
        yield StreamDescription(
            name=stream_name(mission.name, kind, scope, prefix=prefix),
            kind=str(kind),
            scope=scope,
            writers=tuple(sorted(node.name for node in writers)),
            readers=tuple(sorted(node.name for node in readers[kind, scope])),
            lanes=lanes,
            partitions=max([1, *scales]) if is_shared else max(1, len(lanes)),
            is_shared=is_shared,
            is_telemetry=kind.is_telemetry,
            compacted=kind.is_compacted,
        )
