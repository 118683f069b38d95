"""``memory:``: a bus within one process, for laptops, tests and embedding. It forgets everything with the process.

One lock guards everything; a step is applied under it, so it is atomic because nobody can look in between. Partitions
move between a stage's workers only at :meth:`~c2kit.bus.base.Worker.receive`, where the old owner has no step in
progress, so no worker is ever fenced but by the second worker of an exclusive stage.
"""

from __future__ import annotations

import threading
import time
import uuid
from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from c2kit.bus.base import (
    BusUnavailable,
    Delivery,
    Fenced,
    Position,
    PositionLost,
    Received,
    Sink,
    StreamBus,
    StreamInfo,
    View,
    Worker,
    check_compatible,
    check_streams,
)
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from c2kit.bus.base import PartitionId, Record, StateKey, Step, StreamSpec

__all__ = ["MemoryBus"]

DEFAULT_MAX_STREAM_BYTES = 256 * 2**20
_offset = attrgetter("offset")


@define
class _Partition:
    """What is retained of one partition; ``first`` is the oldest offset that is, ``next`` the one to come."""

    records: list[Received] = field(factory=list)
    first: int = 0
    next: int = 0
    size_bytes: int = 0

    def append(self, record: Record, partition: int, now_ns: int) -> None:
        self.records.append(
            Received(
                stream=record.stream,
                partition=partition,
                offset=self.next,
                lane=record.lane,
                value=bytes(record.value),
                published_ns=now_ns,
            )
        )
        self.next += 1
        self.size_bytes += len(record.value)

    def read(self, offset: int, max_bytes: int) -> list[Received]:
        """Records from ``offset`` on, at most ``max_bytes`` of them but at least one."""
        begin = end = bisect_left(self.records, offset, key=_offset)
        size = 0
        while end < len(self.records) and (end == begin or size + len(self.records[end].value) <= max_bytes):
            size += len(self.records[end].value)
            end += 1
        return self.records[begin:end]

    def delete_before(self, offset: int) -> None:
        end = bisect_left(self.records, offset, key=_offset)
        self.size_bytes -= sum(len(record.value) for record in self.records[:end])
        del self.records[:end]
        self.first = max(self.first, min(offset, self.next))

    def compact(self) -> None:
        """Keep the newest record of each lane; offsets stay what they were."""
        newest = {record.lane: record for record in self.records}
        self.records = sorted(newest.values(), key=_offset)
        self.size_bytes = sum(len(record.value) for record in self.records)


@define
class _Stream:
    spec: StreamSpec
    uuid: str
    partitions: list[_Partition]

    @property
    def size_bytes(self) -> int:
        return sum(partition.size_bytes for partition in self.partitions)


@define
class _Group:
    """A stage: who works in it, who owns what, how far it got, what it keeps."""

    workers: list[_MemoryWorker] = field(factory=list)
    owners: dict[PartitionId, _MemoryWorker] = field(factory=dict)
    committed: dict[PartitionId, int] = field(factory=dict)
    snapshots: dict[StateKey, bytes] = field(factory=dict)

    def wanted(self, worker: _MemoryWorker) -> set[PartitionId]:
        """The share of one worker: its partitions dealt out in turn to all workers that read the stream."""
        share: set[PartitionId] = set()
        everything = frozenset().union(*(other.partitions for other in self.workers))
        for number, partition in enumerate(sorted(everything)):
            readers = [other for other in self.workers if partition in other.partitions]
            if readers[number % len(readers)] is worker:
                share.add(partition)
        return share


class _Core:
    """What the bus and everything that it hands out share; used under ``changed``."""

    def __init__(self, max_stream_bytes: int) -> None:
        self.max_stream_bytes = max_stream_bytes
        self.changed = threading.Condition()
        self.streams: dict[str, _Stream] = {}
        self.groups: dict[str, _Group] = {}
        self.closed = False

    def info(self, stream: _Stream) -> StreamInfo:
        ids = [(stream.spec.name, number) for number in range(stream.spec.partitions)]
        lag = {
            consumer: sum(
                partition.next - self.begin(consumer, key)
                for key, partition in zip(ids, stream.partitions, strict=True)
            )
            for consumer in stream.spec.consumers
        }
        return StreamInfo(
            spec=stream.spec,
            uuid=stream.uuid,
            first_offsets=tuple(partition.first for partition in stream.partitions),
            next_offsets=tuple(partition.next for partition in stream.partitions),
            size_bytes=stream.size_bytes,
            lag=lag,
        )

    def committed(self, stage: str, key: PartitionId) -> int:
        group = self.groups.get(stage)
        return group.committed.get(key, 0) if group else 0

    def begin(self, stage: str, key: PartitionId) -> int:
        """Where a stage goes on: after what it passed, or, if it never ran, at the oldest record."""
        group = self.groups.get(stage)
        first = self.partition(key).first
        return group.committed.get(key, first) if group else first

    def check_passed(self, passed: Mapping[PartitionId, int]) -> None:
        """Refuse to pass records that are not there yet: they would be skipped when they come."""
        for (name, number), offset in passed.items():
            partitions = self.streams[name].partitions if name in self.streams else []
            if not 0 <= number < len(partitions) or not 0 <= offset <= partitions[number].next:
                raise UsageError(f"{name}[{number}] has no record before offset {offset} that could have been passed")

    def check_open(self) -> None:
        if self.closed:
            raise BusUnavailable("the bus is closed")

    def checked(self, position: Position) -> int:
        stream = self.streams[position.stream]
        if stream.uuid != position.stream_uuid:
            raise PositionLost(position, reason="the stream was made anew since")
        partition = stream.partitions[position.partition]
        if position.offset > partition.next:
            raise PositionLost(position, reason=f"the stream ends at {partition.next}")
        if position.offset < partition.first:
            lost = partition.first - position.offset
            raise PositionLost(position, reason=f"the oldest record is {partition.first}", lost_records=lost)
        return position.offset

    def partition_ids(self, streams: Collection[str]) -> frozenset[PartitionId]:
        return frozenset((name, number) for name in streams for number in range(self.streams[name].spec.partitions))

    def partition(self, key: PartitionId) -> _Partition:
        return self.streams[key[0]].partitions[key[1]]

    def wait(self, timeout_seconds: float, ready: Callable[[], bool]) -> None:
        self.changed.wait_for(lambda: self.closed or ready(), timeout_seconds)

    def read(self, positions: dict[PartitionId, int], max_bytes: int) -> list[Received]:
        """What waits at these positions, which move past it."""
        taken: list[Received] = []
        for key in sorted(positions):
            if max_bytes <= 0:
                break
            first = self.partition(key).first
            if positions[key] < first:
                position = Position(key[0], self.streams[key[0]].uuid, key[1], positions[key])
                reason = f"the oldest record is {first}"
                raise PositionLost(position, reason=reason, lost_records=first - position.offset)
            records = self.partition(key).read(positions[key], max_bytes)
            if records:
                taken.extend(records)
                max_bytes -= sum(len(record.value) for record in records)
        positions |= {(record.stream, record.partition): record.offset + 1 for record in taken}
        return taken

    def is_full(self, name: str) -> bool:
        stream = self.streams[name]
        return stream.spec.is_telemetry and bool(stream.spec.consumers) and stream.size_bytes >= self.max_stream_bytes

    def apply_step(self, group: _Group, step: Step) -> None:
        now_ns = time.time_ns()
        for record in step.publish:
            stream = self.streams[record.stream]
            number = stream.spec.partition_of(record.lane)
            stream.partitions[number].append(record, number, now_ns)
        group.committed.update(step.passed)
        group.snapshots.update(step.snapshots)
        self.retain({record.stream for record in step.publish} | {stream for stream, _ in step.passed})
        self.changed.notify_all()

    def retain(self, names: Iterable[str]) -> None:
        """Delete what every declared consumer has passed; of a stream without consumers, what is beyond the bound."""
        for name in names:
            stream = self.streams[name]
            for number, partition in enumerate(stream.partitions):
                if stream.spec.compacted:
                    partition.compact()
                elif stream.spec.consumers:
                    passed = [self.committed(consumer, (name, number)) for consumer in stream.spec.consumers]
                    partition.delete_before(min(passed))
                else:
                    bound = self.max_stream_bytes // stream.spec.partitions
                    while partition.size_bytes > bound and len(partition.records) > 1:
                        partition.delete_before(partition.records[len(partition.records) // 2].offset)


class MemoryBus(StreamBus):
    """``memory:``, see the module. ``max_stream_bytes`` is the bound at which telemetry publishers wait."""

    def __init__(self, *, max_stream_bytes: int = DEFAULT_MAX_STREAM_BYTES) -> None:
        self.url = "memory:"
        self._core = _Core(max_stream_bytes)

    def apply(self, specs: Iterable[StreamSpec]) -> None:
        """See :meth:`c2kit.bus.base.StreamBus.apply`."""
        with self._core.changed:
            self._core.check_open()
            for spec in specs:
                existing = self._core.streams.get(spec.name)
                if existing is None:
                    partitions = [_Partition() for _ in range(spec.partitions)]
                    self._core.streams[spec.name] = _Stream(spec, uuid.uuid4().hex, partitions)
                else:
                    check_compatible(existing.spec, spec)
                    existing.spec = evolve(existing.spec, consumers=spec.consumers)
            self._core.changed.notify_all()

    def streams(self, prefix: str = "") -> Sequence[StreamInfo]:
        """See :meth:`c2kit.bus.base.StreamBus.streams`."""
        with self._core.changed:
            self._core.check_open()
            return [
                self._core.info(stream)
                for name, stream in sorted(self._core.streams.items())
                if name.startswith(prefix)
            ]

    def worker(
        self,
        stage: str,
        inputs: Collection[str],
        *,
        outputs: Collection[str] = (),
        ordinal: int = 0,
        exclusive: bool = False,
    ) -> Worker:
        """See :meth:`c2kit.bus.base.StreamBus.worker`."""
        with self._core.changed:
            self._core.check_open()
            check_streams(stage, inputs, outputs, {name: stream.spec for name, stream in self._core.streams.items()})
            group = self._core.groups.setdefault(stage, _Group())
            if exclusive and group.workers:
                raise Fenced(f"stage {stage} is exclusive and has a live worker in this process; stop that one first")
            if any(worker.ordinal == ordinal for worker in group.workers):
                raise Fenced(f"stage {stage} has a live worker with ordinal {ordinal}; give each replica its own")
            worker = _MemoryWorker(
                self._core, stage, group, self._core.partition_ids(inputs), frozenset(outputs), ordinal
            )
            group.workers.append(worker)
            group.workers.sort(key=attrgetter("ordinal"))
            self._core.changed.notify_all()
            return worker

    def sink(
        self, stage: str, partitions: Collection[PartitionId], positions: Iterable[Position], *, ordinal: int = 0
    ) -> Sink:
        """See :meth:`c2kit.bus.base.StreamBus.sink`."""
        with self._core.changed:
            self._core.check_open()
            names = {stream for stream, _ in partitions}
            check_streams(stage, names, (), {name: stream.spec for name, stream in self._core.streams.items()})
            group = self._core.groups.setdefault(stage, _Group())
            begin = {key: self._core.partition(key).first for key in partitions}
            for position in positions:
                if (position.stream, position.partition) in begin:
                    begin[position.stream, position.partition] = self._core.checked(position)
            worker = _MemoryWorker(self._core, stage, group, frozenset(partitions), frozenset(), ordinal)
            if any(worker.partitions & other.partitions for other in group.workers):
                raise Fenced(f"sink {stage} has a live reader of the same partitions; stop that one first")
            group.workers.append(worker)
            return _MemorySink(self._core, worker, begin)

    def view(self, streams: Collection[str], *, from_oldest: bool = False) -> View:
        """See :meth:`c2kit.bus.base.StreamBus.view`."""
        with self._core.changed:
            self._core.check_open()
            for name in streams:
                if name not in self._core.streams:
                    raise UsageError(f"no stream {name} on this bus", remedy="see which there are with bus.streams()")
            begin = {
                key: self._core.partition(key).first if from_oldest else self._core.partition(key).next
                for key in self._core.partition_ids(streams)
            }
            return _MemoryView(self._core, begin)

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.StreamBus.close`."""
        with self._core.changed:
            self._core.closed = True
            for group in self._core.groups.values():
                for worker in list(group.workers):
                    worker.close()
            self._core.changed.notify_all()


class _MemoryWorker(Worker):
    def __init__(
        self,
        core: _Core,
        stage: str,
        group: _Group,
        partitions: frozenset[PartitionId],
        outputs: frozenset[str],
        ordinal: int,
    ) -> None:
        self._core = core
        self._stage = stage
        self.group = group
        self._outputs = outputs
        self._read_to: dict[PartitionId, int] = {}
        self.is_closed = False
        self.partitions = partitions
        self.ordinal = ordinal

    @property
    def assigned(self) -> frozenset[PartitionId]:
        return frozenset(self._read_to)

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Delivery:
        with self._core.changed:
            self._core.wait(timeout_seconds, self._has_news)
            self.check_open()
            gained, lost = self._take_share()
            try:
                records = self._core.read(self._read_to, max_bytes)
            except PositionLost:
                if not (gained or lost):
                    raise
                records = []  # changes of ownership are told once, so they are told now, and the error next time
            return Delivery(records=records, gained=gained, lost=lost)

    def _has_news(self) -> bool:
        wanted = self.group.wanted(self) if not self.is_closed else set()
        free = {key for key in wanted if self.group.owners.get(key, self) is self}
        return (
            self.is_closed
            or free != set(self._read_to)
            or any(self._core.partition(key).next > offset for key, offset in self._read_to.items())
        )

    def _take_share(self) -> tuple[frozenset[PartitionId], frozenset[PartitionId]]:
        owners, wanted = self.group.owners, self.group.wanted(self)
        lost = frozenset(self._read_to) - wanted
        for key in lost:
            del self._read_to[key], owners[key]
        gained = frozenset(key for key in wanted if key not in owners)
        for key in gained:
            owners[key] = self
            self._read_to[key] = self._core.begin(self._stage, key)
        if lost:
            self._core.changed.notify_all()
        return gained, lost

    def commit(self, step: Step) -> None:
        with self._core.changed:
            for record in step.publish:
                if record.stream not in self._outputs:
                    raise UsageError(f"stage {self._stage} does not write {record.stream}", expected=self._outputs)
            names = {record.stream for record in step.publish}
            while any(self._core.is_full(name) for name in names) and not self.is_closed:
                self._core.changed.wait()
            self.check_open()
            foreign = set(step.passed) - set(self._read_to)
            if foreign:
                raise Fenced(f"stage {self._stage} passed {sorted(foreign)}, which this worker does not own")
            self._core.check_passed(step.passed)
            self._core.apply_step(self.group, step)

    def rewind(self) -> None:
        with self._core.changed:
            for key in self._read_to:
                self._read_to[key] = self._core.begin(self._stage, key)

    def snapshot(self, key: StateKey) -> bytes | None:
        with self._core.changed:
            return self.group.snapshots.get(key)

    def close(self) -> None:
        with self._core.changed:
            if self.is_closed:
                return
            self.is_closed = True
            self.group.workers.remove(self)
            for key in [key for key, owner in self.group.owners.items() if owner is self]:
                del self.group.owners[key]
            self._core.changed.notify_all()

    def check_open(self) -> None:
        if self.is_closed:
            raise Fenced(f"this worker of stage {self._stage} is closed")


class _MemorySink(Sink):
    def __init__(self, core: _Core, worker: _MemoryWorker, begin: dict[PartitionId, int]) -> None:
        self._core = core
        self._worker = worker
        self._read_to = dict(begin)
        self._positions = {
            key: Position(key[0], core.streams[key[0]].uuid, key[1], offset) for key, offset in begin.items()
        }

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Sequence[Received]:
        with self._core.changed:
            self._core.wait(timeout_seconds, self._has_news)
            self._worker.check_open()
            return self._core.read(self._read_to, max_bytes)

    def _has_news(self) -> bool:
        return self._worker.is_closed or any(
            self._core.partition(key).next > offset for key, offset in self._read_to.items()
        )

    def passed(self, positions: Mapping[PartitionId, int]) -> None:
        with self._core.changed:
            self._worker.check_open()
            self._core.check_passed(positions)
            self._worker.group.committed.update(positions)
            self._core.retain({stream for stream, _ in positions})
            self._core.changed.notify_all()

    @property
    def positions(self) -> Mapping[PartitionId, Position]:
        return self._positions

    def close(self) -> None:
        self._worker.close()


class _MemoryView(View):
    def __init__(self, core: _Core, begin: dict[PartitionId, int]) -> None:
        self._core = core
        self._read_to = begin
        self._missed = 0
        self._is_closed = False

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Sequence[Received]:
        with self._core.changed:
            self._core.wait(timeout_seconds, self._has_news)
            if self._is_closed or self._core.closed:
                raise Fenced("this view is closed")
            for key, offset in self._read_to.items():
                first = self._core.partition(key).first
                self._missed += max(first - offset, 0)
                self._read_to[key] = max(first, offset)
            return self._core.read(self._read_to, max_bytes)

    def _has_news(self) -> bool:
        return self._is_closed or any(self._core.partition(key).next > offset for key, offset in self._read_to.items())

    @property
    def missed(self) -> int:
        return self._missed

    def close(self) -> None:
        with self._core.changed:
            self._is_closed = True
            self._core.changed.notify_all()
