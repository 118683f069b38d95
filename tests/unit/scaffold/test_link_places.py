"""Where links go: what policies can express is taken from the script or the settings, and the rest is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from c2kit.links import File, TcpClient, TcpServer, UdpListener
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.structuring import Faulty
from c2kit.protocols import CcsdsPackets
from c2kit.scaffold.link_places import address_in_pod, places_of, unset_of
from c2kit.scaffold.settings import LinkSettings, Settings
from tests.missions import example_dictionary
from tests.scaffolding import everything, everything_settings

if TYPE_CHECKING:
    from c2kit.links import LinkSpec
    from c2kit.pipeline.composition.description import StageDescription

LEAST = Settings(namespace="m", registry="localhost/m")


def interface(link: LinkSpec, told: LinkSettings | None = None) -> tuple[StageDescription, Settings]:
    mission = Mission("m", dictionary=example_dictionary())
    mission.interface("fep", link, protocols=[CcsdsPackets()], targets=["FIREFLY"])
    return mission.describe().stage("fep"), evolve(LEAST, links={} if told is None else {"fep": told})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST", "::1", "127.8.8.8", "::"])
def test_a_device_on_the_laptop_is_not_set_for_a_cluster(host: str) -> None:
    stage, settings = interface(TcpClient(host, 7011))
    assert [place.cidrs for place in places_of(stage, settings)] == [()]
    assert unset_of(stage, settings).startswith("links.fep.address: ")


@pytest.mark.parametrize(
    ("address", "cidr"), [("192.0.2.7:7011", "192.0.2.7/32"), ("[2001:db8::7]:7011", "2001:db8::7/128")]
)
def test_an_address_in_the_settings_takes_precedence_and_is_one_host(address: str, cidr: str) -> None:
    stage, settings = interface(TcpClient("localhost", 1), LinkSettings(address=address))
    (place,) = places_of(stage, settings)
    assert (place.port, place.cidrs, place.protocol, place.listens) == (7011, (cidr,), "TCP", False)
    assert unset_of(stage, settings) == ""


def test_a_name_needs_the_range_that_it_is_in() -> None:
    stage, settings = interface(TcpClient("fep.example.com", 7011))
    with pytest.raises(Faulty) as caught:
        list(places_of(stage, settings))
    assert caught.value.faults[0].path == ("links", "fep", "cidrs")
    assert "fep.example.com" in str(caught.value)


def test_a_listener_takes_another_port_from_the_settings_and_says_who_is_to_be_let_in() -> None:
    stage, settings = interface(UdpListener(7020), LinkSettings(address="7021"))
    (place,) = places_of(stage, settings)
    assert (place.port, place.protocol, place.listens, place.cidrs) == (7021, "UDP", True, ())
    assert unset_of(stage, settings).startswith("links.fep.cidrs: who may reach port 7021")


def test_a_serial_port_and_a_file_need_what_gives_them() -> None:
    described, told = everything(), everything_settings()
    bare = evolve(told, links={"named": told.links["named"]})
    assert unset_of(described.stage("serial"), bare).startswith("links.serial.device: ")
    assert unset_of(described.stage("file"), bare).startswith("links.file.claim: ")
    assert [unset_of(stage, told) for stage in described.stages if stage.link is not None] == [""] * 7


@pytest.mark.parametrize("address", ["[fe80::1%e0]:7011", "192.0.2.7:99999", "192.0.2.7:0", "a b:7011", "$(x):7", "x"])
def test_what_is_no_address_in_a_cluster_is_refused_where_it_stands(address: str) -> None:
    stage, settings = interface(TcpClient("localhost", 1), LinkSettings(address=address, cidrs=("192.0.2.0/24",)))
    with pytest.raises(Faulty) as caught:
        list(places_of(stage, settings))
    assert caught.value.faults[0].path == ("links", "fep", "address")


@pytest.mark.parametrize(
    ("link", "told", "expected"),
    [
        (TcpServer(7013), "", ""),
        (TcpServer(7013), "7014", "7014"),
        (TcpServer(7013), "[::]:7014", "[::]:7014"),
        (TcpServer(7013, host="127.0.0.1"), "", "0.0.0.0:7013"),
        (TcpServer(7013), "192.0.2.7:7014", "0.0.0.0:7014"),
        (TcpClient("localhost", 1), "192.0.2.7:7011", "192.0.2.7:7011"),
    ],
)
def test_a_pod_listens_where_it_is_reached(link: LinkSpec, told: str, expected: str) -> None:
    assert address_in_pod(*interface(link, LinkSettings(address=told))) == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("", "/var/lib/link/night.bin"),
        ("2026/day.bin", "/var/lib/link/2026/day.bin"),
        ("/var/lib/link/a", "/var/lib/link/a"),
    ],
)
def test_a_file_is_found_in_its_claim(told: str, expected: str) -> None:
    link = LinkSettings(claim="recordings", address=told)
    assert address_in_pod(*interface(File("/data/night.bin"), link)) == expected


@pytest.mark.parametrize("told", ["/data/night.bin", "../night.bin"])
def test_a_file_that_is_not_in_its_claim_is_refused(told: str) -> None:
    with pytest.raises(Faulty, match="is not in its volume"):
        address_in_pod(*interface(File("night.bin"), LinkSettings(claim="recordings", address=told)))
