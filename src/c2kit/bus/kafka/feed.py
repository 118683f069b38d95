"""Reading for everybody in a process who is told which partitions to read: in few threads, however many there are.

A consumer has threads of its own, and asks its brokers all the time. So a process has one for all, or as many as there
are readers of the same partition; each is polled by one thread, which sorts what comes to the readers, and wakes them.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from c2kit.bus.base import BusUnavailable, Fenced, Received
from c2kit.bus.kafka.errors import bus_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from confluent_kafka import Message

    from c2kit.bus.base import BusError, PartitionId
    from c2kit.bus.kafka.clients import Clients
    from c2kit.bus.news import Bell

__all__ = ["Feed", "Subscription", "received"]

_POLL_SECONDS = 0.02
"""How long a reader that comes or goes waits for the thread to see it."""
_MOST_BUFFERED_BYTES = 16_000_000
_EOF = KafkaError._PARTITION_EOF  # noqa: SLF001 - its public name
OUT_OF_RANGE = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}  # noqa: SLF001 - likewise
_log = logging.getLogger(__name__)


def received(message: Message) -> Received:
    """A record, as the contract has it."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None  # noqa: S101 - a message without an error has all of them
    assert partition is not None  # noqa: S101
    assert offset is not None  # noqa: S101
    return Received(
        stream=topic,
        partition=partition,
        offset=offset,
        lane=(message.key() or b"").decode(),
        value=message.value() or b"",
        published_ns=message.timestamp()[1] * 1_000_000,
    )


class Subscription:
    """What one reader gets of its partitions, in order, from offsets that it may change."""

    def __init__(self, reel: _Reel, begin: Mapping[PartitionId, int], bell: Bell | None) -> None:
        self._reel, self._bell = reel, bell
        self._changed = threading.Condition()
        self._waiting: deque[Received] = deque()
        self._buffered = 0
        self.is_paused = False
        self._error: BusError | None = None
        self._lost: dict[PartitionId, int] = {}
        self.is_closed = False
        self.reached = dict(begin)
        """By partition: before this offset nothing is to come, but for what waits."""
        self.read_to = dict(begin)
        """By partition: what comes next is at this offset or after it."""

    def take(self, timeout_seconds: float, max_bytes: int) -> list[Received]:
        """What waits, at most so many bytes but for one record. Raises Fenced, BusError, BusUnavailable."""
        with self._changed:
            self._changed.wait_for(self._has_news, timeout_seconds)
            self._check_open()
            error, self._error = self._error, None
            if error is not None:
                raise error
            taken: list[Received] = []
            while self._waiting and (not taken or max_bytes >= len(self._waiting[0].value)):
                record = self._waiting.popleft()
                taken.append(record)
                max_bytes -= len(record.value)
                self._buffered -= len(record.value)
                self.read_to[record.stream, record.partition] = record.offset + 1
            resumes = self.is_paused and self._buffered < _MOST_BUFFERED_BYTES // 2
            self.is_paused = self.is_paused and not resumes
        if resumes:
            self._reel.post(lambda: self._reel.pause(self, is_paused=False))
        return taken

    def _has_news(self) -> bool:
        return bool(self._waiting) or self.is_closed or self._error is not None or bool(self._lost)

    def _check_open(self) -> None:
        if self.is_closed:
            raise Fenced(f"this reader of {sorted(self.reached)} is closed; what it had in progress is dropped")

    @property
    def out_of_range(self) -> dict[PartitionId, int]:
        """The partitions that have no record at the offset that is to be read next, once all before was taken."""
        with self._changed:
            return {} if self._waiting else dict(self._lost)

    def passed_by_reader(self) -> dict[PartitionId, int]:
        """By partition: before this offset everything was taken that there is."""
        with self._changed:
            waiting = {(each.stream, each.partition) for each in self._waiting}
            return {key: self.read_to[key] if key in waiting else offset for key, offset in self.reached.items()}

    def rewind(self, positions: Mapping[PartitionId, int]) -> None:
        """Go on from these offsets; what waits of their partitions is forgotten."""
        self._reel.run(lambda: self._rewind(positions))

    def _rewind(self, positions: Mapping[PartitionId, int]) -> None:
        """In the thread that reads, so that nothing can come in between."""
        with self._changed:
            kept = [each for each in self._waiting if (each.stream, each.partition) not in positions]
            self._waiting = deque(kept)
            self._buffered = sum(len(each.value) for each in kept)
            self.reached |= positions
            self.read_to |= positions
            for key in positions:
                self._lost.pop(key, None)
        self._reel.move(positions)

    # -- told by the thread that reads ----------------------------------------------------------

    def come(self, records: Sequence[Received]) -> None:
        """Records have come."""
        with self._changed:
            self._waiting.extend(records)
            self._buffered += sum(len(record.value) for record in records)
            for record in records:
                self.reached[record.stream, record.partition] = record.offset + 1
            pauses = not self.is_paused and self._buffered > _MOST_BUFFERED_BYTES
            self.is_paused = self.is_paused or pauses
            self._changed.notify_all()
        if pauses:
            self._reel.pause(self, is_paused=True)
        self._ring()

    def reach(self, key: PartitionId, offset: int) -> None:
        """There is nothing more to come before that offset."""
        with self._changed:
            self.reached[key] = offset
            self._changed.notify_all()

    def lose(self, key: PartitionId) -> None:
        """The partition has no record at the offset that was asked for."""
        with self._changed:
            self._lost[key] = self.reached[key]
            self._changed.notify_all()
        self._ring()

    def fail(self, error: BusError) -> None:
        """It cannot be read now; whoever waits is told."""
        with self._changed:
            self._error = error
            self._changed.notify_all()
        self._ring()

    def _ring(self) -> None:
        if self._bell is not None:
            self._bell.ring()

    def ring(self) -> None:
        """Tell the reader that something may have come."""
        self._ring()

    def close(self) -> None:
        """Read no longer; who waits is woken, and a call of the bell that is in progress is waited for."""
        with self._changed:
            if self.is_closed:
                return
            self.is_closed = True
            self._changed.notify_all()
        self._reel.remove(self)
        if self._bell is not None:
            self._bell.silence()


class _Reel:
    """One consumer and its thread."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._consumer = clients.reader()
        self._owners: dict[PartitionId, Subscription] = {}
        self._jobs: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self.partitions: set[PartitionId] = set()
        """Those that are taken; changed by the feed alone."""
        self._thread = threading.Thread(target=self._read, name="c2kit-kafka-feed", daemon=True)
        self._thread.start()

    # -- asked by any thread --------------------------------------------------------------------

    def post(self, job: Callable[[], None]) -> None:
        """Have something done by the thread that reads."""
        with self._changed:
            self._jobs.append(job)
            self._changed.notify_all()

    def run(self, job: Callable[[], None]) -> None:
        """Have it done, and wait for it."""
        if threading.current_thread() is self._thread:
            job()
            return
        done: Future[None] = Future()

        def work() -> None:
            try:
                job()
            except KafkaException as error:
                done.set_exception(bus_error("what is read cannot be changed", error))
            else:
                done.set_result(None)

        self.post(work)
        while not wait([done], 1.0).done:
            if not self._thread.is_alive():
                raise BusUnavailable("the bus is closed")
        done.result()

    def add(self, subscription: Subscription) -> None:
        """Read for this one from now on."""
        begin = dict(subscription.reached)

        def work() -> None:
            self._owners.update(dict.fromkeys(begin, subscription))
            self._consumer.incremental_assign(_positions(begin))

        self.run(work)

    def remove(self, subscription: Subscription) -> None:
        """Read no longer for it."""
        keys = subscription.reached.keys()

        def work() -> None:
            for key in keys:
                self._owners.pop(key, None)
            self._consumer.incremental_unassign([TopicPartition(*key) for key in keys])
            self.partitions -= keys

        self.post(work)

    def renew(self) -> None:
        """Go on with a new client, from where each reader is."""
        self.post(self._renew)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()

    # -- in the thread --------------------------------------------------------------------------

    def move(self, positions: Mapping[PartitionId, int]) -> None:
        """Read these partitions from there."""
        self._consumer.incremental_unassign([TopicPartition(*key) for key in positions])
        self._consumer.incremental_assign(_positions(positions))

    def _renew(self) -> None:
        earlier, self._consumer = self._consumer, self._clients.reader()
        for subscription in set(self._owners.values()):
            self._consumer.incremental_assign(_positions(subscription.reached))
            self.pause(subscription, is_paused=subscription.is_paused)
        earlier.close()

    def pause(self, subscription: Subscription, *, is_paused: bool) -> None:
        """Leave the partitions of one who has enough where they are, or go on with them."""
        if not subscription.is_closed:
            partitions = [TopicPartition(*key) for key in subscription.reached]
            (self._consumer.pause if is_paused else self._consumer.resume)(partitions)

    def _read(self) -> None:
        while self._do_jobs():
            try:
                message = self._consumer.poll(_POLL_SECONDS)
                if message is not None:
                    self._sort([message, *self._consumer.consume(1000, 0)])
            except KafkaException as error:
                for subscription in set(self._owners.values()):
                    subscription.fail(bus_error("nothing can be read", error))
        self._consumer.close()

    def _do_jobs(self) -> bool:
        """Do what was asked for, once there is something to read; whether to go on."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._owners or self._is_closed)
            jobs, self._jobs = self._jobs, deque()
            is_closed = self._is_closed
        for job in jobs:
            try:
                job()
            except KafkaException:
                _log.exception("what is read cannot be changed")
        return not is_closed

    def _sort(self, messages: Iterable[Message]) -> None:
        shares: dict[Subscription, list[Received]] = {}
        for message in messages:
            topic, number = message.topic(), message.partition()
            if topic is None or number is None:
                continue  # it befell the consumer as a whole, which goes on
            subscription = self._owners.get((topic, number))
            if subscription is None:
                continue
            error = message.error()
            if error is None:
                shares.setdefault(subscription, []).append(received(message))
            else:
                if subscription in shares:
                    subscription.come(shares.pop(subscription))
                _tell(subscription, (topic, number), error, message.offset())
        for subscription, records in shares.items():
            subscription.come(records)


def _tell(subscription: Subscription, key: PartitionId, error: KafkaError, offset: int | None) -> None:
    if error.code() == _EOF and offset is not None:
        subscription.reach(key, offset)
    elif error.code() in OUT_OF_RANGE:
        subscription.lose(key)
    else:
        subscription.fail(bus_error(f"{key[0]}[{key[1]}] cannot be read", error))


def _positions(offsets: Mapping[PartitionId, int]) -> list[TopicPartition]:
    return [TopicPartition(*key, offset) for key, offset in offsets.items()]


class Feed:
    """Hands out subscriptions. Safe to share among threads."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._used = threading.Lock()
        self._reels: list[_Reel] = []
        self._is_closed = False

    def subscribe(self, begin: Mapping[PartitionId, int], bell: Bell | None = None) -> Subscription:
        """Read these partitions from these offsets on."""
        with self._used:
            if self._is_closed:
                raise BusUnavailable("the bus is closed")
            reel = next((each for each in self._reels if not each.partitions & begin.keys()), None)
            if reel is None:
                reel = _Reel(self._clients)
                self._reels.append(reel)
            reel.partitions |= begin.keys()
        subscription = Subscription(reel, begin, bell)
        reel.add(subscription)
        return subscription

    def renew(self) -> None:
        """Go on with new clients."""
        with self._used:
            for reel in self._reels:
                reel.renew()

    def close(self) -> None:
        """End all threads."""
        with self._used:
            self._is_closed = True
            reels, self._reels = self._reels, []
        for reel in reels:
            reel.close()
