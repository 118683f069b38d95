"""The streams of a mission, as a bus takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.bus.base import StreamSpec, check_compatible
from c2kit.errors import UsageError

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
    return tuple(_spec(stream, identities) for stream in description.streams)


def _spec(stream: StreamDescription, identities: dict[str, str]) -> StreamSpec:
    return StreamSpec(
        name=stream.name,
        writer=identities[stream.writer],
        partitions=stream.partitions,
        lanes=stream.lanes,
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
