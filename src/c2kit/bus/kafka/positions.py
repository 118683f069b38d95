"""Where readers begin, and what it means that there is nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from c2kit.bus.base import Position, PositionLost
from c2kit.bus.kafka.errors import NOT_PERMITTED, bus_error, error_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from confluent_kafka import Consumer

    from c2kit.bus.base import PartitionId
    from c2kit.bus.kafka.admin import Admin
    from c2kit.bus.kafka.streams import KnownStream

__all__ = ["begin_of", "checked", "committed_of", "counted_of", "lost_position", "seen_committed"]

_ANSWER_SECONDS = 30.0
_LOOK_SECONDS = 0.2
_TOLD_SECONDS = 5.0


def committed_of(consumer: Consumer, stage: str, partitions: Collection[PartitionId]) -> dict[PartitionId, int]:
    """How far a stage got, of the partitions of which it passed anything; ``consumer`` is of its group.

    Transactions that are open are waited for, if it reads what is committed: so who asks this for a stage's work must
    have ended those of the stage's last worker before. Raises BusUnavailable.
    """
    if not partitions:
        return {}
    try:
        return _committed(consumer, stage, partitions, _ANSWER_SECONDS)
    except KafkaException as error:
        raise bus_error(f"how far stage {stage} got cannot be told", error) from error


def seen_committed(consumer: Consumer, stage: str, partitions: Collection[PartitionId]) -> dict[PartitionId, int]:
    """As :func:`committed_of`, for whoever may not be permitted to know: NotPermitted is raised soon then.

    A client that is refused its group asks for it again and again, until the time is up; that it was refused it tells
    nobody but who polls it. So ``consumer`` is one that reads nothing.
    """
    deadline = time.monotonic() + _ANSWER_SECONDS
    while True:
        message = consumer.poll(0)
        error = None if message is None else message.error()
        if error is not None and error.code() in NOT_PERMITTED:
            raise bus_error(f"how far stage {stage} got cannot be told", error)
        try:
            return _committed(consumer, stage, partitions, _LOOK_SECONDS)
        except KafkaException as exception:
            is_late = error_of(exception).code() == KafkaError._TIMED_OUT  # noqa: SLF001 - its public name
            if not is_late or time.monotonic() > deadline:
                raise bus_error(f"how far stage {stage} got cannot be told", exception) from exception


def _committed(
    consumer: Consumer, stage: str, partitions: Collection[PartitionId], seconds: float
) -> dict[PartitionId, int]:
    found = consumer.committed([TopicPartition(*key) for key in partitions], seconds)
    for each in found:
        if each.error is not None:
            raise bus_error(f"how far stage {stage} got in {each.topic} cannot be told", each.error)
    return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}


def counted_of(consumer: Consumer, partitions: Collection[PartitionId]) -> dict[PartitionId, tuple[int, int]]:
    """How far a sink told to be, and how many records that are, where it told. Raises BusUnavailable."""
    try:
        found = consumer.committed([TopicPartition(*key) for key in partitions], _TOLD_SECONDS)
    except KafkaException as error:
        raise bus_error("how many records a sink has had cannot be told", error) from error
    return {
        (each.topic, each.partition): (each.offset, int(each.metadata))
        for each in found
        if each.error is None and each.offset >= 0 and each.metadata and each.metadata.isdecimal()
    }


def begin_of(
    admin: Admin, consumer: Consumer, stage: str, partitions: Collection[PartitionId]
) -> dict[PartitionId, int]:
    """Where a stage goes on: after what it passed, or, if it never ran, at the oldest record."""
    committed = committed_of(consumer, stage, partitions)
    return admin.first_offsets(set(partitions) - committed.keys()) | committed


def lost_position(admin: Admin, stream: KnownStream, key: PartitionId, offset: int) -> PositionLost:
    """Why there is no record at an offset. Records between offsets are counted as if every offset were one."""
    position = Position(key[0], stream.uuid, key[1], offset)
    first = admin.first_offsets([key])[key]
    if offset < first:
        return PositionLost(position, reason=f"the oldest record is {first}", lost_records=first - offset)
    return PositionLost(position, reason=f"the stream ends at {admin.next_offsets([key])[key]}")


def checked(admin: Admin, stream: KnownStream, positions: Collection[Position]) -> dict[PartitionId, int]:
    """The offsets of positions in a stream. Raises PositionLost for one that is not there."""
    keys = {(each.stream, each.partition): each for each in positions}
    for position in positions:
        if position.stream_uuid != stream.uuid:
            raise PositionLost(position, reason="the stream was made anew since")
    first, following = admin.first_offsets(keys), admin.next_offsets(keys, is_committed=False)
    for key, position in keys.items():
        if not first[key] <= position.offset <= following[key]:
            raise lost_position(admin, stream, key, position.offset)
    return {key: position.offset for key, position in keys.items()}
