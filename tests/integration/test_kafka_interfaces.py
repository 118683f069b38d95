"""Interfaces on a real broker that is away for a while, and one that hangs where a command is on its way."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2kit.batches import PacketBatch
from c2kit.bus import BusUnavailable
from c2kit.bus.kafka import KafkaBus
from c2kit.bus.records import CommandStatus, Event, unpack
from c2kit.links import TcpClient, UdpListener
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.interfaces.stage import InterfaceStage
from c2kit.processors import Identifier
from c2kit.protocols import Fixed
from tests.interfaces import Device, interface_mission, packet, uplink, uplink_command
from tests.kafka_brokers import emptied, wait_for
from tests.links import until
from tests.missions import example_dictionary, prepared, surroundings, wire_of
from tests.reading import all_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.bus import StreamBus
    from dev.kafka import Cluster

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("interface_process.py")
FRAME_BYTES = 1000
MOST_BYTES = 100_000
pytestmark = pytest.mark.slow


class Running:
    """An interface whose stage takes turns in a thread, as a driver lets it."""

    def __init__(self, bus: StreamBus, mission: Mission, name: str) -> None:
        self.stage = InterfaceStage(surroundings(bus, mission, name))
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._is_over.is_set():
            try:
                self.stage.turn(0.1)
            except BusUnavailable:
                self._is_over.wait(0.1)

    @property
    def received_bytes(self) -> int:
        """What the link has read, whether it was kept or not."""
        return self.stage.interface.counters.received_bytes if self.stage.interface.is_open else 0

    def close(self) -> None:
        """End the thread, and then the stage."""
        self._is_over.set()
        self._thread.join()
        self.stage.close()


def numbered(count: int) -> list[bytes]:
    return [number.to_bytes(4) * (FRAME_BYTES // 4) for number in range(count)]


def frames_in(bus: StreamBus, mission: Mission, name: str) -> list[bytes]:
    wire = wire_of(bus, mission)
    batches = [wire.read(record.value) for record in all_of(bus, f"firefly.frames.{name}")]
    return [frame for batch in batches if isinstance(batch, PacketBatch) for frame in batch]


@pytest.mark.parametrize("how", ["paused", "killed"])
def test_while_the_broker_is_away_tcp_waits_and_udp_accounts_for_what_has_no_room(
    one_broker: Cluster, how: str
) -> None:
    emptied(one_broker)
    broker = one_broker.brokers[1]
    mission = Mission("firefly", dictionary=example_dictionary())
    with contextlib.ExitStack() as opened:
        device = opened.enter_context(Device())
        link = TcpClient("127.0.0.1", device.port, receive_max_bytes=MOST_BYTES, reconnect_seconds=0.05)
        mission.interface("stream", link, protocols=[Fixed(FRAME_BYTES)], targets=["FIREFLY"])
        datagrams = UdpListener(0, host="127.0.0.1", receive_max_bytes=MOST_BYTES)
        mission.interface("radio", datagrams, protocols=[Fixed(FRAME_BYTES)], targets=["FIREFLY"])
        mission.stage("identify", Identifier())
        bus = opened.enter_context(KafkaBus(one_broker.addresses))
        prepared(bus, mission)
        tcp = Running(bus, mission, "stream")
        opened.callback(tcp.close)
        udp = Running(bus, mission, "radio")
        opened.callback(udp.close)
        stream, radio = numbered(20_000), numbered(1_000)
        sender = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        wait_for(lambda: udp.stage.interface.is_open and udp.stage.interface.link.address, bool)  # type: ignore[attr-defined]

        def emit(begin: int, end: int) -> None:
            """Send datagrams, no faster than they are read: what the operating system drops is not looked at here."""
            for number in range(begin, end):
                sender.sendto(radio[number], udp.stage.interface.link.address)  # type: ignore[attr-defined]
                until(lambda: udp.received_bytes >= FRAME_BYTES * (number + 1))  # noqa: B023 - called at once

        device.send(b"".join(stream[:10]))
        emit(0, 10)
        wait_for(
            lambda: (tcp.stage.bytes().framed, udp.stage.bytes().framed), lambda both: min(both) == 10 * FRAME_BYTES
        )
        opened.callback(_bring_back, one_broker)
        broker.pause() if how == "paused" else broker.kill()
        feeder = threading.Thread(target=_send_all, args=(device.connections[-1], b"".join(stream[10:])))
        feeder.start()
        emit(10, 900)
        time.sleep(1.0)
        reads = tcp.received_bytes
        assert reads < 10 * MOST_BYTES
        assert feeder.is_alive(), "who sends has to wait"
        _bring_back(one_broker)
        wait_for(lambda: tcp.stage.bytes().framed, lambda count: count == FRAME_BYTES * len(stream))
        feeder.join()
        emit(900, 1_000)
        wait_for(lambda: udp.stage.bytes().received, lambda count: count == FRAME_BYTES * len(radio))
        assert frames_in(bus, mission, "stream") == stream
        kept = frames_in(bus, mission, "radio")
        assert kept == sorted(set(kept))
        assert kept[:10] + kept[-100:] == radio[:10] + radio[-100:]
        row = udp.stage.bytes()
        assert (row.framed, row.unaccounted) == (FRAME_BYTES * len(kept), 0)
        assert row.discarded == FRAME_BYTES * (len(radio) - len(kept)) > 0
        told = [unpack(Event, record.value) for record in all_of(bus, "firefly.events.radio")]
        no_room = [event.facts["bytes"] for event in told if event.facts.get("reason") == "no room"]
        assert sum(no_room) == row.discarded


def _bring_back(cluster: Cluster) -> None:
    cluster.brokers[1].resume()
    cluster.brokers[1].start()
    cluster.wait()


def _send_all(connection: socket.socket, data: bytes) -> None:
    connection.settimeout(120)
    connection.sendall(data)


@contextlib.contextmanager
def interface(bus: StreamBus, port: int, *how: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(PROGRAM), bus.url, str(port), *how]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def is_stopped(process: subprocess.Popen[bytes]) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def steps(bus: StreamBus, command: str) -> list[str]:
    told = [unpack(CommandStatus, record.value) for record in all_of(bus, "firefly.command-status.fep")]
    return [str(status.fate) for status in told if status.id == command]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not seen that a process is stopped")
def test_one_that_is_stopped_before_the_write_and_wakes_later_writes_at_most_once(one_broker: Cluster) -> None:
    with KafkaBus(emptied(one_broker).addresses) as bus, Device() as device:
        prepared(bus, interface_mission(device.link))
        with interface(bus, device.port, "stops") as first:
            wait_for(lambda: device.connections, bool)
            wait_for(lambda: _connected(bus), bool)
            uplink(bus, uplink_command("one"))
            wait_for(lambda: is_stopped(first), bool)
            assert steps(bus, "one") == ["SENDING"]
            with interface(bus, device.port):
                wait_for(lambda: steps(bus, "one"), lambda found: len(found) > 1)
                wait_for(lambda: len(device.connections), lambda count: count == 2)
                first.send_signal(signal.SIGCONT)
                assert first.wait(60) == 4
                wait_for(lambda: _connected(bus), lambda count: count > 1)
                uplink(bus, uplink_command("two"))
                wait_for(lambda: steps(bus, "two"), lambda found: found == ["SENDING", "SENT"])
                wait_for(lambda: device.received, lambda data: packet(b"two") in data)
        assert device.received.count(packet(b"one")) <= 1
        assert device.received.count(packet(b"two")) == 1
        assert steps(bus, "one") == ["SENDING", "UNKNOWN"]


def _connected(bus: StreamBus) -> int:
    """How often the link came up."""
    told = [unpack(Event, record.value) for record in all_of(bus, "firefly.events.fep")]
    return sum(event.facts.get("state") == "connected" for event in told)
