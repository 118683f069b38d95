"""Who lets stages take their turns: each in one thread at a time, none forgotten, none that cannot go on in the way."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from attrs import define, field

from c2kit.bus import BusUnavailable, Fenced, WorkerFailed
from c2kit.links.backoff import Backoff
from c2kit.pipeline import driving
from c2kit.pipeline.driving import Driver, Pool, StageThread
from c2kit.pipeline.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from c2kit.pipeline.observing.ledger import LedgerRow

PATIENCE = 60.0


@define(eq=False)
class Watched:
    """Remembers what it was told."""

    told: list[tuple[str, str]] = field(factory=list)

    def ready(self, name: str) -> None:
        self.told.append((name, "ready"))

    def not_ready(self, name: str, reason: str) -> None:
        self.told.append((name, f"not ready: {reason}"))

    def failed(self, name: str, error: Exception) -> None:
        self.told.append((name, f"failed: {error}"))


class Counting(Stage):
    """Does a number of things, and sees to it that it is never in two threads."""

    def __init__(self, name: str = "stage", *, due: float | None = None) -> None:
        self._name, self._due = name, due
        self.todo = 0
        self.turns = 0
        self.errors: list[Exception] = []
        self._inside = threading.Lock()

    @property
    def name(self) -> str:
        return self._name

    def turn(self, timeout_seconds: float) -> bool:
        assert self._inside.acquire(blocking=False), "it takes two turns at once"
        try:
            self.turns += 1
            if self.errors:
                raise self.errors.pop(0)
            time.sleep(min(timeout_seconds, 0.001))
            if not self.todo:
                return False
            self.todo -= 1
            return True
        finally:
            self._inside.release()

    def due_seconds(self) -> float | None:
        return self._due

    def ledger(self) -> Sequence[LedgerRow]:
        return []

    def close(self) -> None:
        self.turns = -1


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.002)


def driver_of(stage: Stage, watched: Watched | None = None) -> Driver:
    return Driver(stage.name, lambda: stage, watched or Watched(), backoff=Backoff(0.001, 0.002))


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(3)
    yield pool
    pool.stop()
    assert pool.join(PATIENCE)


def test_each_of_many_gets_its_turns_and_none_without_news(pool: Pool) -> None:
    stages = [Counting(f"fep-{number}") for number in range(200)]
    drivers = [driver_of(stage) for stage in stages]
    for driver in drivers:
        pool.add(driver)
    wait_for(lambda: all(stage.turns for stage in stages))
    wait_for(lambda: not any(slot.is_running or slot.is_queued for slot in pool._slots.values()))
    before = [stage.turns for stage in stages]
    for number in range(0, 200, 2):
        stages[number].todo = 3
        pool.notify(drivers[number])
    wait_for(lambda: not any(stage.todo for stage in stages))
    wait_for(lambda: all(stages[number].turns == before[number] + 4 for number in range(0, 200, 2)))
    assert all(stages[number].turns == before[number] for number in range(1, 200, 2))


def test_news_that_come_during_a_turn_are_one_more(pool: Pool) -> None:
    stage = Counting()
    driver = driver_of(stage)
    pool.add(driver)
    wait_for(lambda: stage.turns)
    for _ in range(300):
        before = stage.turns
        pool.notify(driver)  # often while the turn of the last one is not over
        pool.notify(driver)
        wait_for(lambda before=before: stage.turns > before)  # type: ignore[misc]


def test_what_is_due_without_news_gets_its_turn(pool: Pool) -> None:
    stage = Counting(due=0.005)
    pool.add(driver_of(stage))
    wait_for(lambda: stage.turns > 5)
    assert len(pool._due) <= 1


def test_what_passes_is_tried_again_and_told() -> None:
    stage, watched = Counting(), Watched()
    stage.errors = [BusUnavailable("the disk is full"), BusUnavailable("the disk is full")]
    thread = StageThread(driver_of(stage, watched))
    wait_for(lambda: ("stage", "ready") in watched.told)
    thread.stop()
    assert thread.join(PATIENCE)
    assert watched.told == [("stage", "not ready: the disk is full")] * 2 + [("stage", "ready")]


@pytest.mark.parametrize("error", [Fenced("another one is there"), ValueError("a mistake")])
def test_what_does_not_pass_is_told_once_and_ends_it(error: Exception) -> None:
    stage, watched = Counting(), Watched()
    stage.errors = [error]
    thread = StageThread(driver_of(stage, watched))
    assert thread.join(PATIENCE)
    assert watched.told == [("stage", f"failed: {error}")]
    assert stage.turns == 1


@pytest.mark.parametrize("error", [Fenced("another one is there"), WorkerFailed("the client is done for")])
def test_a_stage_that_lost_its_place_is_built_anew_where_others_run_beside_it(error: Exception) -> None:
    first, second, watched = Counting(), Counting(), Watched()
    first.errors = [error]
    stages = [first, second]
    driver = Driver("stage", lambda: stages.pop(0), watched, rebuilds=True, rebuild_backoff=Backoff(0.001, 0.002))
    thread = StageThread(driver)
    wait_for(lambda: second.turns)
    wait_for(lambda: ("stage", "ready") in watched.told)
    thread.stop()
    assert thread.join(PATIENCE)
    assert first.turns == -1, "it was not closed"
    assert watched.told == [("stage", f"not ready: {error}"), ("stage", "ready")]
    assert (driver.rebuilt, driver.has_failed) == (1, False)


def test_a_place_that_others_take_again_and_again_is_taken_back_ever_more_seldom() -> None:
    stage = Counting()
    stage.errors = [Fenced("another one is there") for _ in range(6)]
    backoff = Backoff(1.0, 8.0, chance=lambda: 0.0)
    driver = Driver("stage", lambda: stage, Watched(), rebuilds=True, rebuild_backoff=backoff)
    assert [driver.turn(0.0) for _ in range(6)] == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_a_mistake_is_no_reason_to_build_anew() -> None:
    stage, watched = Counting(), Watched()
    stage.errors = [ValueError("a mistake")]
    driver = Driver("stage", lambda: stage, watched, rebuilds=True)
    assert driver.turn(0.0) is None
    assert watched.told == [("stage", "failed: a mistake")]


def test_the_end_of_one_that_lost_its_place_is_no_failure() -> None:
    stage = Counting()
    driver = driver_of(stage)
    driver.rebuilds = True
    driver.turn(0.0)
    stage.drain = lambda: (_ for _ in ()).throw(Fenced("another one is there"))  # type: ignore[method-assign]
    driver.finish()
    driver.rebuilds = False
    with pytest.raises(Fenced):
        driver.finish()


def test_a_stage_that_cannot_be_built_now_is_built_later() -> None:
    stage, watched = Counting(), Watched()
    attempts = [1, 2]

    def build() -> Stage:
        if attempts:
            attempts.pop()
            raise BusUnavailable("it is locked")
        return stage

    thread = StageThread(Driver("stage", build, watched, backoff=Backoff(0.001, 0.002)))
    wait_for(lambda: stage.turns)
    thread.stop()
    assert thread.join(PATIENCE)
    assert watched.told[-1] == ("stage", "ready")


def test_draining_ends_where_nothing_is_left_or_time_is_up() -> None:
    stage = Counting()
    driver = driver_of(stage)
    driver.turn(0.0)
    stage.todo = 5
    assert driver.drain(time.monotonic() + PATIENCE)
    assert stage.todo == 0
    assert not driver.drain(time.monotonic() + PATIENCE)
    stage.todo = 5
    assert not driver.drain(time.monotonic() - 1)
    assert stage.todo == 5


class Blocked(Counting):
    """Waits in its turn for a bus that does not take its step, until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()

    def turn(self, timeout_seconds: float) -> bool:
        self.may_go_on.wait(PATIENCE)
        return super().turn(timeout_seconds)


def test_a_step_that_is_not_committed_is_told_while_it_waits_and_forgotten_once_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(driving, "LATE_SECONDS", 0.05)
    stage, watched = Blocked(), Watched()
    driver = driver_of(stage, watched)
    driver.look("nobody turns")
    assert watched.told == []
    thread = StageThread(driver)

    def is_told() -> bool:
        driver.look("its certificate has expired")
        return bool(watched.told)

    wait_for(is_told)
    assert watched.told[0][1].startswith("not ready: a step has not been committed for")
    assert watched.told[0][1].endswith(": its certificate has expired")
    assert ("stage", "ready") not in watched.told
    stage.may_go_on.set()
    wait_for(lambda: ("stage", "ready") in watched.told)
    thread.stop()
    assert thread.join(PATIENCE)
