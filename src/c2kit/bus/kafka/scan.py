"""Reading a topic to its end, once."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, TopicPartition

from c2kit.bus.base import BusUnavailable
from c2kit.bus.kafka.errors import bus_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka.cimpl import Message

    from c2kit.bus.kafka.admin import Admin
    from c2kit.bus.kafka.clients import Clients

__all__ = ["Scan"]

_PATIENCE_SECONDS = 60.0
_FETCH_WAIT_MS = 10


class Scan:
    """Reads partition 0 of a topic from its beginning, or from where it was the last time, to what is its end then.

    The end is that of all that was ever written: a transaction that is open there is waited for, as it may be of a
    worker whose work is taken over now. Who takes nothing over and only looks reads what ``is_committed``.
    """

    def __init__(self, clients: Clients, admin: Admin, topic: str, *, is_committed: bool = False) -> None:
        self._clients, self._admin, self._topic, self._is_committed = clients, admin, topic, is_committed
        self._read_to = 0

    def read(self) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values of what came. Raises BusUnavailable, also where a transaction stays open for too long."""
        partition = (self._topic, 0)
        end = self._admin.next_offsets([partition], is_committed=self._is_committed)[partition]
        self._read_to = max(self._read_to, self._admin.first_offsets([partition])[partition])
        if self._read_to >= end:
            return
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with closing(self._clients.reader(fetch_wait_ms=_FETCH_WAIT_MS)) as consumer:
            consumer.assign([TopicPartition(*partition, self._read_to)])
            while self._read_to < end:
                for message in consumer.consume(1000, 0) or consumer.consume(1, 0.1):
                    if (record := self._record(message)) is not None:
                        yield record
                if time.monotonic() > deadline:
                    why = "no broker answers, or a transaction is open there"
                    raise BusUnavailable(f"topic {self._topic} cannot be read to {end}: {why}")

    def _record(self, message: Message) -> tuple[bytes, bytes] | None:
        error, offset = message.error(), message.offset()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            raise bus_error(f"topic {self._topic} cannot be read", error)
        assert offset is not None  # noqa: S101 - both kinds have one
        self._read_to = offset if error else offset + 1
        return None if error else (message.key() or b"", message.value() or b"")
