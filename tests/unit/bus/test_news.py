"""The bell of a reader, whoever rings it and whatever its callback does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from c2kit.bus.news import Bell

if TYPE_CHECKING:
    import pytest


def test_a_bell_calls_each_time_until_it_is_silenced() -> None:
    calls: list[int] = []
    bell = Bell(lambda: calls.append(1))
    bell.ring()
    bell.ring()
    bell.silence()
    bell.ring()
    assert len(calls) == 2


def test_silencing_waits_for_a_call_in_progress() -> None:
    begun, go_on, over = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go_on.wait(30)
        over.set()

    bell = Bell(slow)
    was_over: list[bool] = []
    ringer = threading.Thread(target=bell.ring)

    def silence() -> None:
        bell.silence()
        was_over.append(over.is_set())

    silencer = threading.Thread(target=silence)
    ringer.start()
    assert begun.wait(30)
    silencer.start()
    silencer.join(0.1)
    assert silencer.is_alive()
    go_on.set()
    silencer.join(30)
    ringer.join(30)
    assert was_over == [True]


def test_a_callback_may_silence_its_own_bell() -> None:
    calls: list[int] = []
    bell: Bell

    def once() -> None:
        calls.append(1)
        bell.silence()

    bell = Bell(once)
    bell.ring()
    bell.ring()
    assert calls == [1]


def test_what_a_callback_raises_is_logged_and_the_next_ring_calls_again(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def broken() -> None:
        calls.append(1)
        raise RuntimeError("not mine")

    bell = Bell(broken)
    bell.ring()
    bell.ring()
    assert len(calls) == 2
    assert caplog.text.count("not mine") >= 2


def test_a_bell_of_nobody_is_silent() -> None:
    Bell(None).ring()
