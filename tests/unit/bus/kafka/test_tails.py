"""Counting what waits costs little, and says what it could not count: by a consumer that acts as theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field
from confluent_kafka import KafkaError, TopicPartition

from c2kit.bus.kafka.tails import MOST_OFFSETS, Count, Tails

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY, OTHER = ("m.in", 0), ("m.in", 1)


@define
class Message:
    """A record, or what a consumer is told instead of one."""

    key: tuple[str, int]
    at: int
    size: int = 1
    code: int | None = None

    def error(self) -> KafkaError | None:
        return None if self.code is None else KafkaError(self.code)

    def topic(self) -> str:
        return self.key[0]

    def partition(self) -> int:
        return self.key[1]

    def offset(self) -> int:
        return self.at

    def value(self) -> bytes:
        return bytes(self.size)


@define
class Cluster:
    """Partitions by the offsets of their records, each up to its end; it is its own consumer."""

    records: dict[tuple[str, int], list[int]]
    ends: dict[tuple[str, int], int]
    refused: set[tuple[str, int]] = field(factory=set)
    read: list[dict[tuple[str, int], int]] = field(factory=list)
    """From where it was read, each time."""
    _waiting: list[Message] = field(factory=list)

    def reader(self, *, fetch_wait_ms: int) -> Cluster:
        assert fetch_wait_ms
        return self

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        begins = {(each.topic, each.partition): each.offset for each in partitions}
        self.read.append(begins)
        for key, begin in begins.items():
            if key in self.refused:
                self._waiting.append(Message(key, begin, code=KafkaError.TOPIC_AUTHORIZATION_FAILED))
                continue
            self._waiting += [Message(key, offset) for offset in self.records[key] if offset >= begin]
            self._waiting.append(Message(key, self.ends[key], code=KafkaError._PARTITION_EOF))

    def consume(self, most: int, _: float) -> list[Message]:
        given, self._waiting = self._waiting[:most], self._waiting[most:]
        return given

    def close(self) -> None:
        self._waiting.clear()


def counted(tails: Tails, *ranges: tuple[str, tuple[str, int], int, int]) -> list[Count]:
    given = {(who, key): (begin, end) for who, key, begin, end in ranges}
    found = tails.counted(given)
    return [found[who] for who in given]


def test_what_is_between_records_is_not_counted_and_what_was_read_is_not_read_again() -> None:
    cluster = Cluster({KEY: [0, 2, 3, 7]}, {KEY: 9})
    tails = Tails(cluster)  # type: ignore[arg-type]
    assert counted(tails, ("a", KEY, 0, 9), ("b", KEY, 3, 9), ("c", KEY, 9, 9)) == [Count(4), Count(2), Count(0)]
    assert counted(tails, ("b", KEY, 3, 9)) == [Count(2)]
    assert cluster.read == [{KEY: 0}]
    cluster.records[KEY] += [9, 11]
    cluster.ends[KEY] = 13
    assert counted(tails, ("b", KEY, 4, 13)) == [Count(3)]
    assert cluster.read[1:] == [{KEY: 9}]
    assert counted(tails, ("a", KEY, 0, 13)) == [Count(6)], "what was forgotten is read again"


def test_too_much_is_not_read_and_holds_up_no_other() -> None:
    cluster = Cluster({KEY: [0], OTHER: [5]}, {KEY: MOST_OFFSETS + 1, OTHER: 7})
    tails = Tails(cluster)  # type: ignore[arg-type]
    found = counted(tails, ("a", KEY, 0, MOST_OFFSETS + 1), ("a", OTHER, 0, 7))
    assert found == [Count(MOST_OFFSETS + 1, is_most=True), Count(1)]
    assert cluster.read == [{OTHER: 0}]


def test_what_cannot_be_read_is_told_as_at_most_what_is_between_the_offsets() -> None:
    cluster = Cluster({KEY: [0], OTHER: [5]}, {KEY: 4, OTHER: 7}, refused={KEY})
    tails = Tails(cluster)  # type: ignore[arg-type]
    assert counted(tails, ("a", KEY, 0, 4), ("a", OTHER, 0, 7)) == [Count(4, is_most=True), Count(1)]
    cluster.refused.clear()
    assert counted(tails, ("a", KEY, 0, 4)) == [Count(1)]


def test_one_who_is_past_the_end_that_is_known_waits_for_nothing() -> None:
    tails = Tails(Cluster({}, {}))  # type: ignore[arg-type]
    assert counted(tails, ("a", KEY, 9, 7)) == [Count(0)]
