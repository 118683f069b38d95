"""A connected stream socket on a loop."""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.links.link import text_of
from c2kit.links.loop import READ, WRITE
from c2kit.links.values import Ends

if TYPE_CHECKING:
    from c2kit.links.loop import Timer
    from c2kit.links.outgoing import Outgoing
    from c2kit.links.socket_link import SocketLink

__all__ = ["RECEIVE_BYTES", "Connection", "StreamSettings"]

RECEIVE_BYTES = 131_072
"""How much is read at once: enough for many packets a batch, little enough for a thousand connections."""


@frozen
class StreamSettings:
    """What a connection is told."""

    keepalive_seconds: float | None
    idle_seconds: float | None
    send_max_bytes: int

    def apply(self, sock: socket.socket) -> None:
        """Set the socket's options: nothing waits for more bytes, and a dead peer is noticed."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.keepalive_seconds is None:
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        seconds = max(1, round(self.keepalive_seconds))
        # Three probes within as long again; and what was sent must be acknowledged as soon. Not all systems have these.
        options = {
            "TCP_KEEPIDLE": seconds,
            "TCP_KEEPINTVL": max(1, seconds // 3),
            "TCP_KEEPCNT": 3,
            "TCP_USER_TIMEOUT": 2000 * seconds,
        }
        for name, value in options.items():
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class Connection:
    """A connection from its beginning to its end; it reads, writes in order, and ends where the peer is silent."""

    def __init__(self, link: SocketLink, sock: socket.socket, peer: str, number: int, settings: StreamSettings) -> None:
        self.number = number
        self.peer = peer
        self._link = link
        self._loop = link.loop
        self._sock = sock
        self._settings = settings
        self._queue: deque[Outgoing] = deque()
        self._queued_bytes = 0
        self._is_paused = False
        self._is_open = True
        self._opened = self._heard = self._loop.monotonic()
        self._idle: Timer | None = None
        self._await_silence()

    @property
    def lasted_seconds(self) -> float:
        """How long it has been open."""
        return self._loop.monotonic() - self._opened

    def ready(self, mask: int) -> None:
        """Read or write."""
        if mask & READ and self._is_open and not self._is_paused:
            self._read()
        if mask & WRITE and self._is_open:
            self._write()

    def broke(self, error: Exception) -> None:
        """Close: what became of the bytes is unknown."""
        self.close(f"internal error: {text_of(error)}", is_error=True)

    def queue(self, outgoing: Outgoing) -> None:
        """See :meth:`Channel.queue`."""
        if self._queue and self._queued_bytes + len(outgoing.data) > self._settings.send_max_bytes:
            outgoing.finish(f"the send queue is full: {self._queued_bytes} bytes wait")
            return
        self._queue.append(outgoing)
        self._queued_bytes += len(outgoing.data)
        if len(self._queue) == 1:
            self._write()

    def withdraw(self, outgoing: Outgoing, reason: str) -> None:
        """See :meth:`Channel.withdraw`."""
        if outgoing.is_finished:
            return
        if outgoing.written_bytes:
            self.close(f"a send stalled: {reason}", is_error=True)
            return
        self._queue.remove(outgoing)
        self._queued_bytes -= len(outgoing.data)
        outgoing.finish(reason)
        self._watch()

    def pause(self, *, is_paused: bool) -> None:
        """See :meth:`Channel.pause`."""
        self._is_paused = is_paused
        self._heard = self._loop.monotonic()  # while nobody listened, silence meant nothing
        self._watch()

    def close(self, reason: str, *, is_error: bool = False) -> None:
        """See :meth:`Channel.close`."""
        if not self._is_open:
            return
        self._is_open = False
        if self._idle is not None:
            self._idle.cancel()
        self._loop.watch(self._sock, 0, self)
        self._sock.close()
        while self._queue:
            self._queue.popleft().finish(reason)
        self._link.received(self, b"", Ends.CONNECTION)
        self._link.left(self, reason, is_error=is_error)

    def _watch(self) -> None:
        if self._is_open:
            mask = (0 if self._is_paused else READ) | (WRITE if self._queue else 0)
            self._loop.watch(self._sock, mask, self)

    def _read(self) -> None:
        try:
            data = self._sock.recv(RECEIVE_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.close(text_of(error), is_error=True)
            return
        if not data:
            self.close("closed by the other side")
            return
        self._heard = self._loop.monotonic()
        self._link.received(self, data, Ends.NOTHING)

    def _write(self) -> None:
        while self._queue:
            outgoing = self._queue[0]
            if not outgoing.written_bytes and self._link.has_expired(outgoing):
                self._take_off("it has expired")
                continue
            try:
                written = self._sock.send(memoryview(outgoing.data)[outgoing.written_bytes :])
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                self.close(text_of(error), is_error=True)
                return
            outgoing.written_bytes += written
            self._link.count_sent(written)
            if outgoing.written_bytes == len(outgoing.data):
                self._take_off()
        self._watch()

    def _take_off(self, reason: str = "") -> None:
        outgoing = self._queue.popleft()
        self._queued_bytes -= len(outgoing.data)
        outgoing.finish(reason)

    def _await_silence(self) -> None:
        limit = self._settings.idle_seconds
        if limit is None:
            return
        silent = self._loop.monotonic() - self._heard
        if silent >= limit and not self._is_paused:
            self.close(f"nothing was received for {limit:g} s", is_error=True)
            return
        self._idle = self._loop.call_later(limit - silent if silent < limit else limit, self._await_silence)
