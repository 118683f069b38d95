"""What a bus hands out: workers, sinks and views."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from c2kit.bus.base import BusError, Delivery, Fenced, Position, PositionLost, Sink, View, Worker
from c2kit.bus.sqlite.committer import StreamFull, retain, size_bytes
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from c2kit.bus.base import PartitionId, Received, StateKey, Step
    from c2kit.bus.sqlite.bus import Shared
    from c2kit.bus.sqlite.locks import WorkerLock
    from c2kit.bus.sqlite.store import Store, StoredStream

__all__ = ["SqliteSink", "SqliteView", "SqliteWorker", "begin_of"]

_LOOK_AROUND_SECONDS = 0.2
"""How often a waiting worker looks whether a colleague died."""


class _Reader:
    """Reads partitions from offsets that move on."""

    def __init__(self, shared: Shared, store: Store, streams: Mapping[str, StoredStream]) -> None:
        self._shared = shared
        self._store = store
        self._streams = streams
        self._read_to: dict[PartitionId, int] = {}
        self.is_closed = False

    def _read(self, max_bytes: int) -> list[Received]:
        """What waits; the positions move past it only when all of it was read."""
        taken: list[Received] = []
        with self._store.reading():
            self._check()
            for (name, number), offset in sorted(self._read_to.items()):
                if max_bytes <= 0:
                    break
                self._check_retained(name, number, offset)
                records = self._store.read(self._streams[name], number, offset, max_bytes)
                taken.extend(records)
                max_bytes -= sum(len(record.value) for record in records)
        self._read_to |= {(record.stream, record.partition): record.offset + 1 for record in taken}
        return taken

    def _check_retained(self, name: str, number: int, offset: int) -> None:
        first, _, _ = self._store.bounds(self._streams[name])[number]
        if offset < first:
            position = Position(name, self._streams[name].uuid, number, offset)
            raise PositionLost(position, reason=f"the oldest record is {first}", lost_records=first - offset)

    def _wait_and_read(self, timeout_seconds: float, max_bytes: int) -> list[Received]:
        deadline = time.monotonic() + timeout_seconds
        while True:
            generation = self._shared.generation
            records = self._read(max_bytes)
            remaining = deadline - time.monotonic()
            if records or remaining <= 0:
                return records
            self._shared.wait(generation, remaining)

    def _check(self) -> None:
        """Raise where this reader may read no longer; within a transaction."""

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
            self._store.close()
            self._shared.notify()

    def _check_worker(self, stage: str, worker: int) -> None:
        if self.is_closed or not self._store.is_worker(worker):
            raise Fenced(
                f"this worker of stage {stage} was replaced by another; what it had in progress is the other's now"
            )


class SqliteWorker(_Reader, Worker):
    """See :class:`c2kit.bus.base.Worker`."""

    def __init__(
        self,
        shared: Shared,
        store: Store,
        stage: str,
        worker: int,
        lock: WorkerLock,
        streams: Mapping[str, StoredStream],
        outputs: frozenset[str],
    ) -> None:
        super().__init__(shared, store, streams)
        self._stage = stage
        self._worker = worker
        self._lock = lock
        self._outputs = outputs
        self._looked_around_at = 0.0
        self._suspects: dict[int, tuple[dict[PartitionId, int], float]] = {}

    @property
    def assigned(self) -> frozenset[PartitionId]:
        """See :attr:`c2kit.bus.base.Worker.assigned`."""
        return frozenset(self._read_to)

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Delivery:
        """See :meth:`c2kit.bus.base.Worker.receive`."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            generation = self._shared.generation
            self._look_around()
            gained, lost = self._take_share()
            try:
                records = self._read(max_bytes)
            except BusError:
                if not (gained or lost):
                    raise
                records = []  # changes of ownership are told once, so they are told now, and the error next time
            remaining = deadline - time.monotonic()
            if records or gained or lost or remaining <= 0:
                return Delivery(records=records, gained=gained, lost=lost)
            self._shared.wait(generation, min(remaining, _LOOK_AROUND_SECONDS))

    def _take_share(self) -> tuple[frozenset[PartitionId], frozenset[PartitionId]]:
        with self._store.reading():
            self._check_worker(self._stage, self._worker)
            owned, given_up, free = self._changes(self._store)
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
        owners = store.owners(self._stage)
        wanted = _share(store.workers(self._stage), self._worker)
        owned = {key for key, worker in owners.items() if worker == self._worker}
        return owned, owned - wanted, wanted - owners.keys()

    def _exchange(self, store: Store) -> dict[PartitionId, int]:
        """Give up and take what is due; all that this worker owns then, with the committed positions.

        It changes nothing but the file: the transaction may fail yet.
        """
        self._check_still_worker(store)
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
        with self._store.reading():
            colleagues = [key for key, _, _ in self._store.workers(self._stage) if key != self._worker]
            owners = self._store.owners(self._stage) if colleagues else {}
            waiting = {worker: self._waiting(owners, worker) for worker in colleagues}
        for worker in colleagues:
            if self._shared.is_dead(worker) or self._hangs(worker, waiting[worker], now):
                self._shared.strike_out(worker)

    def _waiting(self, owners: Mapping[PartitionId, int], worker: int) -> dict[PartitionId, int]:
        """The positions of a colleague's partitions in which records wait."""
        waiting = {}
        for (name, number), owner in owners.items():
            if owner == worker and name in self._streams:
                position = _committed(self._store, self._stage, self._streams[name], number)
                if self._store.bounds(self._streams[name])[number][1] > position:
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
        self._check_still_worker(store)
        if step.passed:
            owners = store.owners(self._stage)
            foreign = sorted(key for key in step.passed if owners.get(key) != self._worker)
            if foreign:
                raise Fenced(f"stage {self._stage} passed {foreign}, which this worker does not own")
        _check_passed(store, self._streams, step.passed)
        self._check_room(store, {record.stream for record in step.publish})
        now_ns = time.time_ns()
        for record in step.publish:
            store.append(self._streams[record.stream], record, now_ns)
        for (name, number), offset in step.passed.items():
            store.set_position(self._stage, self._streams[name], number, offset)
        for (processor, lane), value in step.snapshots.items():
            store.set_snapshot(self._stage, processor, lane, value)

    def _check_room(self, store: Store, names: Collection[str]) -> None:
        bound = self._shared.max_stream_bytes
        full = [stream for name in names if _is_full(store, stream := self._streams[name], bound)]
        if full:
            retain(store, bound)
            if any(_is_full(store, stream, bound) for stream in full):
                raise StreamFull(f"{full[0].spec.name} is full")

    def _check_still_worker(self, store: Store) -> None:
        if self.is_closed or not store.is_worker(self._worker):
            raise Fenced(f"this worker of stage {self._stage} was replaced by another; nothing of this step was done")

    def rewind(self) -> None:
        """See :meth:`c2kit.bus.base.Worker.rewind`."""
        with self._store.reading():
            for name, number in self._read_to:
                self._read_to[name, number] = _committed(self._store, self._stage, self._streams[name], number)

    def snapshot(self, key: StateKey) -> bytes | None:
        """See :meth:`c2kit.bus.base.Worker.snapshot`."""
        with self._store.reading():
            return self._store.snapshot(self._stage, *key)

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.Worker.close`."""
        self._leave(self._worker, self._lock)


class SqliteSink(_Reader, Sink):
    """See :class:`c2kit.bus.base.Sink`."""

    def __init__(
        self,
        shared: Shared,
        store: Store,
        stage: str,
        worker: int,
        lock: WorkerLock,
        streams: Mapping[str, StoredStream],
        begin: Mapping[PartitionId, int],
    ) -> None:
        super().__init__(shared, store, streams)
        self._stage = stage
        self._worker = worker
        self._lock = lock
        self._read_to = dict(begin)
        self._positions = {key: Position(key[0], streams[key[0]].uuid, key[1], at) for key, at in begin.items()}

    @property
    def positions(self) -> Mapping[PartitionId, Position]:
        """See :attr:`c2kit.bus.base.Sink.positions`."""
        return self._positions

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Sequence[Received]:
        """See :meth:`c2kit.bus.base.Sink.receive`."""
        return self._wait_and_read(timeout_seconds, max_bytes)

    def _check(self) -> None:
        self._check_worker(self._stage, self._worker)

    def passed(self, positions: Mapping[PartitionId, int]) -> None:
        """See :meth:`c2kit.bus.base.Sink.passed`."""

        def work(store: Store) -> None:
            if self.is_closed or not store.is_worker(self._worker):
                raise Fenced(f"this sink {self._stage} was replaced by another; its positions are the other's now")
            _check_passed(store, self._streams, positions)
            for (name, number), offset in positions.items():
                store.set_position(self._stage, self._streams[name], number, offset)

        self._shared.run(work)

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.Sink.close`."""
        self._leave(self._worker, self._lock)


class SqliteView(_Reader, View):
    """See :class:`c2kit.bus.base.View`."""

    def __init__(self, shared: Shared, store: Store, streams: Mapping[str, StoredStream], *, from_oldest: bool) -> None:
        super().__init__(shared, store, streams)
        self._missed = 0
        with store.reading():
            for name, stream in streams.items():
                for number, (first, following, _) in enumerate(store.bounds(stream)):
                    self._read_to[name, number] = first if from_oldest else following

    @property
    def missed(self) -> int:
        """See :attr:`c2kit.bus.base.View.missed`."""
        return self._missed

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Sequence[Received]:
        """See :meth:`c2kit.bus.base.View.receive`."""
        return self._wait_and_read(timeout_seconds, max_bytes)

    def _check(self) -> None:
        for name, stream in self._streams.items():
            for number, (first, _, _) in enumerate(self._store.bounds(stream)):
                offset = self._read_to[name, number]
                self._missed += max(first - offset, 0)
                self._read_to[name, number] = max(first, offset)

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.View.close`."""
        if not self.is_closed:
            self.is_closed = True
            self._store.close()
            self._shared.notify()


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


def _share(workers: list[tuple[int, int, frozenset[PartitionId]]], worker: int) -> set[PartitionId]:
    """The share of one worker: each partition dealt out in turn to all workers that read its stream.

    All count alike, even while replicas that read other streams are on their way out or in.
    """
    share = set()
    for number, partition in enumerate(sorted(frozenset().union(*(inputs for _, _, inputs in workers)))):
        readers = [key for key, _, inputs in workers if partition in inputs]
        if readers[number % len(readers)] == worker:
            share.add(partition)
    return share


def _check_passed(store: Store, streams: Mapping[str, StoredStream], passed: Mapping[PartitionId, int]) -> None:
    """Refuse to pass records that are not there yet: they would be skipped when they come."""
    for (name, number), offset in passed.items():
        bounds = store.bounds(streams[name]) if name in streams else []
        if not 0 <= number < len(bounds) or not 0 <= offset <= bounds[number][1]:
            raise UsageError(f"{name}[{number}] has no record before offset {offset} that could have been passed")


def _committed(store: Store, stage: str, stream: StoredStream, number: int) -> int:
    position = store.position(stage, stream, number)
    return store.bounds(stream)[number][0] if position is None else position


def _is_full(store: Store, stream: StoredStream, bound: int) -> bool:
    return stream.spec.is_telemetry and bool(stream.spec.consumers) and size_bytes(store, stream) >= bound
