"""By which names a stage is known to Apache Kafka, beside the streams of its mission.

All of them follow from the stage's identity, ``<mission>.<prefix><stage>``, so that what a bus uses and what a stage
is permitted are one thing. Pure, and without the library of Kafka: permissions are written where there is none.
"""

from __future__ import annotations

__all__ = ["READER_GROUP", "catalogue_name", "group_of", "is_catalogue", "state_name", "transactional_prefix"]

READER_GROUP = "c2kit.none"
"""The group that clients name which are in none; librdkafka asks for its coordinator all the same."""


def catalogue_name(mission: str) -> str:
    """The compacted topic with what no topic can tell of a mission's streams: writers, lanes, readers."""
    return f"{mission}.streams"


def is_catalogue(topic: str) -> bool:
    """Whether a topic describes a mission's streams."""
    mission, _, _ = topic.partition(".")
    return topic == catalogue_name(mission)


def state_name(identity: str) -> str:
    """The compacted topic where a stage keeps its snapshots: ``<mission>.<prefix>state.<stage>``."""
    head, dot, stage = identity.rpartition(".")
    return f"{head}{dot}state.{stage}"


def group_of(identity: str) -> str:
    """The consumer group that holds how far a stage has read."""
    return identity


def transactional_prefix(identity: str) -> str:
    """What the transactional ids of a stage's replicas begin with, which an ordinal follows.

    The dot at its end is what keeps ``decom-2`` from being one of ``decom``'s.
    """
    return f"{identity}."
