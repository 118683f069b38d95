"""Topics, and how they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka.cimpl import NewTopic

from c2kit.bus.naming import catalogue_name
from c2kit.bus.topic import LARGEST_RECORD_BYTES

if TYPE_CHECKING:
    from c2kit.bus.base import StreamSpec

__all__ = ["is_catalogue", "new_topic", "topic_for_records"]

RETENTION_MS = 7 * 24 * 3_600_000
RETENTION_BYTES = 50 * 10**9
"""Of one partition."""


def is_catalogue(topic: str) -> bool:
    """Whether a topic describes a mission's streams."""
    mission, _, _ = topic.partition(".")
    return topic == catalogue_name(mission)


def new_topic(spec: StreamSpec, brokers: int) -> NewTopic:
    """The topic of a stream, on a cluster of so many brokers."""
    kept = {"cleanup.policy": "delete", "retention.ms": str(RETENTION_MS), "retention.bytes": str(RETENTION_BYTES)}
    return _topic(spec.name, spec.partitions, brokers, _COMPACTED if spec.compacted else kept)


def topic_for_records(name: str, brokers: int) -> NewTopic:
    """A compacted topic of one partition: a catalogue, or a stage's state."""
    return _topic(name, 1, brokers, _COMPACTED)


_COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": str(3_600_000),  # what is in the newest segment is not compacted
    "min.cleanable.dirty.ratio": "0.2",
}


def _topic(name: str, partitions: int, brokers: int, config: dict[str, str]) -> NewTopic:
    replicas = min(3, brokers)
    safe = {
        "min.insync.replicas": "2" if replicas == 3 else "1",
        "unclean.leader.election.enable": "false",
        "max.message.bytes": str(LARGEST_RECORD_BYTES),
        "message.timestamp.type": "CreateTime",
    }
    return NewTopic(name, num_partitions=partitions, replication_factor=replicas, config={**safe, **config})
