"""Workers: what commits steps. A worker reads as a member of its stage's group or, alone in its stage, by itself."""

from __future__ import annotations

import abc
import logging
import threading
import time
from collections import Counter, deque
from contextlib import closing
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException, TopicPartition

from c2kit.bus.base import BusError, BusUnavailable, Delivery, Fenced, PartitionsLost, Worker
from c2kit.bus.kafka.clients import explained
from c2kit.bus.kafka.errors import bus_error
from c2kit.bus.kafka.feed import OUT_OF_RANGE, received
from c2kit.bus.kafka.positions import begin_of, lost_position
from c2kit.bus.kafka.transactions import GroupChanged
from c2kit.bus.topic import LARGEST_RECORD_BYTES
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from confluent_kafka import Consumer, Message

    from c2kit.bus.base import PartitionId, Received, Record, StateKey, Step
    from c2kit.bus.kafka.bus import Shared
    from c2kit.bus.kafka.feed import Subscription
    from c2kit.bus.kafka.places import Place
    from c2kit.bus.kafka.state import State
    from c2kit.bus.kafka.streams import KnownStream
    from c2kit.bus.kafka.transactions import Transactions
    from c2kit.bus.news import Bell

__all__ = ["RECORD_OVERHEAD_BYTES", "ExclusiveWorker", "GroupWorker", "KafkaWorker"]

_NOTHING = Delivery()
_log = logging.getLogger(__name__)
_SLICE_SECONDS = 0.1
"""So long it takes at most until a wait notes that its worker was closed."""
_FIRST_SECONDS = 10.0
"""So long a step is tried before its worker gives up partitions that its group wants back."""
_REGROUP_SECONDS = 60.0
RECORD_OVERHEAD_BYTES = 1_000
"""More than what is around the value of a record that is sent by itself: its lane, and what Kafka adds."""


class KafkaWorker(Worker):
    """What all workers do: see :class:`c2kit.bus.base.Worker`. ``streams`` are those that it reads and writes."""

    def __init__(
        self,
        shared: Shared,
        place: Place,
        streams: Mapping[str, KnownStream],
        outputs: frozenset[str],
        *,
        transactions: Transactions,
        state: State,
    ) -> None:
        self._shared, self._place, self._stage = shared, place, place.stage
        self._streams, self._outputs = streams, outputs
        self._transactions, self._state = transactions, state
        self._published: dict[str, int] = {}
        """How many records of each stream were ever committed in this place."""
        self._counted_entry = 0
        """The entry as of which they were counted."""
        self._ends: dict[PartitionId, int] = {}
        """Before these offsets there are records, as far as anybody asked."""
        self.is_closed = False

    def _check_open(self) -> None:
        if self.is_closed:
            raise Fenced(f"this worker of stage {self._stage} is closed; what it had in progress is dropped")

    @explained
    def commit(self, step: Step) -> None:
        """See :meth:`c2kit.bus.base.Worker.commit`."""
        self._check_open()
        self._check_outputs(step)
        self._check_owned(step)
        self._check_passed(step.passed)
        if step.publish or step.passed or step.snapshots:
            records = [*self._placed(step.publish), *self._state.records(step.snapshots)]
            published = self._counted(step.publish)
            if step.publish:
                records += self._state.total_records(self._place.ordinal, published)
            _check_sizes(records)
            self._commit(step, records)
            self._published = published
            self._state.committed(step.snapshots)

    def _counted(self, records: Sequence[Record]) -> dict[str, int]:
        """What this place will have published with these records.

        What it has is read once it is held, since whoever held it before committed until then.
        """
        if records:
            self._transactions.enter()
            if self._counted_entry != self._transactions.entries:
                self._state.catch_up()
                self._published = self._state.published(self._place.ordinal)
                self._counted_entry = self._transactions.entries
        return dict(Counter(self._published) + Counter(record.stream for record in records))

    @abc.abstractmethod
    def _commit(self, step: Step, records: Sequence[tuple[str, int, bytes, bytes]]) -> None:
        """Make the step true, with its records placed."""

    def _placed(self, records: Sequence[Record]) -> Iterator[tuple[str, int, bytes, bytes]]:
        for record in records:
            number = self._streams[record.stream].number_of(record.lane)
            yield record.stream, number, record.lane.encode(), record.value

    def _check_outputs(self, step: Step) -> None:
        names = {record.stream for record in step.publish}
        if not names <= self._outputs:
            wrong = min(names - self._outputs)
            raise UsageError(f"stage {self._stage} does not write {wrong}", expected=sorted(self._outputs))

    def _check_owned(self, step: Step) -> None:
        foreign = step.passed.keys() - self.assigned
        if foreign:
            raise PartitionsLost(f"stage {self._stage} passed {sorted(foreign)}, which this worker does not own")

    def _check_passed(self, passed: Mapping[PartitionId, int]) -> None:
        """Refuse to pass records that are not there yet: they would be skipped when they come."""
        beyond = {key: offset for key, offset in passed.items() if not 0 <= offset <= self._ends.get(key, 0)}
        if beyond:
            self._ends |= self._shared.admin.next_offsets(beyond)
        for key, offset in beyond.items():
            if not 0 <= offset <= self._ends[key]:
                raise UsageError(f"{key[0]}[{key[1]}] has no record before offset {offset} that could have been passed")

    def _begin_of(self, partitions: Collection[PartitionId]) -> dict[PartitionId, int]:
        """Where to go on, asked by a client of its own: a member of a group is answered nothing while others join."""
        with closing(self._shared.clients.reader(self._stage)) as consumer:
            return begin_of(self._shared.admin, consumer, self._stage, partitions)

    def _delivered(self, records: Sequence[Received]) -> None:
        self._ends |= {(record.stream, record.partition): record.offset + 1 for record in records}

    def snapshot(self, key: StateKey) -> bytes | None:
        """See :meth:`c2kit.bus.base.Worker.snapshot`."""
        self._check_open()
        return self._state.get(key)

    def close(self) -> None:
        """See :meth:`c2kit.bus.base.Worker.close`."""
        if self.is_closed:
            return
        self.is_closed = True
        self._transactions.close()
        try:
            self._leave()
        finally:
            self._shared.places.leave(self._place)

    @abc.abstractmethod
    def _leave(self) -> None:
        """Stop reading."""


class ExclusiveWorker(KafkaWorker):
    """The only worker of its stage. It owns all partitions of its inputs from its beginning to its end."""

    def __init__(self, *arguments: Any, inputs: Collection[PartitionId], bell: Bell | None, **parts: Any) -> None:  # noqa: ANN401 - those of a worker
        super().__init__(*arguments, **parts)
        self._transactions.on_entry = self._check_alone
        self._owned = frozenset(inputs)
        with closing(self._shared.clients.reader(self._stage)) as consumer:
            self._group = consumer.consumer_group_metadata()  # a group's without members
            begin = begin_of(self._shared.admin, consumer, self._stage, self._owned)
        self._state.catch_up()
        self._assigned: frozenset[PartitionId] = frozenset()
        self._bell = bell
        self._subscription: Subscription = self._shared.feed.subscribe(begin, bell)
        self._subscription.ring()

    @property
    def assigned(self) -> frozenset[PartitionId]:
        """See :attr:`c2kit.bus.base.Worker.assigned`."""
        return self._assigned

    @explained
    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Delivery:
        """See :meth:`c2kit.bus.base.Worker.receive`."""
        gained = self._owned - self._assigned
        records = self._subscription.take(0.0 if gained else timeout_seconds, max_bytes)
        self._assigned = self._owned
        self._delivered(records)
        if records or gained:
            return Delivery(records=records, gained=gained)
        for key, offset in self._subscription.out_of_range.items():
            raise lost_position(self._shared.admin, self._streams[key[0]], key, offset)
        return _NOTHING

    def _commit(self, step: Step, records: Sequence[tuple[str, int, bytes, bytes]]) -> None:
        try:
            self._transactions.commit(records, step.passed, lambda: self._group)
        except GroupChanged as error:
            raise Fenced(f"stage {self._stage} has other workers now: {error}") from error

    def _check_alone(self) -> None:
        """Refuse to go on where another worker has: what this one knows is old, and would be done a second time."""
        if self._state.is_of_another():
            raise Fenced(f"another worker of stage {self._stage} has gone on while this one took a step back")

    @explained
    def rewind(self) -> None:
        """See :meth:`c2kit.bus.base.Worker.rewind`."""
        self._check_open()
        self._subscription.rewind(self._begin_of(self._owned))
        self._state.catch_up()

    def _leave(self) -> None:
        self._subscription.close()


class GroupWorker(KafkaWorker):
    """One of a stage's replicas. Partitions come and go while it asks for records, and at no other time."""

    def __init__(self, *arguments: Any, inputs: Sequence[str], bell: Bell | None, **parts: Any) -> None:  # noqa: ANN401 - those of a worker
        super().__init__(*arguments, **parts)
        self._bell = bell
        self._using = threading.RLock()
        self._waiting: deque[Received] = deque()
        self._read_to: dict[PartitionId, int] = {}
        self._arriving: set[PartitionId] = set()
        """Those that the group gave it, and that are not read yet."""
        self._lost: set[PartitionId] = set()
        """Those that are gone, and of which the stage was not told yet."""
        self._out_of_range: dict[PartitionId, int] = {}
        self._inputs = list(inputs)
        self._tally = self._shared.tally(self._stage)
        self._generation, self._consumer = self._joined()
        if bell is not None:
            self._shared.pulse.add(bell)

    @property
    def assigned(self) -> frozenset[PartitionId]:
        """See :attr:`c2kit.bus.base.Worker.assigned`."""
        return frozenset(self._read_to)

    def _joined(self) -> tuple[int, Consumer]:
        """A member of the group, in this replica's place there, and of which generation it is."""
        generation = self._shared.clients.generation
        consumer = self._shared.clients.member(self._stage, f"{self._stage}.{self._place.ordinal}")
        if self._inputs:
            consumer.subscribe(self._inputs, on_assign=self._come, on_revoke=self._go, on_lost=self._go)
        return generation, consumer

    def _renew(self) -> None:
        """Go on as a new client in the same place: what it owns is lost to this one, and given to that."""
        self._consumer.close()
        self._lost |= self._read_to.keys()
        self._read_to.clear()
        self._arriving.clear()
        self._out_of_range.clear()
        self._waiting.clear()
        self._generation, self._consumer = self._joined()

    # -- what the group does, while it is polled ------------------------------------------------

    def _come(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._tally.rebalances += bool(partitions)
        self._arriving |= {(each.topic, each.partition) for each in partitions}
        consumer.incremental_assign([])  # they are read once it is known from where

    def _go(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._tally.rebalances += bool(partitions)
        keys = {(each.topic, each.partition) for each in partitions}
        read = keys & self._read_to.keys()
        consumer.incremental_unassign([TopicPartition(*key) for key in read])
        for key in read:
            del self._read_to[key]
            self._out_of_range.pop(key, None)
        self._lost |= read
        self._arriving -= keys
        self._waiting = deque(each for each in self._waiting if (each.stream, each.partition) not in keys)

    def _take_arriving(self) -> frozenset[PartitionId]:
        """Begin to read what the group gave: after the last step that was committed, with the state of that."""
        if not self._arriving:
            return frozenset()
        begin = self._begin_of(self._arriving)
        self._state.catch_up()
        self._read_from(begin)
        self._arriving.clear()
        return frozenset(begin)

    def _read_from(self, begin: Mapping[PartitionId, int]) -> None:
        self._consumer.incremental_assign([TopicPartition(*key, offset) for key, offset in begin.items()])
        self._read_to |= begin

    # -- what the stage does --------------------------------------------------------------------

    @explained
    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Delivery:
        """See :meth:`c2kit.bus.base.Worker.receive`."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            with self._using:
                self._check_open()
                if self._generation != self._shared.clients.generation:
                    self._renew()
                remaining = deadline - time.monotonic()
                self._poll(0.0 if self._waiting else max(0.0, min(remaining, _SLICE_SECONDS)))
                gained = self._take_arriving()
                lost, self._lost = frozenset(self._lost), set()
                delivery = Delivery(records=self._take(max_bytes), gained=gained, lost=lost - gained)
                if delivery.records or delivery.gained or delivery.lost:
                    return delivery
                for key, offset in self._out_of_range.items():
                    raise lost_position(self._shared.admin, self._streams[key[0]], key, offset)
            if remaining <= 0:
                return _NOTHING

    def _poll(self, timeout_seconds: float) -> None:
        """Let the group do what it has to do, and take what comes."""
        if not self._inputs:
            time.sleep(timeout_seconds)
            return
        try:
            message = self._consumer.poll(timeout_seconds)
            for each in [] if message is None else [message, *self._consumer.consume(1000, 0)]:
                self._sort(each)
        except KafkaException as error:
            raise bus_error(f"stage {self._stage} cannot read", error) from error

    def _sort(self, message: Message) -> None:
        error, key = message.error(), (message.topic(), message.partition())
        if error is None:
            record = received(message)
            self._waiting.append(record)
        elif error.code() in OUT_OF_RANGE and key in self._read_to:
            read_to = {(each.stream, each.partition): each.offset + 1 for each in self._waiting}
            self._out_of_range[key] = read_to.get(key, self._read_to[key])
        else:
            raise bus_error(f"stage {self._stage} cannot read", error)

    def _take(self, max_bytes: int) -> list[Received]:
        taken: list[Received] = []
        while self._waiting and (not taken or max_bytes >= len(self._waiting[0].value)):
            record = self._waiting.popleft()
            taken.append(record)
            max_bytes -= len(record.value)
            self._read_to[record.stream, record.partition] = record.offset + 1
        self._delivered(taken)
        return taken

    def _commit(self, step: Step, records: Sequence[tuple[str, int, bytes, bytes]]) -> None:
        began = time.monotonic()
        while True:
            try:
                self._transactions.commit(records, step.passed, self._consumer.consumer_group_metadata)
            except GroupChanged as error:
                self._regroup(step, error, time.monotonic() - began)
            else:
                return

    def _regroup(self, step: Step, error: GroupChanged, seconds: float) -> None:
        """Let the group settle, after which the step may be tried again if all that it passed is still this worker's.

        Partitions that the group wants back are this worker's until it is polled: so the step comes first.
        """
        with self._using:
            self._check_open()
            if error.is_member and seconds < _FIRST_SECONDS:
                time.sleep(_SLICE_SECONDS)
                return
            self._poll(_SLICE_SECONDS)
            self._check_owned(step)
        if seconds > _REGROUP_SECONDS:
            raise BusUnavailable(f"the group of stage {self._stage} does not settle: {error}")

    @explained
    def rewind(self) -> None:
        """See :meth:`c2kit.bus.base.Worker.rewind`."""
        with self._using:
            self._check_open()
            begin = self._begin_of(self._read_to)
            self._consumer.incremental_unassign([TopicPartition(*key) for key in begin])
            self._waiting.clear()
            self._out_of_range.clear()
            self._read_from(begin)
            self._state.catch_up()

    def _leave(self) -> None:
        """Leave the group, which static members do only when they are asked to: the others need not wait then."""
        with self._using:
            if self._bell is not None:
                self._shared.pulse.remove(self._bell)
                self._bell.silence()
            deadline = time.monotonic() + 1.0
            try:
                self._consumer.unsubscribe()
                while self._consumer.assignment() and time.monotonic() < deadline:
                    self._consumer.poll(0.02)
            except KafkaException as error:  # who was fenced is out already
                _log.debug("stage %s did not leave its group: %s", self._stage, error)
            finally:
                self._consumer.close()


def _check_sizes(records: Sequence[tuple[str, int, bytes, bytes]]) -> None:
    """Refuse a step with a record that no broker would take, before anything is begun."""
    for topic, _, _, value in records:
        if len(value) + RECORD_OVERHEAD_BYTES > LARGEST_RECORD_BYTES:
            raise BusError(f"a record of {len(value)} bytes is larger than topic {topic} takes: {LARGEST_RECORD_BYTES}")
