"""The bus itself: opening a file, and what all users of it in one process share."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from attrs import evolve

from c2kit.bus.base import (
    BusError,
    BusUnavailable,
    StreamBus,
    StreamInfo,
    check_compatible,
    check_streams,
)
from c2kit.bus.sqlite.committer import Committer
from c2kit.bus.sqlite.entry import Entry
from c2kit.bus.sqlite.locks import WorkerLock, check_local
from c2kit.bus.sqlite.news import News, NewsBoard
from c2kit.bus.sqlite.readers import SqliteSink, SqliteView, SqliteWorker, begin_of
from c2kit.bus.sqlite.store import Store, StoredStream
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from c2kit.bus.base import PartitionId, Position, Sink, StreamSpec, View, Worker
    from c2kit.bus.sqlite.store import Changes

__all__ = ["Shared", "SqliteBus"]

DEFAULT_MAX_STREAM_BYTES = 2**30
DEFAULT_TAKE_OVER_SECONDS = 10.0
_POLL_SECONDS = 0.002
"""How often the file is looked at for what other processes committed; one look costs a few microseconds."""
_POLL_SHARE = 10
"""Where somebody committed, looking what it was costs at most one in so many parts of a processor."""
_SHARE_SECONDS = 0.2
"""How often those that only look when they are told are told to look for colleagues that died."""

Result = TypeVar("Result")
User = TypeVar("User", SqliteWorker, SqliteSink, SqliteView)


class Shared:
    """What everything that a bus hands out shares: connections, the committer, and the pulse that brings news."""

    def __init__(self, path: Path, max_stream_bytes: int, take_over_seconds: float) -> None:
        self.path = path
        self.max_stream_bytes = max_stream_bytes
        self.take_over_seconds = take_over_seconds
        self.news = NewsBoard()
        self.changed = threading.Condition()
        self.generation = 0
        self.closed = False
        self._alive: set[int] = set()
        self._connections: list[Store] = []
        """Those that nobody reads with now: as many as ever were used at once, not one for each reader."""
        self._pulse_store = Store(path)
        self._committer = Committer(Store(path), max_stream_bytes, self._committed)
        self._pulse = threading.Thread(target=self._beat, name="c2kit-sqlite-pulse", daemon=True)
        self._pulse.start()

    def run(self, work: Callable[[Store], Result]) -> Result:
        """Run a piece of work in a transaction; see :meth:`Committer.run`."""
        return cast("Result", self._committer.run(work))

    def hint(self, key: object, work: Callable[[Store], object]) -> None:
        """Run a piece of work with one of the next transactions; see :meth:`Committer.hint`."""
        self._committer.hint(key, work)

    @contextmanager
    def reading(self, *, is_single: bool = False) -> Iterator[Store]:
        """A consistent view of the file, through a connection that nobody else uses meanwhile.

        With ``is_single`` each statement has a view of its own.
        """
        with self.changed:
            store = self._connections.pop() if self._connections else None
        store = store or Store(self.path)
        try:
            with store.connected() if is_single else store.reading():
                yield store
        finally:
            with self.changed:
                is_kept = not self.closed
                if is_kept:
                    self._connections.append(store)
            if not is_kept:
                store.close()

    def notify(self) -> None:
        """Wake who waits for room, or for a sign of life: something was committed, here or elsewhere."""
        with self.changed:
            self.generation += 1
            self.changed.notify_all()

    def wait(self, generation: int, seconds: float) -> None:
        """Wait until something was committed after ``generation``."""
        with self.changed:
            self.changed.wait_for(lambda: self.closed or self.generation != generation, seconds)

    def _committed(self, changes: Changes) -> None:
        self.news.tell(changes.published, changes.stages)
        if changes.frees:
            self.notify()

    def lock(self, worker: int) -> WorkerLock:
        """The lock file of a worker."""
        return WorkerLock(self.path.with_name(f"{self.path.name}.workers"), worker)

    def keep_alive(self, worker: int) -> None:
        """Answer for this worker from now on."""
        self._alive.add(worker)

    def let_go(self, worker: int) -> None:
        """Answer for it no longer."""
        self._alive.discard(worker)

    def is_dead(self, worker: int) -> bool:
        """Whether no living process holds a worker's lock."""
        return worker not in self._alive and not self.lock(worker).is_held()

    def answers(self, worker: int) -> bool:
        """Whether a worker's process gives a sign of life in time. One that was stopped does not."""
        if worker in self._alive:
            return True
        asked = self.run(lambda store: store.challenge(worker))
        deadline = time.monotonic() + self.take_over_seconds
        while asked and time.monotonic() < deadline:
            generation = self.generation
            given = self.run(lambda store: store.answered(worker))
            if given is None or self.is_dead(worker):
                return False
            if given >= asked:
                return True
            self.wait(generation, 0.05)
        return False

    def strike_out(self, worker: int) -> None:
        """Remove a dead or hanging worker: what it owned is free, and it is fenced should it wake."""
        self.run(lambda store: store.remove_worker(worker))
        self.lock(worker).forget()

    def close(self) -> None:
        """Stop both threads."""
        with self.changed:
            if self.closed:
                return
            self.closed = True
            connections, self._connections = self._connections, []
            self.changed.notify_all()
        self._pulse.join()
        self._committer.close()
        for store in (self._pulse_store, *connections):
            store.close()

    def _beat(self) -> None:
        version = -1
        shared_at = 0.0
        while not self.closed:
            pause = _POLL_SECONDS
            begun = time.monotonic()
            try:
                found = self._pulse_store.version()
                if found != version:
                    self._look()
                    version = found
                    pause = max(pause, _POLL_SHARE * (time.monotonic() - begun))
            except BusError:  # also of a damaged file: who is asked must answer for as long as it can
                self.news.tell_all()
                pause = 0.1
            if begun >= shared_at + _SHARE_SECONDS:
                self.news.tell_sharing()
                if not self._pulse_store.is_there:
                    self.news.tell_all()  # who only waits has to look, and then is told
                shared_at = begun
            time.sleep(pause)

    def _look(self) -> None:
        """Somebody committed: wake whom it concerns, and answer if asked."""
        with self._pulse_store.reading():
            next_offsets, stages = self._pulse_store.next_offsets(), self._pulse_store.stages()
            is_asked = self._pulse_store.is_challenged(self._alive)
        self.news.tell(next_offsets, stages)
        self.notify()
        if is_asked:
            self.run(self._answer)

    def _answer(self, store: Store) -> None:
        store.answer(tuple(self._alive))


class SqliteBus(StreamBus):
    """``sqlite:PATH``: durable, in one file, for the processes of one machine.

    Every commit is synced to the disk before it is answered. ``max_stream_bytes`` is the bound at which telemetry
    publishers wait; ``take_over_seconds`` is how long a process may be silent, when asked for a sign of life, before
    what it owned is taken from it. Dead processes are noticed at once, by the locks that they no longer hold.
    A process that is stopped in the middle of a commit holds the file: others get BusUnavailable until it goes on or is
    killed, since nobody can be fenced in a file that nobody else can write.

    Raises UsageError for a path on a network file system, BusUnavailable, BusError for a file that is no bus.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        max_stream_bytes: int = DEFAULT_MAX_STREAM_BYTES,
        take_over_seconds: float = DEFAULT_TAKE_OVER_SECONDS,
    ) -> None:
        self.url = f"sqlite:{path}"
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        check_local(file)
        self._shared = Shared(file, max_stream_bytes, take_over_seconds)
        self._users: set[SqliteWorker | SqliteSink | SqliteView] = set()
        self._changing_users = threading.Lock()
        self._is_closed = False

    def apply(self, specs: Iterable[StreamSpec]) -> None:
        """See :meth:`c2kit.bus.base.StreamBus.apply`."""
        wanted = list(specs)

        def work(store: Store) -> None:
            existing = store.streams({spec.name for spec in wanted})
            for spec in wanted:
                if spec.name not in existing:
                    store.add_stream(spec)
                    continue
                stream = existing[spec.name]
                check_compatible(stream.spec, spec)
                if (stream.spec.consumers, stream.spec.members) != (spec.consumers, spec.members):
                    store.change_spec(evolve(stream.spec, consumers=spec.consumers, members=spec.members))

        self._shared.run(work)

    def streams(self, prefix: str = "") -> Sequence[StreamInfo]:
        """See :meth:`c2kit.bus.base.StreamBus.streams`."""

        def work(store: Store) -> list[StreamInfo]:
            return [_info(store, stream) for name, stream in store.streams().items() if name.startswith(prefix)]

        return self._shared.run(work)

    def worker(
        self,
        stage: str,
        inputs: Collection[str],
        *,
        outputs: Collection[str] = (),
        ordinal: int = 0,
        exclusive: bool = False,
        on_news: Callable[[], None] | None = None,
    ) -> Worker:
        """See :meth:`c2kit.bus.base.StreamBus.worker`."""
        streams = self._known(stage, inputs, outputs)
        partitions = [(name, number) for name in inputs for number in range(streams[name].spec.partitions)]
        key, lock = self._enter(stage, ordinal, partitions, alone=exclusive)
        news = News(stage, _ids(streams, inputs), on_news=on_news, is_shared=not exclusive)
        return self._kept(SqliteWorker(self._shared, news, stage, key, lock, streams, frozenset(outputs)))

    def sink(
        self, stage: str, partitions: Collection[PartitionId], positions: Iterable[Position], *, ordinal: int = 0
    ) -> Sink:
        """See :meth:`c2kit.bus.base.StreamBus.sink`."""
        names = {name for name, _ in partitions}
        streams = self._known(stage, names, ())
        with self._shared.reading() as store:
            begin = begin_of(store, streams, partitions, positions)
        key, lock = self._enter(stage, ordinal, partitions, alone=False, owns=True)
        news = News(stage, _ids(streams, names))
        return self._kept(SqliteSink(self._shared, news, stage, key, lock, streams, begin))

    def view(self, streams: Collection[str], *, from_oldest: bool = False) -> View:
        """See :meth:`c2kit.bus.base.StreamBus.view`."""
        known = self._streams(streams)
        for name in streams:
            if name not in known:
                raise UsageError(f"no stream {name} on this bus", remedy="see which there are with bus.streams()")
        news = News(None, _ids(known, streams))
        return self._kept(SqliteView(self._shared, news, known, from_oldest=from_oldest))

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.StreamBus.close`."""
        with self._changing_users:
            self._is_closed = True
            users, self._users = self._users, set()
        try:
            for user in users:
                user.close()
        finally:
            self._shared.close()

    def _kept(self, user: User) -> User:
        """Remember whom to close with the bus, for as long as it is open itself."""
        with self._changing_users:
            if not self._is_closed:
                self._users = {user, *(other for other in self._users if not other.is_closed)}
                return user
        user.close()
        raise BusUnavailable("the bus is closed")

    def _known(self, stage: str, inputs: Collection[str], outputs: Collection[str]) -> dict[str, StoredStream]:
        known = self._streams({*inputs, *outputs})
        check_streams(stage, inputs, outputs, {name: stream.spec for name, stream in known.items()})
        return known

    def _streams(self, names: Collection[str]) -> dict[str, StoredStream]:
        if self._is_closed:
            raise BusUnavailable("the bus is closed")
        with self._shared.reading() as store:
            return store.streams(names)

    def _enter(
        self, stage: str, ordinal: int, partitions: Collection[PartitionId], *, alone: bool, owns: bool = False
    ) -> tuple[int, WorkerLock]:
        """Enter a worker into the file, in place of dead or hanging ones."""
        return Entry(self._shared, stage, ordinal, frozenset(partitions), alone=alone, owns=owns).make()


def _ids(streams: Mapping[str, StoredStream], names: Iterable[str]) -> list[int]:
    return [partition for name in names for partition in streams[name].partitions]


def _info(store: Store, stream: StoredStream) -> StreamInfo:
    bounds = store.bounds(stream)
    lag = {
        consumer: sum(
            following - (first if (passed := store.position(consumer, stream, number)) is None else passed)
            for number, (first, following, _) in enumerate(bounds)
        )
        for consumer in stream.spec.consumers
    }
    return StreamInfo(
        spec=stream.spec,
        uuid=stream.uuid,
        first_offsets=tuple(first for first, _, _ in bounds),
        next_offsets=tuple(following for _, following, _ in bounds),
        size_bytes=sum(size for _, _, size in bounds),
        lag=lag,
        oldest_ns=store.oldest_ns(stream),
        newest_ns=store.newest_ns(stream),
    )
