"""How far each stage got, looked at from outside: what it published, or has stored."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.bus import BusUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.kill.grounds import Look

__all__ = ["Progress", "TooSlow"]

_LOOK_SECONDS = 0.05


class TooSlow(AssertionError):
    """What was waited for did not come about."""


@define(eq=False)
class Progress:
    """Looks again and again, in :meth:`watch`; the others wait for what it sees."""

    look: Look
    check: Callable[[], object]
    """Called while anything is waited for; raises where that is in vain."""
    positions: Mapping[str, int] = field(factory=dict)
    """By stage."""

    async def watch(self) -> None:
        """Look until cancelled. A bus that is not available is no news."""
        while True:
            with suppress(BusUnavailable):
                self.positions = await asyncio.to_thread(self.look.positions)
            await asyncio.sleep(_LOOK_SECONDS)

    def of(self, stage: str) -> int:
        """How far it got."""
        return self.positions.get(stage, 0)

    async def growth(self, stage: str, *, times: int = 1, seconds: float) -> None:
        """Wait until the stage was seen to get on so often. Raises TooSlow."""
        for _ in range(times):
            before = self.of(stage)
            await self.until(lambda before=before: self.of(stage) > before, f"{stage} gets on", seconds)  # type: ignore[misc]

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
        """Wait until something is so. Raises TooSlow."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise TooSlow(f"not within {seconds:g} s: {what}")
            await asyncio.sleep(0.01)

    async def drained(self, seconds: float) -> None:
        """Wait until nothing waits, and nothing came for a while that could be on its way between two streams."""
        quiet_since, before = time.monotonic(), self.positions
        deadline = time.monotonic() + seconds
        while time.monotonic() < quiet_since + 1.0:
            self.check()
            waiting = await asyncio.to_thread(self._waiting)
            if time.monotonic() > deadline:
                raise TooSlow(f"{waiting} records still wait after {seconds:g} s")
            if waiting != 0 or self.positions != before:
                quiet_since, before = time.monotonic(), self.positions
            await asyncio.sleep(0.05)

    def _waiting(self) -> int | None:
        try:
            return self.look.waiting()
        except BusUnavailable:
            return None
