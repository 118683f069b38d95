"""The same thing without c2kit: clients of confluent-kafka, with the settings that c2kit gives its own.

A hop is a producer that commits transactions: the first one takes what a socket gives, the others what a reader of the
topic before gives, whose offsets they commit as c2kit's stages do. The last topic is read by a reader of what is
committed. There is no group, no state, no look at what is carried, and nothing goes on after an error.
"""

from __future__ import annotations

import socket
import threading
import time
import uuid
from contextlib import closing, suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from benchmarks.pipeline.ground import wait_for
from benchmarks.rounds import ResultsDiffer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from confluent_kafka import Message

__all__ = ["Bare", "Reader", "Source", "Threads", "make"]

_PATIENCE_SECONDS = 60.0
_TURN_SECONDS = 0.1
_RECEIVE_BYTES = 131_072
_MOST_MESSAGES = 10_000


class Source:
    """Transactions on one topic."""

    def __init__(self, brokers: str, topic: str, compression: str = "none") -> None:
        self.topic = topic
        settings = {"transactional.id": f"{topic}.{uuid.uuid4()}", "linger.ms": 0, "compression.type": compression}
        settings["retry.backoff.ms"] = 10  # as c2kit has it
        self._producer = Producer({**_common(brokers), "message.max.bytes": 100_000_000, **settings})
        self._producer.init_transactions(_PATIENCE_SECONDS)
        self._is_begun = False

    def add(self, value: bytes, partition: int = 0) -> None:
        """Put a record into the transaction."""
        if not self._is_begun:
            self._producer.begin_transaction()
            self._is_begun = True
        while True:
            try:
                self._producer.produce(self.topic, value, partition=partition)
            except BufferError:  # it empties while others wait
                self._producer.poll(_TURN_SECONDS)
            else:
                return

    def commit(self, passed: Iterable[TopicPartition] = (), group: Any = None) -> None:  # noqa: ANN401 - the library's own
        """Make it true, and with it how far a reader got."""
        if group is not None:
            self._producer.send_offsets_to_transaction([*passed], group, _PATIENCE_SECONDS)
        self._producer.commit_transaction(_PATIENCE_SECONDS)
        self._is_begun = False


class Reader:
    """Reads what is committed to a topic from its beginning on, in a thread of its own.

    Attributes:
        seen: the values of records as they came, and when.
        size_bytes: of all of them.
    """

    def __init__(self, brokers: str, topic: str, partitions: int = 1, threads: Threads | None = None) -> None:
        self.seen: list[tuple[int, bytes]] = []
        self.size_bytes = 0
        self._consumer = _consumer(brokers, topic, partitions)
        self._threads = threads or Threads()
        self._threads.start(self._read)

    def _read(self) -> None:
        with closing(self._consumer):
            while not self._threads.is_over:
                values = [message.value() or b"" for message in _taken(self._consumer)]
                now = time.monotonic_ns()
                self.seen.extend((now, value) for value in values)
                self.size_bytes += sum(map(len, values))

    def wait(self, condition: Callable[[], bool], pause_seconds: float = 0.002) -> None:
        """Wait for what comes. Raises what ended a thread that it depends on."""

        def is_so() -> bool:
            self._threads.check()
            return condition()

        wait_for(is_so, pause_seconds)

    def take(self) -> list[tuple[int, bytes]]:
        """All that was seen, which is forgotten here. To be asked when nothing is on its way."""
        seen, self.seen = self.seen, []
        return seen

    def delays(self, count: int, size: int) -> list[float]:
        """The milliseconds that so many packets of that size took, whose last eight bytes tell when they were sent."""
        self.wait(lambda: sum(len(value) for _, value in self.seen) >= count * size)
        seen = self.take()
        if any(len(value) % size for _, value in seen) or sum(len(value) for _, value in seen) != count * size:
            raise ResultsDiffer(f"other records came than {count} packets")
        return [
            (now - int.from_bytes(value[end - 8 : end])) / 1e6
            for now, value in seen
            for end in range(size, len(value) + 1, size)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.close()


class Bare:
    """As many hops, each of which copies the partitions of one topic to those of the next.

    Attributes:
        source: commits to the first topic.
        reader: reads the last one.
    """

    def __init__(self, brokers: str, hops: int, partitions: int = 1) -> None:
        name = f"bare-{uuid.uuid4().hex}"
        topics = [f"{name}-{number}" for number in range(hops)]
        make(brokers, topics, partitions)
        self._brokers, self._first = brokers, topics[0]
        self._threads = Threads()
        self._links: list[socket.socket] = []
        self.reader = Reader(brokers, topics[-1], partitions, self._threads)
        for before, after in pairwise(topics):
            consumer, source = _consumer(brokers, before, partitions), Source(brokers, after)
            self._threads.start(lambda consumer=consumer, source=source: self._copy(consumer, source))  # type: ignore[misc]

    def source(self) -> Source:
        """One that commits to the first topic."""
        return Source(self._brokers, self._first)

    def link(self, port: int) -> None:
        """Connect there, and publish what comes to the next partition: what one call gives is one transaction."""
        link, partition, source = socket.create_connection(("127.0.0.1", port)), len(self._links), self.source()
        self._links.append(link)

        def publish() -> None:
            while data := link.recv(_RECEIVE_BYTES):
                source.add(data, partition)
                source.commit()

        self._threads.start(publish)

    def _copy(self, consumer: Consumer, source: Source) -> None:
        with closing(consumer):
            while not self._threads.is_over:
                if messages := _taken(consumer):
                    passed = {message.partition() or 0: (message.offset() or 0) + 1 for message in messages}
                    for message in messages:
                        source.add(message.value() or b"", message.partition() or 0)
                    topic = messages[0].topic() or ""
                    offsets = [TopicPartition(topic, partition, offset) for partition, offset in passed.items()]
                    source.commit(offsets, consumer.consumer_group_metadata())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for link in self._links:
            with suppress(OSError):  # the other end may be gone
                link.shutdown(socket.SHUT_RDWR)
        self._threads.close()
        for link in self._links:
            link.close()


class Threads:
    """Threads that go on until they are told that it is over."""

    def __init__(self) -> None:
        self.is_over = False
        self._threads: list[threading.Thread] = []
        self._failed: list[Exception] = []

    def start(self, work: Callable[[], None]) -> None:
        """Do it in one more."""

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for what does not come
                self._failed.append(error)

        self._threads.append(threading.Thread(target=run, daemon=True))
        self._threads[-1].start()

    def check(self) -> None:
        """Raise what ended one of them."""
        if self._failed:
            raise self._failed[0]

    def close(self) -> None:
        """Let them end, and wait for it."""
        self.is_over = True
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS)


def _common(brokers: str) -> dict[str, Any]:
    """Settings of all clients. What befalls them is raised where they are used."""
    return {"bootstrap.servers": brokers, "log_level": 0}


def make(brokers: str, topics: Iterable[str], partitions: int = 1) -> None:
    """Make topics as the cluster's defaults have them."""
    admin = AdminClient(_common(brokers))
    made = admin.create_topics([NewTopic(topic, num_partitions=partitions) for topic in topics])
    for future in made.values():
        future.result(_PATIENCE_SECONDS)


def _consumer(brokers: str, topic: str, partitions: int) -> Consumer:
    settings = {
        "group.id": topic,
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "fetch.wait.max.ms": 100,
        "fetch.message.max.bytes": 8_000_000,
    }
    consumer = Consumer({**_common(brokers), **settings})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    return consumer


def _taken(consumer: Consumer) -> list[Message]:
    """What waits, after at most a moment. ``consume`` alone would wait until it has as many as it is asked for."""
    message = consumer.poll(_TURN_SECONDS)
    messages = [] if message is None else [message, *consumer.consume(_MOST_MESSAGES, 0)]
    for each in messages:
        error = each.error()
        if error is not None:
            raise KafkaException(error)
    return messages
