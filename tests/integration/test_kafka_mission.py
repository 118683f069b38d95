"""A mission on a real broker, one process for each stage: what came down the link is in the logs, each packet once."""

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

from c2kit.batches.kinds import Kind
from c2kit.bus import open_bus
from c2kit.pipeline.composition.names import stream_name
from c2kit.storage import PacketLogReader
from tests.kafka_brokers import emptied, wait_for
from tests.missions import flown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dev.kafka import Cluster

MISSION = Path(__file__).parents[2] / "examples/04_mission.py"
PROGRAM = "import sys; from c2kit.cli import main; main()"
STAGES = ("log", "fep-raw-log", "encode", "decom", "antenna", "fep")
PATIENCE_SECONDS = 120.0
pytestmark = pytest.mark.slow


class Device:
    """The other end of the link: it sends packets, cut anywhere, a few at a time."""

    def __init__(self, packets: Sequence[bytes]) -> None:
        self._packets = packets
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            data = b"".join(self._packets)
            for start in range(0, len(data), 997):
                connection.sendall(data[start : start + 997])
                time.sleep(0.02)
            connection.recv(1)  # until the other side ends

    def close(self) -> None:
        self._listening.close()


@contextlib.contextmanager
def stage(name: str, folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", PROGRAM, "run", str(MISSION), "--stage", name]
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def c2kit(*words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, *words]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


def logged(folder: Path) -> list[bytes]:
    directory = folder / "log/firefly.packets.FIREFLY/0"
    if not directory.exists():
        return []
    return [packet for batch in PacketLogReader(directory).read() for packet in batch]


def test_every_packet_is_logged_once_though_a_stage_is_killed(one_broker: Cluster, tmp_path: Path) -> None:
    emptied(one_broker)
    packets = [packet for packet in flown(120) if packet]
    device = Device(packets)
    environment = {
        "C2KIT_BUS": f"kafka:{one_broker.addresses}",
        "C2KIT_LINK_FEP": device.address,
        "C2KIT_LINK_ANTENNA": "127.0.0.1:0",
        "C2KIT_DIR_LOG": str(tmp_path / "log"),
        "C2KIT_DIR_FEP_RAW_LOG": str(tmp_path / "raw"),
    }
    refused = c2kit("run", str(MISSION), "--stage", "decom", environment=environment)
    assert refused.returncode == 3, refused.stderr
    assert "c2kit streams apply" in refused.stderr
    applied = c2kit("streams", "apply", str(MISSION), environment=environment)
    assert applied.returncode == 0, applied.stderr
    with contextlib.ExitStack() as running:
        processes = {name: running.enter_context(stage(name, tmp_path, environment)) for name in STAGES}
        wait_for(lambda: len(logged(tmp_path)), lambda count: count > len(packets) // 10)
        processes["decom"].send_signal(signal.SIGKILL)
        processes["decom"].wait()
        processes["decom"] = running.enter_context(stage("decom", tmp_path, environment))
        wait_for(lambda: len(logged(tmp_path)), lambda count: count >= len(packets))
        for name, process in processes.items():
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_SECONDS) == 0, (name, (tmp_path / f"{name}.log").read_text()[-3000:])
    device.close()
    assert logged(tmp_path) == packets
    with open_bus(environment["C2KIT_BUS"]) as bus:
        stream = stream_name("firefly", Kind.TELEMETRY, "FIREFLY")
        (info,) = bus.streams(stream)
        with bus.view([stream], from_oldest=True) as view:
            values = []
            while any(view.reached[stream, number] < end for number, end in enumerate(info.next_offsets)):
                values += [record.value for record in view.receive(0.1)]
    assert len(values) == len(set(values)) > 0
