import logging
import socket
import threading
from collections.abc import Iterator

import pytest

from c2kit.errors import UsageError
from c2kit.links.loop import READ, WRITE, SelectorLoop
from c2kit.links.resolve import Address


@pytest.fixture
def loop() -> Iterator[SelectorLoop]:
    loop = SelectorLoop()
    yield loop
    loop.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0)
        yield ours, theirs


class Reader:
    """Keeps what it reads, or breaks."""

    def __init__(self, loop: SelectorLoop, sock: socket.socket, *, breaks: bool = False) -> None:
        self.loop, self.sock, self.breaks = loop, sock, breaks
        self.data = b""
        self.errors: list[Exception] = []
        self.called = threading.Event()

    def ready(self, mask: int) -> None:
        assert mask & READ
        if self.breaks:
            raise ZeroDivisionError
        self.data += self.sock.recv(100)
        self.called.set()

    def broke(self, error: Exception) -> None:
        self.errors.append(error)
        self.loop.watch(self.sock, 0, self)
        self.called.set()


def test_it_calls_in_its_own_thread_and_in_order(loop: SelectorLoop) -> None:
    seen: list[tuple[int, bool]] = []
    for number in range(100):
        loop.call(lambda number=number: seen.append((number, loop.is_own_thread)))  # type: ignore[misc]
    assert loop.run(lambda: len(seen)) == 100
    assert seen == [(number, True) for number in range(100)]
    assert not loop.is_own_thread


def test_it_has_no_thread_before_the_first_call() -> None:
    loop = SelectorLoop()
    assert loop.thread is None
    loop.close()
    loop.close()
    with pytest.raises(UsageError, match="before it is closed"):
        loop.call(lambda: None)


def test_close_does_what_was_to_be_called() -> None:
    loop = SelectorLoop()
    seen: list[int] = []
    for number in range(100):
        loop.call(lambda number=number: seen.append(number))  # type: ignore[misc]
    loop.close()
    assert seen == list(range(100))
    assert loop.thread is not None
    assert not loop.thread.is_alive()


def test_timers_come_in_the_order_of_their_time_and_not_before() -> None:
    now = [0.0]
    loop = SelectorLoop(monotonic=lambda: now[0])
    seen: list[str] = []
    try:
        loop.run(lambda: loop.call_later(20, lambda: seen.append("late")))
        loop.run(lambda: loop.call_later(10, lambda: seen.append("soon")))
        cancelled = loop.run(lambda: loop.call_later(10, lambda: seen.append("never")))
        loop.run(cancelled.cancel)
        loop.run(lambda: None)
        assert seen == []
        now[0] = 10.0
        loop.run(lambda: None)
        loop.run(lambda: None)
        assert seen == ["soon"]
        now[0] = 20.0
        loop.run(lambda: None)
        loop.run(lambda: None)
        assert seen == ["soon", "late"]
    finally:
        loop.close()


def test_a_thousand_cancelled_timers_are_forgotten(loop: SelectorLoop) -> None:
    def fill() -> int:
        for _ in range(1000):
            loop.call_later(3600, lambda: None).cancel()
        return len(loop._timers)

    assert loop.run(fill) < 100


def test_it_tells_a_source_what_its_socket_is_ready_for(
    loop: SelectorLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    reader = Reader(loop, ours)
    loop.run(lambda: loop.watch(ours, READ, reader))
    theirs.send(b"hello")
    assert reader.called.wait(60)
    assert reader.data == b"hello"
    loop.run(lambda: loop.watch(ours, READ | WRITE, reader))
    loop.run(lambda: loop.watch(ours, 0, reader))
    loop.run(lambda: loop.watch(ours, 0, reader))


def test_a_source_that_breaks_is_told_and_the_others_go_on(
    loop: SelectorLoop, pair: tuple[socket.socket, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    ours, theirs = pair
    broken = Reader(loop, ours, breaks=True)
    with caplog.at_level(logging.CRITICAL, logger="c2kit.links.loop"):
        loop.run(lambda: loop.watch(ours, READ, broken))
        theirs.send(b"x")
        assert broken.called.wait(60)
        loop.call(lambda: 1 // 0)  # type: ignore[arg-type]
        assert loop.run(lambda: "still here") == "still here"
    assert [type(error) for error in broken.errors] == [ZeroDivisionError]


def test_names_are_looked_up_beside_the_loop(loop: SelectorLoop) -> None:
    answers: list[tuple[list[Address] | OSError, bool]] = []
    done = threading.Semaphore(0)

    def answered(found: list[Address] | OSError) -> None:
        answers.append((found, loop.is_own_thread))
        done.release()

    for host in ("127.0.0.1", "localhost", "no-such-host.invalid", "a..b"):
        loop.run(lambda host=host: loop.resolver.resolve(loop, (host, 7, socket.SOCK_STREAM), answered))  # type: ignore[misc]
        assert done.acquire(timeout=60)
    assert [own for _, own in answers] == [True] * 4
    number, name, unknown, malformed = (found for found, _ in answers)
    assert number == [(socket.AF_INET, ("127.0.0.1", 7))]
    assert isinstance(name, list)
    assert name
    assert isinstance(unknown, OSError)
    assert isinstance(malformed, OSError)
