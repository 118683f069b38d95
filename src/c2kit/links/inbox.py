"""What arrived and was not taken yet, bounded."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.links.values import Arrival

__all__ = ["ARRIVAL_BYTES", "Inbox"]

ARRIVAL_BYTES = 256
"""What an arrival costs beside its bytes, so that a flood of empty datagrams is bounded too."""


class Inbox:
    """Arrivals in order, for one reader and many writers.

    Nothing is ever refused: whoever puts something in is told that the inbox is full, and must read no more from its
    link until ``on_room`` is called. So it holds ``most_bytes``, and one piece of input more for each connection.
    """

    def __init__(
        self,
        most_bytes: int,
        *,
        on_arrival: Callable[[], None] | None = None,
        on_room: Callable[[], None] | None = None,
    ) -> None:
        self._most_bytes = most_bytes
        self._on_arrival = on_arrival
        self._on_room = on_room
        self._changed = threading.Condition()
        self._arrivals: list[Arrival] = []
        self._size_bytes = 0
        self._is_closed = False

    def put(self, arrival: Arrival) -> bool:
        """Keep it for the reader; return whether there is room for more."""
        with self._changed:
            was_empty = not self._arrivals
            self._arrivals.append(arrival)
            self._size_bytes += len(arrival.data) + ARRIVAL_BYTES
            has_room = self._size_bytes < self._most_bytes
            self._changed.notify_all()
        if was_empty and self._on_arrival is not None:
            self._on_arrival()
        return has_room

    def take(self, timeout_seconds: float | None = 0) -> list[Arrival]:
        """All that arrived, once there is something, or nothing after so long; None waits until the inbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._arrivals or self._is_closed, timeout_seconds)
            arrivals, self._arrivals = self._arrivals, []
            was_full = self._size_bytes >= self._most_bytes
            self._size_bytes = 0
            self._changed.notify_all()
        if was_full and self._on_room is not None:
            self._on_room()
        return arrivals

    def wait_for_room(self, timeout_seconds: float) -> bool:
        """Wait until there is room; False if there is none after so long."""
        with self._changed:
            return self._changed.wait_for(lambda: self._size_bytes < self._most_bytes, timeout_seconds)

    def close(self) -> None:
        """Nothing more will arrive: whoever waits gets what is left."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._on_arrival is not None:
            self._on_arrival()

    @property
    def is_finished(self) -> bool:
        """Whether nothing is in it and nothing will be."""
        with self._changed:
            return self._is_closed and not self._arrivals

    @property
    def has_room(self) -> bool:
        """Whether more may be put in."""
        with self._changed:
            return self._size_bytes < self._most_bytes

    @property
    def size_bytes(self) -> int:
        """What is in it, with what each arrival costs beside its bytes."""
        return self._size_bytes
