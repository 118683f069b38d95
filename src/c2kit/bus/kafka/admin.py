"""Questions to a cluster, and what can be made there, in the words of the contract.

Nothing here is about groups: what an admin client is asked of a group's coordinator can end the process where that has
just moved or is gone (librdkafka #4605, #5040). Consumers ask and tell how far a group got.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from attrs import frozen
from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # it is public, and not in its `__all__`
from confluent_kafka.cimpl import NewTopic

from c2kit.bus.base import BusUnavailable
from c2kit.bus.kafka.errors import bus_error, error_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from confluent_kafka.admin import AdminClient

    from c2kit.bus.base import BusError, PartitionId
    from c2kit.bus.kafka.clients import Clients
    from c2kit.bus.topic import Topic

__all__ = ["Admin", "Standing"]

_ANSWER_SECONDS = 15.0
_STABLE_SECONDS = 30.0
_STABLE_LOOK_SECONDS = 0.01
_ELECTION_SECONDS = 5.0
_ELECTION_LOOK_SECONDS = 0.2
_ELECTING = {
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_LEADER_EPOCH,
}
"""What a broker answers that leads a partition no longer, not yet or, unlike the client knows, again."""


@frozen
class Standing:
    """What of a topic its readers need to know."""

    uuid: str
    partitions: int


class Admin:
    """Asks the cluster. Everything raises BusUnavailable while it does not answer; safe to share among threads."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._used = threading.Lock()
        self._generation = clients.generation
        self._current = clients.admin()
        self._earlier: AdminClient | None = None
        """Kept, since the library fails the answers that somebody may still be waiting for when their client goes."""

    @property
    def _client(self) -> AdminClient:
        with self._used:
            if self._generation != self._clients.generation:
                self._generation = self._clients.generation
                self._earlier, self._current = self._current, self._clients.admin()
            return self._current

    def _replace(self) -> None:
        """Go on with another client."""
        with self._used:
            self._earlier, self._current = self._current, self._clients.admin()

    def names(self) -> tuple[set[str], int]:
        """The topics that this identity may see, and how many brokers there are."""
        try:
            found = self._client.list_topics(timeout=_ANSWER_SECONDS)
        except KafkaException as error:
            raise self._failed("the cluster cannot be asked for its topics", error) from error
        return set(found.topics), len(found.brokers)

    def topics(self, names: Collection[str]) -> dict[str, Standing]:
        """Those of these that there are, and that have a leader everywhere."""
        if not names:
            return {}
        futures = self._client.describe_topics(TopicCollection(sorted(names)), request_timeout=_ANSWER_SECONDS)
        found = {}
        for name, future in futures.items():
            try:
                described: Any = future.result(2 * _ANSWER_SECONDS)
            except KafkaException as error:
                if error_of(error).code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    continue
                raise self._failed(f"topic {name} cannot be described", error) from error
            found[name] = Standing(str(described.topic_id), len(described.partitions))
        return found

    def create(self, topics: Collection[Topic]) -> None:
        """Make topics, and wait until they can be used. One that is there already stays as it is."""
        if not topics:
            return
        futures = self._client.create_topics([_new(topic) for topic in topics], request_timeout=_ANSWER_SECONDS)
        for name, future in futures.items():
            try:
                future.result(2 * _ANSWER_SECONDS)
            except KafkaException as error:
                if error_of(error).code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise self._failed(f"topic {name} cannot be created", error) from error
        deadline = time.monotonic() + _STABLE_SECONDS
        while self.topics(futures).keys() != futures.keys():
            if time.monotonic() > deadline:
                raise BusUnavailable(f"topics {sorted(futures)} were created, and the brokers do not know them yet")
            time.sleep(_STABLE_LOOK_SECONDS)

    def first_offsets(self, partitions: Iterable[PartitionId]) -> dict[PartitionId, int]:
        """The oldest offsets that are retained."""
        return self._offsets(
            partitions,
            OffsetSpec.earliest(),  # type: ignore[no-untyped-call]
            is_committed=True,
        )

    def next_offsets(self, partitions: Iterable[PartitionId], *, is_committed: bool = True) -> dict[PartitionId, int]:
        """The offsets after all that can be read or, not ``is_committed``, after all that was ever written."""
        return self._offsets(
            partitions,
            OffsetSpec.latest(),  # type: ignore[no-untyped-call]
            is_committed=is_committed,
        )

    def newest_ns(self, partitions: Iterable[PartitionId]) -> dict[PartitionId, int]:
        """When the newest records were published, of the partitions that have any."""
        newest = self._asked(partitions, OffsetSpec.max_timestamp(), is_committed=True)  # type: ignore[no-untyped-call]
        return {key: each.timestamp * 1_000_000 for key, each in newest.items() if each.timestamp >= 0}

    def _offsets(
        self, partitions: Iterable[PartitionId], which: OffsetSpec, *, is_committed: bool
    ) -> dict[PartitionId, int]:
        return {key: each.offset for key, each in self._asked(partitions, which, is_committed=is_committed).items()}

    def _asked(
        self, partitions: Iterable[PartitionId], which: OffsetSpec, *, is_committed: bool
    ) -> dict[PartitionId, Any]:
        wanted = {TopicPartition(*key): which for key in partitions}
        if not wanted:
            return {}
        level = IsolationLevel.READ_COMMITTED if is_committed else IsolationLevel.READ_UNCOMMITTED
        deadline = time.monotonic() + _ELECTION_SECONDS
        while True:
            futures = self._client.list_offsets(wanted, isolation_level=level, request_timeout=_ANSWER_SECONDS)
            try:
                return {
                    (each.topic, each.partition): future.result(2 * _ANSWER_SECONDS) for each, future in futures.items()
                }
            except KafkaException as error:
                if error_of(error).code() not in _ELECTING or time.monotonic() > deadline:
                    names = sorted({each.topic for each in wanted})
                    raise self._failed(f"the offsets of {', '.join(names)}", error) from error
            time.sleep(_ELECTION_LOOK_SECONDS)
            self._replace()  # what a client has once learnt of a leader it asks by for ever

    def _failed(self, what: str, error: KafkaException) -> BusError:
        """What to raise, once the client has said why: it tells that only while it is polled."""
        self._client.poll(0)
        return bus_error(what, error)


def _new(topic: Topic) -> NewTopic:
    return NewTopic(topic.name, topic.partitions, topic.replication_factor, config=dict(topic.settings))
