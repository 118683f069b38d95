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
    made: int = 0

    def admin(self) -> Answers:
        self.made += 1
        return self.client


def asking(*given: Offset | int) -> tuple[Admin, OnlyAdmins]:
    clients = OnlyAdmins(Answers(list(given)))
    return Admin(cast("Clients", clients)), clients


def test_a_broker_that_does_not_lead_is_asked_again_by_a_client_that_knows_nothing_yet() -> None:
    admin, clients = asking(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.FENCED_LEADER_EPOCH, Offset(7))
    assert admin.next_offsets([("t", 0)]) == {("t", 0): 7}
    assert (clients.client.asked, clients.made) == (3, 3)


def test_any_other_refusal_is_told_at_once() -> None:
    admin, clients = asking(KafkaError.BROKER_NOT_AVAILABLE, Offset(7))
    with pytest.raises(BusUnavailable, match="the offsets of t"):
        admin.first_offsets([("t", 0)])
    assert (clients.client.asked, clients.made) == (1, 1)
