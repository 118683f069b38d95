"""Simulated satellites in real time, or faster: one loop, no threads."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    import selectors
    from collections.abc import Sequence
    from pathlib import Path

    from c2kit.sim.faults import FaultyLink
    from c2kit.sim.ports import Port
    from c2kit.sim.satellite import Satellite

__all__ = ["Flight", "Record", "Simulator"]

_SECOND = 10**9
_AT_ONCE_S = 5
"""Simulated seconds between two looks at the network, where time goes as fast as it can."""
_PAUSE_BYTES = 2**20
"""Time that goes as fast as it can waits for clients that have so much to take."""
_LAST_BYTES_S = 5.0
"""How long clients have at the end to take what was sent."""


class Record:
    """What really happened, in two files: packets as they were sent, and a line of JSON for each command received."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._sent = (folder / f"{name}.sent.tlm").open("wb")
        self._commands = (folder / f"{name}.commands.jsonl").open("w", encoding="utf-8")
        self._count = 0

    def add(self, packets: Sequence[bytes], satellite: Satellite) -> None:
        """Write what is new, so that it is there when this process is killed."""
        self._sent.writelines(packets)
        for command in satellite.received[self._count :]:
            line = {"time_ns": command.time_ns, "hex": command.data.hex()}
            json.dump(line | {"name": command.name, "result": command.result}, self._commands)
            self._commands.write("\n")
        self._count = len(satellite.received)
        self._sent.flush()
        self._commands.flush()

    def close(self) -> None:
        """Close both files."""
        self._sent.close()
        self._commands.close()


@define(eq=False)
class Flight:
    """A satellite with its way to the ground."""

    satellite: Satellite
    link: FaultyLink
    port: Port
    record: Record | None = None
    packets: int = 0
    """How many were sent, before any fault."""

    def advance(self, to_ns: int) -> None:
        """Let time pass, and send what comes down."""
        packets = self.satellite.advance(to_ns)
        self.packets += len(packets)
        if self.record is not None:
            self.record.add(packets, self.satellite)
        self.port.send(self.link.send(packets))

    def end(self) -> None:
        """Send what the link has held."""
        self.port.send(self.link.end())


@define(eq=False)
class Simulator:
    """Satellites that fly together.

    ``speed`` is simulated seconds a second; 0 is as fast as clients take what is sent. It ends after ``seconds`` of
    simulated time, or never. ``waits``: time stands still until somebody is at each port. Connections break every
    ``drop_every_s`` real seconds, if given.
    """

    flights: list[Flight]
    selector: selectors.BaseSelector
    speed: float = 1.0
    seconds: float | None = None
    waits: bool = False
    drop_every_s: float | None = None
    _began_s: float = field(default=0.0, init=False)
    _elapsed_ns: int = field(default=0, init=False)

    def run(self) -> None:
        """Fly until the end. Whoever made the flights closes them."""
        while self.waits and not all(flight.port.is_used for flight in self.flights):
            self._look(0.2)
        self._began_s = last_drop_s = time.monotonic()
        end_ns = None if self.seconds is None else int(self.seconds * _SECOND)
        while end_ns is None or self._elapsed_ns < end_ns:
            self._look(self._pause_s())
            self._advance(end_ns)
            if self.drop_every_s and time.monotonic() >= last_drop_s + self.drop_every_s:
                last_drop_s += self.drop_every_s
                self._drop()
        self._finish()

    def _look(self, timeout_s: float) -> None:
        """Take care of what happens at the ports. A selector of nothing would not wait everywhere."""
        if not self.selector.get_map():
            time.sleep(timeout_s)
            return
        for key, events in self.selector.select(timeout_s):
            key.data(events)

    def _is_behind(self) -> bool:
        return any(flight.port.waiting_bytes > _PAUSE_BYTES for flight in self.flights)

    def _pause_s(self) -> float:
        if self.speed == 0:
            return 0.05 if self._is_behind() else 0.0
        return min(max(0.1 / self.speed, 0.005), 0.1)

    def _advance(self, end_ns: int | None) -> None:
        if self.speed == 0:
            to_ns = self._elapsed_ns + (0 if self._is_behind() else _AT_ONCE_S * _SECOND)
        else:
            to_ns = max(int((time.monotonic() - self._began_s) * self.speed * _SECOND), self._elapsed_ns)
        self._elapsed_ns = to_ns if end_ns is None else min(to_ns, end_ns)
        for flight in self.flights:
            flight.advance(flight.satellite.start_ns + self._elapsed_ns)

    def _drop(self) -> None:
        for flight in self.flights:
            flight.port.drop()

    def _finish(self) -> None:
        for flight in self.flights:
            flight.end()
        until_s = time.monotonic() + _LAST_BYTES_S
        while any(flight.port.waiting_bytes for flight in self.flights) and time.monotonic() < until_s:
            self._look(0.05)
