"""One thread a process that commits: all steps that wait share one transaction, and so one sync of the disk."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.bus.base import BusError, BusUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.bus.sqlite.store import Store, StoredStream

__all__ = ["Committer", "StreamFull", "retain", "size_bytes"]

_RETAIN_EVERY_SECONDS = 0.5


class StreamFull(BusError):
    """A telemetry stream is at its size bound; the step that would have grown it must wait. Internal."""


class Committer:
    """Runs pieces of work in transactions, each piece whole or not at all, in the order in which they were given."""

    def __init__(self, store: Store, max_stream_bytes: int, committed: Callable[[], None]) -> None:
        self._store = store
        self._max_stream_bytes = max_stream_bytes
        self._committed = committed
        self._waiting: list[tuple[Callable[[Store], object], Future[object]]] = []
        self._wake = threading.Condition()
        self._closed = False
        self._retained_at = 0.0
        self._retain_due = False
        self._thread = threading.Thread(target=self._run, name="c2kit-sqlite-commit", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[Store], object]) -> object:
        """Run ``work`` in a transaction and wait until it is on disk. Raises what ``work`` or the disk raises."""
        future: Future[object] = Future()
        with self._wake:
            if self._closed:
                raise BusUnavailable("the bus is closed")
            self._waiting.append((work, future))
            self._wake.notify()
        return future.result()

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                patience = _RETAIN_EVERY_SECONDS if self._retain_due else None
                self._wake.wait_for(lambda: self._waiting or self._closed, patience)
                waiting, self._waiting = self._waiting, []
                if self._closed and not waiting:
                    return
            self._commit(waiting)

    def _commit(self, waiting: list[tuple[Callable[[Store], object], Future[object]]]) -> None:
        try:
            with self._store.transaction():
                outcomes = [self._attempt(work) for work, _ in waiting]
                self._retain_sometimes(is_idle=not waiting)
        except Exception as error:  # noqa: BLE001 - nobody may be left waiting, whatever happened
            for _, future in waiting:
                future.set_exception(error)
            return
        # Who waits for room is not woken by its own attempts, which change nothing: it would try without a pause.
        if any(outcome.has_changed for outcome in outcomes):
            self._committed()
        for (_, future), outcome in zip(waiting, outcomes, strict=True):
            if outcome.error is not None:
                future.set_exception(outcome.error)
            else:
                future.set_result(outcome.result)

    def _attempt(self, work: Callable[[Store], object]) -> _Outcome:
        """Run one piece of work within the transaction. Raises what makes the whole transaction impossible."""
        before = self._store.changes()
        try:
            with self._store.savepoint():
                result = work(self._store)
        except BusUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to whoever gave the work
            return _Outcome(error=error)
        return _Outcome(result=result, has_changed=self._store.changes() != before)

    def _retain_sometimes(self, *, is_idle: bool) -> None:
        self._retain_due = not is_idle
        if is_idle or time.monotonic() >= self._retained_at + _RETAIN_EVERY_SECONDS:
            retain(self._store, self._max_stream_bytes)
            self._retained_at = time.monotonic()


@frozen(kw_only=True)
class _Outcome:
    """What became of one piece of work."""

    result: object = None
    error: Exception | None = None
    has_changed: bool = False


def retain(store: Store, max_stream_bytes: int) -> None:
    """Delete what every declared consumer has passed; of a stream without consumers, what is beyond the bound."""
    for stream in store.streams().values():
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


def size_bytes(store: Store, stream: StoredStream) -> int:
    """What all partitions of a stream retain."""
    return sum(size for _, _, size in store.bounds(stream))
