"""Ctrl-C as a way to end: the first asks, the second interrupts, and afterwards all is as it was."""

import os
import signal

import pytest

from c2kit.cli.stopping import stopping


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_interrupts(number: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), stopping() as stop:  # noqa: PT012 - both are sent within
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(10)
        os.kill(os.getpid(), number)
        stop.clear()  # a place at which Python looks for signals
    assert signal.getsignal(number) is before
