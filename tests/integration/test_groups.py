"""Interfaces that share streams, while they run: each lane is what its own link gave, and commands go one way only."""

from __future__ import annotations

import contextlib
import socket
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from c2kit.batches import TelemetryBatch
from c2kit.bus import open_bus
from c2kit.bus.records import Fate
from c2kit.links import TcpClient
from c2kit.pipeline.commands.source import CommandSource
from c2kit.pipeline.composition.description import Scale
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger, RawLogger
from c2kit.pipeline.interfaces.control import ask_for_link, last_changes
from c2kit.pipeline.observing.ledger import ledger_text
from c2kit.pipeline.provisioning import provisioning_of
from c2kit.pipeline.runner import Runner
from c2kit.processors import CommandEncoder, Decommutator, Identifier
from c2kit.protocols import CcsdsPackets
from c2kit.storage import PacketLogReader, find_logs
from tests.commanding import firefly_bytes
from tests.kafka_brokers import emptied, wait_for
from tests.missions import example_dictionary, flown, wire_of
from tests.reading import all_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from c2kit.bus import StreamBus

NAMES = ("one", "two", "three")
APID, NOOP = 0x64, 0


class Device:
    """One end of a link: what it sends is up to the test, what it gets is kept."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(60)
        self.port = self._listening.getsockname()[1]
        self._connection: socket.socket | None = None
        self.got = b""

    @property
    def connection(self) -> socket.socket:
        if self._connection is None:
            self._connection, _ = self._listening.accept()
            self._connection.settimeout(0.01)
        return self._connection

    def receive(self) -> bytes:
        with contextlib.suppress(TimeoutError):
            self.got += self.connection.recv(65_536)
        return self.got

    def close(self) -> None:
        self.connection.close()
        self._listening.close()


def a_mission(devices: dict[str, Device], bus: str, folder: Path) -> Mission:
    mission = Mission("firefly", dictionary=example_dictionary(), bus=bus)
    for name, device in devices.items():
        link = TcpClient("127.0.0.1", device.port, reconnect_seconds=0.05)
        mission.interface(name, link, protocols=[CcsdsPackets()], targets=["FIREFLY"], group="swarm")
    mission.stage("identify", Identifier(), scale=Scale(max=2))
    mission.stage("decom", Decommutator())
    mission.stage("log", PacketLogger(folder / "log"))
    mission.stage("raw", RawLogger(folder / "raw"))
    mission.stage("encode", CommandEncoder())
    return mission


def shares(packets: Sequence[bytes]) -> dict[str, list[bytes]]:
    """What each satellite sends: none the same as another."""
    return {name: list(packets[place :: len(NAMES)]) for place, name in enumerate(NAMES)}


def samples(bus: StreamBus, mission: Mission) -> dict[str, int]:
    wire = wire_of(bus, mission)
    found: dict[str, int] = defaultdict(int)
    for record in all_of(bus, "firefly.telemetry.swarm"):
        batch = wire.read(record.value)
        assert isinstance(batch, TelemetryBatch)
        assert record.lane == f"{batch.interface}/FIREFLY"
        found[batch.interface] += len(batch)
    return dict(found)


def noop(count: int) -> bytes:
    return firefly_bytes(APID, count, NOOP)


def link_states(bus: StreamBus, mission: Mission) -> dict[str, str]:
    changes = last_changes(bus, mission.describe())
    return {name: "" if event is None else str(event.facts["state"]) for name, event in changes.items()}


def logged(folder: Path) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = defaultdict(list)
    for directory in find_logs(folder / "log"):
        if "packets" in str(directory):
            for batch in PacketLogReader(directory).read():
                found[batch.interface] += list(batch)
    return dict(found)


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "kafka":
        return f"kafka:{emptied(request.getfixturevalue('one_broker')).addresses}"
    return "memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'bus.db'}"


def test_each_lane_has_what_its_link_gave_and_a_command_leaves_by_one_link(url: str, tmp_path: Path) -> None:
    devices, sent = {name: Device() for name in NAMES}, shares(flown())
    mission = a_mission(devices, url, tmp_path)
    if not url.startswith("memory:"):
        provisioning_of(mission).apply()
    with open_bus(url) as bus:
        with Runner(mission, bus=bus) as runner, CommandSource(bus, mission) as source:
            for name, device in devices.items():
                device.connection.sendall(b"".join(sent[name]))
            wait_for(lambda: samples(bus, mission), lambda found: sum(found.values()) == len(flown()))
            for name in ("two", "three", "two"):
                assert source.wait(source.send("FIREFLY", "NOOP", interface=name), 60).fate is Fate.SENT
            counts = {"one": [], "two": [0, 2], "three": [1]}  # there is one count of the target's commands
            expected = {name: b"".join(noop(count) for count in some) for name, some in counts.items()}
            wait_for(lambda: {name: device.receive() for name, device in devices.items()}, lambda got: got == expected)
            ask_for_link(bus, mission.describe(), "three", enabled=False, reason="for a test")
            states = wait_for(lambda: link_states(bus, mission), lambda found: found["three"] == "disabled")
            assert states == {"one": "connected", "two": "connected", "three": "disabled"}
        assert samples(bus, mission) == {name: len(packets) for name, packets in sent.items()}
        assert ledger_text(runner.rows(), runner.edges(), runner.byte_rows()).splitlines()[-1] == "unaccounted: 0"
    assert logged(tmp_path) == sent
    for device in devices.values():
        device.receive()
        device.close()
