"""The streams of a mission, as a bus takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.bus.base import StreamSpec, check_compatible
from c2kit.errors import UsageError
from c2kit.pipeline.composition.names import stage_identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c2kit.bus.base import StreamBus
    from c2kit.pipeline.composition.description import MissionDescription, StageDescription, StreamDescription

__all__ = ["StreamsNotApplied", "check_applied", "specs_of"]


class StreamsNotApplied(UsageError):
    """A bus lacks streams of a mission, or has them otherwise: whoever provisions it has something to do."""


def specs_of(description: MissionDescription) -> tuple[StreamSpec, ...]:
    """What :meth:`~c2kit.bus.base.StreamBus.apply` is to be given, in the order of the description.

    Stages are named by their identities. Every stage that reads a stream must have passed a record before it is
    deleted, but for compacted ones: of those nothing is deleted that is the newest of its lane.
    """
    identities = {stage.name: stage.identity for stage in description.stages}
    return tuple(_spec(description, stream, identities) for stream in description.streams)


def _spec(description: MissionDescription, stream: StreamDescription, identities: dict[str, str]) -> StreamSpec:
    """Of a group's stream it is not told which lanes there are, so that more may come."""
    writers = tuple(identities[writer] for writer in stream.writers)
    is_joint = stream.is_shared and description.stage(stream.writers[0]).role == "interface"
    return StreamSpec(
        name=stream.name,
        writer=stage_identity(description.name, stream.scope) if is_joint else writers[0],
        members=writers if is_joint else (),
        partitions=stream.partitions,
        lanes=() if stream.is_shared else stream.lanes,
        consumers=() if stream.compacted else tuple(identities[reader] for reader in stream.readers),
        is_telemetry=stream.is_telemetry,
        compacted=stream.compacted,
    )


def check_applied(bus: StreamBus, description: MissionDescription, stages: Iterable[StageDescription]) -> None:
    """See that the streams of these stages are on a bus as the mission needs them. Raises StreamsNotApplied."""
    used = {name for stage in stages for name in (*stage.reads, *stage.writes)}
    there = {info.spec.name: info.spec for info in bus.streams(f"{description.name}.")}
    for spec in specs_of(description):
        if spec.name not in used:
            continue
        if spec.name not in there:
            raise StreamsNotApplied(
                f"stream {spec.name} is not on bus {bus.url}",
                remedy=f"run c2kit streams apply with the mission's script and --bus {bus.url}",
            )
        try:
            check_compatible(there[spec.name], spec)
        except UsageError as error:
            raise StreamsNotApplied(str(error)) from error
