"""What all users of a bus in memory share."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.bus.base import BusUnavailable, Fenced, Position, PositionLost, StreamInfo
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from c2kit.bus.base import PartitionId, Received, StateKey, Step, StreamSpec
    from c2kit.bus.memory.readers import Member, Reader
    from c2kit.bus.memory.streams import Partition, Stream
    from c2kit.bus.news import Bell

__all__ = ["Core", "Group"]


@define
class Group:
    """A stage: who works in it, who owns what, how far it got, what it keeps."""

    name: str
    members: list[Member] = field(factory=list)
    owners: dict[PartitionId, Member] = field(factory=dict)
    committed: dict[PartitionId, int] = field(factory=dict)
    snapshots: dict[StateKey, bytes] = field(factory=dict)

    def check_entry(self, ordinal: int, partitions: frozenset[PartitionId], *, alone: bool, owns: bool = False) -> None:
        """Refuse who wants a place that somebody has. ``alone``: the whole stage; ``owns``: these partitions."""
        for other in self.members:
            if alone or other.is_exclusive or other.ordinal == ordinal or (owns and partitions & other.partitions):
                raise Fenced(
                    f"stage {self.name} already has a live worker {other.ordinal} in this process; "
                    "stop that one first, or give this replica an ordinal and partitions of its own"
                )

    def share_out(self) -> None:
        """Deal each partition out in turn to all workers that read its stream."""
        shares: dict[Member, set[PartitionId]] = {member: set() for member in self.members}
        everything = frozenset().union(*(member.partitions for member in self.members))
        for number, partition in enumerate(sorted(everything)):
            readers = [member for member in self.members if partition in member.partitions]
            shares[readers[number % len(readers)]].add(partition)
        for member, share in shares.items():
            member.wanted = frozenset(share)


class Core:
    """What the bus and everything that it hands out share; used under ``lock``."""

    def __init__(self, max_stream_bytes: int) -> None:
        self.max_stream_bytes = max_stream_bytes
        self.lock = threading.RLock()
        self.room = threading.Condition(self.lock)
        """Notified when records were deleted, and when somebody is closed."""
        self.streams: dict[str, Stream] = {}
        self.groups: dict[str, Group] = {}
        self.closed = False
        self.readers: set[Reader] = set()
        self._by_stream: dict[str, set[Reader]] = {}
        self._bells: list[Bell] = []

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock; once it is free again, ring the bells of those that were told meanwhile."""
        try:
            with self.lock:
                try:
                    yield
                finally:
                    bells, self._bells = self._bells, []
        finally:
            for bell in bells:
                bell.ring()

    def add(self, reader: Reader) -> None:
        """Tell this one of what comes to its streams."""
        self.readers.add(reader)
        for name in reader.streams:
            self._by_stream.setdefault(name, set()).add(reader)

    def remove(self, reader: Reader) -> None:
        """Tell this one no longer, after a last time."""
        self.tell([reader])
        self.room.notify_all()
        self.readers.discard(reader)
        for name in reader.streams:
            self._by_stream[name].discard(reader)

    def tell(self, readers: Iterable[Reader]) -> None:
        """Wake these, and have their bells rung."""
        for reader in readers:
            reader.changed.notify_all()
            if reader.bell is not None:
                self._bells.append(reader.bell)

    def group(self, stage: str) -> Group:
        """The stage of this name, which begins to exist with it."""
        return self.groups.setdefault(stage, Group(stage))

    def specs(self, names: Iterable[str]) -> dict[str, StreamSpec]:
        """The descriptions of those streams of these that there are."""
        return {name: self.streams[name].spec for name in names if name in self.streams}

    def info(self, stream: Stream) -> StreamInfo:
        """The stream as it stands."""
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
            newest_ns=max((each.records[-1].published_ns for each in stream.partitions if each.records), default=None),
        )

    def committed(self, stage: str, key: PartitionId) -> int:
        """How far a stage got."""
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
        """Raise BusUnavailable once the bus is closed."""
        if self.closed:
            raise BusUnavailable("the bus is closed")

    def checked(self, position: Position) -> int:
        """The offset of a position that is in its stream. Raises PositionLost."""
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
        """All partitions of these streams."""
        return frozenset((name, number) for name in streams for number in range(self.streams[name].spec.partitions))

    def partition(self, key: PartitionId) -> Partition:
        """What is retained of a partition."""
        return self.streams[key[0]].partitions[key[1]]

    def read(self, positions: dict[PartitionId, int], max_bytes: int) -> list[Received]:
        """What waits at these positions, which move past it."""
        taken: list[Received] = []
        for key in sorted(key for key, offset in positions.items() if offset != self.partition(key).next):
            if max_bytes <= 0:
                break
            offset, first = positions[key], self.partition(key).first
            if offset < first:
                position = Position(key[0], self.streams[key[0]].uuid, key[1], offset)
                raise PositionLost(position, reason=f"the oldest record is {first}", lost_records=first - offset)
            records = self.partition(key).read(offset, max_bytes)
            taken.extend(records)
            max_bytes -= sum(len(record.value) for record in records)
        positions |= {(record.stream, record.partition): record.offset + 1 for record in taken}
        return taken

    def is_full(self, name: str) -> bool:
        """Whether the publisher of a stream has to wait."""
        stream = self.streams[name]
        return stream.spec.is_telemetry and bool(stream.spec.consumers) and stream.size_bytes >= self.max_stream_bytes

    def apply_step(self, group: Group, step: Step) -> None:
        """Let a step come true, and tell whom it concerns."""
        now_ns = time.time_ns()
        touched = set(step.passed)
        for record in step.publish:
            stream = self.streams[record.stream]
            number = stream.number_of(record.lane)
            stream.partitions[number].append(record, number, now_ns)
            touched.add((record.stream, number))
        group.committed.update(step.passed)
        group.snapshots.update(step.snapshots)
        self.retain(touched)
        for name in {record.stream for record in step.publish}:
            self.tell(self._by_stream.get(name, ()))

    def retain(self, keys: Iterable[PartitionId]) -> None:
        """Delete what every declared consumer has passed; of a stream without consumers, what is beyond the bound."""
        for key in keys:
            spec, partition = self.streams[key[0]].spec, self.partition(key)
            if spec.compacted:
                partition.compact()
            elif spec.consumers:
                first = partition.first
                partition.delete_before(min(self.committed(consumer, key) for consumer in spec.consumers))
                if partition.first != first:
                    self.room.notify_all()
            else:
                bound = self.max_stream_bytes // spec.partitions
                while partition.size_bytes > bound and len(partition.records) > 1:
                    partition.delete_before(partition.records[len(partition.records) // 2].offset)
