"""Steps of commands are told once each, in their order, whatever else is on the streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2kit.bus import BusUnavailable
from c2kit.bus.memory import MemoryBus
from c2kit.bus.records import CommandStatus, Fate, pack
from c2kit.errors import UsageError
from c2kit.pipeline.commands import fates as module
from c2kit.pipeline.commands.fates import Fates
from c2kit.pipeline.composition.streams import specs_of
from tests.commanding import commanded_mission, publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c2kit.bus import Received, View

STREAMS = ["firefly.command-status.encode", "firefly.command-status.fep"]


@pytest.fixture
def bus() -> Iterator[MemoryBus]:
    """Return a bus with the streams of the mission."""
    with MemoryBus() as opened:
        opened.apply(specs_of(commanded_mission().describe()))
        yield opened


def step(command_id: str, fate: Fate, time_ns: int, stage: str = "fep") -> CommandStatus:
    return CommandStatus(id=command_id, target="FIREFLY", name="NOOP", fate=fate, stage=stage, time_ns=time_ns)


def tell(bus: MemoryBus, *steps: CommandStatus) -> None:
    for each in steps:
        publish(bus, each.stage, (f"command-status.{each.stage}", each.stage, pack(each)))


ENCODED, SENDING, SENT = step("a", Fate.ENCODED, 1, "encode"), step("a", Fate.SENDING, 2), step("a", Fate.SENT, 3)


def test_steps_come_by_their_times_and_end_with_the_end(bus: MemoryBus) -> None:
    fates = Fates(bus, STREAMS)
    fates.watch("a")
    tell(bus, SENDING, step("b", Fate.SENT, 1), SENT, ENCODED, step("a", Fate.ISSUED, 9))
    assert list(fates.follow("a", 60.0)) == [ENCODED, SENDING, SENT]


def test_each_following_tells_all_of_them(bus: MemoryBus) -> None:
    fates = Fates(bus, STREAMS)
    fates.watch("a")
    tell(bus, ENCODED)
    assert list(fates.follow("a", 0.0)) == [ENCODED]
    tell(bus, SENDING, SENT)
    assert [list(fates.follow("a", seconds)) for seconds in (0.0, 3600.0)] == [[ENCODED, SENDING, SENT]] * 2


def test_what_was_told_before_is_found_where_it_is_asked_for(bus: MemoryBus) -> None:
    tell(bus, ENCODED, SENDING)
    fates = Fates(bus, STREAMS)
    fates.watch("a")
    assert list(fates.follow("a", 0.0)) == []
    fates.watch("a", from_oldest=True)
    tell(bus, SENT)
    assert list(fates.follow("a", 60.0)) == [ENCODED, SENDING, SENT]


def test_looking_back_tells_nothing_twice_of_others(bus: MemoryBus) -> None:
    fates = Fates(bus, STREAMS)
    fates.watch("a")
    tell(bus, ENCODED)
    following = fates.follow("a", 60.0)
    assert next(following) == ENCODED
    fates.watch("b", from_oldest=True)
    tell(bus, SENDING, SENT)
    assert list(following) == [SENDING, SENT]


def test_what_is_known_otherwise_is_told_once(bus: MemoryBus) -> None:
    fates = Fates(bus, STREAMS)
    fates.watch("a")
    fates.add(ENCODED)
    tell(bus, ENCODED, SENT)
    assert list(fates.follow("a", 60.0)) == [ENCODED, SENT]


def test_records_that_tell_nothing_are_passed_over(bus: MemoryBus) -> None:
    fates = Fates(bus, STREAMS)
    fates.watch("a")
    publish(bus, "fep", ("command-status.fep", "fep", b"{}"), ("command-status.fep", "fep", pack(SENT)))
    assert list(fates.follow("a", 60.0)) == [SENT]


def test_it_waits_while_the_bus_is_away(bus: MemoryBus, monkeypatch: pytest.MonkeyPatch) -> None:
    fates = Fates(bus, STREAMS)
    fates.watch("a")
    tell(bus, SENT)
    view: View = fates._view
    receive, away = view.receive, iter([True, True, False])

    def fails_twice(timeout_seconds: float) -> Sequence[Received]:
        if next(away):
            raise BusUnavailable("away")
        return receive(timeout_seconds)

    monkeypatch.setattr(view, "receive", fails_twice)
    assert list(fates.follow("a", 60.0)) == [SENT]


def test_what_nobody_follows_is_forgotten_in_the_end(bus: MemoryBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_WATCHED", 2)
    fates = Fates(bus, STREAMS)
    for command_id in "abc":
        fates.watch(command_id)
    with pytest.raises(UsageError, match="command a was not sent from here"):
        list(fates.follow("a", 0.0))
    assert [list(fates.follow(each, 0.0)) for each in "bc"] == [[], []]
