"""Bells of replicas: a group gives and takes partitions only while it is asked, so that they are rung now and then."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from c2kit.bus.news import Bell

__all__ = ["Pulse"]

_SECONDS = 0.05


class Pulse:
    """Rings bells, in one thread that is there once there is a bell."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._bells: set[Bell] = set()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def add(self, bell: Bell) -> None:
        """Ring this one from now on."""
        with self._changed:
            self._bells.add(bell)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="c2kit-kafka-pulse", daemon=True)
                self._thread.start()

    def remove(self, bell: Bell) -> None:
        """Ring it no longer."""
        with self._changed:
            self._bells.discard(bell)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _beat(self) -> None:
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: self._is_closed, _SECONDS):
                    return
                bells = list(self._bells)
            for bell in bells:
                bell.ring()
