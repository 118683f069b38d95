"""What a cluster has otherwise is found, and told by what it costs; what is as it should be is not told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from c2kit.bus.topic import Cluster, Topic
from c2kit.pipeline.composition.topic_checks import Difference, check_cluster
from c2kit.pipeline.composition.topics import topics_of
from tests.looking import firefly

if TYPE_CHECKING:
    from collections.abc import Mapping

FRAMES, STATE, OFFSETS, TRANSACTIONS = (
    "firefly.frames.fep",
    "firefly.state.decom",
    "__consumer_offsets",
    "__transaction_state",
)
BROKER = {
    # Those that matter of Apache Kafka 4.4's defaults, but for three that a careful operator sets.
    "auto.create.topics.enable": "false",
    "message.max.bytes": "16000000",
    "min.insync.replicas": "2",
    "offsets.retention.minutes": "10080",
    "offsets.topic.replication.factor": "3",
    "socket.request.max.bytes": "104857600",
    "transaction.max.timeout.ms": "900000",
    "transaction.state.log.min.isr": "2",
    "transaction.state.log.replication.factor": "3",
    "unclean.leader.election.enable": "false",
}
INTERNAL = {"cleanup.policy": "compact", "min.insync.replicas": "2", "unclean.leader.election.enable": "false"}


def good(brokers: int = 3) -> Cluster:
    """A cluster that has all that the mission needs, where each topic also has a setting that nobody asked for."""
    topics = [
        evolve(
            topic,
            settings={**topic.settings, "preallocate": "false", "segment.ms": topic.settings.get("segment.ms", "1")},
        )
        for topic in topics_of(firefly().describe(), brokers=brokers)
    ]
    topics += [
        Topic(name=name, partitions=50, replication_factor=3, settings=INTERNAL) for name in (OFFSETS, TRANSACTIONS)
    ]
    return Cluster(brokers=dict.fromkeys(range(1, brokers + 1), BROKER), topics={topic.name: topic for topic in topics})


def differences(cluster: Cluster) -> list[Difference]:
    wanted = topics_of(firefly().describe(), brokers=len(cluster.brokers))
    return check_cluster("firefly", wanted, cluster)


def with_topic(
    name: str, settings: Mapping[str, str] | None = None, *, partitions: int | None = None, copies: int | None = None
) -> Cluster:
    """A good cluster but for one topic."""
    cluster = good()
    topic = cluster.topics[name]
    changed = evolve(
        topic,
        partitions=partitions or topic.partitions,
        replication_factor=copies or topic.replication_factor,
        settings={**topic.settings, **(settings or {})},
    )
    return evolve(cluster, topics={**cluster.topics, name: changed})


def with_broker(settings: Mapping[str, str]) -> Cluster:
    """A good cluster but for broker 2."""
    cluster = good()
    return evolve(cluster, brokers={**cluster.brokers, 2: {**BROKER, **settings}})


def the_only(found: list[Difference]) -> Difference:
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("brokers", [3, 5])
def test_what_is_as_it_should_be_is_not_told(brokers: int) -> None:
    assert differences(good(brokers)) == []


def test_a_topic_that_is_not_there_keeps_stages_from_running() -> None:
    cluster = good()
    there = {name: topic for name, topic in cluster.topics.items() if name != FRAMES}
    only = the_only(differences(evolve(cluster, topics=there)))
    assert (only.of, only.found, only.breaks) == (f"topic {FRAMES}", "none", True)
    assert "c2kit streams apply" in only.meaning


@pytest.mark.parametrize(
    ("setting", "value", "breaks", "means"),
    [
        ("min.insync.replicas", "1", True, "one broker alone has it"),
        ("min.insync.replicas", "3", False, "once 1 brokers are away"),
        ("unclean.leader.election.enable", "true", True, "although they were acknowledged"),
        ("cleanup.policy", "compact", True, "all but the newest are deleted"),
        ("cleanup.policy", "compact,delete", True, "all but the newest are deleted"),
        ("message.timestamp.type", "CreateTime", False, "the clocks of stages"),
        ("retention.ms", "3600000", True, "loses the rest"),
        ("retention.ms", str(48 * 3_600_000), False, "loses the rest"),
        ("retention.ms", str(97 * 3_600_000), False, "more room"),
        ("retention.bytes", "1000000", True, "loses the rest"),
        ("retention.bytes", str(32 * 2**30), False, "loses the rest"),
        ("retention.bytes", "-1", False, "more room"),
        ("max.message.bytes", "1048588", False, "larger batches are split"),
        ("max.message.bytes", "32000000", False, "more memory"),
        ("segment.ms", "60000", False, "more files open"),
    ],
)
def test_a_setting_of_a_topic_is_told_by_what_it_costs(setting: str, value: str, breaks: bool, means: str) -> None:  # noqa: FBT001
    only = the_only(differences(with_topic(FRAMES, {setting: value})))
    assert (only.of, only.setting, only.found, only.breaks) == (f"topic {FRAMES}", setting, value, breaks)
    assert means in only.meaning


@pytest.mark.parametrize(
    ("setting", "value", "breaks"),
    [
        ("cleanup.policy", "delete", True),
        ("cleanup.policy", "compact,delete", True),
        ("max.message.bytes", "1048588", True),
        ("max.compaction.lag.ms", "9223372036854775807", False),
    ],
)
def test_what_must_be_kept_for_ever_is_another_matter(setting: str, value: str, breaks: bool) -> None:  # noqa: FBT001
    only = the_only(differences(with_topic(STATE, {setting: value})))
    assert (only.setting, only.breaks) == (setting, breaks)


@pytest.mark.parametrize("partitions", [2, 8])
def test_other_partitions_break_the_order_of_lanes(partitions: int) -> None:
    only = the_only(differences(with_topic(FRAMES, partitions=partitions)))
    assert (only.setting, only.wanted, only.found, only.breaks) == ("partitions", "1", str(partitions), True)


@pytest.mark.parametrize(("copies", "breaks"), [(1, True), (2, True), (4, False)])
def test_fewer_copies_lose_what_was_acknowledged_with_a_broker(copies: int, breaks: bool) -> None:  # noqa: FBT001
    only = the_only(differences(with_topic(FRAMES, copies=copies)))
    assert (only.setting, only.found, only.breaks) == ("replication factor", str(copies), breaks)


@pytest.mark.parametrize("retention", [str(8 * 24 * 3_600_000), "-1"])
def test_records_that_outlive_the_positions_of_their_readers_would_be_worked_on_twice(retention: str) -> None:
    room, twice = differences(with_topic(FRAMES, {"retention.ms": retention}))
    assert (room.setting, room.breaks) == ("retention.ms", False)
    assert (twice.setting, twice.breaks) == ("retention.ms + segment.ms", True)
    assert "twice" in twice.meaning


def test_brokers_that_forget_positions_early_are_told_of_every_topic() -> None:
    found = differences(with_broker({"offsets.retention.minutes": "1440"}))
    assert {each.of for each in found} == {
        f"topic {topic.name}"
        for topic in topics_of(firefly().describe())
        if topic.settings["cleanup.policy"] == "delete"
    }
    assert all(each.breaks for each in found)


def test_topics_that_nobody_uses_any_more_are_told_and_replays_are_not() -> None:
    cluster = good()
    topic = cluster.topics[FRAMES]
    more = {
        name: evolve(topic, name=name)
        for name in ("firefly.frames.old", "firefly.replay.night.frames.fep", "fireflyer.frames.fep")
    }
    only = the_only(differences(evolve(cluster, topics={**cluster.topics, **more})))
    assert (only.of, only.breaks) == ("topic firefly.frames.old", False)


@pytest.mark.parametrize("name", [OFFSETS, TRANSACTIONS])
@pytest.mark.parametrize(
    ("setting", "value"),
    [("min.insync.replicas", "1"), ("unclean.leader.election.enable", "true"), ("cleanup.policy", "delete")],
)
def test_what_kafka_keeps_itself_is_to_be_as_safe(name: str, setting: str, value: str) -> None:
    only = the_only(differences(with_topic(name, {setting: value})))
    assert (only.of, only.setting, only.found, only.breaks) == (f"topic {name}", setting, value, True)


@pytest.mark.parametrize("name", [OFFSETS, TRANSACTIONS])
def test_of_a_topic_that_is_there_its_copies_count_and_not_what_brokers_would_make(name: str) -> None:
    only = the_only(differences(with_topic(name, copies=1)))
    assert (only.of, only.setting, only.breaks) == (f"topic {name}", "replication factor", True)
    made_later = {"offsets.topic.replication.factor": "1", "transaction.state.log.replication.factor": "1"}
    assert differences(with_broker(made_later)) == []


@pytest.mark.parametrize(
    ("setting", "topic", "of_topic"),
    [
        ("offsets.topic.replication.factor", OFFSETS, "replication factor"),
        ("min.insync.replicas", OFFSETS, "min.insync.replicas"),
        ("transaction.state.log.replication.factor", TRANSACTIONS, "replication factor"),
        ("transaction.state.log.min.isr", TRANSACTIONS, "min.insync.replicas"),
    ],
)
def test_of_a_topic_that_is_not_there_yet_what_brokers_would_make_counts(
    setting: str, topic: str, of_topic: str
) -> None:
    cluster = with_broker({setting: "1"})
    there = {name: each for name, each in cluster.topics.items() if not name.startswith("__")}
    only = the_only(differences(evolve(cluster, topics=there)))
    assert (only.of, only.setting, only.found, only.breaks) == (f"topic {topic}", of_topic, "1", True)


@pytest.mark.parametrize(
    ("setting", "value", "breaks"),
    [
        ("message.max.bytes", "1048588", False),
        ("socket.request.max.bytes", "16000000", True),
        ("transaction.max.timeout.ms", "60000", True),
        ("auto.create.topics.enable", "true", False),
    ],
)
def test_a_setting_of_a_broker_is_told_with_its_number(setting: str, value: str, breaks: bool) -> None:  # noqa: FBT001
    only = the_only(differences(with_broker({setting: value})))
    assert (only.of, only.setting, only.found, only.breaks) == ("broker 2", setting, value, breaks)


def test_what_a_broker_does_not_tell_is_not_taken_for_right() -> None:
    cluster = good()
    unknown = {key: value for key, value in BROKER.items() if key != "socket.request.max.bytes"}
    only = the_only(differences(evolve(cluster, brokers={**cluster.brokers, 3: unknown})))
    assert (only.of, only.found, only.breaks) == ("broker 3", "unknown", True)


def test_few_brokers_are_told_once() -> None:
    cluster = good(1)
    internal = {name: evolve(cluster.topics[name], replication_factor=1) for name in (OFFSETS, TRANSACTIONS)}
    only = the_only(differences(evolve(cluster, topics={**cluster.topics, **internal})))
    assert (only.of, only.setting, only.found, only.breaks) == ("cluster", "brokers", "1", False)
