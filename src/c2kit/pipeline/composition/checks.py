"""Whether a mission fits together. Each refusal names both sides, and the lines of the script that asked for them."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING

from c2kit.batches.kinds import Kind
from c2kit.dictionaries.prover import Severity, prove_identification
from c2kit.errors import UsageError
from c2kit.pipeline.composition.own_commands import own_commands
from c2kit.processors import CommandEncoder

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from c2kit.dictionaries.prover import Finding
    from c2kit.pipeline.composition.groups import Groups
    from c2kit.pipeline.composition.mission import InterfaceSpec, Mission, StageSpec
    from c2kit.pipeline.composition.nodes import Node, Stream

__all__ = ["check_nodes", "check_specs", "writers_of"]


def check_specs(mission: Mission) -> None:
    """Refuse stages and interfaces that cannot work whatever is around them."""
    for stage in mission.stages.values():
        _check_chain(stage)
        _check_publish(stage)
        _check_lane(stage)
        _check_encoder(stage)
    _check_identification(mission)
    _check_groups(mission)
    for interface in mission.interfaces.values():
        own_commands(interface, mission.dictionary)  # raises for what cannot be sent


def _check_chain(spec: StageSpec) -> None:
    for before, after in pairwise(spec.processors):
        if before.gives not in after.takes:
            takes = " or ".join(str(kind) for kind in after.takes)
            gives = "nothing: it is a sink" if before.gives is None else str(before.gives)
            raise UsageError(
                f"{spec.place}: {type(after).__name__} takes {takes}",
                found=f"{type(before).__name__} before it gives {gives}",
                remedy="put a processor between them that turns one into the other, or divide the stage",
            )
    *before_last, last = spec.processors
    if before_last and last.gives is None:
        raise UsageError(
            f"{spec.place}: {type(last).__name__} is a sink, which keeps its positions with its own data",
            expected="no processor before it, whose work is committed on the bus",
            found=type(before_last[-1]).__name__,
            remedy="give the sink a stage of its own; what it takes is published for it",
        )


def _check_publish(spec: StageSpec) -> None:
    made = {str(kind) for part in spec.processors for kind in (part.gives, *part.also_gives) if kind is not None}
    for kind in spec.publish:
        if kind not in made:
            raise UsageError(
                f"{spec.place}: publish= names {kind}, which none of its processors gives",
                expected=" or ".join(sorted(made)) or "nothing: it is a sink",
                found=repr(kind),
            )


def _check_lane(spec: StageSpec) -> None:
    gives = {kind for part in spec.processors for kind in (part.gives, *part.also_gives)}
    if spec.lane == "packet" and gives.isdisjoint({Kind.PACKETS, Kind.TELEMETRY}):
        raise UsageError(
            f'{spec.place}: lane="packet" divides packets and telemetry',
            expected="a processor that gives one of them",
            found=", ".join(type(part).__name__ for part in spec.processors),
        )


def _check_encoder(spec: StageSpec) -> None:
    if any(isinstance(part, CommandEncoder) for part in spec.processors) and spec.scale.max > 1:
        raise UsageError(
            f"{spec.place}: CommandEncoder counts the commands of its targets, and so is the only one that does",
            expected="a Scale with max=1",
            found=f"max={spec.scale.max}",
            remedy="divide the targets among several stages with targets=",
        )


def _check_identification(mission: Mission) -> None:
    """What is behind one interface must be told apart; the same targets are looked at once."""
    proved: dict[tuple[str, ...], list[Finding]] = {}
    for spec in mission.interfaces.values():
        if spec.targets not in proved:
            findings = prove_identification([mission.dictionary.target(name) for name in spec.targets])
            proved[spec.targets] = [finding for finding in findings if finding.severity is Severity.ERROR]
        errors = proved[spec.targets]
        if errors:
            more = f" (and {len(errors) - 1} more; c2kit check tells all)" if len(errors) > 1 else ""
            raise UsageError(f"{spec.place}: the packets behind it cannot be told apart{more}: {errors[0]}")


def _check_groups(mission: Mission) -> None:
    """A target is in one group or in none: else its packets would be in several streams."""
    first: dict[str, InterfaceSpec] = {}
    for spec in mission.interfaces.values():
        for target in spec.targets:
            other = first.setdefault(target, spec)
            if other.group != spec.group:
                raise UsageError(
                    f"target {target} is behind {other.place} and {spec.place}",
                    expected="all interfaces of a target in one group, or none of them in any",
                    found=f"group={other.group!r} and group={spec.group!r}",
                )


def writers_of(nodes: Sequence[Node]) -> dict[Stream, list[Node]]:
    """Who writes each stream. Raises UsageError for a lane that two would write.

    Interfaces of a group write one stream, each in its own lane; everything else has one writer.
    """
    writers: dict[Stream, list[Node]] = {}
    for node in nodes:
        for kind, scope in node.writes:
            there = writers.setdefault((kind, scope), [])
            if there and (node.interface is None or there[0].interface is None):
                name = f"{kind}.{scope}" if scope else str(kind)
                raise UsageError(
                    f"stages {there[0].place} and {node.place} would both write {name}",
                    expected="one writer of each stream",
                    remedy="give them different targets=, or make them one stage with a larger scale=",
                )
            there.append(node)
    return writers


def check_nodes(groups: Groups, nodes: Sequence[Node], writers: Mapping[Stream, Sequence[Node]]) -> None:
    """Refuse a stage that has nothing to read, more replicas than lanes, or the files of another one."""
    directories: dict[str, Node] = {}
    for node in nodes:
        if node.stage is not None and not node.reads:
            kinds = " or ".join(str(kind) for kind in node.processors[0].takes)
            raise UsageError(
                f"stage {node.place} has nothing to read: no interface or target is left for it",
                expected=f"streams of {kinds}",
                remedy="add an interface, or look whether another stage names all targets",
            )
        _check_written(node, writers)
        if node.stage is not None:
            _check_scale(groups, node, node.stage, writers)
        if node.directory is not None:
            other = directories.setdefault(os.path.abspath(node.directory), node)  # noqa: PTH100 - nothing is resolved
            if other is not node:
                raise UsageError(
                    f"stages {other.place} and {node.place} would both keep their files in {node.directory}",
                    expected="a directory of its own for each",
                )


def _check_written(node: Node, writers: Collection[Stream]) -> None:
    """Who needs a stream needs somebody who writes it; an interface can do without commands, a sink with some kinds."""
    missing = [stream for stream in node.reads if stream not in writers]
    if node.interface is not None:
        if missing and node.interface.has_commands:
            what = f"{node.interface.place} has commands of its own, which no stage encodes"
            raise UsageError(what, remedy="add a stage with a CommandEncoder()")
        return
    for kind, scope in missing:
        if node.role != "sink" or kind is node.processors[0].takes[0]:
            raise UsageError(
                f"stage {node.place} reads {kind}.{scope}, which nobody writes",
                remedy=f"add a stage whose processors give {kind}",
            )


def _check_scale(groups: Groups, node: Node, spec: StageSpec, writers: Mapping[Stream, Sequence[Node]]) -> None:
    if node.role == "sink" and spec.scale.min != spec.scale.max:
        raise UsageError(
            f"{spec.place}: what a replica of a sink keeps is its own, so that replicas neither come nor go",
            expected="a Scale with min and max the same",
            found=f"min={spec.scale.min}, max={spec.scale.max}",
        )
    by_packet = {stream for stream in node.reads if stream in writers and writers[stream][0].is_by_packet(stream[0])}
    lanes = sum(len(groups.lanes(*stream, by_packet=stream in by_packet)) for stream in node.reads)
    if spec.scale.max > lanes:
        read = ", ".join(f"{kind}.{scope}" for kind, scope in node.reads)
        raise UsageError(
            f"{spec.place}: the lanes of {read} are worked on by one replica each",
            expected=f"a Scale with max of at most {lanes}",
            found=f"max={spec.scale.max}",
        )
