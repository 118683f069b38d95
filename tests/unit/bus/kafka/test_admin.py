"""What the cluster is asked once more: brokers that do not lead a partition yet, and nothing else."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, cast

import pytest
from attrs import define, frozen
from confluent_kafka import KafkaError, KafkaException

from c2kit.bus.base import BusUnavailable
from c2kit.bus.kafka.admin import Admin

if TYPE_CHECKING:
    from c2kit.bus.kafka.clients import Clients


@frozen
class Offset:
    offset: int


@define
class Answers:
    """In place of the library's client: gives these answers, one each time it is asked for offsets."""

    given: list[Offset | int]
    asked: int = 0

    def list_offsets(self, wanted: dict[Any, Any], **_: object) -> dict[Any, Future[Offset]]:
        self.asked += 1
        answer = self.given.pop(0)
        futures = {}
        for partition in wanted:
            futures[partition] = future = Future[Offset]()
            if isinstance(answer, int):
                future.set_exception(KafkaException(KafkaError(answer)))
            else:
                future.set_result(answer)
        return futures

    def poll(self, _: float) -> int:
        return 0


@define
class OnlyAdmins:
    """In place of the clients of a cluster."""

    client: Answers
    generation: int = 0

    def admin(self) -> Answers:
        return self.client


def asking(*given: Offset | int) -> tuple[Admin, Answers]:
    answers = Answers(list(given))
    return Admin(cast("Clients", OnlyAdmins(answers))), answers


def test_a_broker_that_does_not_lead_yet_is_asked_again() -> None:
    admin, answers = asking(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, Offset(7))
    assert admin.next_offsets([("t", 0)]) == {("t", 0): 7}
    assert answers.asked == 3


def test_any_other_refusal_is_told_at_once() -> None:
    admin, answers = asking(KafkaError.BROKER_NOT_AVAILABLE, Offset(7))
    with pytest.raises(BusUnavailable, match="the offsets of t"):
        admin.first_offsets([("t", 0)])
    assert answers.asked == 1
