"""Whether a process is alive and ready: what its stages and its dependencies say of themselves.

*Alive* is a process whose stages go round their loops; one that does not is to be killed. *Ready* is one whose stages
and dependencies (the bus, a disk) work; one that is not waits, and killing it would not help.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from c2kit.pipeline.observing.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Health", "NotReady", "Stuck"]


@frozen
class NotReady:
    """What is not ready, since when, and why."""

    name: str
    since: str
    """UTC, ISO 8601."""
    reason: str


@frozen
class Stuck:
    """A stage that has not beaten for longer than its bound."""

    name: str
    silent_seconds: float
    within_seconds: float


@define
class _Beats:
    """When a stage last said that it goes on, and how long it may be silent."""

    last: float
    within_seconds: float


@define
class Health:
    """What stages and dependencies say of themselves. May be used by any thread.

    ``now`` is the time in POSIX nanoseconds, UTC, for people; ``monotonic`` the one in seconds by which silence is
    measured.
    """

    now: Callable[[], int] = time.time_ns
    monotonic: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(factory=threading.Lock, init=False)
    _not_ready: dict[str, NotReady] = field(factory=dict, init=False)
    _beats: dict[str, _Beats] = field(factory=dict, init=False)

    def watch(self, name: str, *, within_seconds: float) -> None:
        """A stage starts: it has to beat at least so often, and is not ready until it says so."""
        with self._lock:
            self._beats[name] = _Beats(self.monotonic(), within_seconds)
        self.not_ready(name, "starting")

    def forget(self, name: str) -> None:
        """A stage or a dependency has ended as it should, and nothing is expected of it any more."""
        with self._lock:
            self._beats.pop(name, None)
            self._not_ready.pop(name, None)

    def beat(self, name: str) -> None:
        """A stage goes on. Cheap enough for each turn of its loop. One that was forgotten may beat once more."""
        beats = self._beats.get(name)
        if beats is not None:
            beats.last = self.monotonic()

    def ready(self, name: str) -> None:
        """A stage or a dependency works."""
        with self._lock:
            self._not_ready.pop(name, None)

    def not_ready(self, name: str, reason: str) -> None:
        """A stage or a dependency does not work, for this reason; since the first time that this was said."""
        with self._lock:
            earlier = self._not_ready.get(name)
            since = utc_text(self.now(), digits=3) if earlier is None else earlier.since
            self._not_ready[name] = NotReady(name, since, reason)

    @property
    def unready(self) -> tuple[NotReady, ...]:
        """What is not ready, by name; empty for a process that is."""
        with self._lock:
            return tuple(sorted(self._not_ready.values(), key=lambda each: each.name))

    @property
    def stuck(self) -> tuple[Stuck, ...]:
        """What has been silent for too long, by name; empty for a process that is alive."""
        with self._lock:
            now = self.monotonic()
            silences = [(name, now - beats.last, beats.within_seconds) for name, beats in sorted(self._beats.items())]
        return tuple(Stuck(name, silent, within) for name, silent, within in silences if silent > within)
