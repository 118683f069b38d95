"""Commits of one process: all steps that wait share one transaction, and so one sync of the disk."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from c2kit.bus.base import BusError, BusUnavailable, Fenced
from c2kit.bus.sqlite.store import Changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from c2kit.bus.sqlite.store import Store, StoredStream

__all__ = ["Committer", "StreamFull", "retain"]

_RETAIN_EVERY_SECONDS = 0.5


class StreamFull(BusError):
    """A telemetry stream is at its size bound; the step that would have grown it must wait. Internal."""


class _Job:
    """One piece of work, and what became of it."""

    def __init__(self, work: Callable[[Store], object]) -> None:
        self.work = work
        self.result: object = None
        self.error: BaseException | None = None
        self.is_done = False
        self.called = threading.Lock()
        """Held until it is done, or until its thread is to lead."""
        self.called.acquire()

    def done(self, error: BaseException | None = None) -> None:
        self.error = self.error or error
        self.is_done = True
        self.called.release()


class Committer:
    """Runs pieces of work in transactions, each piece whole or not at all, in the order in which they were given.

    Whoever gives work while nobody commits leads: it commits what waits, its own work included, in its own thread. What
    is given meanwhile waits, and the first of it leads next.
    """

    def __init__(self, store: Store, max_stream_bytes: int, committed: Callable[[Changes], None]) -> None:
        self._store = store
        self._max_stream_bytes = max_stream_bytes
        self._committed = committed
        self._waiting: list[_Job] = []
        self._is_led = False
        self._closed = False
        self._used = threading.Lock()
        self._changed = threading.Condition(self._used)
        self._hints: dict[object, Callable[[Store], object]] = {}
        self._touched: set[str] = set()
        self._retained_at = 0.0
        self._tidier = threading.Thread(target=self._tidy, name="c2kit-sqlite-tidy", daemon=True)
        self._tidier.start()

    def run(self, work: Callable[[Store], object]) -> object:
        """Run ``work`` in a transaction and wait until it is on disk. Raises what ``work`` or the disk raises."""
        job = _Job(work)
        with self._used:
            if self._closed:
                raise BusUnavailable("the bus is closed")
            self._waiting.append(job)
            leads, self._is_led = not self._is_led, True
        if not leads:
            job.called.acquire()
        if not job.is_done:
            self._lead()
        if job.error is not None:
            raise job.error
        return job.result

    def hint(self, key: object, work: Callable[[Store], object]) -> None:
        """Run ``work`` in one of the next transactions, in place of what was hinted before under ``key``."""
        with self._used:
            self._hints[key] = work

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._used:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._is_led)
        self._tidier.join()
        self._store.close()

    def _lead(self) -> None:
        with self._used:
            jobs, self._waiting = self._waiting, []
        try:
            changes = self._commit(jobs)
        finally:
            with self._used:
                successor = self._waiting[0] if self._waiting else None
                self._is_led = successor is not None
                if self._closed:
                    self._changed.notify_all()
            if successor is not None:
                successor.called.release()
        if changes:
            self._committed(changes)

    def _commit(self, jobs: list[_Job]) -> Changes:
        changes = Changes()
        with self._used:
            hints, self._hints = self._hints, {}
        parts = [*map(_Job, hints.values()), *jobs]
        try:
            with self._store.transaction():
                for part in parts:
                    self._attempt(part, changes, is_alone=len(parts) == 1)
                self._retain_sometimes(changes, is_idle=not jobs)
        except Exception as error:  # noqa: BLE001 - nobody may be left waiting, whatever happened
            changes = Changes()
            with self._used:
                self._hints = hints | self._hints
            for job in jobs:
                job.result, job.error = None, error
        except BaseException:
            # The leader's thread was interrupted, perhaps after the commit: no follower may try its step again.
            for job in jobs:
                job.done(Fenced("this process was interrupted within a commit; whether it was made is not known here"))
            raise
        for job in jobs:
            job.done()
        return changes

    def _attempt(self, job: _Job, changes: Changes, *, is_alone: bool) -> None:
        """Run one piece of work within the transaction. Raises what makes the whole transaction impossible."""
        self._store.changes = Changes()
        try:
            with nullcontext() if is_alone else self._store.savepoint():
                job.result = job.work(self._store)
        except BusUnavailable:
            raise
        except Exception as error:
            if is_alone:
                raise
            job.error = error
        else:
            changes.add(self._store.changes)

    def _tidy(self) -> None:
        """Retain, and write hints, though nobody commits any more."""
        while True:
            with self._used:
                if self._changed.wait_for(lambda: self._closed, _RETAIN_EVERY_SECONDS):
                    return
                is_due = not self._is_led and bool(self._hints or self._touched)
                self._is_led = self._is_led or is_due
            if is_due:
                self._lead()

    def _retain_sometimes(self, changes: Changes, *, is_idle: bool) -> None:
        self._touched |= changes.touched
        if is_idle or time.monotonic() >= self._retained_at + _RETAIN_EVERY_SECONDS:
            self._store.changes = Changes()
            streams = self._store.streams(self._touched).values()
            self._touched = set()
            self._retained_at = time.monotonic()
            retain(self._store, streams, self._max_stream_bytes)
            changes.frees |= self._store.changes.frees


def retain(store: Store, streams: Iterable[StoredStream], max_stream_bytes: int) -> None:
    """Delete what every declared consumer has passed; of a stream without consumers, what is beyond the bound."""
    for stream in streams:
        for number, (first, following, size) in enumerate(store.bounds(stream)):
            if stream.spec.compacted:
                store.compact(stream, number)
                continue
            keep_from = _keep_from(store, stream, number, first, following, size, max_stream_bytes)
            if keep_from > first:
                store.delete_before(stream, number, keep_from)


def _keep_from(
    store: Store, stream: StoredStream, number: int, first: int, following: int, size: int, max_stream_bytes: int
) -> int:
    spec = stream.spec
    if spec.consumers:
        return min(store.position(consumer, stream, number) or 0 for consumer in spec.consumers)
    bound = max_stream_bytes // spec.partitions
    if size <= bound:
        return first
    # Records of a stream are of one kind and so of about one size: delete as many as are too many, and some more.
    kept = int((following - first) * bound / size * 0.9)
    return following - max(kept, 1)
