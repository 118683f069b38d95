"""A stage under attack: struck again and again, each time while traffic flows through it, and started again."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from tests.kill.progress import TooSlow
from tests.kill.schedule import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.kill.grounds import Ground
    from tests.kill.processes import Instance, Processes
    from tests.kill.progress import Progress
    from tests.kill.schedule import Strike

__all__ = ["Attack", "Blow", "End", "WrongEnd"]

FENCED = 4
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
    began: float
    """Monotonic seconds."""
    back_seconds: float = 0.0
    """From when it could not go on until traffic flowed again: with the start of a process, and all waiting for it."""
    is_replaced: bool = False
    """Whether another process does its work now."""


@frozen
class End:
    """A process that did the work of a stage until it ended, of whatever."""

    stage: str
    cause: str
    at: float
    """Monotonic seconds."""
    last_words: str = field(default="", repr=False)


@define(eq=False)
class Attack:
    """What happens to one stage. :meth:`run` it, then find the process that works in ``instance``.

    A process that asks by its exit code to be started again is, as whoever orchestrates it would; see :meth:`check`.
    """

    stage: str
    ground: Ground
    processes: Processes
    progress: Progress
    instance: Instance = field(init=False)
    blows: list[Blow] = field(factory=list, init=False)
    ends: list[End] = field(factory=list, init=False)
    """Of processes that another one follows."""
    _is_struck: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.instance = self.processes.start_stage(self.stage)

    async def run(self, strikes: Sequence[Strike]) -> None:
        """Deal them one after the other, and see the stage work again after each."""
        await self._flows()
        for strike in strikes:
            await asyncio.sleep(strike.after_seconds)
            if strike.aim_seconds is not None:
                await asyncio.to_thread(self.ground.await_commit)
                await asyncio.sleep(strike.aim_seconds)
            blow = Blow(self.stage, strike.kind, time.monotonic())
            self.blows.append(blow)
            before = self.instance
            self._is_struck = True
            await self._strike(strike)
            self._is_struck = False
            blow.is_replaced = self.instance is not before
            if blow.is_replaced:
                self.ends.append(End(self.stage, blow.kind, blow.began))
            await self._flows()
            blow.back_seconds = time.monotonic() - blow.began

    async def end(self) -> None:
        """Tell it to end, which it must do in good order."""
        self._is_struck = True
        self.instance.signal(signal.SIGTERM)
        await self.progress.until(lambda: self.instance.exit_code is not None, f"{self.stage} ends when it is told to")
        if self.instance.exit_code != 0:
            raise WrongEnd(self.instance, "exit code 0")

    async def _flows(self) -> None:
        """Wait until the stage gets on."""
        await self.progress.growth(self.stage, times=_FLOWS, seconds=self.ground.patience_seconds)

    def check(self) -> None:
        """See to it that a process is there, unless it is being struck. Raises WrongEnd where one ended wrongly."""
        code = self.instance.exit_code
        if self._is_struck or code is None:
            return
        if code not in self.ground.restarted:
            raise WrongEnd(self.instance, "to live")
        self.ends.append(End(self.stage, f"exit code {code}", time.monotonic(), self.instance.last_words))
        self.instance = self.processes.start_stage(self.stage)

    def was_away(self, began: float, ended: float) -> bool:
        """Whether anything befell the stage itself in that time."""
        struck = any(blow.began <= ended and began <= blow.began + (blow.back_seconds or ended) for blow in self.blows)
        return struck or any(began <= end.at <= ended for end in self.ends)

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
                await self._one_ends_fenced(self.instance, self.processes.start_stage(self.stage))
            case Kind.REPLACE:
                await self._replace()

    async def _kill(self, away_seconds: float) -> None:
        self.instance.kill()
        await asyncio.sleep(away_seconds)
        self.instance = self.processes.start_stage(self.stage)

    async def _replace(self) -> None:
        """Stop it, start another, and wake it."""
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
        await self._one_ends_fenced(first, second)

    async def _stop_between_commits(self) -> None:
        """Stop it where it holds nothing that all need: nobody could take its place then, nor do anything else."""
        while True:
            self.instance.signal(signal.SIGSTOP)
            if await asyncio.to_thread(self.ground.can_stop_now):
                return
            self.instance.signal(signal.SIGCONT)
            await asyncio.sleep(0.01)

    async def _one_ends_fenced(self, first: Instance, second: Instance) -> None:
        """Of both one goes on: which one depends on the bus, on the stage and on what came to pass."""
        await self.progress.until(
            lambda: first.exit_code is not None or second.exit_code is not None,
            f"of two processes of {self.stage} one ends",
            seconds=self.ground.patience_seconds,
        )
        loser, self.instance = (first, second) if first.exit_code is not None else (second, first)
        if loser.exit_code != FENCED:
            raise WrongEnd(loser, f"exit code {FENCED}, fenced")
