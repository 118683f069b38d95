"""Interfaces of a group share streams: one of each kind, in which every lane has its one writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from c2kit.bus import open_bus
from c2kit.errors import UsageError
from c2kit.links import TcpClient
from c2kit.pipeline.composition.acls import Operation, Resource, permissions_of
from c2kit.pipeline.composition.description import Scale
from c2kit.pipeline.composition.graph import as_mermaid, as_text
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger, RawLogger
from c2kit.pipeline.composition.streams import specs_of
from c2kit.processors import CommandEncoder, Decommutator, Identifier, LimitsMonitor
from c2kit.protocols import CcsdsPackets
from tests.missions import example_dictionary

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.pipeline.composition.description import MissionDescription

LINE = r"\(test_groups\.py:\d+\)"
NOOP = ["FIREFLY NOOP"]


def add(mission: Mission, name: str, target: str = "FIREFLY", group: str | None = "swarm", **settings: Any) -> None:  # noqa: ANN401 - those of an interface
    link = TcpClient("localhost", 7011)
    mission.interface(name, link, protocols=[CcsdsPackets()], targets=[target], group=group, **settings)


def swarm(*more: str, scale: Scale | None = None) -> Mission:
    """Two satellites in a group, one by itself, and all that is done with what they say."""
    mission = Mission("m", dictionary=example_dictionary())
    for name in ("one", "two", *more):
        add(mission, name, on_connect=NOOP)
    add(mission, "alone", "ANTENNA", group=None)
    mission.stage("identify", Identifier(), scale=scale)
    mission.stage("decom", Decommutator(), LimitsMonitor())
    mission.stage("log", PacketLogger("var/log"))
    mission.stage("raw", RawLogger("var/raw"))
    mission.stage("encode", CommandEncoder())
    return mission


def names(description: MissionDescription) -> set[str]:
    return {stream.name.removeprefix("m.") for stream in description.streams}


def test_they_share_a_stream_of_each_kind_but_for_what_is_for_one_of_them() -> None:
    found = names(swarm().describe())
    kinds = ("frames", "raw", "unknown", "packets", "telemetry", "commands", "auto-commands", "events")
    assert {f"{kind}.swarm" for kind in (*kinds, "command-status")} <= found
    assert {name for name in found if name.endswith((".one", ".two", ".FIREFLY"))} == {
        "uplink.one",
        "uplink.two",
        "link-control.one",
        "link-control.two",
    }
    assert {"frames.alone", "packets.ANTENNA", "commands.ANTENNA", "events.alone"} <= found


def test_another_interface_adds_two_streams_and_changes_none() -> None:
    before, after = swarm().describe(), swarm("three").describe()
    assert names(after) - names(before) == {"uplink.three", "link-control.three"}


def test_each_lane_is_what_it_is_without_groups() -> None:
    streams = swarm().describe().streams_by_name
    assert streams["m.frames.swarm"].lanes == ("one", "two")
    assert streams["m.events.swarm"].lanes == ("one", "two")
    assert streams["m.telemetry.swarm"].lanes == ("one/FIREFLY", "two/FIREFLY")
    assert streams["m.commands.swarm"].lanes == ("FIREFLY",)
    assert streams["m.uplink.one"].lanes == ("one",)


def test_interfaces_write_them_together_and_every_other_stage_alone() -> None:
    description = swarm().describe()
    for stream in description.streams:
        kind = stream.name.split(".")[1]
        is_of_interfaces = kind in {"frames", "raw", "events", "command-status", "auto-commands"}
        expected = ("one", "two") if is_of_interfaces and stream.scope == "swarm" else stream.writers[:1]
        assert stream.writers == expected, stream.name
    specs = {spec.name: spec for spec in specs_of(description)}
    assert (specs["m.frames.swarm"].writer, specs["m.frames.swarm"].members) == ("m.swarm", ("m.one", "m.two"))
    assert specs["m.packets.swarm"].writers == ("m.identify",)


def test_their_partitions_are_as_many_as_the_most_replicas_of_a_reader() -> None:
    streams = swarm(scale=Scale(max=3)).describe().streams_by_name
    assert streams["m.frames.swarm"].partitions == 3
    assert streams["m.packets.swarm"].partitions == 1
    assert streams["m.events.swarm"].partitions == 1
    assert streams["m.frames.alone"].partitions == 1


def test_more_replicas_than_lanes_are_refused() -> None:
    with pytest.raises(UsageError, match=r"lanes of frames\.swarm, frames\.alone .*at most 3, found max=4"):
        swarm(scale=Scale(max=4)).describe()
    assert swarm("three", scale=Scale(max=4)).describe().stage("identify").scale.max == 4


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_bus_lets_a_group_grow_and_every_lane_stays_where_it_is(kind: str, tmp_path: Path) -> None:
    scale = Scale(max=3)
    before = {spec.name: spec for spec in specs_of(swarm(scale=scale).describe())}
    after = {spec.name: spec for spec in specs_of(swarm("three", scale=scale).describe())}
    with open_bus("memory:" if kind == "memory" else f"sqlite:{tmp_path / 'bus.db'}") as bus:
        bus.apply(before.values())
        with pytest.raises(UsageError, match=r"stream m\.frames\.swarm is written by stage m\.swarm alone"):
            bus.worker("m.three", [], outputs=["m.frames.swarm"])
        bus.apply(after.values())
        bus.worker("m.three", [], outputs=["m.frames.swarm"]).close()
        for stranger in ("m.alone", "m.swarm"):
            with pytest.raises(UsageError, match="is written by"):
                bus.worker(stranger, [], outputs=["m.frames.swarm"])
    for lane in ("one", "two"):
        assert before["m.frames.swarm"].partition_of(lane) == after["m.frames.swarm"].partition_of(lane)


def test_who_names_one_of_its_targets_serves_all_of_it() -> None:
    mission = Mission("m", dictionary=example_dictionary())
    add(mission, "one")
    add(mission, "two", "ANTENNA")
    mission.stage("identify", Identifier(), targets=["ANTENNA"])
    mission.stage("decom", Decommutator(), targets=["FIREFLY"])
    description = mission.describe()
    assert set(description.stage("identify").targets) == {"FIREFLY", "ANTENNA"}
    assert set(description.stage("identify").interfaces) == {"one", "two"}
    assert set(description.stage("decom").targets) == {"FIREFLY", "ANTENNA"}
    mission.stage("rest", Identifier())
    with pytest.raises(UsageError, match=r"stage rest .* has nothing to read"):
        mission.describe()


def test_two_stages_that_would_divide_a_group_are_refused() -> None:
    mission = Mission("m", dictionary=example_dictionary())
    add(mission, "one")
    add(mission, "two", "ANTENNA")
    mission.stage("first", Identifier(), targets=["FIREFLY"])
    mission.stage("second", Identifier(), targets=["ANTENNA"])
    with pytest.raises(UsageError, match=rf"stages first {LINE} and second {LINE} would both write"):
        mission.describe()


def test_a_target_in_a_group_and_outside_is_refused_with_both_sides() -> None:
    mission = Mission("m", dictionary=example_dictionary())
    add(mission, "one")
    add(mission, "two", group="other")
    mission.stage("identify", Identifier())
    where = rf"target FIREFLY is behind interface one {LINE} and interface two {LINE}, .*'swarm' and group='other'"
    with pytest.raises(UsageError, match=where):
        mission.describe()


@pytest.mark.parametrize("group", ["", "a.b", "x" * 41, "ONE", "two", "Decom", "firefly", "replay"])
def test_its_name_is_a_name_and_that_of_nothing_else(group: str) -> None:
    mission = Mission("m", dictionary=example_dictionary())
    add(mission, "one", group=None)
    mission.stage("decom", Decommutator())
    with pytest.raises(UsageError, match="the name of a group"):
        add(mission, "two", "ANTENNA", group=group)


@pytest.mark.parametrize("name", ["swarm", "SWARM"])
def test_nothing_else_takes_its_name(name: str) -> None:
    mission = Mission("m", dictionary=example_dictionary())
    add(mission, "one")
    with pytest.raises(UsageError, match="the name of a stage"):
        mission.stage(name, Identifier())
    with pytest.raises(UsageError, match="the name of a interface"):
        add(mission, name, group=None)


def test_a_raw_log_of_one_interface_is_refused_and_the_whole_group_has_one() -> None:
    with pytest.raises(UsageError, match=r"raw_log= of interface one .*RawLogger\(directory\)"):
        add(Mission("m", dictionary=example_dictionary()), "one", raw_log="var/raw")
    assert set(swarm().describe().stage("raw").reads) >= {"m.raw.swarm", "m.raw.alone"}


def test_a_replay_knows_no_groups() -> None:
    description = swarm(scale=Scale(max=3)).describe(replay="night")
    frames = {stream.name: stream for stream in description.streams if stream.kind == "frames"}
    assert set(frames) == {f"m.replay.night.frames.{name}" for name in ("one", "two", "alone")}
    assert {stream.writers for stream in frames.values()} == {("replay",)}
    assert not any(stream.is_shared for stream in description.streams)


def test_an_interface_is_permitted_to_write_what_it_shares_and_to_read_what_is_its_own() -> None:
    (mine,) = [each for each in permissions_of(swarm().describe()) if each.identity == "m.one"]
    topics = {(acl.name, acl.operation) for acl in mine.acls if acl.resource is Resource.TOPIC}
    assert ("m.frames.swarm", Operation.WRITE) in topics
    assert ("m.uplink.one", Operation.READ) in topics
    assert not {(name, operation) for name, operation in topics if name.endswith((".two", ".alone"))}
    assert ("m.frames.swarm", Operation.READ) not in topics


def test_pictures_show_who_writes_it() -> None:
    description = swarm().describe()
    assert "    reads   frames.swarm  from the 2 interfaces of swarm\n" in as_text(description)
    lines = as_mermaid(description).splitlines()
    assert sum('"frames' in line for line in lines) == 3
