"""How far a sink got, told to the cluster for those who look at it: the sink itself goes by its own data.

A consumer of the sink's group tells it, which is in no group. An admin client would do it too, and can end the process
where the group's coordinator is gone (librdkafka #4605, #5040); a consumer that waits for the answer waits for ever
where a broker hangs. So nothing waits here: what was not taken is told again.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, TopicPartition

from c2kit.bus.kafka.errors import error_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import Consumer, KafkaError

    from c2kit.bus.base import PartitionId
    from c2kit.bus.kafka.clients import Clients

__all__ = ["Hints"]

_LAST_SECONDS = 2.0
"""How long the end of a sink waits for the last answer."""
_SLICE_SECONDS = 0.02
_log = logging.getLogger(__name__)


class Hints:
    """Tells how far a group without members got. For one thread, which comes by now and then."""

    def __init__(self, clients: Clients, group: str) -> None:
        self._clients, self._group, self._generation = clients, group, clients.generation
        self._untold: dict[PartitionId, TopicPartition] = {}
        self._asked: dict[PartitionId, TopicPartition] = {}
        """What is on its way."""
        self._consumer: Consumer | None = None

    def tell(self, offsets: Mapping[PartitionId, int], counts: Mapping[PartitionId, int]) -> None:
        """Let the group have passed these, soon, which are so many records where that is known."""
        for key, offset in offsets.items():
            self._untold[key] = TopicPartition(*key, offset, str(counts.get(key, "")))
        self.go_on()

    def go_on(self) -> None:
        """Hear what became of what was told, and tell what is new or was not taken."""
        if self._generation != self._clients.generation:
            self._renew()
        if self._consumer is not None:
            self._hear(self._consumer, 0.0)
        if self._asked or not self._untold:
            return
        self._consumer = self._consumer or self._clients.teller(self._group, self._answered)
        self._asked, self._untold = self._untold, {}
        try:
            self._consumer.commit(offsets=list(self._asked.values()), asynchronous=True)
        except KafkaException as exception:
            self._answered(error_of(exception), [])

    def _renew(self) -> None:
        """Tell anew by a new client what the old one was told and did not answer."""
        self._generation = self._clients.generation
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
        self._asked, self._untold = {}, self._asked | self._untold

    def _hear(self, consumer: Consumer, seconds: float) -> None:
        message = consumer.poll(seconds)
        error = None if message is None else message.error()
        if error is not None:
            _log.debug("the group of %s: %s", self._group, error.str())

    def _answered(self, error: KafkaError | None, _: list[TopicPartition]) -> None:
        """Called while the consumer is polled."""
        asked, self._asked = self._asked, {}
        if error is not None:
            _log.info("how far %s got could not be told to the cluster: %s; telling it again", self._group, error.str())
            self._untold = asked | self._untold

    def close(self) -> None:
        """Wait a little for the last answer, and tell nothing more."""
        if self._consumer is None:
            return
        deadline = time.monotonic() + _LAST_SECONDS
        while self._asked and time.monotonic() < deadline:
            self._hear(self._consumer, _SLICE_SECONDS)
            self.go_on()
        self._consumer.close()
        self._consumer = None
