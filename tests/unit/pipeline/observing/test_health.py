from __future__ import annotations

import threading

from attrs import define

from c2kit.pipeline.observing.health import Health, NotReady, Stuck


@define
class Clock:
    """Two clocks that go only when they are told to."""

    seconds: float = 1_000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> int:
        return int(self.seconds * 10**9)


def health_and_clock() -> tuple[Health, Clock]:
    clock = Clock()
    return Health(now=clock.now, monotonic=clock.monotonic), clock


class TestReady:
    def test_a_process_of_which_nothing_is_known_is_ready(self) -> None:
        assert not Health().unready

    def test_a_watched_stage_is_not_ready_until_it_says_so(self) -> None:
        health, _ = health_and_clock()
        health.watch("decom", within_seconds=5)
        assert health.unready == (NotReady("decom", "1970-01-01T00:16:40.000Z", "starting"),)
        health.ready("decom")
        assert not health.unready

    def test_since_is_when_it_began_and_the_reason_is_the_latest(self) -> None:
        health, clock = health_and_clock()
        health.not_ready("bus", "locked")
        clock.seconds += 60
        health.not_ready("bus", "disk full")
        assert health.unready == (NotReady("bus", "1970-01-01T00:16:40.000Z", "disk full"),)
        health.ready("bus")
        health.not_ready("bus", "locked")
        assert health.unready == (NotReady("bus", "1970-01-01T00:17:40.000Z", "locked"),)

    def test_all_that_are_not_ready_are_told_by_name(self) -> None:
        health, _ = health_and_clock()
        for name in ("log", "bus", "decom"):
            health.not_ready(name, "starting")
        health.forget("decom")
        assert [each.name for each in health.unready] == ["bus", "log"]

    def test_waiting_for_a_dependency_is_not_being_stuck(self) -> None:
        health, clock = health_and_clock()
        health.watch("decom", within_seconds=5)
        for _ in range(100):
            clock.seconds += 4
            health.not_ready("decom", "the bus is away")
            health.beat("decom")
        assert not health.stuck


class TestAlive:
    def test_a_stage_is_stuck_once_its_bound_is_exceeded_and_alive_when_it_beats_again(self) -> None:
        health, clock = health_and_clock()
        health.watch("decom", within_seconds=5)
        health.watch("log", within_seconds=60)
        clock.seconds += 5
        assert not health.stuck
        clock.seconds += 0.5
        assert health.stuck == (Stuck("decom", 5.5, 5),)
        health.beat("decom")
        assert not health.stuck

    def test_a_stage_that_ended_is_not_missed(self) -> None:
        health, clock = health_and_clock()
        health.watch("decom", within_seconds=5)
        health.forget("decom")
        clock.seconds += 100
        assert (health.stuck, health.unready) == ((), ())

    def test_a_last_beat_of_a_stage_that_was_forgotten_does_not_bring_it_back(self) -> None:
        health, clock = health_and_clock()
        health.watch("decom", within_seconds=5)
        health.forget("decom")
        health.beat("decom")
        clock.seconds += 100
        assert not health.stuck


def test_many_threads_leave_it_as_the_last_of_each_said() -> None:
    health = Health()

    def work(name: str) -> None:
        health.watch(name, within_seconds=1e6)
        for index in range(500):
            health.not_ready(name, str(index))
            health.beat(name)
            assert all(each.reason for each in health.unready)
            health.ready(name)
        health.not_ready(name, "last")

    threads = [threading.Thread(target=work, args=(f"stage-{index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(each.name, each.reason) for each in health.unready] == [(f"stage-{index}", "last") for index in range(4)]
    assert not health.stuck
