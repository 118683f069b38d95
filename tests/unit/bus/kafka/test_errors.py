"""What each of Kafka's errors means, and what becomes of a step that meets it: by a producer that acts as theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import define, field
from confluent_kafka import KafkaError, KafkaException

from c2kit.bus.base import BusError, BusUnavailable, Fenced, Tally, WorkerFailed
from c2kit.bus.kafka.errors import NotPermitted, bus_error
from c2kit.bus.kafka.transactions import GroupChanged, Transactions

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.bus.kafka.clients import Clients

FENCED = ["_FENCED", "_FATAL", "FENCED_INSTANCE_ID", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"]
REFUSED = [
    "TOPIC_AUTHORIZATION_FAILED",
    "GROUP_AUTHORIZATION_FAILED",
    "CLUSTER_AUTHORIZATION_FAILED",
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
]
NEVER = [
    "MSG_SIZE_TOO_LARGE",
    "RECORD_LIST_TOO_LARGE",
    "INVALID_TRANSACTION_TIMEOUT",
    "UNSUPPORTED_VERSION",
    "POLICY_VIOLATION",
    "INVALID_REPLICATION_FACTOR",
    "INVALID_CONFIG",
]
PASSES = [
    "_TIMED_OUT",
    "_TRANSPORT",
    "_ALL_BROKERS_DOWN",
    "_RESOLVE",
    "_SSL",
    "_AUTHENTICATION",
    "_WAIT_COORD",
    "_MSG_TIMED_OUT",
    "SASL_AUTHENTICATION_FAILED",
    "NOT_ENOUGH_REPLICAS",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    "LEADER_NOT_AVAILABLE",
    "NOT_LEADER_FOR_PARTITION",
    "COORDINATOR_LOAD_IN_PROGRESS",
    "COORDINATOR_NOT_AVAILABLE",
    "NOT_COORDINATOR",
    "CONCURRENT_TRANSACTIONS",
    "REQUEST_TIMED_OUT",
    "UNKNOWN_TOPIC_OR_PART",
    "KAFKA_STORAGE_ERROR",
    "UNSTABLE_OFFSET_COMMIT",
]


def error(name: str, **facts: bool) -> KafkaError:
    return KafkaError(getattr(KafkaError, name), f"told as {name}", **facts)


@pytest.mark.parametrize(
    ("names", "meaning"),
    [(FENCED, Fenced), (REFUSED, NotPermitted), (NEVER, BusError), (PASSES, BusUnavailable)],
)
def test_each_error_is_what_it_is_and_says_so(names: list[str], meaning: type[BusError]) -> None:
    for name in names:
        made = bus_error("m.copy cannot commit", error(name))
        assert type(made) is meaning, name
        assert name in str(made)
        assert str(made).startswith("m.copy cannot commit")


def test_any_error_that_is_fatal_is_the_end_of_its_client_but_no_other_place_holder() -> None:
    assert type(bus_error("it", error("UNKNOWN_PRODUCER_ID", fatal=True))) is WorkerFailed
    assert type(bus_error("it", error("_FENCED", fatal=True))) is Fenced
    assert type(bus_error("it", error("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", fatal=True))) is NotPermitted


@define
class Library:
    """A transactional producer of which calls fail as they are told to, each in turn."""

    failures: dict[str, list[KafkaError]] = field(factory=dict)
    calls: list[str] = field(factory=list)
    generation: int = 0
    tally: Tally = field(factory=Tally)

    def producer(self, *_: object) -> Library:
        return self

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.failures.get(name):
            raise KafkaException(self.failures[name].pop(0))

    def init_transactions(self, _: float) -> None:
        self._called("init")

    def begin_transaction(self) -> None:
        self._called("begin")

    def produce(self, *_: object) -> None:
        self._called("produce")

    def send_offsets_to_transaction(self, *_: object) -> None:
        self._called("offsets")

    def commit_transaction(self, _: float) -> None:
        self._called("commit")

    def abort_transaction(self, _: float) -> None:
        self._called("abort")

    def poll(self, _: float) -> None:
        pass


def step(library: Library) -> Callable[[], None]:
    clients: Clients = library  # type: ignore[assignment]
    transactions = Transactions(clients, "m.copy.0", timeout_ms=1, tally=library.tally)
    library.calls.clear()
    return lambda: transactions.commit([("m.out", 0, b"k", b"v")], {("m.in", 0): 1}, lambda: None)


@pytest.mark.parametrize("call", ["offsets", "commit"])
def test_what_can_be_tried_again_is_the_same_call_again(call: str) -> None:
    library = Library({call: [error("_TIMED_OUT", retriable=True)] * 3})
    step(library)()
    once = ["begin", "produce", "offsets", "commit"]
    assert library.calls == [name for name in once for _ in range(4 if name == call else 1)]


@pytest.mark.parametrize("call", ["produce", "offsets", "commit"])
def test_what_can_be_undone_is_undone_and_may_be_done_anew(call: str) -> None:
    library = Library(
        {
            call: [error("COORDINATOR_LOAD_IN_PROGRESS", txn_requires_abort=True)],
            "abort": [error("_TIMED_OUT", retriable=True)],
        }
    )
    commit = step(library)
    with pytest.raises(BusUnavailable):
        commit()
    assert library.calls[-2:] == ["abort", "abort"]
    assert (library.tally.commits, library.tally.aborts) == (0, 1)
    commit()
    assert library.calls[-1] == "commit"
    assert (library.tally.commits, library.tally.aborts) == (1, 1)


@pytest.mark.parametrize(("name", "is_member"), [("ILLEGAL_GENERATION", True), ("UNKNOWN_MEMBER_ID", False)])
def test_a_group_that_changed_is_told_once_the_step_is_undone(name: str, *, is_member: bool) -> None:
    library = Library({"offsets": [error(name, txn_requires_abort=True)]})
    with pytest.raises(GroupChanged) as caught:
        step(library)()
    assert library.calls[-1] == "abort"
    assert caught.value.is_member is is_member


@pytest.mark.parametrize(
    ("failure", "meaning"),
    [
        (error("_FENCED", fatal=True), Fenced),
        (error("INVALID_PRODUCER_EPOCH", fatal=True), Fenced),
        (error("OUT_OF_ORDER_SEQUENCE_NUMBER", fatal=True), WorkerFailed),
        (error("_STATE"), WorkerFailed),
    ],
)
@pytest.mark.parametrize("call", ["begin", "produce", "offsets", "commit"])
def test_after_what_cannot_be_undone_nothing_more_is_asked_of_the_client(
    call: str, failure: KafkaError, meaning: type[BusError]
) -> None:
    library = Library({call: [failure]})
    with pytest.raises(BusError) as caught:
        step(library)()
    assert type(caught.value) is meaning
    assert library.calls[-1] == call
    assert library.tally.fencings == (meaning is Fenced)


def test_what_ends_while_it_is_undone_is_the_end_of_the_client() -> None:
    library = Library(
        {"commit": [error("REQUEST_TIMED_OUT", txn_requires_abort=True)], "abort": [error("_FENCED", fatal=True)]}
    )
    with pytest.raises(Fenced):
        step(library)()


def test_a_place_that_may_not_be_taken_yet_is_waited_for() -> None:
    library = Library({"init": [error("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", fatal=True)]})
    with pytest.raises(NotPermitted):
        step(library)


def test_with_another_secret_the_place_is_entered_anew_before_the_next_step() -> None:
    library = Library()
    commit = step(library)
    library.generation += 1
    commit()
    commit()
    assert library.calls.count("init") == 1
    assert library.calls[0] == "init"
