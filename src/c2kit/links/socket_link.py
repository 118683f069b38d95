"""Links whose sockets are served by a selector loop."""

from __future__ import annotations

import abc
import contextlib
import time
from typing import TYPE_CHECKING, Protocol

from c2kit.errors import UsageError
from c2kit.links.link import Link
from c2kit.links.loop import SelectorLoop
from c2kit.links.outgoing import Outgoing
from c2kit.links.values import Outcome, SendResult, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.links.backoff import Backoff
    from c2kit.links.link import Surroundings
    from c2kit.links.loop import Timer
    from c2kit.links.values import Ends

__all__ = ["Channel", "SocketLink"]


class Channel(Protocol):
    """A socket that bytes come from and go to."""

    number: int
    peer: str

    def queue(self, outgoing: Outgoing) -> None:
        """Send it after what was queued before."""

    def withdraw(self, outgoing: Outgoing, reason: str) -> None:
        """Finish it now, one way or the other."""

    def pause(self, *, is_paused: bool) -> None:
        """Read nothing, or read on."""

    def close(self, reason: str, *, is_error: bool = False) -> None:
        """End it; what was not sent is finished."""


class SocketLink(Link):
    """What links on a loop share. Their state is changed in the loop's thread only; what begins with ``_`` runs there.

    A subclass opens with :meth:`_open` and tells by :meth:`_failed` that it could not; it makes channels, of which it
    tells by :meth:`_joined` and :meth:`_left`.
    """

    def __init__(self, surroundings: Surroundings, receive_max_bytes: int, backoff: Backoff) -> None:
        super().__init__(surroundings, receive_max_bytes)
        self._owns_loop = surroundings.loop is None
        self.loop = surroundings.loop or SelectorLoop()
        self._backoff = backoff
        self._channels: dict[int, Channel] = {}
        self._is_enabled = False
        self._times_enabled = 0
        self._is_closed = False
        self._is_paused = False
        self._retry: Timer | None = None
        if surroundings.is_enabled:
            self.enable()
        else:
            self.loop.run(lambda: self._tell(State.DISABLED, "from the start"))

    def enable(self) -> None:
        """See :meth:`Link.enable`."""
        self._in_loop(self._enable)

    def disable(self, reason: str = "on request") -> None:
        """See :meth:`Link.disable`."""
        self._in_loop(lambda: self._disable(reason))

    def close(self) -> None:
        """See :meth:`Link.close`."""
        self._in_loop(self._close)
        if self._owns_loop:
            self.loop.close()

    def send(
        self,
        data: bytes,
        *,
        timeout_seconds: float = 10.0,
        expires_at: int | None = None,
        connection: int | None = None,
    ) -> SendResult:
        """See :meth:`Link.send`."""
        if self.loop.is_own_thread:
            raise UsageError(
                "a send", expected="in a thread that may wait", found="in the loop's thread, such as in a callback"
            )
        due = time.monotonic() + timeout_seconds
        outgoings: list[tuple[Channel, Outgoing]] = []
        if not self._in_loop(lambda: outgoings.extend(self._queue(data, expires_at, connection))):
            return SendResult(Outcome.NOT_SENT, "the link is closed")
        for channel, outgoing in outgoings:
            if not outgoing.wait(due - time.monotonic()):
                self._withdraw(channel, outgoing, f"not sent within {timeout_seconds:g} s")
        if not outgoings:
            return SendResult(Outcome.NOT_SENT, f"the link is {self._state.state}: {self._state.reason}")
        return SendResult.of_many([outgoing.result for _, outgoing in outgoings])

    def _withdraw(self, channel: Channel, outgoing: Outgoing, reason: str) -> None:
        if not self._in_loop(lambda: channel.withdraw(outgoing, reason)):
            outgoing.wait(1.0)  # whoever closed the loop closed the channel before

    def _in_loop(self, call: Callable[[], None]) -> bool:
        """Do something in the loop's thread; False if there is no loop any more."""
        try:
            self.loop.run(call)
        except UsageError:
            return False
        return True

    def _queue(self, data: bytes, expires_at: int | None, connection: int | None) -> list[tuple[Channel, Outgoing]]:
        if connection is None:
            channels = list(self._channels.values())
        else:
            channels = [self._channels[connection]] if connection in self._channels else []
        queued = [(channel, Outgoing(data, expires_at)) for channel in channels]
        for channel, outgoing in queued:
            channel.queue(outgoing)
        return queued

    # What subclasses do.

    @abc.abstractmethod
    def _open(self) -> None:
        """Begin to open; tell how it goes. What was begun before was shut."""

    @abc.abstractmethod
    def _shut(self) -> None:
        """Forget what is being opened, and close what only listens."""

    # What channels call.

    def received(self, channel: Channel, data: bytes, ends: Ends, peer: str = "") -> None:
        """Keep what arrived, and stop reading if that fills the inbox."""
        if not self._arrived(channel.number, data, peer or channel.peer, ends):
            self._pause(is_paused=True)

    def count_sent(self, size_bytes: int) -> None:
        """Count bytes that were handed to the operating system."""
        self._counters.sent_bytes += size_bytes

    def count_lost(self, datagrams: int) -> None:
        """Count datagrams that the operating system dropped."""
        self._counters.lost_datagrams += datagrams

    def has_expired(self, outgoing: Outgoing) -> bool:
        """Whether it is too late to send it."""
        return outgoing.expires_at is not None and self._surroundings.now() >= outgoing.expires_at

    @abc.abstractmethod
    def left(self, channel: Channel, reason: str, *, is_error: bool) -> None:
        """Take note that a channel has closed itself."""

    # What subclasses call.

    def _next_number(self) -> int:
        self._connection_number += 1
        return self._connection_number

    def _join(self, channel: Channel) -> None:
        self._channels[channel.number] = channel
        self._connections = len(self._channels)
        self._counters.connects += 1
        channel.pause(is_paused=self._is_paused)

    def _part(self, channel: Channel, *, is_error: bool) -> None:
        del self._channels[channel.number]
        self._connections = len(self._channels)
        self._counters.errors += is_error

    def _failed(self, reason: str) -> None:
        """Tell that it could not be opened, and try again later."""
        self._counters.errors += 1
        self._shut()
        self._down(reason, self._backoff.failed())

    def _down(self, reason: str, retry_seconds: float) -> None:
        if self._is_enabled and self._announce(State.DOWN, reason):
            self._retry = self.loop.call_later(retry_seconds, self._open)

    def _announce(self, state: State, reason: str) -> bool:
        """Tell a change of the link; return whether to go on: a callback may have disabled it, and enabled it again."""
        enabled = self._times_enabled
        self._tell(state, reason)
        return self._is_enabled and enabled == self._times_enabled

    def _pause(self, *, is_paused: bool) -> None:
        self._is_paused = is_paused
        for channel in self._channels.values():
            channel.pause(is_paused=is_paused)

    def _on_room(self) -> None:
        def resume() -> None:
            if self._is_paused and self._inbox.has_room and not self._is_closed:
                self._pause(is_paused=False)

        with contextlib.suppress(UsageError):  # closed: there is nothing to read on
            self.loop.call(resume)

    def _enable(self) -> None:
        if self._is_enabled or self._is_closed:
            return
        self._is_enabled = True
        self._times_enabled += 1
        self._backoff.reset()
        self._open()

    def _disable(self, reason: str) -> None:
        if not self._is_enabled:
            return
        self._is_enabled = False
        if self._retry is not None:
            self._retry.cancel()
        self._shut()
        for channel in list(self._channels.values()):
            channel.close(reason)
        self._tell(State.DISABLED, reason)

    def _close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._disable("closed")
        self._inbox.close()
