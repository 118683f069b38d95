"""A stage under attack: struck again and again, each time while traffic flows through it, and started again."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING

from attrs import define, field

from tests.kill.progress import TooSlow
from tests.kill.schedule import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.kill.processes import Instance, Processes
    from tests.kill.progress import Progress
    from tests.kill.schedule import Strike

__all__ = ["Attack", "Blow", "WrongEnd"]

FENCED = 4
_PATIENCE_SECONDS = 120.0
_TAKE_OVER_SECONDS = 25.0
"""After so long a process that was stopped wakes, replaced or not: a bus gives it 10, beside what a start takes."""
_SEEN_SECONDS = 0.5
"""By then what a process did before it was stopped was seen."""
_FLOWS = 2
"""So often a stage must get on: once may be what it tells of what it did before."""


class WrongEnd(AssertionError):
    """A process ended, or lived on, against what was promised."""

    def __init__(self, instance: Instance, expected: str) -> None:
        found = f"exit code {instance.exit_code}"
        super().__init__(f"a process of {instance.stage}: expected {expected}, found {found}\n{instance.last_words}")


@define
class Blow:
    """A strike that was dealt while traffic flowed."""

    stage: str
    kind: Kind
    back_seconds: float = 0.0
    """From when it could not go on until traffic flowed again: with the start of a process, and all waiting for it."""
    is_replaced: bool = False
    """Whether another process does its work now."""


@define(eq=False)
class Attack:
    """What happens to one stage. :meth:`run` it, then find the process that works in ``instance``."""

    stage: str
    processes: Processes
    progress: Progress
    instance: Instance = field(init=False)
    blows: list[Blow] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.instance = self.processes.start_stage(self.stage)

    async def run(self, strikes: Sequence[Strike]) -> None:
        """Deal them one after the other, and see the stage work again after each."""
        await self._flows()
        for strike in strikes:
            await asyncio.sleep(strike.after_seconds)
            if strike.aim_seconds is not None:
                await asyncio.to_thread(self.processes.await_commit)
                await asyncio.sleep(strike.aim_seconds)
            blow = Blow(self.stage, strike.kind)
            began = time.monotonic()
            before = self.instance
            await self._strike(strike)
            blow.is_replaced = self.instance is not before
            await self._flows()
            blow.back_seconds = time.monotonic() - began
            self.blows.append(blow)

    async def _flows(self) -> None:
        """Wait until the stage gets on."""
        await self.progress.growth(self.stage, self._check_lives, times=_FLOWS, seconds=_PATIENCE_SECONDS)

    def _check_lives(self) -> None:
        if self.instance.exit_code is not None:
            raise WrongEnd(self.instance, "to live")

    async def _strike(self, strike: Strike) -> None:
        match strike.kind:
            case Kind.KILL:
                await self._kill(strike.pause_seconds)
            case Kind.PAUSE:
                self.instance.signal(signal.SIGSTOP)
                await asyncio.sleep(0.1 + strike.pause_seconds)
                self.instance.signal(signal.SIGCONT)
            case Kind.KILL_PAUSED:
                self.instance.signal(signal.SIGSTOP)
                await asyncio.sleep(strike.pause_seconds)
                await self._kill(0.0)
            case Kind.SECOND:
                second = self.processes.start_stage(self.stage)
                await self._ends_fenced(second)
            case Kind.REPLACE:
                await self._replace()

    async def _kill(self, away_seconds: float) -> None:
        self.instance.kill()
        await asyncio.sleep(away_seconds)
        self.instance = self.processes.start_stage(self.stage)

    async def _replace(self) -> None:
        """Stop it, start another, and wake it. One of both goes on: which one depends on the stage."""
        first = self.instance
        await self._stop_between_commits()
        second = self.processes.start_stage(self.stage)
        await asyncio.sleep(_SEEN_SECONDS)
        before = self.progress.of(self.stage)
        with contextlib.suppress(TooSlow):
            await self.progress.until(
                lambda: second.exit_code is not None or self.progress.of(self.stage) > before,
                f"another process of {self.stage} takes over or gives up",
                seconds=_TAKE_OVER_SECONDS,
            )
        first.signal(signal.SIGCONT)
        both = (first, second)
        await self.progress.until(
            lambda: any(each.exit_code is not None for each in both),
            f"of two processes of {self.stage} one ends",
            seconds=_PATIENCE_SECONDS,
        )
        loser, self.instance = both if first.exit_code is not None else both[::-1]
        await self._ends_fenced(loser)

    async def _stop_between_commits(self) -> None:
        """Stop it where it holds no lock of SQLite's: nobody could take its place then, nor do anything else."""
        while True:
            self.instance.signal(signal.SIGSTOP)
            if await asyncio.to_thread(self.processes.can_bus_be_written):
                return
            self.instance.signal(signal.SIGCONT)
            await asyncio.sleep(0.01)

    async def _ends_fenced(self, instance: Instance) -> None:
        await self.progress.until(
            lambda: instance.exit_code is not None,
            f"a second process of {self.stage} ends",
            self._check_lives,
            _PATIENCE_SECONDS,
        )
        if instance.exit_code != FENCED:
            raise WrongEnd(instance, f"exit code {FENCED}, fenced")
