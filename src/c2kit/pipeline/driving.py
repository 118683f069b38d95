"""What lets stages take their turns: a thread for each stage, and a few threads for all interfaces together.

A thousand interfaces of which most are silent must not cost a thousand threads: an interface gets a thread when it has
something to do, for one turn.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

from c2kit.bus import BusUnavailable, Fenced, WorkerFailed
from c2kit.links.backoff import Backoff
from c2kit.pipeline.definitions import DefinitionsMissing
from c2kit.pipeline.observing.logs import at_stage
from c2kit.storage import LogUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.pipeline.stage import Stage

__all__ = ["TRANSIENT", "Driver", "Pool", "StageThread", "Watcher"]

TRANSIENT = (BusUnavailable, LogUnavailable, DefinitionsMissing)
"""What passes: the turn is tried again, for ever."""
_PLACE_LOST = (Fenced, WorkerFailed)
"""What a stage that is built anew may get over."""
_FIRST_REBUILD_SECONDS = 1.0
_MOST_REBUILD_SECONDS = 60.0
"""Two processes that take a place from each other do so ever more seldom."""
_STEADY_SECONDS = 120.0
"""A stage that went on for so long has got over it."""
LATE_SECONDS = 10.0
"""A step that takes longer is told: it takes a broker that fails about so long to be replaced."""
_FIRST_RETRY_SECONDS = 0.1
_MOST_RETRY_SECONDS = 10.0
_TURN_SECONDS = 0.25
"""How long a turn waits for something to do; so long it takes at most until a thread notes that it should end."""
_SAME_SECONDS = 0.001
"""What is due within so long of what was known to be due is due then."""
_log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Who is told how a stage does."""

    def ready(self, name: str) -> None:
        """It can go on."""
        ...

    def not_ready(self, name: str, reason: str) -> None:
        """It cannot go on now, and tries again."""
        ...

    def failed(self, name: str, error: Exception) -> None:
        """It will never go on."""
        ...


@define(eq=False)
class Driver:
    """Builds a stage and lets it take turns, one after the other; waits where it cannot go on.

    With ``rebuilds``, a stage that lost its place on the bus, or whose client there failed, is closed and built anew:
    others in this process go on meanwhile. Without, it has failed.
    """

    name: str
    build: Callable[[], Stage]
    watcher: Watcher
    rebuilds: bool = False
    stage: Stage | None = None
    has_failed: bool = False
    rebuilt: int = 0
    """How often it was closed to be built anew."""
    _backoff: Backoff = field(factory=lambda: Backoff(_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS), kw_only=True)
    _rebuild_backoff: Backoff = field(
        factory=lambda: Backoff(_FIRST_REBUILD_SECONDS, _MOST_REBUILD_SECONDS), kw_only=True
    )
    _is_ready: bool = False
    _closed_at: float = -math.inf
    """When it was last closed to be built anew: monotonic seconds."""
    _turning_since: float | None = None
    """Since when a turn goes on: monotonic seconds."""
    _is_late: bool = False

    def turn(self, timeout_seconds: float) -> float | None:
        """One turn: after how many seconds the next is due; ``None`` for when there is news."""
        self._turning_since = time.monotonic()
        try:
            return self._turn(timeout_seconds)
        finally:
            self._turning_since = None

    def look(self, cause: str) -> None:
        """Say that it is not ready where a turn has no end: its step cannot be committed. Called by another thread.

        ``cause`` is what is known of why that may be.
        """
        since, now = self._turning_since, time.monotonic()
        if since is None or now - since < LATE_SECONDS:
            return
        self._is_late = True
        why = f": {cause}" if cause else ""
        self.watcher.not_ready(self.name, f"a step has not been committed for {now - since:.0f} s{why}")
        if self._turning_since != since:  # it was meanwhile
            self._go_on()

    def _turn(self, timeout_seconds: float) -> float | None:
        with at_stage(self.name):
            try:
                if self.stage is None:
                    self.stage = self.build()
                has_done = self.stage.turn(timeout_seconds)
            except TRANSIENT as error:
                return self._wait_for(error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the process has to know
                if self.rebuilds and isinstance(error, _PLACE_LOST):
                    return self._build_anew(error)
                self.has_failed = True
                self.watcher.failed(self.name, error)
                return None
        self._go_on()
        return 0.0 if has_done else self.stage.due_seconds()

    def drain(self, until: float) -> bool:
        """Take turns while there is something to do, until that time (monotonic). Returns whether it did anything."""
        has_done = False
        while self.stage is not None and not self.has_failed and time.monotonic() < until:
            pause = self.turn(0.0)
            if pause is None or pause > 0 or not self._is_ready:
                break
            has_done = True
        return has_done

    def finish(self) -> None:
        """Let the stage commit what is pending, as far as it can now: what is left is on the bus."""
        if self.stage is None or self.has_failed:
            return
        passing = (*TRANSIENT, *_PLACE_LOST) if self.rebuilds else TRANSIENT
        with at_stage(self.name):
            try:
                self.stage.drain()
            except passing as error:
                _log.warning("not all could be finished: %s; what is left is on the bus", error)

    def close(self) -> None:
        """Let the stage give up what it holds."""
        if self.stage is not None:
            self.stage.close()

    def _build_anew(self, error: Exception) -> float:
        """Give the stage up; the next turn, after so many seconds, builds it and goes on after its last commit."""
        _log.error("%s; the stage begins anew after its last commit, the others go on", error)
        self._is_ready = False
        self.watcher.not_ready(self.name, str(error))
        stage, self.stage = self.stage, None
        if stage is not None:
            try:
                stage.close()
            except BusUnavailable as trouble:
                _log.warning("what the stage held was not given up in good order: %s", trouble)
        now = time.monotonic()
        if now - self._closed_at > _STEADY_SECONDS:
            self._rebuild_backoff.reset()
        self._closed_at = now
        self.rebuilt += 1
        return self._rebuild_backoff.failed()

    def _wait_for(self, error: Exception) -> float:
        if self._is_ready:
            _log.warning("%s; trying again until it can go on", error)
        self._is_ready = False
        self.watcher.not_ready(self.name, str(error))
        return self._backoff.failed()

    def _go_on(self) -> None:
        if not self._is_ready or self._is_late:
            self._is_ready, self._is_late = True, False
            self._backoff.reset()
            self.watcher.ready(self.name)


class StageThread:
    """A thread in which one stage takes its turns."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"c2kit-{driver.name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set() and not self.driver.has_failed:
            pause = self.driver.turn(_TURN_SECONDS)
            if pause and not self.driver.has_failed:
                self._stop.wait(pause)

    @property
    def is_alive(self) -> bool:
        """Whether it still takes turns."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Take no more turns after this one."""
        self._stop.set()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the turn to be over; whether it is."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()


@define(eq=False)
class _Slot:
    """An interface in the pool. It is in one thread at a time; news that come meanwhile are one more turn."""

    driver: Driver
    is_queued: bool = False
    is_running: bool = False
    has_news: bool = False
    due: float = math.inf
    """When it is to have a turn without news: monotonic seconds."""


class Pool:
    """A few threads in which many interfaces take their turns, each when there is something for it to do."""

    def __init__(self, threads: int) -> None:
        self._changed = threading.Condition()
        self._slots: dict[Driver, _Slot] = {}
        self._ready: deque[_Slot] = deque()
        self._due: list[tuple[float, int, _Slot]] = []
        self._numbers = itertools.count()
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"c2kit-interfaces-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def add(self, driver: Driver) -> None:
        """Let it take turns, the first one at once."""
        with self._changed:
            self._slots[driver] = _Slot(driver)
        self.notify(driver)

    def notify(self, driver: Driver) -> None:
        """There may be something to do for it. From any thread; never blocks for long."""
        with self._changed:
            slot = self._slots.get(driver)
            if slot is None:
                return  # it is only being built, and takes a turn right after
            if slot.is_running:
                slot.has_news = True
            else:
                self._queue(slot)

    @property
    def is_alive(self) -> bool:
        """Whether all its threads are."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Begin no more turns."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the turns to be over; whether they are."""
        until = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _queue(self, slot: _Slot) -> None:
        if not slot.is_queued:
            slot.is_queued = True
            self._ready.append(slot)
            self._changed.notify()

    def _run(self) -> None:
        while (slot := self._next()) is not None:
            pause = slot.driver.turn(0.0)
            with self._changed:
                slot.is_running = False
                if slot.has_news or pause == 0:
                    self._queue(slot)
                elif pause is not None:
                    self._set_due(slot, time.monotonic() + pause)

    def _next(self) -> _Slot | None:
        with self._changed:
            while not self._is_closed:
                self._queue_due()
                if self._ready:
                    slot = self._ready.popleft()
                    slot.is_queued = slot.has_news = False
                    slot.is_running = True
                    return slot
                self._changed.wait(max(0.0, self._due[0][0] - time.monotonic()) if self._due else None)
        return None

    def _set_due(self, slot: _Slot, due: float) -> None:
        if due < slot.due - _SAME_SECONDS:
            slot.due = due
            heapq.heappush(self._due, (due, next(self._numbers), slot))
            self._changed.notify()

    def _queue_due(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            due, _, slot = heapq.heappop(self._due)
            if due != slot.due:
                continue  # it became due earlier
            slot.due = math.inf
            if slot.is_running:
                slot.has_news = True
            else:
                self._queue(slot)
