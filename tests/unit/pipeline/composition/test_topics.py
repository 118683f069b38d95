"""The topics of a mission: which, how many partitions, how safe, and how long records stay."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2kit.batches.kinds import Kind
from c2kit.bus.topic import LARGEST_RECORD_BYTES
from c2kit.links import TcpClient
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.composition.topics import topics_of
from c2kit.processors import CommandEncoder, Decommutator, Identifier
from c2kit.protocols import CcsdsPackets
from tests.missions import example_dictionary

if TYPE_CHECKING:
    from c2kit.bus.topic import Topic

STAGES = ("north", "south", "decom", "encode", "log", "north-raw-log", "south-raw-log")
STATES = {f"m.state.{stage}" for stage in STAGES}
_DAYS_MS = 24 * 3_600_000


def mission() -> Mission:
    made = Mission("m", dictionary=example_dictionary())
    for interface in ("north", "south"):
        made.interface(
            interface, TcpClient("localhost", 7011), protocols=[CcsdsPackets()], targets=["FIREFLY"], raw_log=interface
        )
    made.stage("decom", Identifier(), Decommutator())
    made.stage("log", PacketLogger("var/log"))
    made.stage("encode", CommandEncoder())
    return made


def topics(brokers: int = 3, replay: str | None = None) -> dict[str, Topic]:
    return {topic.name: topic for topic in topics_of(mission().describe(replay=replay), brokers=brokers)}


def test_there_is_one_for_each_stream_and_each_state_and_what_is_known_of_streams() -> None:
    streams = {stream.name for stream in mission().describe().streams}
    others = {*STATES, "m.streams"}
    assert topics().keys() == streams | others
    assert not streams & others


def test_a_stream_has_the_partitions_of_the_description() -> None:
    found = topics()
    assert {stream.name: stream.partitions for stream in mission().describe().streams}.items() <= {
        name: topic.partitions for name, topic in found.items()
    }.items()
    assert found["m.packets.FIREFLY"].partitions == 2  # one for each way that leads to it
    assert found["m.state.decom"].partitions == 1


@pytest.mark.parametrize(
    ("brokers", "copies", "in_sync"), [(1, 1, "1"), (2, 2, "1"), (3, 3, "2"), (4, 3, "2"), (30, 3, "2")]
)
def test_each_record_is_on_as_many_brokers_as_can_be_up_to_three(brokers: int, copies: int, in_sync: str) -> None:
    for topic in topics(brokers).values():
        assert topic.replication_factor == copies
        assert topic.settings["min.insync.replicas"] == in_sync


def test_no_topic_forgets_what_was_acknowledged_or_believes_a_clock() -> None:
    for topic in topics().values():
        assert topic.settings["unclean.leader.election.enable"] == "false"
        assert topic.settings["message.timestamp.type"] == "LogAppendTime"
        assert int(topic.settings["max.message.bytes"]) == LARGEST_RECORD_BYTES


def test_definitions_and_states_are_kept_for_ever_and_nothing_else_is() -> None:
    compacted = {name for name, topic in topics().items() if topic.settings["cleanup.policy"] == "compact"}
    assert compacted == {"m.dictionaries", "m.schemas", "m.streams"} | STATES
    for name, topic in topics().items():
        assert ("retention.ms" in topic.settings) == (name not in compacted)


def test_how_long_records_stay_follows_from_their_kind() -> None:
    found = topics()
    for name in ("m.raw.north", "m.frames.north", "m.packets.FIREFLY", "m.telemetry.FIREFLY", "m.unknown.north"):
        assert found[name].settings["retention.ms"] == str(4 * _DAYS_MS), name
        assert found[name].settings["retention.bytes"] == str(64 * 2**30), name
    for name in ("m.commands.FIREFLY", "m.uplink.north", "m.command-status.encode", "m.events.log"):
        assert found[name].settings["retention.ms"] == str(6 * _DAYS_MS), name


def test_a_replay_has_topics_of_its_own_and_the_definitions_of_the_mission() -> None:
    live, replayed = topics(), topics(replay="night")
    assert live.keys() & replayed.keys() == {"m.dictionaries", "m.schemas", "m.streams"}
    assert {"m.replay.night.frames.north", "m.replay.night.state.decom"} <= replayed.keys()
    assert "m.replay.night.state.north" not in replayed


def test_all_names_are_such_as_kafka_takes() -> None:
    for name in (*topics(), *topics(replay="n" * 40)):
        assert re.fullmatch(r"[A-Za-z0-9.-]{1,249}", name)  # without _, which collides with . in its metrics


def test_the_page_tells_what_is_kept_how_long() -> None:
    page = (Path(__file__).parents[4] / "docs/how-to/run-on-kafka.md").read_text(encoding="utf-8")
    told = {
        kind: (float(hours), float(gib))
        for kinds, hours, gib in re.findall(r"^\| (`.*`) \| 3 \| (\d+) h, at most (\d+) GiB", page, re.MULTILINE)
        for kind in re.findall(r"`([\w-]+)`", kinds)
    }
    assert told.keys() == {str(kind) for kind in Kind if not kind.is_compacted}
    kept = {
        name.split(".")[1]: (int(settings["retention.ms"]) / 3_600_000, int(settings["retention.bytes"]) / 2**30)
        for name, settings in ((name, topic.settings) for name, topic in topics().items())
        if "retention.ms" in settings
    }
    assert kept.items() <= told.items()
    assert told.keys() - kept.keys() == {"auto-commands"}  # of missions with parts that issue commands
    assert f"| `max.message.bytes` | {LARGEST_RECORD_BYTES:,} |".replace(",", " ") in page
