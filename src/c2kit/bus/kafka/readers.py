"""Readers that own nothing in a group: sinks, which are told their partitions, and views, which only look."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from c2kit.bus.base import Position, Sink, View
from c2kit.bus.kafka.hints import Hints
from c2kit.bus.kafka.positions import lost_position
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from c2kit.bus.base import PartitionId, Received
    from c2kit.bus.kafka.bus import Shared
    from c2kit.bus.kafka.places import Place
    from c2kit.bus.kafka.streams import KnownStream

__all__ = ["KafkaSink", "KafkaView"]


class KafkaSink(Sink):
    """See :class:`c2kit.bus.base.Sink`. Of sinks in other processes its own storage keeps it apart, by a lock."""

    def __init__(
        self,
        shared: Shared,
        place: Place,
        streams: Mapping[str, KnownStream],
        begin: Mapping[PartitionId, int],
        records_before: Mapping[PartitionId, int],
    ) -> None:
        self._shared, self._place, self._streams = shared, place, streams
        self._records_before = records_before
        self._counts = dict(records_before)
        """How many records there are before what was passed."""
        self._given: dict[PartitionId, deque[int]] = {key: deque() for key in begin}
        """The offsets of what was given and not passed yet."""
        self._positions = {key: Position(key[0], streams[key[0]].uuid, key[1], offset) for key, offset in begin.items()}
        self._hints = Hints(shared.clients, place.stage)
        self._subscription = shared.feed.subscribe(begin)

    @property
    def is_closed(self) -> bool:
        """Whether it gave up its partitions."""
        return self._subscription.is_closed

    @property
    def positions(self) -> Mapping[PartitionId, Position]:
        """See :attr:`c2kit.bus.base.Sink.positions`."""
        return self._positions

    @property
    def records_before(self) -> Mapping[PartitionId, int]:
        """See :attr:`c2kit.bus.base.Sink.records_before`: by what was told last, and what came since."""
        return self._records_before

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Sequence[Received]:
        """See :meth:`c2kit.bus.base.Sink.receive`."""
        self._hints.go_on()
        records = self._subscription.take(timeout_seconds, max_bytes)
        if not records:
            for key, offset in self._subscription.out_of_range.items():
                raise lost_position(self._shared.admin, self._streams[key[0]], key, offset)
        for record in records:
            self._given[record.stream, record.partition].append(record.offset)
        return records

    def passed(self, positions: Mapping[PartitionId, int]) -> None:
        """See :meth:`c2kit.bus.base.Sink.passed`. Here it only tells people how far the sink is."""
        read_to = self._subscription.read_to
        beyond = {key: offset for key, offset in positions.items() if offset > read_to.get(key, -1)}
        ends = self._shared.admin.next_offsets(beyond)
        for key, offset in beyond.items():
            if offset > ends[key]:
                raise UsageError(f"{key[0]}[{key[1]}] has no record before offset {offset} that could have been passed")
        self._count(positions, beyond)
        self._hints.tell(positions, self._counts)

    def _count(self, positions: Mapping[PartitionId, int], beyond: Collection[PartitionId]) -> None:
        """Count what was passed. Nobody counted what was passed without having been given."""
        for key, offset in positions.items():
            given, count = self._given[key], 0
            while given and given[0] < offset:
                given.popleft()
                count += 1
            if key in beyond:
                self._counts.pop(key, None)
            elif key in self._counts:
                self._counts[key] += count

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.Sink.close`."""
        self._subscription.close()
        self._hints.close()
        self._shared.places.leave(self._place)


class KafkaView(View):
    """See :class:`c2kit.bus.base.View`."""

    def __init__(self, shared: Shared, begin: Mapping[PartitionId, int]) -> None:
        self._shared = shared
        self._subscription = shared.feed.subscribe(begin)
        self._missed = 0

    @property
    def is_closed(self) -> bool:
        """Whether it looks no longer."""
        return self._subscription.is_closed

    @property
    def missed(self) -> int:
        """See :attr:`c2kit.bus.base.View.missed`: at most so many, as if every offset were a record."""
        return self._missed

    @property
    def reached(self) -> Mapping[PartitionId, int]:
        """See :attr:`c2kit.bus.base.View.reached`."""
        return self._subscription.passed_by_reader()

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Sequence[Received]:
        """See :meth:`c2kit.bus.base.View.receive`."""
        records = self._subscription.take(timeout_seconds, max_bytes)
        lost = {} if records else self._subscription.out_of_range
        if lost:
            first = self._shared.admin.first_offsets(lost)
            self._missed += sum(max(0, first[key] - offset) for key, offset in lost.items())
            self._subscription.rewind(first)
            return self.receive(timeout_seconds, max_bytes=max_bytes)
        return records

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.View.close`."""
        self._subscription.close()
