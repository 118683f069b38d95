"""Links that block, each with a thread of its own."""

from __future__ import annotations

import abc
import contextlib
import threading
from typing import TYPE_CHECKING

from c2kit.links.link import Link, text_of
from c2kit.links.values import Ends, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.links.backoff import Backoff
    from c2kit.links.link import Surroundings

__all__ = ["BlockingLink"]

_PATIENCE_SECONDS = 0.2
"""How often a thread that waits looks whether it is still wanted."""


class BlockingLink(Link):
    """A link that is opened, read and closed by its thread."""

    def __init__(self, surroundings: Surroundings, receive_max_bytes: int, backoff: Backoff) -> None:
        super().__init__(surroundings, receive_max_bytes)
        self._backoff = backoff
        self._changed = threading.Condition()
        self._is_enabled = surroundings.is_enabled
        self._is_closed = False
        self._is_resting = False
        self._why_disabled = "from the start"
        self._thread = threading.Thread(target=self._run, name=f"c2kit-{type(self).__name__}", daemon=True)
        self._thread.start()

    def enable(self) -> None:
        """See :meth:`Link.enable`."""
        with self._changed:
            self._is_enabled = not self._is_closed
            self._backoff.reset()
            self._changed.notify_all()

    def disable(self, reason: str = "on request") -> None:
        """See :meth:`Link.disable`."""
        with self._changed:
            if self._is_enabled:
                self._why_disabled = reason
            self._is_enabled = False
            self._changed.notify_all()
        self._interrupt()
        if threading.current_thread() is self._thread:
            return  # a callback: it will be down when the callback has returned
        with self._changed:
            self._changed.wait_for(lambda: self._is_resting or self._is_enabled or not self._thread.is_alive())

    def close(self) -> None:
        """See :meth:`Link.close`."""
        with self._changed:
            self._is_closed = True
        self.disable("closed")
        if threading.current_thread() is not self._thread:
            self._thread.join()

    # What subclasses do.

    @abc.abstractmethod
    def _describe(self) -> str:
        """What is opened."""

    @abc.abstractmethod
    def _open(self) -> None:
        """Open it; raises OSError."""

    @abc.abstractmethod
    def _read(self) -> Iterator[bytes]:
        """Pieces of input, empty ones where nothing came for a while, until it ends. Raises OSError."""

    @abc.abstractmethod
    def _shut(self) -> None:
        """Close what is open."""

    @property
    def _goes_on(self) -> bool:
        """Whether to open it again when it has ended."""
        return True

    def _interrupt(self) -> None:
        """Have :meth:`_read` return soon; from another thread."""

    # What the thread does.

    @property
    def _is_wanted(self) -> bool:
        return self._is_enabled and not self._is_closed

    def _run(self) -> None:
        while not self._is_closed:
            if not self._is_enabled:
                self._rest()
            elif not self._serve():
                break
        if self._is_closed and self._state.state is not State.DISABLED:
            self._tell(State.DISABLED, self._why_disabled)
        self._inbox.close()
        with self._changed:
            self._is_resting = True
            self._changed.notify_all()

    def _rest(self) -> None:
        self._tell(State.DISABLED, self._why_disabled)
        with self._changed:
            self._is_resting = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_enabled or self._is_closed)
            self._is_resting = False

    def _serve(self) -> bool:
        """Open, read and close it once; return whether to open it again."""
        self._tell(State.CONNECTING, self._describe())
        try:
            self._open()
        except Exception as error:  # noqa: BLE001 - drivers raise more than OSError, such as for settings they lack
            self._counters.errors += 1
            self._down(f"cannot open {self._describe()}: {text_of(error)}")
            return True
        self._connection_number += 1
        self._connections = 1
        self._counters.connects += 1
        self._tell(State.CONNECTED, self._describe())
        reason = self._read_to_end()
        with contextlib.suppress(Exception):  # it is given up anyway
            self._shut()
        self._connections = 0
        self._arrived(self._connection_number, b"", self._describe(), Ends.CONNECTION)
        if not self._is_wanted:
            return True
        if not self._goes_on:
            self._tell(State.DOWN, reason)
            return False
        self._down(reason)
        return True

    def _read_to_end(self) -> str:
        """Read until it ends or is not wanted; return why."""
        try:
            for data in self._read():
                if data and not self._arrived(self._connection_number, data, self._describe()):
                    while self._is_wanted and not self._inbox.wait_for_room(_PATIENCE_SECONDS):
                        pass
                if not self._is_wanted:
                    break
        except Exception as error:  # noqa: BLE001 - whatever a driver raises, the link must not hang as if connected
            self._counters.errors += 1
            return text_of(error)
        return "end of the input"

    def _down(self, reason: str) -> None:
        if not self._is_wanted:
            return
        self._tell(State.DOWN, reason)
        self._sleep(self._backoff.failed())

    def _sleep(self, seconds: float) -> None:
        """Wait so long, or until it is not wanted."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_wanted, seconds)
