"""How far a sink got reaches the cluster in the end, and holds the sink up never: by a consumer that acts as theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from c2kit.bus.kafka.hints import Hints

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEY, OTHER = ("m.in", 0), ("m.in", 1)


@define
class Group:
    """A cluster's group, and the client that tells it something. What was told is answered when it is polled."""

    answers: list[KafkaError | None] = field(factory=list)
    """Of the next tellings; while there is none, none is given."""
    told: list[dict[tuple[str, int], int]] = field(factory=list)
    raises: KafkaException | None = None
    on_commit: Callable[[KafkaError | None, list[TopicPartition]], None] | None = None
    is_closed: bool = False
    generation: int = 0

    def teller(self, _: str, on_commit: Callable[[KafkaError | None, list[TopicPartition]], None]) -> Group:
        self.on_commit = on_commit
        return self

    def commit(self, *, offsets: Sequence[TopicPartition], asynchronous: bool) -> None:
        assert asynchronous
        if self.raises is not None:
            error, self.raises = self.raises, None
            raise error
        self.told.append({(each.topic, each.partition): each.offset for each in offsets})

    def poll(self, _: float) -> None:
        if self.answers:
            assert self.on_commit is not None
            self.on_commit(self.answers.pop(0), [])

    def close(self) -> None:
        self.is_closed = True


AWAY = KafkaError(KafkaError._WAIT_COORD)


def test_nothing_waits_for_an_answer_and_what_came_meanwhile_is_told_after_it() -> None:
    group = Group()
    hints = Hints(group, "m.log")  # type: ignore[arg-type]
    for offset in (1, 2, 3):
        hints.tell({KEY: offset}, {})
    assert group.told == [{KEY: 1}]
    group.answers.append(None)
    hints.go_on()
    assert group.told == [{KEY: 1}, {KEY: 3}]


def test_what_was_not_taken_is_told_again_but_for_what_is_newer() -> None:
    group = Group()
    hints = Hints(group, "m.log")  # type: ignore[arg-type]
    hints.tell({KEY: 1, OTHER: 5}, {})
    hints.tell({KEY: 2}, {})
    group.answers.append(AWAY)
    hints.go_on()
    assert group.told[-1] == {KEY: 2, OTHER: 5}


def test_what_the_client_does_not_even_send_is_told_again() -> None:
    group = Group(raises=KafkaException(AWAY))
    hints = Hints(group, "m.log")  # type: ignore[arg-type]
    hints.tell({KEY: 1}, {})
    assert group.told == []
    hints.go_on()
    assert group.told == [{KEY: 1}]


def test_the_last_is_told_before_the_end() -> None:
    group = Group()
    hints = Hints(group, "m.log")  # type: ignore[arg-type]
    hints.tell({KEY: 1}, {})
    hints.tell({KEY: 2}, {})
    group.answers += [None, None]
    hints.close()
    assert group.told == [{KEY: 1}, {KEY: 2}]
    assert group.is_closed


def test_who_told_nothing_needs_no_client() -> None:
    group = Group()
    Hints(group, "m.log").close()  # type: ignore[arg-type]
    assert not group.is_closed


def test_what_a_client_with_an_old_secret_did_not_answer_is_told_by_a_new_one() -> None:
    group = Group()
    hints = Hints(group, "m.log")  # type: ignore[arg-type]
    hints.tell({KEY: 1}, {})
    group.generation += 1
    hints.tell({OTHER: 5}, {})
    assert group.is_closed
    assert group.told == [{KEY: 1}, {KEY: 1, OTHER: 5}]
