"""What a bus hands out: workers, sinks and views."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from c2kit.bus.base import Delivery, Fenced, Position, PositionLost, Sink, View, Worker
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
        self._is_closed = False

    def _read(self, max_bytes: int) -> list[Received]:
        taken: list[Received] = []
        with self._store.reading():
            for (name, number), offset in sorted(self._read_to.items()):
                if max_bytes <= 0:
                    break
                records = self._store.read(self._streams[name], number, offset, max_bytes)
                if records:
                    taken.extend(records)
                    self._read_to[name, number] = records[-1].offset + 1
                    max_bytes -= sum(len(record.value) for record in records)
        return taken

    def _wait_and_read(self, timeout_seconds: float, max_bytes: int) -> list[Received]:
        deadline = time.monotonic() + timeout_seconds
        while True:
            generation = self._shared.generation
            self._check()
            records = self._read(max_bytes)
            remaining = deadline - time.monotonic()
            if records or remaining <= 0 or self._shared.closed:
                return records
            self._shared.wait(generation, remaining)

    def _check(self) -> None:
        """Raise where this reader may read no longer."""

    def _leave(self, worker: int, lock: WorkerLock) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._shared.let_go(worker)
        if not self._shared.closed:
            self._shared.run(lambda store: store.remove_worker(worker))
        lock.release()
        self._store.close()

    def _check_worker(self, stage: str, worker: int) -> None:
        if self._is_closed or not self._store.is_worker(worker):
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
            records = self._read(max_bytes)
            remaining = deadline - time.monotonic()
            if records or gained or lost or remaining <= 0:
                return Delivery(records=records, gained=gained, lost=lost)
            self._shared.wait(generation, min(remaining, _LOOK_AROUND_SECONDS))

    def _take_share(self) -> tuple[frozenset[PartitionId], frozenset[PartitionId]]:
        with self._store.reading():
            self._check_worker(self._stage, self._worker)
            owners = self._store.owners(self._stage)
            wanted = _share(self._store.workers(self._stage), self._worker)
        owned = {key for key, worker in owners.items() if worker == self._worker}
        if owned == wanted == set(self._read_to) or (
            owned == set(self._read_to) and not self._could_change(owners, wanted)
        ):
            return frozenset(), frozenset()
        return self._shared.run(lambda store: self._exchange(store, wanted))

    def _could_change(self, owners: Mapping[PartitionId, int], wanted: set[PartitionId]) -> bool:
        return bool(set(self._read_to) - wanted) or any(key not in owners for key in wanted)

    def _exchange(
        self, store: Store, wanted: set[PartitionId]
    ) -> tuple[frozenset[PartitionId], frozenset[PartitionId]]:
        self._check_still_worker(store)
        owners = store.owners(self._stage)
        lost = frozenset(self._read_to) - wanted
        for name, number in lost:
            store.set_owner(self._stage, self._streams[name], number, None)
            del self._read_to[name, number]
        gained = frozenset(key for key in wanted if key not in owners)
        for name, number in gained:
            store.set_owner(self._stage, self._streams[name], number, self._worker)
            self._read_to[name, number] = _committed(store, self._stage, self._streams[name], number)
        return gained, lost

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
        if self._is_closed or not store.is_worker(self._worker):
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
        with self._store.reading():
            for name, stream in self._streams.items():
                for number, (first, _, _) in enumerate(self._store.bounds(stream)):
                    offset = self._read_to[name, number]
                    self._missed += max(first - offset, 0)
                    self._read_to[name, number] = max(first, offset)

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.View.close`."""
        if not self._is_closed:
            self._is_closed = True
            self._store.close()


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
    """The share of one worker: each partition dealt out in turn to all workers that read its stream."""
    mine = next(inputs for key, _, inputs in workers if key == worker)
    share = set()
    for number, partition in enumerate(sorted(mine)):
        readers = [key for key, _, inputs in workers if partition in inputs]
        if readers[number % len(readers)] == worker:
            share.add(partition)
    return share


def _committed(store: Store, stage: str, stream: StoredStream, number: int) -> int:
    position = store.position(stage, stream, number)
    return store.bounds(stream)[number][0] if position is None else position


def _is_full(store: Store, stream: StoredStream, bound: int) -> bool:
    return stream.spec.is_telemetry and bool(stream.spec.consumers) and size_bytes(store, stream) >= bound
