"""From a socket to the telemetry stream and the log, as many packets as go through.

The pipeline is a mission as users write it, run in one process; what sends is another. Time counts from the first byte
sent until the last packet is synced in the log, which takes it from the bus after the telemetry was committed.

Beside it stands the *copy*: the same interface publishes the same frames, and then bytes are copied where packets are
processed. One thread copies each record to the streams of packets and telemetry, as it is; another appends it to a
file, synced as often as the log is. So the copy does what the bus, the link and the disk cost, and nothing else.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.peers.results import of_columns
from benchmarks.pipeline.device import Device
from benchmarks.pipeline.ground import bus_url, mission_of, telemetry_streams, wait_for, wait_until_up
from benchmarks.rounds import ResultsDiffer
from c2kit.batches import TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.bus import Record, Step, open_bus
from c2kit.pipeline.composition.names import stage_identity, stream_name
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.observing.ledger import ledger_text
from c2kit.pipeline.runner import Runner
from c2kit.pipeline.wire import Wire
from c2kit.storage import LogSettings, PacketLogReader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.workload import Workload
    from c2kit.bus import PartitionId, Received, StreamBus
    from c2kit.pipeline.composition.mission import Mission

__all__ = ["Passage", "copy", "pipeline", "verify"]

_TURN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Passage:
    """What one run took for so many packets."""

    packets: int
    wall_ns: int
    cpu_ns: int
    """Processor time of the process that is measured, in all its threads."""

    @property
    def rate(self) -> float:
        """Packets a second."""
        return self.packets / self.wall_ns * 1e9


def pipeline(bus: str, workload: Workload, file: Path, times: int, folder: Path) -> Passage:
    """Send the workload so often, and let the mission process it. Fails where anything is missing at the end."""
    expected = times * workload.count
    url = bus_url(bus, folder)
    with Device() as device:
        mission = mission_of(workload, device.port, folder, url)
        with Runner(mission) as runner:
            wait_until_up(runner)
            device.ask({"accept": 1})
            cpu = time.process_time_ns()
            device.tell({"flood": str(file), "times": times})
            wait_for(lambda: _logged(runner) >= expected)
            ended, cpu = time.monotonic_ns(), time.process_time_ns() - cpu
            began = device.answer()["began_ns"]
        ledger = ledger_text(runner.rows(), runner.edges(), runner.byte_rows())
        given = {row.processor: row.given for row in runner.rows()}
    if not ledger.endswith("unaccounted: 0") or set(given.values()) != {expected}:
        raise ResultsDiffer(f"{bus}: of {expected} packets came {given}\n{ledger}")
    return Passage(expected, ended - began, cpu)


def _logged(runner: Runner) -> int:
    log = runner.running.get("log")
    return 0 if log is None else sum(row.given for row in log.ledger())


def verify(bus: str, workload: Workload, file: Path, folder: Path) -> int:
    """Let the mission process the workload once, and compare every value and every byte. Gives how many values."""
    url = bus_url(bus, folder)
    with Device() as device, open_bus(url) as opened:
        mission = mission_of(workload, device.port, folder, url)
        with Runner(mission, bus=opened) as runner:
            device.ask({"accept": 1})
            device.tell({"flood": str(file), "times": 1})
            wait_for(lambda: _logged(runner) >= workload.count)
            device.answer()
        batches = _telemetry(opened, mission)
        columns = of_columns((batch.packet.name, [batch[name].to_list() for name in batch]) for batch in batches)
    difference = workload.difference(columns)
    (partition,) = (folder / "log").glob("*/0")
    if b"".join(packet for batch in PacketLogReader(partition).read() for packet in batch) != workload.data:
        difference = difference or "the log has other bytes"
    if difference:
        raise ResultsDiffer(f"{bus}: {difference}")
    return sum(len(column) for packet in workload.expected.values() for column in packet)


def _telemetry(bus: StreamBus, mission: Mission) -> list[TelemetryBatch]:
    wire = Wire(Definitions(bus, mission.name, mission.dictionary))
    found = []
    with bus.view(telemetry_streams(mission), from_oldest=True) as view:
        while records := view.receive(0.0):
            batches = [wire.read(record.value) for record in records]
            found += [batch for batch in batches if isinstance(batch, TelemetryBatch)]
    return found


def copy(bus: str, workload: Workload, file: Path, times: int, folder: Path) -> Passage:
    """Send the workload so often, and let its frames be copied."""
    expected = times * workload.count
    url = bus_url(bus, folder)
    with Device() as device, open_bus(url) as opened:
        mission = mission_of(workload, device.port, folder, url)
        with Runner(mission, stage="fep0", bus=opened) as runner:
            wait_until_up(runner)
            device.ask({"accept": 1})
            copies = _Copies(opened, mission, folder / "copied", expected)
            cpu = time.process_time_ns()
            device.tell({"flood": str(file), "times": times})
            copies.run()
            ended, cpu = time.monotonic_ns(), time.process_time_ns() - cpu
            began = device.answer()["began_ns"]
    return Passage(expected, ended - began, cpu)


class _Copies:
    """What stands where the mission's two stages stand, on the same streams."""

    def __init__(self, bus: StreamBus, mission: Mission, path: Path, expected: int) -> None:
        (interface,) = mission.interfaces.values()
        (target,) = interface.targets
        self._lane = f"{interface.name}/{target}"
        self._streams = [stream_name(mission.name, kind, target) for kind in (Kind.PACKETS, Kind.TELEMETRY)]
        frames = stream_name(mission.name, Kind.FRAMES, interface.name)
        self._worker = bus.worker(stage_identity(mission.name, "decom"), [frames], outputs=self._streams)
        self._sink = bus.sink(stage_identity(mission.name, "log"), [(self._streams[0], 0)], [])
        self._wire = Wire(Definitions(bus, mission.name, mission.dictionary))
        self._path = path
        self._expected = expected

    def run(self) -> None:
        """Copy until all packets are in the file, and safe."""
        copier = threading.Thread(target=self._copy, daemon=True)
        copier.start()
        self._log()
        copier.join()
        self._worker.close()
        self._sink.close()

    def _copy(self) -> None:
        copied = 0
        while copied < self._expected:
            records = self._worker.receive(_TURN_SECONDS).records
            if records:
                copied += sum(len(self._wire.read(record.value)) for record in records)
                out = [Record(stream, self._lane, record.value) for record in records for stream in self._streams]
                self._worker.commit(Step(publish=out, passed=_passed(records)))

    def _log(self) -> None:
        logged = pending = 0
        settings = LogSettings()
        began = time.monotonic()
        with self._path.open("wb", buffering=0) as file:
            while logged < self._expected or pending:
                records = self._sink.receive(_TURN_SECONDS)
                for record in records:
                    file.write(record.value)
                    pending += len(record.value)
                    logged += len(self._wire.read(record.value))
                is_due = time.monotonic() - began >= settings.block_age_ns / 1e9
                if pending and (is_due or pending >= settings.block_bytes or logged >= self._expected):
                    os.fdatasync(file.fileno())
                    pending, began = 0, time.monotonic()
                if records:
                    self._sink.passed(_passed(records))


def _passed(records: Sequence[Received]) -> dict[PartitionId, int]:
    return {(record.stream, record.partition): record.offset + 1 for record in records}
