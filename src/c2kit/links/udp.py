"""Links of datagrams."""

from __future__ import annotations

import socket
import struct
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from attrs import evolve, field, frozen

from c2kit.links import _checks
from c2kit.links.backoff import Backoff
from c2kit.links.link import LinkSpec, Surroundings, text_of
from c2kit.links.loop import READ, WRITE
from c2kit.links.names import address_text
from c2kit.links.socket_link import SocketLink
from c2kit.links.values import Ends, State

if TYPE_CHECKING:
    from c2kit.links.outgoing import Outgoing
    from c2kit.links.resolve import Address
    from c2kit.links.socket_link import Channel

__all__ = ["Udp", "UdpLink", "UdpListener"]

_DATAGRAM_BYTES = 65_536
_TAKEN_AT_ONCE = 256
"""After so many datagrams, others have their turn."""
_SO_RXQ_OVFL = 40
"""Linux, asm-generic/socket.h: datagrams come with the number of those dropped so far. Python has no name for it."""
_COUNT = struct.Struct("I")


@frozen
class UdpListener(LinkSpec):
    """Receive the datagrams that come to a port, from wherever they come. Nothing can be sent: see :class:`Udp`."""

    port: int
    """0 lets the operating system choose; the running link has the ``address``."""
    host: str = field(default="0.0.0.0", kw_only=True)  # noqa: S104 - senders are elsewhere; a container has one address
    """The address to listen at; the default is all of IPv4."""
    reconnect_seconds: float = field(default=0.5, kw_only=True)
    """The first delay before listening is tried again, such as where the port is taken; delays double."""
    reconnect_max_seconds: float = field(default=30.0, kw_only=True)
    receive_max_bytes: int = field(default=4_194_304, kw_only=True)
    """What may wait to be taken; beyond it datagrams are discarded and counted, since no sender can be made to wait."""
    socket_buffer_bytes: int = field(default=4_194_304, kw_only=True)
    """What the operating system is asked to keep of a burst until it is read; many give less."""

    def __attrs_post_init__(self) -> None:
        _checks.a_name("host of UdpListener", self.host)
        _checks.a_port("port of UdpListener", self.port, lowest=0)
        _check_bounds(self)

    def at(self, address: str) -> Self:
        """The same at another ``port`` or ``host:port``; see :meth:`LinkSpec.at`."""
        host, port = _checks.split_address("UdpListener", address, self.host)
        return evolve(self, host=host, port=port)

    def start(self, surroundings: Surroundings | None = None) -> UdpLink:
        """See :meth:`LinkSpec.start`."""
        return UdpLink(self, (self.host, self.port), None, surroundings or Surroundings())


@frozen
class Udp(LinkSpec):
    """Send datagrams to an address, and receive those that come to ``local_port``, from wherever they come."""

    host: str
    port: int
    local_port: int = field(default=0, kw_only=True)
    """0 lets the operating system choose, for a device that answers to where it was asked from."""
    local_host: str = field(default="0.0.0.0", kw_only=True)  # noqa: S104 - as UdpListener
    reconnect_seconds: float = field(default=0.5, kw_only=True)
    """As for :class:`UdpListener`, and so are the following."""
    reconnect_max_seconds: float = field(default=30.0, kw_only=True)
    receive_max_bytes: int = field(default=4_194_304, kw_only=True)
    socket_buffer_bytes: int = field(default=4_194_304, kw_only=True)

    def __attrs_post_init__(self) -> None:
        _checks.a_name("host of Udp", self.host)
        _checks.a_port("port of Udp", self.port, lowest=1)
        _checks.a_name("local_host of Udp", self.local_host)
        _checks.a_port("local_port of Udp", self.local_port, lowest=0)
        _check_bounds(self)

    def at(self, address: str) -> Self:
        """The same that sends to another ``host:port``; see :meth:`LinkSpec.at`."""
        host, port = _checks.split_address("Udp", address)
        return evolve(self, host=host, port=port)

    def start(self, surroundings: Surroundings | None = None) -> UdpLink:
        """See :meth:`LinkSpec.start`."""
        return UdpLink(self, (self.local_host, self.local_port), (self.host, self.port), surroundings or Surroundings())


def _check_bounds(spec: Udp | UdpListener) -> None:
    name = type(spec).__name__
    _checks.retry_seconds(name, spec.reconnect_seconds, spec.reconnect_max_seconds)
    _checks.at_least(f"receive_max_bytes of {name}", spec.receive_max_bytes, 1)
    _checks.at_least(f"socket_buffer_bytes of {name}", spec.socket_buffer_bytes, 1)


class UdpLink(SocketLink):
    """A running :class:`Udp` or :class:`UdpListener`: ``CONNECTED`` while its socket is open.

    Each arrival is a datagram. A datagram is sent whole or not at all.
    """

    def __init__(
        self,
        spec: Udp | UdpListener,
        local: tuple[str, int],
        target: tuple[str, int] | None,
        surroundings: Surroundings,
    ) -> None:
        self.spec = spec
        self.address: tuple[str, int] | None = None
        """Where it listens, while it does."""
        self._local = local
        self._target = target
        self._opening = 0
        super().__init__(
            surroundings, spec.receive_max_bytes, Backoff(spec.reconnect_seconds, spec.reconnect_max_seconds)
        )

    def _open(self) -> None:
        self._opening += 1
        opening = self._opening
        host, port = self._target or self._local

        def resolved(found: list[Address] | OSError) -> None:
            if opening == self._opening and self._is_enabled:
                self._bind(found)

        if self._announce(State.CONNECTING, f"at {address_text(self._local)}"):
            self.loop.resolver.resolve(self.loop, (host, port, socket.SOCK_DGRAM), resolved)

    def _bind(self, found: list[Address] | OSError) -> None:
        try:
            if isinstance(found, OSError):
                raise found
            family, place = next((each for each in found if each[0] == socket.AF_INET), found[0])
            sock = self._socket(family)
        except OSError as error:
            self._failed(f"cannot open {address_text(self._local)}: {text_of(error)}")
            return
        self.address = sock.getsockname()[:2]
        self._backoff.reset()
        self._join(_Datagrams(self, sock, place if self._target else None, self._next_number()))
        self._tell(State.CONNECTED, f"at {address_text(self.address)}")

    def _socket(self, family: socket.AddressFamily) -> socket.socket:
        host, port = self._local
        if family == socket.AF_INET6 and host == "0.0.0.0":  # noqa: S104 - to be told from IPv6's
            host = "::"
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.settimeout(0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.spec.socket_buffer_bytes)
            if sys.platform == "linux":
                sock.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
            sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        return sock

    def _shut(self) -> None:
        self._opening += 1
        self.address = None

    def received(self, channel: Channel, data: bytes, ends: Ends, peer: str = "") -> None:
        """Keep what arrived; a datagram for which there is no room is counted and gone."""
        if ends is Ends.DATAGRAM and not self._inbox.has_room:
            self._counters.received_bytes += len(data)
            self._counters.discarded_datagrams += 1
            self._counters.discarded_bytes += len(data)
        else:
            self._arrived(channel.number, data, peer or channel.peer, ends)

    def left(self, channel: Channel, reason: str, *, is_error: bool) -> None:
        """Open again."""
        self._part(channel, is_error=is_error)
        self._down(reason, self._backoff.failed())


class _Datagrams:
    """An open socket of datagrams."""

    def __init__(self, link: UdpLink, sock: socket.socket, target: tuple[Any, ...] | None, number: int) -> None:
        self.number = number
        self.peer = ""
        self._link = link
        self._loop = link.loop
        self._sock = sock
        self._target = target
        self._queue: deque[Outgoing] = deque()
        self._is_open = True
        self._lost = 0

    def ready(self, mask: int) -> None:
        if mask & READ:
            self._read()
        if mask & WRITE and self._is_open:
            self._write()

    def broke(self, error: Exception) -> None:
        self.close(f"internal error: {text_of(error)}", is_error=True)

    def queue(self, outgoing: Outgoing) -> None:
        self._queue.append(outgoing)
        self._write()

    def withdraw(self, outgoing: Outgoing, reason: str) -> None:
        if outgoing in self._queue:
            self._queue.remove(outgoing)
            outgoing.finish(reason)

    def pause(self, *, is_paused: bool) -> None:  # noqa: ARG002 - whoever sends datagrams does not wait
        self._watch()

    def close(self, reason: str, *, is_error: bool = False) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._loop.watch(self._sock, 0, self)
        self._sock.close()
        while self._queue:
            self._queue.popleft().finish(reason)
        self._link.received(self, b"", Ends.CONNECTION)
        self._link.left(self, reason, is_error=is_error)

    def _watch(self) -> None:
        if self._is_open:
            mask = READ | (WRITE if self._queue else 0)
            self._loop.watch(self._sock, mask, self)

    def _read(self) -> None:
        for _ in range(_TAKEN_AT_ONCE):
            try:
                data, sender = self._receive()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self.close(text_of(error), is_error=True)
                return
            self._link.received(self, data, Ends.DATAGRAM, address_text(sender))

    def _receive(self) -> tuple[bytes, object]:
        if sys.platform != "linux":
            return self._sock.recvfrom(_DATAGRAM_BYTES)
        data, extras, _, sender = self._sock.recvmsg(_DATAGRAM_BYTES, socket.CMSG_SPACE(_COUNT.size))
        for level, kind, value in extras:
            if (level, kind) == (socket.SOL_SOCKET, _SO_RXQ_OVFL):
                self._count_lost(_COUNT.unpack(value)[0])
        return data, sender

    def _count_lost(self, lost: int) -> None:
        self._link.count_lost((lost - self._lost) % 2**32)
        self._lost = lost

    def _write(self) -> None:
        while self._queue:
            outgoing = self._queue[0]
            reason = self._send(outgoing)
            if reason is None:
                break
            self._queue.popleft()
            outgoing.finish(reason)
        self._watch()

    def _send(self, outgoing: Outgoing) -> str | None:
        """Why it was not sent, empty where it was, and None where it has to wait."""
        if self._target is None:
            return "a UdpListener cannot send"
        if self._link.has_expired(outgoing):
            return "it has expired"
        try:
            outgoing.written_bytes = self._sock.sendto(outgoing.data, self._target)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            return text_of(error)
        self._link.count_sent(outgoing.written_bytes)
        return ""
