"""From a socket through three hops to a reader of what is committed, as many packets as go through.

The hops are an interface, a stage that identifies and one that decommutates, each with transactions of its own, in one
process with the reader; what sends is another. Time counts from the first byte sent until the reader has the last
packet. Beside it bare clients carry the same bytes through as many transactions, as they came from the socket.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.kafka.bare import Bare
from benchmarks.kafka.ground import applied, last_streams
from benchmarks.peers.results import of_columns
from benchmarks.pipeline.device import Device
from benchmarks.pipeline.ground import wait_until_up
from benchmarks.pipeline.throughput import Passage
from benchmarks.rounds import ResultsDiffer
from c2kit.batches import TelemetryBatch
from c2kit.bus import open_bus
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.runner import Runner
from c2kit.pipeline.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.workload import Workload
    from c2kit.bus import View

__all__ = ["bare_passage", "passage", "verify"]

HOPS = 3
_PATIENCE_SECONDS = 60.0


def passage(brokers: str, workload: Workload, file: Path, times: int) -> Passage:
    """Send the workload so often. Fails where other than all packets arrive."""
    found, _ = _through(brokers, workload, file, times, keeps=False)
    return found


def verify(brokers: str, workload: Workload, file: Path) -> int:
    """Send the workload once, and compare every value. Gives how many values."""
    _, batches = _through(brokers, workload, file, 1, keeps=True)
    columns = of_columns((batch.packet.name, [batch[name].to_list() for name in batch]) for batch in batches)
    if difference := workload.difference(columns):
        raise ResultsDiffer(f"three hops: {difference}")
    return workload.values


def _through(
    brokers: str, workload: Workload, file: Path, times: int, *, keeps: bool
) -> tuple[Passage, list[TelemetryBatch]]:
    expected, arrived, kept = times * workload.count, 0, list[TelemetryBatch]()
    with Device() as device, open_bus(f"kafka:{brokers}") as bus:
        mission = applied(workload, device.port, brokers, HOPS)
        wire = Wire(Definitions(bus, mission.name, mission.dictionary))
        with Runner(mission, bus=bus) as runner, bus.view(last_streams(mission)) as view:
            wait_until_up(runner)
            device.ask({"accept": 1})
            cpu = time.process_time_ns()
            device.tell({"flood": str(file), "times": times})
            for batch in _batches(view, wire):
                arrived += len(batch)
                if keeps:
                    kept.append(batch)
                if arrived >= expected:
                    break
            ended, cpu = time.monotonic_ns(), time.process_time_ns() - cpu
            began = device.answer()["began_ns"]
        given = {row.processor: row.given for row in runner.rows()}
    if arrived != expected or set(given.values()) != {expected}:
        raise ResultsDiffer(f"of {expected} packets {arrived} arrived; processors were given {given}")
    return Passage(expected, ended - began, cpu), kept


def _batches(view: View, wire: Wire) -> Iterator[TelemetryBatch]:
    while records := view.receive(_PATIENCE_SECONDS):
        for record in records:
            batch = wire.read(record.value)
            assert isinstance(batch, TelemetryBatch)
            yield batch
    raise ResultsDiffer("nothing came any more")


def bare_passage(brokers: str, workload: Workload, file: Path, times: int) -> Passage:
    """The same by bare clients, which compare all bytes."""
    data = workload.data * times
    with Device() as device, Bare(brokers, HOPS) as bare:
        bare.link(device.port)
        device.ask({"accept": 1})
        cpu = time.process_time_ns()
        device.tell({"flood": str(file), "times": times})
        bare.reader.wait(lambda: bare.reader.size_bytes >= len(data))
        ended, cpu = time.monotonic_ns(), time.process_time_ns() - cpu
        began = device.answer()["began_ns"]
        if b"".join(value for _, value in bare.reader.seen) != data:
            raise ResultsDiffer("bare clients gave other bytes than were sent")
    return Passage(times * workload.count, ended - began, cpu)
