"""Ctrl-C as the way to end what would go on for ever: it finishes its line, tells what it did, and exits with 0."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["stopping"]


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set. A second one interrupts whatever is being done. In the main thread only."""
    stop = threading.Event()

    def ask(number: int, frame: object) -> None:  # noqa: ARG001 - as signals call it
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
