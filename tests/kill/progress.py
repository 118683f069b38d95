"""How far each stage got, looked at from outside: what it published, or told the bus that it has stored."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.bus import BusUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.bus import StreamBus, StreamInfo

__all__ = ["Progress", "TooSlow"]

_LOOK_SECONDS = 0.05
_PUBLISHED = {"fep": "frames.fep", "decom": "telemetry.FIREFLY", "encode": "uplink.fep"}
_STORED = {"log": "packets.FIREFLY", "fep-raw-log": "raw.fep"}


class TooSlow(AssertionError):
    """What was waited for did not come about."""


@define(eq=False)
class Progress:
    """Looks at the bus again and again, in :meth:`watch`; the others wait for what it sees."""

    bus: StreamBus
    check: Callable[[], object]
    """Called while anything is waited for; raises where that is in vain."""
    positions: dict[str, int] = field(factory=dict)
    """By stage."""
    lag: int = 0
    """How many records wait, over all streams and consumers."""

    async def watch(self) -> None:
        """Look until cancelled. A bus that is not available is no news."""
        while True:
            try:
                infos = await asyncio.to_thread(self.bus.streams, "firefly.")
            except BusUnavailable:
                infos = []
            if infos:
                self._see({info.spec.name.removeprefix("firefly."): info for info in infos})
            await asyncio.sleep(_LOOK_SECONDS)

    def _see(self, infos: dict[str, StreamInfo]) -> None:
        self.positions = {stage: sum(infos[name].next_offsets) for stage, name in _PUBLISHED.items()}
        for stage, name in _STORED.items():
            self.positions[stage] = sum(infos[name].next_offsets) - infos[name].lag[f"firefly.{stage}"]
        self.lag = sum(sum(info.lag.values()) for info in infos.values())

    def of(self, stage: str) -> int:
        """How far it got."""
        return self.positions.get(stage, 0)

    async def growth(self, stage: str, check: Callable[[], object] = bool, *, times: int = 1, seconds: float) -> None:
        """Wait until the stage was seen to get on so often. ``check`` raises where that cannot be.

        Raises TooSlow.
        """
        for _ in range(times):
            before = self.of(stage)
            await self.until(lambda before=before: self.of(stage) > before, f"{stage} gets on", check, seconds)  # type: ignore[misc]

    async def until(
        self, condition: Callable[[], bool], what: str, check: Callable[[], object] = bool, seconds: float = 120.0
    ) -> None:
        """Wait until something is so. Raises TooSlow."""
        deadline = time.monotonic() + seconds
        while not condition():
            check()
            self.check()
            if time.monotonic() > deadline:
                raise TooSlow(f"not within {seconds:g} s: {what}")
            await asyncio.sleep(0.01)
