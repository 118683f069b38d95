"""A topic has the same settings whoever makes it, and they keep what the mission needs."""

from __future__ import annotations

import pytest

from c2kit.bus.base import StreamSpec
from c2kit.bus.topic import SMALL, TELEMETRY, Retention, Topic, catalogue_topic, state_topic, stream_topic

STREAM = StreamSpec(name="m.frames.fep", writer="m.fep", partitions=3)


def test_a_stream_has_its_partitions_and_is_deleted_by_time_and_size() -> None:
    topic = stream_topic(STREAM, 3)
    assert (topic.name, topic.partitions, topic.replication_factor) == ("m.frames.fep", 3, 3)
    assert topic.settings == {
        "cleanup.policy": "delete",
        "retention.ms": "345600000",  # four days
        "retention.bytes": "68719476736",
        "segment.ms": "21600000",
        "min.insync.replicas": "2",
        "unclean.leader.election.enable": "false",
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": "16000000",
    }


def test_what_is_no_telemetry_stays_longer_and_takes_less() -> None:
    topic = stream_topic(StreamSpec(name="m.events.fep", writer="m.fep", is_telemetry=False), 3)
    assert (topic.settings["retention.ms"], topic.settings["retention.bytes"]) == ("518400000", "1073741824")


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        (stream_topic(StreamSpec(name="m.schemas", writer="m.provisioner", compacted=True), 1), "m.schemas"),
        (state_topic("m.decom", 1), "m.state.decom"),
        (catalogue_topic("m", 1), "m.streams"),
    ],
)
def test_what_is_kept_for_ever_has_one_partition_and_no_bound(topic: Topic, name: str) -> None:
    assert (topic.name, topic.partitions, topic.settings["cleanup.policy"]) == (name, 1, "compact")
    assert not any(setting.startswith("retention") for setting in topic.settings)


@pytest.mark.parametrize(("brokers", "copies", "in_sync"), [(1, 1, "1"), (2, 2, "1"), (3, 3, "2"), (7, 3, "2")])
def test_there_are_as_many_copies_as_brokers_up_to_three(brokers: int, copies: int, in_sync: str) -> None:
    topic = stream_topic(STREAM, brokers)
    assert (topic.replication_factor, topic.settings["min.insync.replicas"]) == (copies, in_sync)


@pytest.mark.parametrize("retention", [TELEMETRY, SMALL])
def test_nothing_is_kept_longer_than_a_default_broker_knows_how_far_a_stage_was(retention: Retention) -> None:
    assert retention.hours + retention.segment_hours < 7 * 24
