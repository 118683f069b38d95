"""Clients of a cluster, each with the settings that its use asks for."""

from __future__ import annotations

import functools
import logging
import math
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from attrs import define, field
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from c2kit.bus.base import BusUnavailable
from c2kit.bus.kafka.errors import bus_error, error_of
from c2kit.bus.naming import READER_GROUP
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from confluent_kafka import TopicPartition

    from c2kit.bus.kafka.security import Secrets

__all__ = ["Clients", "explained"]

SESSION_TIMEOUT_MS = 20_000
"""How long a replica may be silent before its partitions are given to others.

Longer than it takes a broker to be replaced: else it would be fenced by itself when it comes back."""
_HEARTBEAT_MS = 500
"""So soon replicas hear that one came or went."""
_RECONNECT_MS = 1_000
"""How long after a broker is there again it may be left alone."""
_TELLING_MS = 5_000
"""How long what is told waits for a group's coordinator before it is given up, and told anew."""
_FETCH_WAIT_MS = 100
"""How long a broker holds an empty answer; so long it may take until a partition that was added is asked for."""
_IDLE_MS = 5_000
_REFRESH_MS = 20_000
"""After so long a producer closes a connection that it does not use; and so often it asks who leads what.

A step whose group's coordinator is gone for good waits for the client to note a change of any connection, whatever its
time limit is (librdkafka #5456, #5511). So there has to be one again and again, which these two see to."""
_RETRY_MS = 10
"""How soon a producer asks again what a broker was not ready for, at first; the delay doubles up to a second.

A broker writes the end of a transaction after it has answered: the next one, which begins at once, is told to wait
(CONCURRENT_TRANSACTIONS), and the library's own 100 ms would be what a step takes."""
_LARGEST_REQUEST_BYTES = 100_000_000
"""What is too large for a topic is refused before; this must never be in the way."""
_CAUSE_SECONDS = 60.0
"""What was told so long ago explains nothing any more."""
_CAUSES = {
    KafkaError._SSL,  # noqa: SLF001 - the library's name for its own errors, as opposed to the brokers'
    KafkaError._AUTHENTICATION,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError.SASL_AUTHENTICATION_FAILED,
}
_log = logging.getLogger(__name__)
_READING: Mapping[str, Any] = {
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "auto.offset.reset": "error",
    "fetch.message.max.bytes": 8_000_000,
}
Given = ParamSpec("Given")
Gives = TypeVar("Gives")
Client = TypeVar("Client", AdminClient, Consumer, Producer)


@define(eq=False)
class Clients:
    """Makes clients. ``security`` is what they need to be let in; without it nothing is encrypted.

    Every method raises UsageError for files of a secret of which no client can be made.
    """

    brokers: str
    security: Secrets | None = None
    generation: int = 0
    """How often the secret was exchanged: clients of an earlier one are to be replaced."""
    errors: Counter[str] = field(factory=Counter, init=False)
    """What befell clients as a whole, by the names of the errors."""
    _cause: tuple[float, str] = field(default=(-math.inf, ""), init=False)
    """When a client was last refused by a broker, or could not reach one, and why."""

    def renew(self, security: Secrets) -> None:
        """Make clients with this secret from now on."""
        self.security = security
        self.generation += 1

    def trial(self, security: Secrets) -> AdminClient:
        """One that shows whether the brokers accept another secret."""
        return Clients(self.brokers, security).admin()

    def admin(self) -> AdminClient:
        """One that asks about topics and groups, and makes topics."""
        return self._made(AdminClient, {})

    def producer(self, transactional_id: str, transaction_timeout_ms: int) -> Producer:
        """One for steps. Nothing lingers: a step is complete when it is given, and is to be sent at once."""
        settings = {
            "transactional.id": transactional_id,
            "transaction.timeout.ms": transaction_timeout_ms,
            "linger.ms": 0,
            "retry.backoff.ms": _RETRY_MS,
            "connections.max.idle.ms": _IDLE_MS,
            "topic.metadata.refresh.interval.ms": _REFRESH_MS,
            "message.max.bytes": _LARGEST_REQUEST_BYTES,
        }
        return self._made(Producer, settings)

    def plain_producer(self) -> Producer:
        """One for records that stand by themselves."""
        return self._made(Producer, {"enable.idempotence": True})

    def reader(self, group: str = READER_GROUP, *, fetch_wait_ms: int = _FETCH_WAIT_MS) -> Consumer:
        """One that is told what to read from where, and tells when it is at the end.

        It joins no group, and can ask how far one got.
        """
        settings = {"group.id": group, "enable.partition.eof": True, "fetch.wait.max.ms": fetch_wait_ms}
        return self._made(Consumer, {**_READING, **settings})

    def onlooker(self, group: str) -> Consumer:
        """One that asks how far a group got, as it is known now: it waits for no transaction, and reads nothing."""
        return self._made(Consumer, {**_READING, "group.id": group, "isolation.level": "read_uncommitted"})

    def teller(self, group: str, on_commit: Callable[[KafkaError | None, list[TopicPartition]], None]) -> Consumer:
        """One that tells how far a group got that has no members, and hears in its polls what became of that."""
        settings = {"group.id": group, "session.timeout.ms": _TELLING_MS, "socket.timeout.ms": 2 * _TELLING_MS}
        return self._made(Consumer, {**_READING, **settings, "on_commit": on_commit})

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
        return self._made(Consumer, {**_READING, **settings})

    def _made(self, kind: Callable[..., Client], settings: Mapping[str, Any]) -> Client:
        common = {
            "bootstrap.servers": self.brokers,
            "client.id": "c2kit",
            "reconnect.backoff.max.ms": _RECONNECT_MS,
            "error_cb": self._told,
        }
        secret = {} if self.security is None else self.security.client_settings()
        try:
            return kind({**common, **secret, **settings}, logger=_log)
        except KafkaException as exception:
            error = error_of(exception)
            if self.security is not None and error.code() == KafkaError._INVALID_ARG:  # noqa: SLF001 - its public name
                what = f"the files in {self.security.directory} let no client be made"
                raise UsageError(what, found=error.str()) from exception
            raise bus_error("no client of the cluster can be made", error) from exception

    def _told(self, error: KafkaError) -> None:
        """Note what befell a client as a whole: the calls that fail by it say no more than that they took too long."""
        self.errors[error.name()] += 1
        if error.code() in _CAUSES:
            self._cause = (time.monotonic(), error.str())
        _log.debug("%s: %s", error.name(), error.str())

    @property
    def cause(self) -> str:
        """Why brokers are not reached, as far as clients were told lately; empty where they were told nothing."""
        told_at, cause = self._cause
        if time.monotonic() - told_at > _CAUSE_SECONDS:
            return ""
        expired = None if self.security is None else self.security.expired
        return cause if expired is None else f"the client's certificate has expired at {expired.isoformat()}; {cause}"

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Say with what fails because no broker answers why that is, as far as clients were told."""
        try:
            yield
        except BusUnavailable as error:
            cause = self.cause
            if not cause or cause in str(error):
                raise
            raise type(error)(f"{error}; clients are told: {cause}") from error


def explained(method: Callable[Concatenate[Any, Given], Gives]) -> Callable[Concatenate[Any, Given], Gives]:
    """A method of who shares clients, as ``_shared.clients``: what fails in it says why."""

    @functools.wraps(method)
    def call(user: Any, /, *given: Given.args, **named: Given.kwargs) -> Gives:  # noqa: ANN401 - whose method it is
        with user._shared.clients.explaining():  # noqa: SLF001 - as said
            return method(user, *given, **named)

    return call
