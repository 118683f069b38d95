"""From the socket to the telemetry record: each packet carries the time at which it was sent.

A packet has arrived when ``bus.view`` gives the record with its telemetry to a thread of the mission's process. Slow
rates are measured over several links at once, each of which is as slow; packets come at random times.

Beside it stands the *bare socket*: the same packets, read by a loop that does nothing else. What it shows of delays is
the machine's.
"""

from __future__ import annotations

import math
import selectors
import socket
import statistics
import threading
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from benchmarks.pipeline.device import Device
from benchmarks.pipeline.ground import (
    SENT,
    bus_url,
    mission_of,
    stamped,
    telemetry_streams,
    wait_for,
    wait_until_up,
)
from benchmarks.rounds import ResultsDiffer
from c2kit.batches import TelemetryBatch
from c2kit.bus import open_bus
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.runner import Runner
from c2kit.pipeline.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from c2kit.bus import Received, StreamBus
    from c2kit.pipeline.composition.mission import Mission
    from c2kit.pipeline.wire import Batch

__all__ = ["Delays", "Pace", "Watch", "bare", "latency", "paced"]

_SETTLE_SECONDS = 1.0
_WARM_PACKETS = 3
"""The first packets of a link find nothing made ready; they are sent before those that count."""


@dataclass(frozen=True, slots=True)
class Pace:
    """So many packets a second on each link."""

    rate: float
    links: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Delays:
    """What came out, in milliseconds."""

    ms: list[float]
    late_ms: float = 0.0
    """How late the sender was at worst: it lacked the processor as the pipeline may have."""

    @property
    def median(self) -> float:
        """Half of them are at most so long."""
        return statistics.median(self.ms)

    @property
    def p99(self) -> float:
        """The smallest that 99 in 100 are not longer than."""
        return sorted(self.ms)[math.ceil(0.99 * len(self.ms)) - 1]

    @property
    def most(self) -> float:
        """The longest."""
        return max(self.ms)


def latency(bus: str, pace: Pace, folder: Path) -> Delays:
    """Send at that pace, and tell how long each packet took. Fails where one is missing."""
    url = bus_url(bus, folder)
    with Device() as device, open_bus(url) as opened:
        mission = mission_of(stamped(), device.port, folder, url, pace.links)
        with Runner(mission, bus=opened) as runner:
            wait_until_up(runner)
            device.ask({"accept": pace.links})
            with Watch(opened, mission, telemetry_streams(mission)) as watch:
                return paced(device, watch.take, pace)


def paced(device: Device, take: Callable[[int], list[float]], pace: Pace) -> Delays:
    """Let stamped packets be sent at that pace; ``take`` waits for so many, and gives what each took."""
    packet = stamped().data.hex()
    for _ in range(_WARM_PACKETS):
        for link in range(pace.links):
            device.ask({"one": link, "packet": packet})
    take(_WARM_PACKETS * pace.links)
    told = device.ask({"pace": packet, "rate": pace.rate, "seconds": pace.seconds})
    time.sleep(_SETTLE_SECONDS)  # reading what came takes the processor from what is still on its way
    return Delays(take(told["sent"]), told["late_ns"] / 1e6)


def bare(_: str, pace: Pace, __: Path) -> Delays:
    """The same packets, read by nothing but a loop over sockets: what the machine itself takes at that time."""
    packet = stamped().data.hex()
    with Device() as device, ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _link in range(pace.links):
            link = stack.enter_context(socket.create_connection(("127.0.0.1", device.port)))
            selector.register(link, selectors.EVENT_READ, bytearray())
        device.ask({"accept": pace.links})
        device.tell({"pace": packet, "rate": pace.rate, "seconds": pace.seconds})
        expected, delays = pace.links * int(pace.rate * pace.seconds), list[float]()
        while len(delays) < expected:
            for key, _mask in selector.select():
                assert isinstance(key.fileobj, socket.socket)
                key.data.extend(key.fileobj.recv(65_536))
                now, size = time.monotonic_ns(), len(packet) // 2
                while len(key.data) >= size:
                    delays.append((now - int.from_bytes(key.data[size - 8 : size])) / 1e6)
                    del key.data[:size]
        return Delays(delays, device.answer()["late_ns"] / 1e6)


class Watch:
    """Looks at telemetry, or at frames, as they come, in a thread of its own, and reads them only later."""

    def __init__(self, bus: StreamBus, mission: Mission, streams: list[str]) -> None:
        self._wire = Wire(Definitions(bus, mission.name, mission.dictionary))
        self._view = bus.view(streams)
        interfaces = mission.interfaces.values()
        self._behind = {target: each.name for each in interfaces for target in each.targets}
        self._seen: deque[tuple[int, Received]] = deque()
        self._is_over = False
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._thread.join()
        self._view.close()

    def take(self, packets: int) -> list[float]:
        """The delays of so many packets, in milliseconds; waits for them. Fails where there are more."""
        delays: list[float] = []

        def are_there() -> bool:
            while self._seen:
                now, record = self._seen.popleft()
                delays.extend((now - sent) / 1e6 for sent in self._sent(self._wire.read(record.value)))
            return len(delays) >= packets

        wait_for(are_there, pause_seconds=0.1)
        if len(delays) != packets:
            raise ResultsDiffer(f"{len(delays)} packets came of {packets}")
        return delays

    def _sent(self, batch: Batch) -> list[int]:
        """When the packets of a batch were sent."""
        if not isinstance(batch, TelemetryBatch):
            return [int.from_bytes(packet[-8:]) for packet in batch]
        if batch.interface != self._behind[batch.target]:
            raise ResultsDiffer(f"what came by {batch.interface} was taken for {batch.target}")
        sent: list[int] = batch[SENT].values.tolist()
        return sent

    def _look(self) -> None:
        while not self._is_over:
            records = self._view.receive(0.2)
            now = time.monotonic_ns()
            self._seen.extend((now, record) for record in records)
