from __future__ import annotations

from pathlib import Path

import pytest

from c2kit.dictionaries import Dictionary
from c2kit.errors import UnknownName, UsageError
from c2kit.links import File, TcpClient, UdpListener
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.observing.logs import LogFormat
from c2kit.pipeline.settings import VARIABLES, Settings
from c2kit.processors import Decommutator, Identifier
from c2kit.protocols import CcsdsPackets, Fixed

DICTIONARY = Dictionary.load(Path(__file__).parents[3] / "examples" / "dictionary")


def small_mission() -> Mission:
    mission = Mission("firefly", dictionary=DICTIONARY, bus="sqlite:var/bus.db")
    mission.interface(
        "fep", TcpClient("localhost", 7011), protocols=[CcsdsPackets()], targets=["FIREFLY"], raw_log="var/raw"
    )
    mission.interface("old-antenna", UdpListener(7020), protocols=[Fixed(64)], targets=["ANTENNA"])
    mission.stage("decom", Identifier(), Decommutator())
    mission.stage("packet-log", PacketLogger("var/log"))
    return mission


def applied(**variables: str) -> Mission:
    return Settings.from_environment(variables).applied_to(small_mission())


class TestReading:
    def test_an_environment_that_says_nothing_gives_the_defaults(self) -> None:
        settings = Settings.from_environment({"PATH": "/bin", "HOME": "/root"})
        assert settings == Settings()
        assert (settings.bus, settings.http, settings.ordinal) == (None, None, 0)
        assert (settings.drain_seconds, settings.log_format) == (30.0, LogFormat.TEXT)

    def test_each_variable_is_read(self) -> None:
        settings = Settings.from_environment(
            {
                "C2KIT_BUS": "kafka:broker:9092",
                "C2KIT_MISSION": "firefly",
                "C2KIT_LINK_FEP": "10.0.0.1:7011",
                "C2KIT_DIR_PACKET_LOG": "/data/log",
                "C2KIT_HTTP": "127.0.0.1:9100",
                "C2KIT_ORDINAL": "3",
                "C2KIT_DRAIN_SECONDS": "2.5",
                "C2KIT_LOG": "json",
            }
        )
        assert settings == Settings(
            bus="kafka:broker:9092",
            mission="firefly",
            links={"C2KIT_LINK_FEP": "10.0.0.1:7011"},
            directories={"C2KIT_DIR_PACKET_LOG": Path("/data/log")},
            http=("127.0.0.1", 9100),
            ordinal=3,
            drain_seconds=2.5,
            log_format=LogFormat.JSON,
        )

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (":0", ("0.0.0.0", 0)),  # noqa: S104 - it is what is told
            ("9100", ("0.0.0.0", 9100)),  # noqa: S104 - likewise
            ("localhost:0", ("localhost", 0)),
            ("[::1]:9100", ("::1", 9100)),
        ],
    )
    def test_an_http_address_may_leave_out_the_host(self, text: str, expected: tuple[str, int]) -> None:
        assert Settings.from_environment({"C2KIT_HTTP": text}).http == expected

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("C2KIT_HTTP", "localhost"),
            ("C2KIT_HTTP", "localhost:http"),
            ("C2KIT_HTTP", "localhost:65536"),
            ("C2KIT_HTTP", "localhost:-1"),
            ("C2KIT_ORDINAL", "-1"),
            ("C2KIT_ORDINAL", "decom-3"),
            ("C2KIT_ORDINAL", "1.0"),
            ("C2KIT_ORDINAL", "\N{ARABIC-INDIC DIGIT ONE}"),
            ("C2KIT_DRAIN_SECONDS", "-0.1"),
            ("C2KIT_DRAIN_SECONDS", "30s"),
            ("C2KIT_DRAIN_SECONDS", "nan"),
            ("C2KIT_DRAIN_SECONDS", "inf"),
            ("C2KIT_LOG", "xml"),
            ("C2KIT_LOG", "JSON"),
        ],
    )
    def test_a_value_that_cannot_be_right_is_refused_with_its_variable(self, variable: str, value: str) -> None:
        with pytest.raises(UsageError, match=rf"^environment variable {variable}: .*expected .*, found ") as refused:
            Settings.from_environment({variable: value})
        assert value.rpartition(":")[2] in str(refused.value)

    @pytest.mark.parametrize("variable", [*VARIABLES, "C2KIT_LINK_FEP", "C2KIT_DIR_LOG"])
    def test_an_empty_value_is_what_somebody_forgot_to_set(self, variable: str) -> None:
        with pytest.raises(UsageError, match=f"{variable}: it is empty.*unset it"):
            Settings.from_environment({variable: ""})

    def test_what_is_not_ours_is_not_kept(self) -> None:
        settings = Settings.from_environment({"AWS_SECRET_ACCESS_KEY": "hunter2", "C2KIT_PASSWORD": "hunter2"})
        assert "hunter2" not in repr(settings)
        assert "AWS" not in repr(settings)


class TestApplying:
    def test_the_mission_given_stays_as_it_was(self) -> None:
        mission = small_mission()
        before = (mission.bus, dict(mission.interfaces), dict(mission.stages))
        variables = {"C2KIT_BUS": "memory:", "C2KIT_LINK_FEP": "h:1", "C2KIT_DIR_PACKET_LOG": "d"}
        changed = Settings.from_environment(variables).applied_to(mission)
        assert changed is not mission
        assert (mission.bus, mission.interfaces, mission.stages) == before

    def test_without_variables_it_is_the_same_mission(self) -> None:
        mission = small_mission()
        assert Settings().applied_to(mission) == mission

    def test_bus_addresses_and_directories_are_those_of_the_environment(self) -> None:
        changed = applied(
            C2KIT_BUS="sqlite:/data/bus.db",
            C2KIT_LINK_FEP="fep.ground:7012",
            C2KIT_LINK_OLD_ANTENNA="127.0.0.1:7021",
            C2KIT_DIR_PACKET_LOG="/data/log",
            C2KIT_DIR_FEP_RAW_LOG="/data/raw",
        )
        assert changed.bus == "sqlite:/data/bus.db"
        assert changed.interfaces["fep"].link == TcpClient("fep.ground", 7012)
        assert changed.interfaces["old-antenna"].link == UdpListener(7021, host="127.0.0.1")
        assert changed.interfaces["fep"].raw_log == "/data/raw"
        assert changed.stages["packet-log"].processors == (PacketLogger("/data/log"),)

    def test_everything_else_stays(self) -> None:
        mission = small_mission()
        changed = Settings(links={"C2KIT_LINK_FEP": "h:1"}).applied_to(mission)
        assert list(changed.interfaces) == list(mission.interfaces)
        assert changed.interfaces["old-antenna"] is mission.interfaces["old-antenna"]
        assert changed.stages == mission.stages
        assert changed.interfaces["fep"].defined_at == mission.interfaces["fep"].defined_at
        assert changed.interfaces["fep"].raw_log == "var/raw"

    def test_an_address_that_is_none_is_refused_with_its_variable(self) -> None:
        with pytest.raises(
            UsageError, match="C2KIT_LINK_FEP: the address of TcpClient, expected host:port, found '701'"
        ):
            applied(C2KIT_LINK_FEP="701")

    def test_a_file_link_takes_any_path(self) -> None:
        mission = Mission("firefly", dictionary=DICTIONARY)
        mission.interface("file", File("a.bin"), protocols=[CcsdsPackets()], targets=["FIREFLY"])
        changed = Settings(links={"C2KIT_LINK_FILE": "C:/b c.bin"}).applied_to(mission)
        assert changed.interfaces["file"].link == File("C:/b c.bin")


class TestTypos:
    @pytest.mark.parametrize(
        ("variable", "meant"),
        [
            ("C2KIT_LINK_FPE", "C2KIT_LINK_FEP"),
            ("C2KIT_LINK_OLD-ANTENNA", "C2KIT_LINK_OLD_ANTENNA"),
            ("C2KIT_LINK_fep", "C2KIT_LINK_FEP"),
            ("C2KIT_DIR_PACKETLOG", "C2KIT_DIR_PACKET_LOG"),
            ("C2KIT_DIR_RAW_LOG", "C2KIT_DIR_FEP_RAW_LOG"),
            ("C2KIT_LINKS_FEP", "C2KIT_LINK_FEP"),
            ("C2KIT_BUSS", "C2KIT_BUS"),
            ("C2KIT_HTPP", "C2KIT_HTTP"),
            ("C2KIT_ODRINAL", "C2KIT_ORDINAL"),
        ],
    )
    def test_a_typo_is_refused_with_what_was_meant(self, variable: str, meant: str) -> None:
        with pytest.raises(UnknownName, match=f"'{variable}' in mission firefly; did you mean .*{meant}"):
            applied(**{variable: "localhost:1"})

    @pytest.mark.parametrize("variable", ["C2KIT_DIR_DECOM", "C2KIT_DIR_OLD_ANTENNA_RAW_LOG", "C2KIT_LINK_DECOM"])
    def test_a_part_of_the_mission_that_has_no_such_thing_is_refused(self, variable: str) -> None:
        with pytest.raises(UnknownName, match=variable):
            applied(**{variable: "localhost:1"})

    @pytest.mark.parametrize("variable", ["C2KIT_REAL_DATA", "C2KIT_CRDS", "C2KIT_PORT", "C2KIT_SERVICE_HOST"])
    def test_what_is_not_nearly_ours_is_somebody_elses(self, variable: str) -> None:
        mission = small_mission()
        assert Settings.from_environment({variable: "x"}).applied_to(mission) == mission
