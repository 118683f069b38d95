"""Missions and settings to deploy: one with every kind of link and stage, and what a cluster says of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from c2kit.links import File, Serial, TcpClient, TcpServer, Udp, UdpListener
from c2kit.pipeline.composition.description import PortDescription, Resources, Scale, StoreDescription
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.composition.script import load_mission
from c2kit.processors import CommandEncoder, Decommutator, Identifier
from c2kit.protocols import CcsdsPackets
from c2kit.scaffold.resolve import resolve
from c2kit.scaffold.settings import LinkSettings, Mesh, Settings, StoreSettings
from tests.missions import example_dictionary

if TYPE_CHECKING:
    from c2kit.links import LinkSpec
    from c2kit.pipeline.composition.description import MissionDescription
    from c2kit.scaffold.plan import Plan

EXAMPLE = Path(__file__).parents[1] / "examples/04_mission.py"
DEVICE = "192.0.2.10/32"
CONTROL_ROOM = "198.51.100.0/24"
LINKS: dict[str, LinkSpec] = {
    "client": TcpClient("192.0.2.10", 7011),
    "named": TcpClient("fep.example.com", 7012),
    "server": TcpServer(7013),
    "listener": UdpListener(7014),
    "both-ways": Udp("192.0.2.11", 7015, local_port=7016),
    "serial": Serial("/dev/ttyUSB0"),
    "file": File("recording.bin"),
}


def everything() -> MissionDescription:
    """Every kind of link and stage, a stage that serves a port, one that calls it, and a store."""
    mission = Mission("all-of-it", dictionary=example_dictionary(), bus="sqlite:var/bus.db")
    for name, link in LINKS.items():
        raw_log = "var/raw" if name == "client" else None
        target = "ANTENNA" if name == "listener" else "FIREFLY"
        mission.interface(name, link, protocols=[CcsdsPackets()], targets=[target], raw_log=raw_log)
    mission.stage("identify", Identifier(), scale=Scale(min=1, max=4, lag=500))
    mission.stage("decom", Decommutator(), resources=Resources(cpu="500m", memory="512Mi"))
    mission.stage("log", PacketLogger("var/log"), scale=Scale(min=2, max=2))
    mission.stage("encode", CommandEncoder())
    described = mission.describe()
    port = PortDescription(name="values", port=8443, protocol="http", callers=("encode", "log"))
    stages = [
        evolve(stage, ports=(port,), stores=("archive",)) if stage.name == "decom" else stage
        for stage in described.stages
    ]
    stores = (StoreDescription(name="archive", kind="postgresql"),)
    return evolve(described, stages=tuple(stages), stores=stores)


def everything_settings(mesh: Mesh = Mesh.SIDECAR) -> Settings:
    """All that it needs to be told of its cluster."""
    return Settings(
        namespace="all-of-it",
        registry="registry.example.com/all-of-it",
        mesh=mesh,
        links={
            "named": LinkSettings(cidrs=("203.0.113.0/24",)),
            "server": LinkSettings(cidrs=(CONTROL_ROOM,)),
            "listener": LinkSettings(cidrs=(CONTROL_ROOM,)),
            "serial": LinkSettings(device="example.com/tty"),
            "file": LinkSettings(claim="recordings"),
        },
        stores={"archive": StoreSettings(address="pg-rw.databases.svc:5432", namespace="databases", secret="archive")},  # noqa: S106 - the name of one
    )


def planned(description: MissionDescription, settings: Settings) -> Plan:
    """Their plan, with images that nobody built."""
    images = {stage.name: f"{settings.registry}/{stage.name.lower()}:test" for stage in description.stages}
    return resolve(description, settings, images)


def planned_everything(mesh: Mesh = Mesh.SIDECAR) -> Plan:
    return planned(everything(), everything_settings(mesh))


def planned_example() -> Plan:
    """That of the example, whose satellite is simulated."""
    described = load_mission(EXAMPLE).describe()
    return planned(described, Settings(namespace="firefly", registry="localhost/firefly"))


def with_stages(count: int) -> Mission:
    """A mission of so many stages: links by twos with their raw logs, and the stages that they share."""
    mission = Mission("many", dictionary=example_dictionary())
    mission.stage("decom", Identifier(), Decommutator(), scale=Scale(min=1, max=8))
    mission.stage("log", PacketLogger("var/log"))
    mission.stage("encode", CommandEncoder())
    for number in range((count - 3) // 2):
        link = TcpClient(f"192.0.2.{number % 250 + 1}", 7000 + number)
        raw_log = f"var/raw-{number}"
        mission.interface(f"link-{number}", link, protocols=[CcsdsPackets()], targets=["FIREFLY"], raw_log=raw_log)
    if count % 2 == 0:
        link = TcpClient("192.0.2.1", 6999)
        mission.interface("link-last", link, protocols=[CcsdsPackets()], targets=["FIREFLY"])
    return mission


def planned_with_stages(count: int) -> Plan:
    return planned(with_stages(count).describe(), Settings(namespace="many", registry="localhost/many"))
