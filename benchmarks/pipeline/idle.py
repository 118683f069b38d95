"""Many interfaces in one process of which none has anything to do: what each costs, and whether it still works."""

from __future__ import annotations

import os
import random
import resource
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pipeline.device import Device
from benchmarks.pipeline.ground import bus_url, mission_of, stamped, telemetry_streams, wait_until_up
from benchmarks.pipeline.latency import Delays, Watch
from c2kit.bus import open_bus
from c2kit.pipeline.runner import Runner

__all__ = ["Idle", "idle"]

_SETTLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Idle:
    """What so many idle interfaces, one stage for their telemetry and one log cost."""

    interfaces: int
    resident_bytes: int
    """What the mission added to the process, once all links were up."""
    threads: int
    cpu_share: float
    """Of one processor, while nothing came."""
    start_seconds: float
    """From composing the mission until all links were up and all stages ready."""
    stop_seconds: float
    delays: Delays
    """Of single packets on some of the links."""


def idle(bus: str, interfaces: int, seconds: float, packets: int, folder: Path) -> Idle:
    """Run so many interfaces without anything to do for so long, then send single packets on links chosen at random.

    For a process of its own: it lets it have as many files as it may.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    url, workload = bus_url(bus, folder), stamped()
    with Device() as device, open_bus(url) as opened:
        before, begun = _resident_bytes(), time.monotonic()
        mission = mission_of(workload, device.port, folder, url, interfaces)
        runner = Runner(mission, bus=opened)
        with runner:
            wait_until_up(runner)
            device.ask({"accept": interfaces})
            start_seconds = time.monotonic() - begun
            time.sleep(_SETTLE_SECONDS)
            resident, threads = _resident_bytes() - before, threading.active_count()
            cpu = time.process_time()
            time.sleep(seconds)
            cpu = time.process_time() - cpu
            with Watch(opened, mission, telemetry_streams(mission)) as watch:
                delays = []
                for _ in range(packets):
                    link = random.randrange(interfaces)
                    device.ask({"one": link, "packet": workload.data.hex()})
                    delays += watch.take(1)
            begun = time.monotonic()
        stop_seconds = time.monotonic() - begun
    return Idle(interfaces, resident, threads, cpu / seconds, start_seconds, stop_seconds, Delays(delays))


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
