"""Clients of a cluster, each with the settings that its use asks for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from attrs import field, frozen
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient

from c2kit.bus.naming import READER_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Clients"]

SESSION_TIMEOUT_MS = 20_000
"""How long a replica may be silent before its partitions are given to others.

Longer than it takes a broker to be replaced: else it would be fenced by itself when it comes back."""
_HEARTBEAT_MS = 500
"""So soon replicas hear that one came or went."""
_FETCH_WAIT_MS = 100
"""How long a broker holds an empty answer; so long it may take until a partition that was added is asked for."""
_LARGEST_REQUEST_BYTES = 100_000_000
"""What is too large for a topic is refused before; this must never be in the way."""
_log = logging.getLogger(__name__)


@frozen
class Clients:
    """Makes clients. ``security`` is what they need to be let in."""

    brokers: str
    security: Mapping[str, str] = field(factory=dict, repr=False)

    def admin(self) -> AdminClient:
        """One that asks about topics and groups, and makes topics."""
        return AdminClient(self._common(), logger=_log)

    def producer(self, transactional_id: str, transaction_timeout_ms: int) -> Producer:
        """One for steps. Nothing lingers: a step is complete when it is given, and is to be sent at once."""
        settings = {
            "transactional.id": transactional_id,
            "transaction.timeout.ms": transaction_timeout_ms,
            "linger.ms": 0,
            "message.max.bytes": _LARGEST_REQUEST_BYTES,
        }
        return Producer({**self._common(), **settings}, logger=_log)

    def plain_producer(self) -> Producer:
        """One for records that stand by themselves."""
        return Producer({**self._common(), "enable.idempotence": True}, logger=_log)

    def reader(self, group: str = READER_GROUP, *, fetch_wait_ms: int = _FETCH_WAIT_MS) -> Consumer:
        """One that is told what to read from where, and tells when it is at the end.

        It joins no group, and can ask how far one got.
        """
        settings = {"group.id": group, "enable.partition.eof": True, "fetch.wait.max.ms": fetch_wait_ms}
        return Consumer({**self._reading(), **settings}, logger=_log)

    def onlooker(self, group: str) -> Consumer:
        """One that asks how far a group got, as it is known now: it waits for no transaction, and reads nothing."""
        return Consumer({**self._reading(), "group.id": group, "isolation.level": "read_uncommitted"}, logger=_log)

    def member(self, group: str, instance: str) -> Consumer:
        """One that shares what it reads with the others of its group."""
        settings = {
            "group.id": group,
            "group.instance.id": instance,
            "group.protocol": "classic",
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": SESSION_TIMEOUT_MS,
            "heartbeat.interval.ms": _HEARTBEAT_MS,
            "fetch.wait.max.ms": _FETCH_WAIT_MS,
        }
        return Consumer({**self._reading(), **settings}, logger=_log)

    def _common(self) -> dict[str, str | int | float | bool]:
        return {"bootstrap.servers": self.brokers, "client.id": "c2kit", "error_cb": _told, **self.security}  # type: ignore[dict-item]

    def _reading(self) -> dict[str, str | int | float | bool]:
        return {
            **self._common(),
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "fetch.message.max.bytes": 8_000_000,
        }


def _told(error: KafkaError) -> None:
    """What befalls a client as a whole is known to whoever calls it, by what the call raises."""
    _log.debug("%s: %s", error.name(), error.str())
