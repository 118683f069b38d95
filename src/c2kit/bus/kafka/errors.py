"""What Kafka's errors mean in the words of the contract."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from c2kit.bus.base import BusError, BusUnavailable, Fenced, WorkerFailed

__all__ = ["GROUP_CHANGED", "GROUP_CHANGES", "NOT_PERMITTED", "NotPermitted", "bus_error", "error_of"]

_FENCED = {
    KafkaError._FENCED,  # noqa: SLF001 - the library's name for its own errors, as opposed to the broker's
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError._FATAL,  # noqa: SLF001 - a consumer says no more; of the classic protocol it is another's instance id
}
_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}
_NEVER = {
    KafkaError.INVALID_TRANSACTION_TIMEOUT,
    KafkaError.UNSUPPORTED_VERSION,
    KafkaError.POLICY_VIOLATION,
    KafkaError.INVALID_REPLICATION_FACTOR,
    KafkaError.INVALID_CONFIG,
}
"""What will be no better for waiting."""
NOT_PERMITTED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
GROUP_CHANGES = {KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS}
"""What a step is answered while its group shares partitions out anew: its worker has given up none of its own yet."""
GROUP_CHANGED = {*GROUP_CHANGES, KafkaError.UNKNOWN_MEMBER_ID}
"""What a step is answered whose worker may have lost partitions: it asks its group, and knows."""


class NotPermitted(BusUnavailable):
    """The cluster's permissions do not allow it, now: they may be granted, and so it is tried again."""


def error_of(exception: KafkaException) -> KafkaError:
    """What an exception carries."""
    error = exception.args[0]
    assert isinstance(error, KafkaError)  # noqa: S101 - the library makes no others
    return error


def bus_error(what: str, error: KafkaError | KafkaException) -> BusError:
    """What to raise where ``what`` could not be done.

    Credentials and permissions that are refused are waited for, as they may be granted.
    """
    if isinstance(error, KafkaException):
        error = error_of(error)
    text = f"{what}: {error.name()}, {error.str()}"
    if error.code() in _FENCED:
        return Fenced(f"{text}; another has taken this place, or the brokers took it back after a long silence")
    if error.code() in NOT_PERMITTED:
        return NotPermitted(f"{text}; c2kit acls tells what each stage needs")
    if error.code() in _TOO_LARGE:
        return BusError(f"{text}; a topic's max.message.bytes is too small: c2kit streams check tells which")
    if error.fatal():
        return WorkerFailed(text)
    if error.code() in _NEVER:
        return BusError(text)
    return BusUnavailable(text)
