"""Commands of all kinds, issued for as long as the pipeline is under attack."""

from __future__ import annotations

import random
import threading
from collections import Counter
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any

from attrs import frozen

from c2kit.bus import BusUnavailable
from c2kit.pipeline.commands.source import CommandSource

if TYPE_CHECKING:
    from c2kit.bus import StreamBus
    from c2kit.pipeline.composition.mission import Mission

__all__ = ["Commander", "Issued", "Sort"]

_PAUSE_SECONDS = 0.15
_PATIENT_SECONDS = 600.0
_HASTY_SECONDS = 0.05


@unique
class Sort(StrEnum):
    """What kind of command it is, and so how it can end."""

    GOOD = "good"
    REPEATED = "issued twice with one id"
    HASTY = "expires at once"
    WRONG = "wrong"
    HAZARDOUS = "hazardous, not confirmed"


_WEIGHTS = {Sort.GOOD: 60, Sort.REPEATED: 15, Sort.HASTY: 10, Sort.WRONG: 10, Sort.HAZARDOUS: 5}


@frozen
class Issued:
    """A command that is on the bus. Its address is no other's, so that the satellite can tell which it received."""

    id: str
    address: int
    sort: Sort


class Commander:
    """Issues commands in a thread until :meth:`stop`. The seed decides which."""

    def __init__(self, bus: StreamBus, mission: Mission, seed: int) -> None:
        self._bus, self._mission = bus, mission
        self._chance = random.Random(f"commands {seed}")
        self._stopping = threading.Event()
        self.issued: list[Issued] = []
        self.waited: Counter[str] = Counter()
        """Why it had to try again."""
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="commander", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with CommandSource(self._bus, self._mission, caller="kill test") as source:
                while not self._stopping.wait(self._chance.uniform(0, 2 * _PAUSE_SECONDS)):
                    self._issue(source)
        except Exception as error:  # noqa: BLE001 - told where it is waited for
            self._error = error

    def _issue(self, source: CommandSource) -> None:
        (sort,) = self._chance.choices([*_WEIGHTS], [*_WEIGHTS.values()])
        address = 0x1000 * (len(self.issued) + 1)
        wanted_id = f"command-{address:08x}" if sort is Sort.REPEATED else None
        command_id = self._sent(source, sort, address, wanted_id)
        if sort is Sort.REPEATED:
            assert self._sent(source, sort, address, wanted_id) == command_id
        self.issued.append(Issued(command_id, address, sort))

    def _sent(self, source: CommandSource, sort: Sort, address: int, wanted_id: str | None) -> str:
        """The id with which it is on the bus. While the bus is not available it is not issued, and tried again."""
        name, arguments = _asked(sort, address)
        seconds = _HASTY_SECONDS if sort is Sort.HASTY else _PATIENT_SECONDS
        while True:
            try:
                return source.send("FIREFLY", name, arguments, command_id=wanted_id, expires_seconds=seconds)
            except BusUnavailable as error:
                self.waited[str(error)] += 1

    def stop(self) -> None:
        """Issue no more. Raises what went wrong."""
        self._stopping.set()
        self._thread.join()
        if self._error is not None:
            raise self._error


def _asked(sort: Sort, address: int) -> tuple[str, dict[str, Any]]:
    if sort is Sort.HAZARDOUS:
        return "LOAD_MEMORY", {"ADDRESS": address, "DATA": b"\1"}
    return "DUMP_MEMORY", {"ADDRESS": address, "SIZE": 0 if sort is Sort.WRONG else 48}
