"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Backoff"]


@define
class Backoff:
    """Delays that double from ``first_seconds`` up to ``most_seconds``, each shortened by up to a half at random.

    Chance keeps a hundred links to a server that went away from coming back all at once. The delays begin anew after a
    connection that lasted at least as long as the delay before it: a server that accepts and hangs up at once is left
    in peace like one that is absent.
    """

    first_seconds: float
    most_seconds: float
    chance: Callable[[], float] = field(default=random.random, repr=False)
    _next_seconds: float = field(init=False)
    _last_seconds: float = field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        self._next_seconds = self.first_seconds

    def failed(self) -> float:
        """How many seconds to wait after an attempt that failed."""
        delay = self._next_seconds * (1 - self.chance() / 2)
        self._last_seconds = delay
        self._next_seconds = min(2 * self._next_seconds, self.most_seconds)
        return delay

    def lost(self, lasted_seconds: float) -> float:
        """How many seconds to wait after a connection that lasted so long."""
        if lasted_seconds >= self._last_seconds:
            self.reset()
        return self.failed()

    def reset(self) -> None:
        """Begin anew."""
        self._next_seconds = self.first_seconds
        self._last_seconds = 0.0
