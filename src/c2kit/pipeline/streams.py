"""The streams of a mission, as a bus takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.bus.base import StreamSpec

if TYPE_CHECKING:
    from c2kit.pipeline.description import MissionDescription, StreamDescription

__all__ = ["specs_of"]


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
