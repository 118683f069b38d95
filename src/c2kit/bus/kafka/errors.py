"""What Kafka's errors mean in the words of the contract."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from c2kit.bus.base import BusError, BusUnavailable, Fenced

__all__ = ["GROUP_CHANGED", "bus_error", "error_of"]

_FENCED = {
    KafkaError._FENCED,  # noqa: SLF001 - the library's name for its own errors, as opposed to the broker's
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError._FATAL,  # noqa: SLF001 - a consumer says no more; of the classic protocol it is another's instance id
}
_NEVER = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.INVALID_TRANSACTION_TIMEOUT,
    KafkaError.UNSUPPORTED_VERSION,
    KafkaError.POLICY_VIOLATION,
    KafkaError.INVALID_REPLICATION_FACTOR,
    KafkaError.INVALID_CONFIG,
}
"""What will be no better for waiting."""
GROUP_CHANGED = {KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS}
"""What a step is answered whose worker may have lost partitions: it asks its group, and knows."""


def error_of(exception: KafkaException) -> KafkaError:
    """What an exception carries."""
    error = exception.args[0]
    assert isinstance(error, KafkaError)  # noqa: S101 - the library makes no others
    return error


def bus_error(what: str, error: KafkaError | KafkaException) -> BusError:
    """What to raise where ``what`` could not be done.

    Refused credentials and permissions are waited for, as they may be granted: but not by a client that has died of it.
    """
    if isinstance(error, KafkaException):
        error = error_of(error)
    text = f"{what}: {error.name()}, {error.str()}"
    if error.code() in _FENCED:
        return Fenced(f"{text}; another has taken this place, or the brokers took it back after a long silence")
    if error.fatal() or error.code() in _NEVER:
        return BusError(text)
    return BusUnavailable(text)
