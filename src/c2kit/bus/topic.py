"""Topics of Apache Kafka as plain data: those that a mission needs, and how a cluster was found.

The one place that says with which settings a topic is made. Pure, and without the library of Kafka: what is needed is
planned where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.bus.naming import catalogue_name, state_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.bus.base import StreamSpec

__all__ = [
    "LARGEST_RECORD_BYTES",
    "REPLICAS",
    "SMALL",
    "TELEMETRY",
    "Cluster",
    "Retention",
    "Topic",
    "catalogue_topic",
    "state_topic",
    "stream_topic",
]

_HOUR_MS = 3_600_000
_GIB = 2**30

LARGEST_RECORD_BYTES = 16_000_000
"""Twice what a stage takes at once, so that what it makes of one record is not too large for the next. Batches beyond
it are split; a snapshot or the definitions of a target cannot be."""
REPLICAS = 3
"""One broker may be away, and another one be lost meanwhile."""


@frozen(kw_only=True)
class Topic:
    """Its name, its partitions, how many brokers have a copy of each, and settings by Kafka's names for them.

    Of a wanted one, the settings that matter; of one that was found, all that hold for it, wherever they were set.
    """

    name: str
    partitions: int
    replication_factor: int
    settings: Mapping[str, str]


@frozen(kw_only=True)
class Cluster:
    """What a cluster has: its brokers with the settings of each, by its number, and topics by name."""

    brokers: Mapping[int, Mapping[str, str]]
    topics: Mapping[str, Topic]


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


TELEMETRY = Retention(hours=96, gib=64, segment_hours=6)
"""A stage may be down over a long weekend; 64 GiB are four days of 200 kB/s."""
SMALL = Retention(hours=144, gib=1, segment_hours=12)
"""Commands, their status, events: people ask for them longest, and they take next to no room."""
_COMPACTED = {"cleanup.policy": "compact"}
_STATE = {
    **_COMPACTED,
    "segment.bytes": str(16 * 2**20),
    "segment.ms": str(_HOUR_MS),
    "max.compaction.lag.ms": str(_HOUR_MS // 6),
    "min.cleanable.dirty.ratio": "0.1",
}
"""Snapshots are replaced with each step, and who takes a stage over reads them all: so it is cleaned often."""


def stream_topic(spec: StreamSpec, brokers: int) -> Topic:
    """That of a stream, on a cluster of so many brokers."""
    kept = TELEMETRY if spec.is_telemetry else SMALL
    return _topic(spec.name, spec.partitions, brokers, _COMPACTED if spec.compacted else kept.settings)


def state_topic(identity: str, brokers: int) -> Topic:
    """That of a stage's snapshots."""
    return _topic(state_name(identity), 1, brokers, _STATE)


def catalogue_topic(mission: str, brokers: int) -> Topic:
    """That which says of a mission's streams what no topic can."""
    return _topic(catalogue_name(mission), 1, brokers, _COMPACTED)


def _topic(name: str, partitions: int, brokers: int, settings: Mapping[str, str]) -> Topic:
    replicas = min(REPLICAS, brokers)
    safe = {
        "min.insync.replicas": "2" if replicas == REPLICAS else "1",
        "unclean.leader.election.enable": "false",  # a broker that missed something must not lead those that did not
        "message.timestamp.type": "LogAppendTime",  # what is deleted when must not depend on the clocks of stages
        "max.message.bytes": str(LARGEST_RECORD_BYTES),
    }
    return Topic(name=name, partitions=partitions, replication_factor=replicas, settings={**safe, **settings})
