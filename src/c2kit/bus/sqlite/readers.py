"""What a bus hands out: workers, sinks and views."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from c2kit.bus.base import BusError, Delivery, Fenced, Position, PositionLost, Sink, View, Worker
from c2kit.bus.sqlite.committer import StreamFull, retain
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from c2kit.bus.base import PartitionId, Received, Record, StateKey, Step
    from c2kit.bus.sqlite.bus import Shared
    from c2kit.bus.sqlite.locks import WorkerLock
    from c2kit.bus.sqlite.news import News
    from c2kit.bus.sqlite.store import Store, StoredStream, StoredWorker

__all__ = ["SqliteSink", "SqliteView", "SqliteWorker", "begin_of"]

_LOOK_AROUND_SECONDS = 0.2
"""How often a waiting worker looks whether a colleague died."""
_NOTHING = Delivery()


class _Reader:
    """Reads partitions from offsets that move on."""

    def __init__(self, shared: Shared, news: News, streams: Mapping[str, StoredStream]) -> None:
        self._shared = shared
        self._news = news
        self._streams = streams
        self._read_to: dict[PartitionId, int] = {}
        self._regrouped_at = -1
        """How often the stage had changed when this reader looked at its place in it for the last time."""
        self.is_closed = False
        shared.news.add(news)
        with shared.reading() as store:  # from here on it is told
            known = {key: each[1] for stream in streams.values() for key, each in _bounds(store, stream).items()}
        shared.news.tell(known, {})

    @contextmanager
    def _reading(self, *, is_single: bool = False) -> Iterator[Store]:
        if self.is_closed:
            raise Fenced(f"this reader of {sorted(self._streams)} is closed; what it had in progress is dropped")
        with self._shared.reading(is_single=is_single) as store:
            yield store

    def _waiting(self) -> list[PartitionId]:
        """The partitions in which records wait, as far as this process knows."""
        known = self._shared.news.next_offset
        return [
            (name, number)
            for (name, number), offset in self._read_to.items()
            if known(self._streams[name].first_partition + number) > offset
        ]

    def _read(self, max_bytes: int) -> list[Received]:
        """What waits; the positions move past it only when all of it was read."""
        waiting = self._waiting()
        if not waiting and not self.is_closed:
            return []
        read_to: dict[PartitionId, int] = {}
        taken: list[Received] = []
        with self._reading(is_single=len(waiting) == 1) as store:
            records: list[Received] = []
            for name, number in sorted(waiting):
                max_bytes -= sum(len(record.value) for record in records)
                if max_bytes <= 0:
                    break
                records = self._read_partition(store, name, number, max_bytes)
                taken.extend(records)
                if records:
                    read_to[name, number] = records[-1].offset + 1
        self._read_to |= read_to
        return taken

    def _read_partition(self, store: Store, name: str, number: int, max_bytes: int) -> list[Received]:
        stream, offset = self._streams[name], self._read_to[name, number]
        records = store.read(stream, number, offset, max_bytes)
        if not records or records[0].offset != offset:  # compacted, or deleted before this reader came
            first, _, _ = store.bounds(stream)[number]
            if offset < first:
                found = min(first, records[0].offset) if records else first
                self._lose(Position(name, stream.uuid, number, offset), found)
                self._read_to[name, number] = found
        return records

    def _lose(self, position: Position, first: int) -> None:
        """Deal with records that were deleted before they were read."""
        lost = first - position.offset
        raise PositionLost(position, reason=f"the oldest record is {first}", lost_records=lost)

    def _wait_and_read(self, timeout_seconds: float, max_bytes: int) -> list[Received]:
        deadline = time.monotonic() + timeout_seconds
        while True:
            count, regrouped = self._news.count, self._news.regrouped
            if regrouped != self._regrouped_at:
                self._check()
                self._regrouped_at = regrouped
            records = self._read(max_bytes)
            remaining = deadline - time.monotonic()
            if records or remaining <= 0:
                return records
            self._news.wait(count, remaining)

    def _check(self) -> None:
        """Raise where this reader may read no longer."""

    def _leave(self, worker: int, lock: WorkerLock) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        self._shared.let_go(worker)
        try:
            # Where the file cannot be written now, the lock that is given up tells colleagues to strike this one out.
            with suppress(BusError):
                self._shared.run(lambda store: store.remove_worker(worker))
        finally:
            lock.release()
            self._shared.news.remove(self._news)
            self._shared.notify()

    def _check_worker(self, store: Store, stage: str, worker: int) -> None:
        if self.is_closed or not store.is_worker(worker):
            raise Fenced(
                f"this worker of stage {stage} was replaced by another; what it had in progress is the other's now"
            )


class SqliteWorker(_Reader, Worker):
    """See :class:`c2kit.bus.base.Worker`."""

    def __init__(
        self,
        shared: Shared,
        news: News,
        stage: str,
        worker: int,
        lock: WorkerLock,
        streams: Mapping[str, StoredStream],
        outputs: frozenset[str],
    ) -> None:
        super().__init__(shared, news, streams)
        self._stage = stage
        self._worker = worker
        self._lock = lock
        self._outputs = outputs
        self._ids = {
            partition: (name, number)
            for name, stream in streams.items()
            for number, partition in enumerate(stream.partitions)
        }
        self._looked_around_at = 0.0
        self._suspects: dict[int, tuple[dict[PartitionId, int], float]] = {}
        news.come()  # what changed between the entry into the file and now was told to nobody

    @property
    def assigned(self) -> frozenset[PartitionId]:
        """See :attr:`c2kit.bus.base.Worker.assigned`."""
        return frozenset(self._read_to)

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Delivery:
        """See :meth:`c2kit.bus.base.Worker.receive`."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            count = self._news.count
            if self._news.is_shared:
                self._look_around()
            delivery = self._look(max_bytes)
            if delivery.records or delivery.gained or delivery.lost:
                return delivery
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return _NOTHING
            self._news.wait(count, min(remaining, _LOOK_AROUND_SECONDS) if self._news.is_shared else remaining)

    def _look(self, max_bytes: int) -> Delivery:
        gained: frozenset[PartitionId] = frozenset()
        lost = gained
        regrouped = self._news.regrouped
        if regrouped != self._regrouped_at:
            gained, lost = self._take_share()
            self._regrouped_at = regrouped
        try:
            records = self._read(max_bytes)
        except BusError:
            if not (gained or lost):
                raise
            records = []  # changes of ownership are told once, so they are told now, and the error next time
        return Delivery(records=records, gained=gained, lost=lost) if records or gained or lost else _NOTHING

    def _take_share(self) -> tuple[frozenset[PartitionId], frozenset[PartitionId]]:
        with self._reading() as store:
            self._check_worker(store, self._stage, self._worker)
            owned, given_up, free = self._changes(store)
        if owned == self.assigned and not given_up and not free:
            return frozenset(), frozenset()
        held = self._shared.run(self._exchange)
        lost, gained = self.assigned - held.keys(), held.keys() - self.assigned
        for key in lost:
            del self._read_to[key]
        self._read_to |= {key: held[key] for key in gained}
        return frozenset(gained), lost

    def _changes(self, store: Store) -> tuple[set[PartitionId], set[PartitionId], set[PartitionId]]:
        """What this worker owns, what of it is another's share now, and what of its own share nobody owns."""
        owners = {self._ids[key]: worker for key, worker in store.owners(self._stage).items() if key in self._ids}
        wanted = _share(store.workers(self._stage), self._worker)
        owned = {key for key, worker in owners.items() if worker == self._worker}
        return owned, owned - wanted, wanted - owners.keys()

    def _exchange(self, store: Store) -> dict[PartitionId, int]:
        """Give up and take what is due; all that this worker owns then, with the committed positions.

        It changes nothing but the file: the transaction may fail yet.
        """
        self._check_worker(store, self._stage, self._worker)
        owned, given_up, free = self._changes(store)
        for name, number in given_up:
            store.set_owner(self._stage, self._streams[name], number, None)
        for name, number in free:
            store.set_owner(self._stage, self._streams[name], number, self._worker)
        return {key: _committed(store, self._stage, self._streams[key[0]], key[1]) for key in owned - given_up | free}

    def _look_around(self) -> None:
        """Strike out colleagues that died, and those that hang on work that waits."""
        now = time.monotonic()
        if now < self._looked_around_at + _LOOK_AROUND_SECONDS:
            return
        self._looked_around_at = now
        with self._reading() as store:
            colleagues = [other.id for other in store.workers(self._stage) if other.id != self._worker]
            owners = store.owners(self._stage) if colleagues else {}
            waiting = {worker: self._owed(store, owners, worker) for worker in colleagues}
        for worker in colleagues:
            if self._shared.is_dead(worker) or self._hangs(worker, waiting[worker], now):
                self._shared.strike_out(worker)

    def _owed(self, store: Store, owners: Mapping[int, int], worker: int) -> dict[PartitionId, int]:
        """The positions of a colleague's partitions in which records wait."""
        waiting = {}
        for partition, owner in owners.items():
            if owner == worker and partition in self._ids:
                name, number = self._ids[partition]
                position = _committed(store, self._stage, self._streams[name], number)
                if store.bounds(self._streams[name])[number][1] > position:
                    waiting[name, number] = position
        return waiting

    def _hangs(self, worker: int, waiting: dict[PartitionId, int], now: float) -> bool:
        """Whether nothing of what waits for a colleague has moved for long, and it does not answer either."""
        since = self._suspects.get(worker, ({}, now))
        if not waiting or since[0] != waiting:
            self._suspects[worker] = (waiting, now)
            return False
        if now - since[1] < self._shared.take_over_seconds:
            return False
        self._suspects[worker] = (waiting, now)
        return not self._shared.answers(worker)

    def commit(self, step: Step) -> None:
        """See :meth:`c2kit.bus.base.Worker.commit`."""
        for record in step.publish:
            if record.stream not in self._outputs:
                raise UsageError(f"stage {self._stage} does not write {record.stream}", expected=sorted(self._outputs))
        while True:
            if self.is_closed:
                raise Fenced(f"this worker of stage {self._stage} is closed; nothing of this step was done")
            generation = self._shared.generation
            try:
                self._shared.run(lambda store: self._apply(store, step))
            except StreamFull:
                self._shared.wait(generation, _LOOK_AROUND_SECONDS)
            else:
                return

    def _apply(self, store: Store, step: Step) -> None:
        if self.is_closed or not (step.passed or store.is_worker(self._worker)):
            raise Fenced(f"this worker of stage {self._stage} was replaced by another; nothing of this step was done")
        if step.passed:
            self._check_owned(store, step.passed)
            _check_passed(store, self._streams, step.passed, self._read_to)
        by_stream: dict[str, list[Record]] = {}
        for record in step.publish:
            by_stream.setdefault(record.stream, []).append(record)
        now_ns = time.time_ns()
        for name, records in by_stream.items():
            stream = self._streams[name]
            store.append(stream, self._bounds_with_room(store, stream), records, now_ns)
        for (name, number), offset in step.passed.items():
            store.set_position(self._stage, self._streams[name], number, offset)
        for (processor, lane), value in step.snapshots.items():
            store.set_snapshot(self._stage, processor, lane, value)

    def _check_owned(self, store: Store, passed: Mapping[PartitionId, int]) -> None:
        owned = store.owned(self._worker)  # nothing, once it is struck out
        foreign = sorted(key for key in passed if self._id(key) not in owned)
        if foreign:
            raise Fenced(f"stage {self._stage} passed {foreign}, which this worker does not own")

    def _id(self, key: PartitionId) -> int | None:
        name, number = key
        known = name in self._streams and 0 <= number < self._streams[name].spec.partitions
        return self._streams[name].partitions[number] if known else None

    def _bounds_with_room(self, store: Store, stream: StoredStream) -> list[tuple[int, int, int]]:
        bounds, most = store.bounds(stream), self._shared.max_stream_bytes
        if _is_full(stream, bounds, most):
            retain(store, [stream], most)
            bounds = store.bounds(stream)
            if _is_full(stream, bounds, most):
                raise StreamFull(f"{stream.spec.name} is full")
        return bounds

    def rewind(self) -> None:
        """See :meth:`c2kit.bus.base.Worker.rewind`."""
        with self._reading() as store:
            for name, number in self._read_to:
                self._read_to[name, number] = _committed(store, self._stage, self._streams[name], number)

    def snapshot(self, key: StateKey) -> bytes | None:
        """See :meth:`c2kit.bus.base.Worker.snapshot`."""
        with self._reading() as store:
            return store.snapshot(self._stage, *key)

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.Worker.close`."""
        self._leave(self._worker, self._lock)


class SqliteSink(_Reader, Sink):
    """See :class:`c2kit.bus.base.Sink`."""

    def __init__(
        self,
        shared: Shared,
        news: News,
        stage: str,
        worker: int,
        lock: WorkerLock,
        streams: Mapping[str, StoredStream],
        begin: Mapping[PartitionId, int],
    ) -> None:
        super().__init__(shared, news, streams)
        self._stage = stage
        self._worker = worker
        self._lock = lock
        self._read_to = dict(begin)
        self._passed: dict[PartitionId, int] = {}
        self._positions = {key: Position(key[0], streams[key[0]].uuid, key[1], at) for key, at in begin.items()}

    @property
    def positions(self) -> Mapping[PartitionId, Position]:
        """See :attr:`c2kit.bus.base.Sink.positions`."""
        return self._positions

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Sequence[Received]:
        """See :meth:`c2kit.bus.base.Sink.receive`."""
        return self._wait_and_read(timeout_seconds, max_bytes)

    def _check(self) -> None:
        with self._reading(is_single=True) as store:
            self._check_worker(store, self._stage, self._worker)

    def passed(self, positions: Mapping[PartitionId, int]) -> None:
        """See :meth:`c2kit.bus.base.Sink.passed`. It is written with one of the next commits of this process."""
        if self.is_closed:
            raise Fenced(f"this sink {self._stage} is closed; its positions are another's now")
        if any(offset > self._read_to.get(key, -1) for key, offset in positions.items()):
            with self._reading() as store:
                _check_passed(store, self._streams, positions, self._read_to)
        self._passed |= positions
        hinted = dict(self._passed)

        def work(store: Store) -> None:
            if store.is_worker(self._worker):
                for (name, number), offset in hinted.items():
                    store.set_position(self._stage, self._streams[name], number, offset)

        self._shared.hint(self, work)

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.Sink.close`."""
        self._leave(self._worker, self._lock)


class SqliteView(_Reader, View):
    """See :class:`c2kit.bus.base.View`."""

    def __init__(self, shared: Shared, news: News, streams: Mapping[str, StoredStream], *, from_oldest: bool) -> None:
        super().__init__(shared, news, streams)
        self._missed = 0
        with shared.reading() as store:
            for name, stream in streams.items():
                for number, (first, following, _) in enumerate(store.bounds(stream)):
                    self._read_to[name, number] = first if from_oldest else following

    @property
    def missed(self) -> int:
        """See :attr:`c2kit.bus.base.View.missed`."""
        return self._missed

    @property
    def reached(self) -> Mapping[PartitionId, int]:
        """See :attr:`c2kit.bus.base.View.reached`."""
        return dict(self._read_to)

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Sequence[Received]:
        """See :meth:`c2kit.bus.base.View.receive`."""
        return self._wait_and_read(timeout_seconds, max_bytes)

    def _check(self) -> None:
        """Nobody takes anything from a view, but its file may not be there any more."""
        with self._shared.reading(is_single=True):
            pass

    def _lose(self, position: Position, first: int) -> None:
        self._missed += first - position.offset

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.View.close`."""
        if not self.is_closed:
            self.is_closed = True
            self._shared.news.remove(self._news)


def begin_of(
    store: Store,
    streams: Mapping[str, StoredStream],
    partitions: Collection[PartitionId],
    positions: Iterable[Position],
) -> dict[PartitionId, int]:
    """Where a sink begins: at its own positions, checked, or else at the oldest record."""
    bounds = {name: store.bounds(stream) for name, stream in streams.items()}
    begin = {(name, number): bounds[name][number][0] for name, number in partitions}
    for position in positions:
        key = (position.stream, position.partition)
        if key not in begin:
            continue
        first, following, _ = bounds[position.stream][position.partition]
        if streams[position.stream].uuid != position.stream_uuid:
            raise PositionLost(position, reason="the stream was made anew since")
        if position.offset > following:
            raise PositionLost(position, reason=f"the stream ends at {following}")
        if position.offset < first:
            lost = first - position.offset
            raise PositionLost(position, reason=f"the oldest record is {first}", lost_records=lost)
        begin[key] = position.offset
    return begin


def _share(workers: Sequence[StoredWorker], worker: int) -> set[PartitionId]:
    """The share of one worker: each partition dealt out in turn to all workers that read its stream.

    All count alike, even while replicas that read other streams are on their way out or in.
    """
    share = set()
    for number, partition in enumerate(sorted(frozenset().union(*(other.inputs for other in workers)))):
        readers = [other.id for other in workers if partition in other.inputs]
        if readers[number % len(readers)] == worker:
            share.add(partition)
    return share


def _check_passed(
    store: Store,
    streams: Mapping[str, StoredStream],
    passed: Mapping[PartitionId, int],
    read_to: Mapping[PartitionId, int],
) -> None:
    """Refuse to pass records that are not there yet: they would be skipped when they come. What was read was there."""
    for (name, number), offset in passed.items():
        if 0 <= offset <= read_to.get((name, number), -1):
            continue
        bounds = store.bounds(streams[name]) if name in streams else []
        if not 0 <= number < len(bounds) or not 0 <= offset <= bounds[number][1]:
            raise UsageError(f"{name}[{number}] has no record before offset {offset} that could have been passed")


def _bounds(store: Store, stream: StoredStream) -> dict[int, tuple[int, int, int]]:
    return dict(zip(stream.partitions, store.bounds(stream), strict=True))


def _committed(store: Store, stage: str, stream: StoredStream, number: int) -> int:
    position = store.position(stage, stream, number)
    return store.bounds(stream)[number][0] if position is None else position


def _is_full(stream: StoredStream, bounds: Iterable[tuple[int, int, int]], most: int) -> bool:
    blocks = stream.spec.is_telemetry and bool(stream.spec.consumers)
    return blocks and sum(size for _, _, size in bounds) >= most
