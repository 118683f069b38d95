"""The topics of a mission on Apache Kafka: how many partitions and copies, and what is kept how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.batches.kinds import Kind
from c2kit.bus.naming import catalogue_name, state_name
from c2kit.bus.topic import Topic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from c2kit.pipeline.composition.description import MissionDescription, StageDescription

__all__ = ["LARGEST_RECORD_BYTES", "RETENTION", "Retention", "keeps_state", "topics_of"]

_HOUR_MS = 3_600_000
_GIB = 2**30

LARGEST_RECORD_BYTES = 16_000_000
"""Twice what a stage takes at once, so that what it makes of one record is not too large for the next. Batches beyond
it are split; a snapshot or the definitions of a target cannot be."""
_REPLICAS = 3
"""One broker may be away, and another one be lost meanwhile."""


@frozen(kw_only=True)
class Retention:
    """How long records are kept, whether they were read or not: until either bound is met.

    Records are deleted by segments, each once its newest record is old enough: what is kept can be a segment more.
    Both together must be less than the 7 days after which brokers forget how far a stage has read that does not run:
    it would begin anew then, with whatever is still there.
    """

    hours: float
    gib: float
    """Of one partition: what one link that talks nonsense may take of the disks that all share."""
    segment_hours: float

    @property
    def settings(self) -> dict[str, str]:
        """As Kafka has them."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(round(self.hours * _HOUR_MS)),
            "retention.bytes": str(round(self.gib * _GIB)),
            "segment.ms": str(round(self.segment_hours * _HOUR_MS)),
        }


_TELEMETRY = Retention(hours=96, gib=64, segment_hours=6)
"""A stage may be down over a long weekend; 64 GiB are four days of 200 kB/s."""
_SMALL = Retention(hours=144, gib=1, segment_hours=12)
"""Commands, their status, events: people ask for them longest, and they take next to no room."""
RETENTION: Mapping[str, Retention] = {
    str(kind): _TELEMETRY if kind.is_telemetry else _SMALL for kind in Kind if not kind.is_compacted
}
"""By the kind of a stream."""

_COMPACTED = {"cleanup.policy": "compact"}
_STATE = {
    **_COMPACTED,
    "segment.bytes": str(16 * 2**20),
    "segment.ms": str(_HOUR_MS),
    "max.compaction.lag.ms": str(_HOUR_MS // 6),
    "min.cleanable.dirty.ratio": "0.1",
}
"""Snapshots are replaced with each step, and who takes a stage over reads them all: so it is cleaned often."""


def keeps_state(stage: StageDescription) -> bool:
    """Whether it has snapshots on the bus: sinks have theirs with their data, and who only writes has none."""
    return stage.role in {"interface", "stage", "replay"}


def topics_of(description: MissionDescription, *, brokers: int = _REPLICAS) -> tuple[Topic, ...]:
    """The topics that a mission needs on a cluster of so many brokers, by name.

    They are its streams, a topic for the state of each stage that has some, and one that says of the streams what no
    topic can.
    """
    replicas = min(_REPLICAS, brokers)
    safe = {
        "min.insync.replicas": "2" if replicas == _REPLICAS else "1",
        "unclean.leader.election.enable": "false",  # a broker that missed something must not lead those that did not
        "message.timestamp.type": "LogAppendTime",  # what is deleted when must not depend on the clocks of stages
        "max.message.bytes": str(LARGEST_RECORD_BYTES),
    }
    wanted = {name: (partitions, settings) for name, partitions, settings in _wanted(description)}
    return tuple(
        Topic(name=name, partitions=partitions, replication_factor=replicas, settings={**safe, **settings})
        for name, (partitions, settings) in sorted(wanted.items())
    )


def _wanted(description: MissionDescription) -> Iterator[tuple[str, int, dict[str, str]]]:
    yield catalogue_name(description.name), 1, _COMPACTED
    for stream in description.streams:
        yield stream.name, stream.partitions, _COMPACTED if stream.compacted else RETENTION[stream.kind].settings
    for stage in description.stages:
        if keeps_state(stage):
            yield state_name(stage.identity), 1, _STATE
