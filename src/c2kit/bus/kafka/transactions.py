"""Steps as transactions: each becomes true as a whole, or not at all, and this knows which."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from c2kit.bus.base import Fenced, WorkerFailed
from c2kit.bus.kafka.errors import GROUP_CHANGED, GROUP_CHANGES, bus_error, error_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from confluent_kafka import Producer

    from c2kit.bus.base import PartitionId, Tally
    from c2kit.bus.kafka.clients import Clients

__all__ = ["GroupChanged", "Transactions"]

TRANSACTION_TIMEOUT_MS = 60_000
EXCLUSIVE_TRANSACTION_TIMEOUT_MS = 900_000
"""The brokers' maximum: what a singleton has begun is ended by itself or by its successor, not by a clock."""
_ENTRY_SECONDS = 30.0
_SLICE_SECONDS = 10.0
"""How long a call waits before it looks whether its worker was closed meanwhile.

It bounds the requests within it, too: with half a second it took a minute until a broker that came back was reached."""
_FULL_SECONDS = 0.5
"""How long a queue that is full is given to become less so."""
_log = logging.getLogger(__name__)


class GroupChanged(Exception):
    """Nothing was committed: the group of the worker has changed, and so may have what it owns.

    ``is_member`` tells that the group still has it, and so gave nothing to others that it did not give up itself.
    """

    def __init__(self, reason: str, *, is_member: bool) -> None:
        self.is_member = is_member
        super().__init__(reason)


class Transactions:
    """The transactions of one place in a stage. Whoever begins with its id ends those of the one before.

    Attributes:
        on_entry: called when the place was taken anew, before anything is committed: another may have had it meanwhile,
            and what it raises is raised by :meth:`commit` and :meth:`enter`.
        entries: how often the place was taken.

    Raises BusUnavailable, Fenced, WorkerFailed, BusError.
    """

    def __init__(self, clients: Clients, transactional_id: str, *, timeout_ms: int, tally: Tally) -> None:
        self._tally = tally
        self._clients, self._id, self._timeout_ms = clients, transactional_id, timeout_ms
        self._is_closed = False
        self._is_spent = False
        """Whether the producer is to be replaced before anything else is committed."""
        self.on_entry: Callable[[], None] = lambda: None
        self.entries = 0
        self._generation, self._producer = self._entered()

    def _entered(self) -> tuple[int, Producer]:
        """A producer that has taken the place, and of which generation it is."""
        generation, producer = self._clients.generation, self._clients.producer(self._id, self._timeout_ms)
        try:
            producer.init_transactions(_ENTRY_SECONDS)
        except KafkaException as exception:
            producer.poll(0)  # it says why only while it is polled
            raise bus_error(f"{self._id} cannot begin", exception) from exception
        self.entries += 1
        return generation, producer

    def enter(self) -> None:
        """Take the place anew where that is due, so that nobody else commits there until this has."""
        if self._is_spent or self._generation != self._clients.generation:
            self._enter_anew()

    def _enter_anew(self) -> None:
        """Go on with another producer; no transaction is open now."""
        self._is_spent = True  # until it is known that nobody else has had the place
        self._generation, self._producer = self._entered()
        self.on_entry()
        self._is_spent = False

    def close(self) -> None:
        """Let a call in progress, of another thread, end soon."""
        self._is_closed = True

    def commit(
        self,
        records: Iterable[tuple[str, int, bytes, bytes]],
        offsets: Mapping[PartitionId, int],
        group: Callable[[], Any],
    ) -> None:
        """Make records (topic, partition, key, value) and positions true together.

        Does not return before it is known whether they are. Raises GroupChanged.
        """
        self.enter()
        try:
            self._producer.begin_transaction()
            for record in records:
                self._produce(*record)
            if offsets:
                passed = [TopicPartition(*key, offset) for key, offset in offsets.items()]
                metadata = group()
                self._patiently(lambda: self._producer.send_offsets_to_transaction(passed, metadata, _SLICE_SECONDS))
            self._patiently(lambda: self._producer.commit_transaction(_SLICE_SECONDS))
        except KafkaException as exception:
            self._abort(error_of(exception))
        self._tally.commits += 1
        with suppress(KafkaException):  # what befalls the producer from here on is told to the next step
            self._producer.poll(0)

    def _produce(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, partition)
            except BufferError:  # the queue is full: it empties while others wait
                self._producer.poll(_FULL_SECONDS)
                self._check_open()
            else:
                return

    def _patiently(self, call: Callable[[], None]) -> None:
        """Make a call until it is answered: it goes on with what it had begun."""
        while True:
            try:
                call()
            except KafkaException as exception:
                if not error_of(exception).retriable():
                    raise
                self._producer.poll(0)  # it says why only while it is polled
                self._check_open()
            else:
                return

    def _check_open(self) -> None:
        if self._is_closed:
            raise Fenced(f"{self._id} was closed while it committed a step; its successor will find whether it did")

    def _abort(self, error: KafkaError) -> NoReturn:
        """Undo, and raise what it was.

        The producer is not used again. What it sent and has no answer to, it numbers as if it had never been sent: the
        next record of that partition would have the number of one that was taken back, and a broker that has that one
        takes the next for the same, and drops it. Another producer begins a new epoch, with numbers of its own.
        """
        if error.fatal() or not error.txn_requires_abort():
            told = bus_error(f"{self._id} cannot commit", error)
            self._tally.fencings += isinstance(told, Fenced)
            raise told if isinstance(told, Fenced) else WorkerFailed(str(told))  # of this client nothing more will come
        self._is_spent = True
        try:
            self._patiently(lambda: self._producer.abort_transaction(_SLICE_SECONDS))
        except KafkaException as exception:
            raise bus_error(f"{self._id} cannot take back what it began", exception) from exception
        self._tally.aborts += 1
        _log.info("%s took a step back: %s", self._id, error.str())
        if error.code() in GROUP_CHANGED:
            raise GroupChanged(error.str(), is_member=error.code() in GROUP_CHANGES)
        raise bus_error(f"{self._id} could not commit", error)
