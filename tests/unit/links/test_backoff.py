from c2kit.links.backoff import Backoff


def test_delays_double_up_to_the_longest() -> None:
    backoff = Backoff(0.5, 3.0, chance=lambda: 0.0)
    assert [backoff.failed() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_chance_shortens_a_delay_by_up_to_a_half() -> None:
    assert Backoff(4.0, 8.0, chance=lambda: 1.0).failed() == 2.0
    delays = {Backoff(4.0, 8.0).failed() for _ in range(20)}
    assert len(delays) > 1
    assert all(2.0 <= delay <= 4.0 for delay in delays)


def test_a_connection_that_lasted_lets_the_delays_begin_anew() -> None:
    backoff = Backoff(1.0, 8.0, chance=lambda: 0.0)
    assert [backoff.failed() for _ in range(3)] == [1.0, 2.0, 4.0]
    assert backoff.lost(lasted_seconds=4.0) == 1.0


def test_a_server_that_hangs_up_at_once_is_asked_less_and_less() -> None:
    backoff = Backoff(1.0, 8.0, chance=lambda: 0.0)
    backoff.failed()
    assert [backoff.lost(lasted_seconds=0.1) for _ in range(4)] == [2.0, 4.0, 8.0, 8.0]
