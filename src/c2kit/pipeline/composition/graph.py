"""Pictures of a mission: who hands what to whom, as text and as Mermaid."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from c2kit.pipeline.composition.names import PROVISIONER, replay_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.pipeline.composition.description import MissionDescription, StageDescription, StreamDescription

__all__ = ["as_mermaid", "as_text"]

_QUIET = frozenset({"events", "dead-letter", "command-status"})
"""What every stage writes: in a picture it hides the rest, as do the definitions that every stage reads."""


def as_text(description: MissionDescription) -> str:
    """The stages in the order in which data flows, each with its streams and who is at their other end."""
    streams = {stream.name: stream for stream in description.streams}
    replay = "" if description.replay is None else f", replay {description.replay}"
    lines = [f"{description.name} on {description.bus}{replay}"]
    for stage in _in_order(description, streams):
        lines += ["", *_stage_lines(description, stage, streams)]
    return "\n".join(lines) + "\n"


def _stage_lines(
    description: MissionDescription, stage: StageDescription, streams: dict[str, StreamDescription]
) -> Iterator[str]:
    place = f"  ({stage.defined_at})" if stage.defined_at else ""
    yield f"{stage.name}  {stage.role}{place}"
    what = " > ".join(processor.name for processor in stage.processors)
    if stage.link is not None:
        settings = ", ".join(f"{name}={stage.link.settings[name]}" for name in stage.link.told)
        what = f"{stage.link.name}({settings}) with {', '.join(stage.link.protocols)}"
    if what:
        yield f"    {what}"
    for name in _shown_reads(stage, streams):
        yield f"    reads   {_short(description, name)}  from {_writers(streams[name])}"
    for name in stage.writes:
        if streams[name].kind not in _QUIET:
            readers = ", ".join(streams[name].readers)
            yield f"    writes  {_short(description, name)}" + (f"  for {readers}" if readers else "")


def _writers(stream: StreamDescription) -> str:
    first, *others = stream.writers
    return f"the {len(stream.writers)} interfaces of {stream.scope}" if others else first


def _short(description: MissionDescription, name: str) -> str:
    return name.removeprefix(f"{description.name}.{replay_prefix(description.replay)}")


def _shown(description: MissionDescription) -> list[StageDescription]:
    return [stage for stage in description.stages if stage.role != PROVISIONER]


def _shown_reads(stage: StageDescription, streams: dict[str, StreamDescription]) -> list[str]:
    return [name for name in stage.reads if not streams[name].compacted]


def _in_order(description: MissionDescription, streams: dict[str, StreamDescription]) -> list[StageDescription]:
    """Interfaces first, then whoever reads what is there already; those on a cycle by name."""
    waiting = sorted(_shown(description), key=lambda stage: (stage.role != "interface", stage.name))
    ordered: list[StageDescription] = []
    written: set[str] = set()
    while waiting:
        ready = [
            stage for stage in waiting if stage.role == "interface" or written.issuperset(_shown_reads(stage, streams))
        ]
        following = (ready or waiting)[0]
        waiting.remove(following)
        ordered.append(following)
        written |= set(following.writes)
    return ordered


def as_mermaid(description: MissionDescription) -> str:
    """A Mermaid flow chart: a box for each stage, an arrow for each pair that share streams, told by their kinds."""
    numbers = {stage.name: f"s{number}" for number, stage in enumerate(_shown(description))}
    lines = ["flowchart LR"]
    for stage in _shown(description):
        inside = "<br/>".join([f"<b>{stage.name}</b>", *(processor.name for processor in stage.processors)])
        if stage.link is not None:
            inside += f"<br/>{stage.link.name}"
        opening, closing = {"interface": ("([", "])"), "sink": ("[(", ")]")}.get(stage.role, ("[", "]"))
        lines.append(f'    {numbers[stage.name]}{opening}"{inside}"{closing}')
    kinds: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for stream in (stream for stream in description.streams if not stream.compacted):
        for reader in stream.readers:
            for writer in stream.writers:
                kinds[writer, reader][stream.kind] = None
    for (writer, reader), carried in kinds.items():
        lines.append(f'    {numbers[writer]} -- "{", ".join(carried)}" --> {numbers[reader]}')
    return "\n".join(lines) + "\n"
