"""What is retained of streams."""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.bus.base import Received

if TYPE_CHECKING:
    from c2kit.bus.base import Record, StreamSpec

__all__ = ["Partition", "Stream"]

_offset = attrgetter("offset")


@define
class Partition:
    """What is retained of one partition; ``first`` is the oldest offset that is, ``next`` the one to come."""

    records: list[Received] = field(factory=list)
    first: int = 0
    next: int = 0
    size_bytes: int = 0

    def append(self, record: Record, partition: int, now_ns: int) -> None:
        """Put a record at the end."""
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
        """Delete the records before an offset."""
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
class Stream:
    """A stream with its partitions."""

    spec: StreamSpec
    uuid: str
    partitions: list[Partition]
    _numbers: dict[str, int] = field(factory=dict)

    def number_of(self, lane: str) -> int:
        """The number of a lane's partition, looked up once."""
        number = self._numbers.get(lane)
        if number is None:
            number = self._numbers[lane] = self.spec.partition_of(lane)
        return number

    @property
    def size_bytes(self) -> int:
        """What all partitions retain."""
        return sum(partition.size_bytes for partition in self.partitions)
