"""The topics of a mission on Apache Kafka: those of its streams, and those beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.bus.topic import REPLICAS, Topic, catalogue_topic, state_topic, stream_topic
from c2kit.pipeline.composition.streams import specs_of

if TYPE_CHECKING:
    from c2kit.pipeline.composition.description import MissionDescription, StageDescription

__all__ = ["keeps_state", "topics_of"]


def keeps_state(stage: StageDescription) -> bool:
    """Whether it has snapshots on the bus: who only writes has none, and a sink there says who keeps what."""
    return stage.role in {"interface", "stage", "sink", "replay"}


def topics_of(description: MissionDescription, *, brokers: int = REPLICAS) -> tuple[Topic, ...]:
    """The topics that a mission needs on a cluster of so many brokers, by name.

    They are its streams, a topic for the state of each stage that has some, and one that says of the streams what no
    topic can.
    """
    wanted = [catalogue_topic(description.name, brokers)]
    wanted += [stream_topic(spec, brokers) for spec in specs_of(description)]
    wanted += [state_topic(stage.identity, brokers) for stage in description.stages if keeps_state(stage)]
    return tuple(sorted(wanted, key=lambda topic: topic.name))
