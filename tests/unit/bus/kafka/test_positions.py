"""How far others got is known, or refused at once: by a consumer that acts as the library's does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import define, field
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from c2kit.bus.base import BusUnavailable
from c2kit.bus.kafka.errors import NotPermitted
from c2kit.bus.kafka.positions import seen_committed

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS = [("m.in", 0), ("m.in", 1)]


@define
class Told:
    """What a poll gives that is no record."""

    code: int

    def error(self) -> KafkaError:
        return KafkaError(self.code, "told")


@define
class Asked:
    """A consumer whose group is found after some attempts, or never."""

    attempts: int
    told: int | None = None
    error: int = KafkaError._TIMED_OUT
    slices: list[float] = field(factory=list)

    def poll(self, _: float) -> Told | None:
        return Told(self.told) if self.told is not None and self.slices else None

    def committed(self, partitions: Sequence[TopicPartition], seconds: float) -> list[TopicPartition]:
        self.slices.append(seconds)
        if len(self.slices) < self.attempts:
            raise KafkaException(KafkaError(self.error, "no answer"))
        return [TopicPartition(each.topic, each.partition, -1001 if each.partition else 7) for each in partitions]


def test_what_was_passed_is_told_once_the_group_is_found() -> None:
    asked = Asked(attempts=3)
    assert seen_committed(asked, "m.copy", KEYS) == {("m.in", 0): 7}  # type: ignore[arg-type]
    assert len(asked.slices) == 3


def test_what_is_refused_is_told_without_waiting_on() -> None:
    asked = Asked(attempts=1000, told=KafkaError.GROUP_AUTHORIZATION_FAILED)
    with pytest.raises(NotPermitted, match=r"how far stage m\.copy got"):
        seen_committed(asked, "m.copy", KEYS)  # type: ignore[arg-type]
    assert sum(asked.slices) < 1


def test_another_error_of_the_client_is_no_refusal() -> None:
    asked = Asked(attempts=3, told=KafkaError._ALL_BROKERS_DOWN)
    assert seen_committed(asked, "m.copy", KEYS) == {("m.in", 0): 7}  # type: ignore[arg-type]


def test_what_fails_otherwise_is_told() -> None:
    asked = Asked(attempts=2, error=KafkaError._TRANSPORT)
    with pytest.raises(BusUnavailable, match="no answer"):
        seen_committed(asked, "m.copy", KEYS)  # type: ignore[arg-type]
