from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import evolve

from c2kit.errors import UsageError
from c2kit.links import File, Serial, TcpClient, TcpServer
from c2kit.pipeline.composition.description import Scale
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.composition.script import load_mission
from c2kit.processors import Decommutator, Identifier
from c2kit.protocols import CcsdsPackets
from c2kit.scaffold.compose_file import compose_file
from c2kit.scaffold.images import ImageSources, images_of
from c2kit.scaffold.mission_files import MissionFiles
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import LinkSettings, Settings
from c2kit.scaffold.wheels import Wheels
from tests.missions import example_dictionary
from tests.scaffolding import everything, everything_settings

EXAMPLE = Path(__file__).parents[3] / "examples/04_mission.py"
SETTINGS = Settings(namespace="flight", registry="registry.example.com/ops")


def written(description: Any, settings: Settings = SETTINGS) -> dict[str, Any]:  # noqa: ANN401 - as YAML has it
    """The file, as another reader understands it."""
    sources = ImageSources(settings=settings, mission=MissionFiles(), wheels=Wheels("", ()), templates=Templates())
    found: dict[str, Any] = yaml.safe_load(
        compose_file(description, settings, images_of(description, sources), sources.templates)
    )
    return found


def a_mission(link: Any, targets: list[str]) -> Mission:  # noqa: ANN401 - of any kind
    mission = Mission("small", dictionary=example_dictionary())
    mission.interface("ground", link, protocols=[CcsdsPackets()], targets=targets)
    mission.stage("decom", Identifier(), Decommutator())
    return mission


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return written(load_mission(EXAMPLE).describe())


def test_each_stage_is_a_service_and_so_is_the_satellite(example: dict[str, Any]) -> None:
    assert set(example["services"]) == {"antenna", "decom", "encode", "fep", "fep-raw-log", "fep-satellite", "log"}
    assert example["services"]["fep-satellite"]["command"] == ["sim", "--tcp", "0.0.0.0:7011"]
    assert example["services"]["fep"]["environment"]["C2KIT_LINK_FEP"] == "fep-satellite:7011"


def test_no_service_can_do_more_than_it_needs(example: dict[str, Any]) -> None:
    for service in example["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["user"] == "10001:10001"
        assert not {"privileged", "cap_add", "network_mode", "pid", "ipc"} & set(service)


def test_all_stages_share_one_bus_and_sinks_have_volumes_of_their_own(example: dict[str, Any]) -> None:
    stages = {name: service for name, service in example["services"].items() if name != "fep-satellite"}
    for service in stages.values():
        assert service["environment"]["C2KIT_BUS"] == "sqlite:/var/lib/bus/bus.db"
        assert "bus:/var/lib/bus" in service["volumes"]
    assert stages["log"]["environment"]["C2KIT_DIR_LOG"] == "/var/lib/c2kit"
    assert stages["fep-raw-log"]["environment"]["C2KIT_DIR_FEP_RAW_LOG"] == "/var/lib/c2kit"
    assert set(example["volumes"]) == {"bus", "fep-raw-log-files", "log-files"}
    assert [name for name in stages if "log-files:/var/lib/c2kit" in stages[name]["volumes"]] == ["log"]


def test_what_brings_bytes_in_is_started_last(example: dict[str, Any]) -> None:
    assert set(example["services"]["antenna"]["depends_on"]) == {"decom", "encode", "fep-raw-log", "log"}
    assert set(example["services"]["fep"]["depends_on"]) == {"decom", "encode", "fep-raw-log", "fep-satellite", "log"}


def test_a_container_is_given_longer_to_end_than_its_stage_takes() -> None:
    for seconds in (5, 90):
        services = written(load_mission(EXAMPLE).describe(), evolve(SETTINGS, drain_seconds=seconds))["services"]
        for name, service in services.items():
            assert int(service["stop_grace_period"].removesuffix("s")) > seconds
            assert name == "fep-satellite" or service["environment"]["C2KIT_DRAIN_SECONDS"] == str(seconds)


def test_every_kind_of_link_gets_what_it_needs_of_the_machine() -> None:
    services = written(everything(), everything_settings())["services"]
    assert services["server"]["ports"] == ["7013:7013/tcp"]
    assert services["listener"]["ports"] == ["7014:7014/udp"]
    assert services["listener"]["environment"]["C2KIT_LINK_LISTENER"] == "0.0.0.0:7014"
    assert services["both-ways"]["ports"] == ["7016:7016/udp"]
    assert services["both-ways"]["environment"]["C2KIT_LINK_BOTH_WAYS"] == "192.0.2.11:7015"
    assert services["serial"]["devices"] == ["/dev/ttyUSB0:/dev/ttyUSB0"]
    assert services["serial"]["group_add"] == ["dialout"]
    bus, file = services["file"]["volumes"]
    assert bus.startswith("bus:")
    assert (file["source"], file["read_only"]) == ("./recording.bin", True)
    assert file["target"] == services["file"]["environment"]["C2KIT_LINK_FILE"]
    assert file["bind"] == {"create_host_path": False}, "what is not there is told, not made as a folder"


def test_no_path_means_something_else_to_compose() -> None:
    ground = written(a_mission(File("in/$HOME:a.bin"), ["ANTENNA"]).describe())["services"]["ground"]
    _, file = ground["volumes"]
    assert file["source"] == "./in/$$HOME:a.bin", "what Compose replaces begins with one of these signs"
    assert file["target"] == ground["environment"]["C2KIT_LINK_GROUND"] == "/var/lib/link/$$HOME:a.bin"


def test_a_serial_port_may_be_told_by_its_place() -> None:
    place = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0"
    ground = written(a_mission(Serial(place), ["ANTENNA"]).describe())["services"]["ground"]
    assert ground["devices"] == [{"source": place, "target": place, "permissions": "rw"}]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_this_machine_is_the_one_that_the_containers_run_on(host: str) -> None:
    ground = written(a_mission(TcpClient(host, 7011), ["ANTENNA"]).describe())["services"]["ground"]
    assert ground["environment"]["C2KIT_LINK_GROUND"] == "host.docker.internal:7011"
    assert ground["extra_hosts"] == ["host.docker.internal:host-gateway"]


def test_what_the_settings_say_of_a_link_goes_before_the_script() -> None:
    settings = evolve(SETTINGS, links={"ground": LinkSettings(address="192.0.2.7:99")})
    ground = written(a_mission(TcpClient("localhost", 7011), ["ANTENNA"]).describe(), settings)["services"]["ground"]
    assert ground["environment"]["C2KIT_LINK_GROUND"] == "192.0.2.7:99"
    assert "extra_hosts" not in ground


def test_a_port_on_loopback_alone_could_not_be_reached_from_outside_of_its_container() -> None:
    ground = written(a_mission(TcpServer(7013, host="127.0.0.1"), ["ANTENNA"]).describe())["services"]["ground"]
    assert ground["environment"]["C2KIT_LINK_GROUND"] == "0.0.0.0:7013"


def test_a_device_that_the_script_names_is_meant_and_no_satellite_stands_in_for_it() -> None:
    assert "ground-satellite" in written(a_mission(TcpClient("localhost", 7011), ["FIREFLY"]).describe())["services"]
    services = written(a_mission(TcpClient("192.0.2.7", 7011), ["FIREFLY"]).describe())["services"]
    assert set(services) == {"decom", "ground"}
    assert services["ground"]["environment"]["C2KIT_LINK_GROUND"] == "192.0.2.7:7011"


def test_each_share_of_a_sink_is_kept_by_a_container_of_its_own() -> None:
    mission = a_mission(TcpClient("192.0.2.7", 7011), ["ANTENNA", "FIREFLY"])
    mission.stage("log", PacketLogger("var/log"), scale=Scale(min=2, max=2))
    services = written(mission.describe())["services"]
    ordinals = {name: service["environment"].get("C2KIT_ORDINAL") for name, service in services.items()}
    assert ordinals == {"decom": None, "ground": None, "log-0": "0", "log-1": "1"}
    assert "log-0-files:/var/lib/c2kit" in services["log-0"]["volumes"]
    assert "log-1-files:/var/lib/c2kit" in services["log-1"]["volumes"]


def test_two_stages_that_would_be_one_service_are_refused() -> None:
    mission = a_mission(TcpClient("192.0.2.7", 7011), ["ANTENNA", "FIREFLY"])
    mission.stage("log", PacketLogger("var/log"), scale=Scale(min=2, max=2))
    mission.stage("log-1", PacketLogger("var/other"))
    with pytest.raises(UsageError, match=r"expected each of another name, found log-1; rename the stage"):
        written(mission.describe())
