"""A composition becomes streams, writers and readers; or it is refused with both sides named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from c2kit.batches.kinds import Kind
from c2kit.dictionaries import Dictionary
from c2kit.errors import UnknownName, UsageError
from c2kit.links import Serial, TcpClient, UdpListener
from c2kit.pipeline.composition.description import MissionDescription, Resources, Scale
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger, RawLogger
from c2kit.processors import CommandEncoder, Decommutator, Identifier, LimitsMonitor
from c2kit.protocols import CcsdsPackets, Fixed

DICTIONARY = Dictionary.load(Path(__file__).parents[4] / "examples" / "dictionary")
LINK = TcpClient("localhost", 7011)


def small_mission() -> Mission:
    """The mission of the README, with links that go nowhere."""
    mission = Mission("firefly", dictionary=DICTIONARY, bus="sqlite:var/bus.db")
    mission.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"], raw_log="var/raw")
    mission.interface("antenna", UdpListener(7020), protocols=[Fixed(64)], targets=["ANTENNA"])
    mission.stage("decom", Identifier(), Decommutator(), LimitsMonitor())
    mission.stage("log", PacketLogger("var/log"))
    mission.stage("encode", CommandEncoder())
    return mission


def streams(description: MissionDescription, stage: str) -> tuple[list[str], list[str]]:
    """What a stage reads and writes, without the mission's name and what every stage writes."""
    found = description.stage(stage)
    plain = [[name.removeprefix("firefly.") for name in names] for names in (found.reads, found.writes)]
    quiet = ("events", "dead-letter", "command-status", "dictionaries", "schemas")
    reads, writes = ([name for name in names if not name.startswith(quiet)] for names in plain)
    return reads, writes


class TestStreams:
    def test_streams_follow_from_the_processors(self) -> None:
        description = small_mission().describe()
        assert streams(description, "decom") == (
            ["frames.antenna", "frames.fep"],
            [
                "packets.ANTENNA",
                "packets.FIREFLY",
                "telemetry.ANTENNA",
                "telemetry.FIREFLY",
                "unknown.antenna",
                "unknown.fep",
            ],
        )
        assert streams(description, "log") == (
            ["packets.ANTENNA", "packets.FIREFLY", "uplink.antenna", "uplink.fep"],
            [],
        )
        assert streams(description, "encode") == (
            ["commands.ANTENNA", "commands.FIREFLY"],
            ["uplink.antenna", "uplink.fep"],
        )
        assert streams(description, "fep") == (["link-control.fep", "uplink.fep"], ["frames.fep", "raw.fep"])
        assert streams(description, "fep-raw-log") == (["raw.fep"], [])
        commands = ["commands.ANTENNA", "commands.FIREFLY"]
        assert streams(description, "command-source") == ([], [*commands, "link-control.antenna", "link-control.fep"])

    def test_every_stream_has_one_writer_and_each_reader_is_named(self) -> None:
        description = small_mission().describe()
        packets = next(stream for stream in description.streams if stream.name == "firefly.packets.FIREFLY")
        assert (packets.writers, packets.readers, packets.lanes) == (("decom",), ("log",), ("fep/FIREFLY",))
        names = [stream.name for stream in description.streams]
        assert len(names) == len(set(names))
        for stage in description.stages:
            assert set(stage.reads) <= set(names)
            assert set(stage.writes) <= set(names)

    def test_inner_kinds_are_published_only_where_somebody_reads_them(self) -> None:
        mission = Mission("m", dictionary=DICTIONARY)
        mission.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"])
        mission.stage("decom", Identifier(), Decommutator())
        assert "m.packets.FIREFLY" not in mission.describe().stage("decom").writes
        other = Mission("m", dictionary=DICTIONARY)
        other.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"])
        other.stage("decom", Identifier(), Decommutator(), publish=["packets"])
        assert "m.packets.FIREFLY" in other.describe().stage("decom").writes

    def test_what_two_processors_of_a_stage_give_and_another_stage_reads_has_one_writer(self) -> None:
        class Archiver(PacketLogger):
            takes = (Kind.TELEMETRY,)

        mission = Mission("m", dictionary=DICTIONARY)
        mission.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"])
        mission.stage("decom", Identifier(), Decommutator(), LimitsMonitor())
        mission.stage("archive", Archiver("var/archive"))
        (telemetry,) = [stream for stream in mission.describe().streams if stream.kind == "telemetry"]
        assert (telemetry.writers, telemetry.readers) == (("decom",), ("archive",))

    def test_raw_bytes_are_published_only_for_a_raw_log(self) -> None:
        assert streams(small_mission().describe(), "antenna")[1] == ["frames.antenna"]

    def test_an_interface_that_nobody_sends_commands_to_only_listens(self) -> None:
        mission = Mission("m", dictionary=DICTIONARY)
        mission.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"])
        mission.stage("decom", Identifier(), Decommutator())
        assert mission.describe().stage("fep").reads == ("m.dictionaries", "m.link-control.fep", "m.schemas")

    def test_commands_of_the_interface_itself_reach_the_encoder(self) -> None:
        mission = Mission("m", dictionary=DICTIONARY)
        noop = ["FIREFLY NOOP"]
        mission.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"], on_connect=noop)
        mission.stage("decom", Identifier(), Decommutator())
        mission.stage("encode", CommandEncoder())
        assert "m.auto-commands.fep" in mission.describe().stage("fep").writes
        assert "m.auto-commands.fep" in mission.describe().stage("encode").reads

    def test_stages_may_be_cut_anywhere(self) -> None:
        mission = Mission("firefly", dictionary=DICTIONARY)
        mission.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"])
        mission.stage("identify", Identifier())
        mission.stage("decom", Decommutator())
        description = mission.describe()
        assert streams(description, "identify") == (["frames.fep"], ["packets.FIREFLY", "unknown.fep"])
        assert streams(description, "decom") == (["packets.FIREFLY"], ["telemetry.FIREFLY"])

    def test_a_stage_can_be_assigned_to_one_target_and_another_has_the_rest(self) -> None:
        mission = Mission("firefly", dictionary=DICTIONARY)
        mission.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"])
        mission.interface("antenna", LINK, protocols=[Fixed(64)], targets=["ANTENNA"])
        mission.stage("big", Identifier(), Decommutator(), targets=["FIREFLY"])
        mission.stage("rest", Identifier(), Decommutator())
        description = mission.describe()
        assert streams(description, "big")[0] == ["frames.fep"]
        assert streams(description, "rest")[0] == ["frames.antenna"]

    def test_a_target_behind_two_interfaces_has_a_lane_for_each(self) -> None:
        mission = Mission("m", dictionary=DICTIONARY)
        for name in ("north", "south"):
            mission.interface(name, LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"])
        mission.stage("identify", Identifier())
        description = mission.describe()
        (packets,) = [stream for stream in description.streams if stream.kind == "packets"]
        assert (packets.lanes, packets.partitions) == (("north/FIREFLY", "south/FIREFLY"), 2)


class TestDefinitions:
    def test_the_provisioner_writes_them_and_all_read_them_that_have_to_do_with_batches(self) -> None:
        description = small_mission().describe()
        provisioner = description.stage("provisioner")
        assert (provisioner.role, provisioner.reads) == ("provisioner", ())
        assert provisioner.writes == ("firefly.dictionaries", "firefly.schemas")
        for stream in description.streams:
            is_definitions = stream.name in provisioner.writes
            assert stream.compacted is is_definitions
            if is_definitions:
                assert stream.readers == ("antenna", "decom", "encode", "fep", "fep-raw-log", "log")
                assert (stream.lanes, stream.partitions, stream.is_telemetry) == ((), 1, False)
        for name in ("antenna", "decom", "encode", "fep", "fep-raw-log", "log"):
            assert set(provisioner.writes) <= set(description.stage(name).reads)


class TestReplay:
    def test_what_has_to_do_with_links_and_commands_is_left_out(self) -> None:
        mission = small_mission()
        mission.stage("bytes", RawLogger("var/bytes"))
        description = mission.describe(replay="night")
        assert [stage.name for stage in description.stages] == ["decom", "log", "provisioner", "replay"]
        replay = description.stage("replay")
        assert replay.role == "replay"
        assert replay.writes == ("firefly.replay.night.frames.antenna", "firefly.replay.night.frames.fep")
        assert (replay.interfaces, replay.targets) == (("fep", "antenna"), ("ANTENNA", "FIREFLY"))

    def test_stages_read_and_write_as_before_under_other_names(self) -> None:
        live, replayed = small_mission().describe(), small_mission().describe(replay="night")
        plain = [name.replace("replay.night.", "") for name in replayed.stage("decom").writes]
        assert plain == list(live.stage("decom").writes)
        assert "firefly.replay.night.packets.FIREFLY" in replayed.stage("log").reads
        assert replayed.stage("log").directory == "var/log"
        assert not [name for name in replayed.stage("log").reads if "uplink" in name]
        assert replayed.replay == "night"
        assert live.replay is None

    def test_nothing_live_is_written_but_definitions_which_are_the_same(self) -> None:
        description = small_mission().describe(replay="night")
        for stream in description.streams:
            assert stream.name.startswith("firefly.replay.night.") is (stream.writers != ("provisioner",))
        assert description.stage("provisioner") == small_mission().describe().stage("provisioner")

    def test_a_stage_of_a_replay_is_another_to_the_bus(self) -> None:
        live, replayed = small_mission().describe(), small_mission().describe(replay="night")
        assert live.stage("decom").identity == "firefly.decom"
        assert replayed.stage("decom").identity == "firefly.replay.night.decom"
        assert replayed.stage("provisioner").identity == "firefly.provisioner"

    def test_a_mission_that_does_not_fit_together_is_not_replayed_either(self) -> None:
        mission = small_mission()
        mission.stage("again", CommandEncoder())
        with pytest.raises(UsageError, match="would both write"):
            mission.describe(replay="night")

    @pytest.mark.parametrize("replay", ["", "a.b", "x" * 41])
    def test_the_id_is_a_name(self, replay: str) -> None:
        with pytest.raises(UsageError, match="the name of a replay"):
            small_mission().describe(replay=replay)


class TestRefusals:
    def mission(self) -> Mission:
        mission = Mission("m", dictionary=DICTIONARY)
        mission.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"])
        return mission

    def test_kinds_that_do_not_fit_are_refused_with_both_sides(self) -> None:
        mission = self.mission()
        mission.stage("wrong", Decommutator(), Identifier())
        with pytest.raises(
            UsageError, match=r"stage wrong \(test_mission\.py:\d+\): Identifier takes frames"
        ) as caught:
            mission.describe()
        assert "Decommutator before it gives telemetry" in str(caught.value)

    def test_nothing_comes_after_a_sink(self) -> None:
        mission = self.mission()
        mission.stage("wrong", PacketLogger("log"), Decommutator())
        with pytest.raises(UsageError, match="PacketLogger before it gives nothing: it is a sink"):
            mission.describe()

    def test_two_writers_of_one_stream_are_refused_with_both_lines(self) -> None:
        mission = self.mission()
        mission.stage("one", Identifier())
        mission.stage("two", Identifier())
        where = (
            r"stages one \(test_mission\.py:\d+\) and two \(test_mission\.py:\d+\) would both write packets\.FIREFLY"
        )
        with pytest.raises(UsageError, match=where):
            mission.describe()

    def test_a_stream_that_nobody_writes_is_refused(self) -> None:
        mission = self.mission()
        mission.stage("decom", Decommutator())
        with pytest.raises(UsageError, match=r"decom .* reads packets\.FIREFLY, which nobody writes"):
            mission.describe()

    def test_a_target_that_no_interface_serves_is_refused(self) -> None:
        mission = self.mission()
        mission.stage("decom", Identifier(), targets=["ANTENNA"])
        with pytest.raises(UsageError, match=r"stage decom .* serves ANTENNA, which is behind no interface"):
            mission.describe()

    def test_a_stage_for_which_nothing_is_left_is_refused(self) -> None:
        mission = self.mission()
        mission.stage("one", Identifier(), targets=["FIREFLY"])
        mission.stage("two", Identifier())
        with pytest.raises(UsageError, match=r"stage two .* has nothing to read"):
            mission.describe()

    def test_targets_that_the_dictionary_does_not_have_are_refused_at_once(self) -> None:
        mission = Mission("m", dictionary=DICTIONARY)
        with pytest.raises(UnknownName, match="did you mean FIREFLY"):
            mission.interface("fep", LINK, protocols=[CcsdsPackets()], targets=["FIREFLI"])

    @pytest.mark.parametrize("name", ["", "-x", "a b", "a" * 41, "a.b", "\u00e4"])
    def test_names_that_are_none_are_refused(self, name: str) -> None:
        with pytest.raises(UsageError, match="the name of a mission"):
            Mission(name, dictionary=DICTIONARY)
        with pytest.raises(UsageError, match="the name of a stage"):
            self.mission().stage(name, Identifier())

    def test_stages_and_interfaces_share_one_name_space_whatever_the_case(self) -> None:
        with pytest.raises(UsageError, match="'FEP' beside 'fep'"):
            self.mission().stage("FEP", Identifier())

    @pytest.mark.parametrize("name", ["provisioner", "command-source", "observer", "replay"])
    def test_names_that_c2kit_itself_has_are_refused(self, name: str) -> None:
        mission = self.mission()
        with pytest.raises(UsageError, match="not reserved"):
            mission.stage(name, Identifier())
        with pytest.raises(UsageError, match="not reserved"):
            mission.interface(name, LINK, protocols=[CcsdsPackets()], targets=["FIREFLY"])

    def test_a_raw_log_takes_a_name_too(self) -> None:
        mission = small_mission()
        with pytest.raises(UsageError, match="'FEP-raw-log' beside 'fep-raw-log'"):
            mission.stage("FEP-raw-log", RawLogger("var/other"))
        mission.stage("new-raw-log", RawLogger("var/other"))
        protocols = [CcsdsPackets()]
        with pytest.raises(UsageError, match=r"raw_log= makes, .* 'new-raw-log'"):
            mission.interface("new", LINK, protocols=protocols, targets=["FIREFLY"], raw_log="var/raw")
        with pytest.raises(UsageError, match="at most 40"):
            mission.interface("x" * 33, LINK, protocols=protocols, targets=["FIREFLY"], raw_log="var/raw")

    def test_what_is_no_link_or_no_list_is_refused_at_once(self) -> None:
        mission: Any = Mission("m", dictionary=DICTIONARY)
        protocols = [CcsdsPackets()]
        with pytest.raises(UsageError, match="the link of interface fep"):
            mission.interface("fep", "localhost:7011", protocols=protocols, targets=["FIREFLY"])
        with pytest.raises(UsageError, match="protocol 0 of a chain"):
            mission.interface("fep", LINK, protocols=[CcsdsPackets], targets=["FIREFLY"])
        with pytest.raises(UsageError, match=r"protocols of interface fep, expected a list, such as \[CcsdsPackets"):
            mission.interface("fep", LINK, protocols=CcsdsPackets(), targets=["FIREFLY"])
        with pytest.raises(UsageError, match=r"targets of interface fep, expected a list, .* found 'FIREFLY'"):
            mission.interface("fep", LINK, protocols=protocols, targets="FIREFLY")
        with pytest.raises(UsageError, match=r"on_connect of interface fep, expected a list"):
            mission.interface("fep", LINK, protocols=protocols, targets=["FIREFLY"], on_connect="FIREFLY NOOP")
        with pytest.raises(UsageError, match=r"targets of stage decom, expected a list"):
            mission.stage("decom", Identifier(), targets="FIREFLY")
        with pytest.raises(UsageError, match=r"publish of stage decom, expected a list"):
            mission.stage("decom", Identifier(), publish="packets")
        assert not mission.interfaces
        assert not mission.stages

    def test_an_interface_needs_protocols_and_targets_and_a_stage_processors(self) -> None:
        mission = Mission("m", dictionary=DICTIONARY)
        with pytest.raises(UsageError, match="no protocols"):
            mission.interface("fep", LINK, protocols=[], targets=["FIREFLY"])
        with pytest.raises(UsageError, match="no targets"):
            mission.interface("fep", LINK, protocols=[CcsdsPackets()], targets=[])
        with pytest.raises(UsageError, match="no processors"):
            mission.stage("empty")


class TestDescription:
    def test_it_is_the_same_for_the_same_script_and_is_json(self) -> None:
        first, second = small_mission().describe(), small_mission().describe()
        assert first.as_json() == second.as_json()
        plain = json.loads(first.as_json())
        assert plain["schema_version"] == 1
        assert plain["dictionary_hashes"] == {target.name: target.hash for target in DICTIONARY.targets}

    def test_it_tells_what_each_stage_needs(self) -> None:
        mission = small_mission()
        scale, resources = Scale(min=1, max=4, lag=100), Resources(cpu="500m")
        mission.stage("more", LimitsMonitor(), targets=["ANTENNA"], scale=scale, resources=resources)
        with pytest.raises(UsageError, match=r"telemetry\.ANTENNA"):
            mission.describe()
        description = small_mission().describe()
        log = description.stage("log")
        assert (log.role, log.directory) == ("sink", "var/log")
        assert log.defined_at.startswith("test_mission.py:")
        link = description.stage("fep").link
        assert link is not None
        assert (link.name, link.told, link.protocols) == ("TcpClient", ("host", "port"), ("CcsdsPackets",))
        assert (link.settings["port"], link.settings["idle_seconds"]) == (7011, None)
        assert description.stage("fep").exclusive
        assert description.stage("encode").exclusive
        assert not description.stage("decom").exclusive
        assert [processor.name for processor in description.stage("decom").processors] == [
            "Identifier",
            "Decommutator",
            "LimitsMonitor",
        ]

    def test_it_tells_what_of_the_package_a_container_needs(self) -> None:
        mission = Mission("m", dictionary=DICTIONARY, bus="kafka:localhost:9092")
        mission.interface("bench", Serial("/dev/ttyS0", 9600), protocols=[CcsdsPackets()], targets=["FIREFLY"])
        mission.interface("fep", TcpClient("localhost", 7011), protocols=[Fixed(64)], targets=["ANTENNA"])
        description = mission.describe()
        assert description.stage("bench").extras == ("kafka", "serial")
        assert description.stage("fep").extras == ("kafka",)
        link = description.stage("fep").link
        assert link is not None
        assert (link.settings["host"], link.settings["port"]) == ("localhost", 7011)


class TestSpecifications:
    def test_a_processor_without_a_dictionary_does_not_work_by_itself(self) -> None:
        with pytest.raises(UsageError, match=r"Identifier\(\) without a dictionary is a part of a mission"):
            list(Identifier().process(next(iter(Fixed(1).receive(b"x")))))
        with pytest.raises(UsageError, match=r"CommandEncoder\(\) without a dictionary"):
            CommandEncoder().encode("FIREFLY", "NOOP")

    def test_bound_to_a_dictionary_it_works(self) -> None:
        bound = Identifier(check_sequence=False).bind(DICTIONARY, ["ANTENNA"])
        assert bound.settings == {"check_sequence": False}
        assert list(bound.process(next(iter(Fixed(1).receive(b"x"))))) == []
        assert bound.totals.unknown == 1
        assert LimitsMonitor("eclipse").bind(DICTIONARY, []).limits_set == "eclipse"
        assert isinstance(Decommutator().bind(DICTIONARY, []), Decommutator)
