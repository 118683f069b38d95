"""A link that connects to a TCP server."""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING, Self

from attrs import evolve, field, frozen

from c2kit.links import _checks
from c2kit.links.backoff import Backoff
from c2kit.links.connection import Connection, StreamSettings
from c2kit.links.link import LinkSpec, Surroundings, text_of
from c2kit.links.loop import WRITE
from c2kit.links.names import address_text
from c2kit.links.socket_link import SocketLink
from c2kit.links.values import State

if TYPE_CHECKING:
    from c2kit.links.loop import Timer
    from c2kit.links.resolve import Address
    from c2kit.links.socket_link import Channel

__all__ = ["TcpClient", "TcpClientLink"]


@frozen
class TcpClient(LinkSpec):
    """Connect to a TCP server, and again whenever the connection ends."""

    host: str
    """A name or an address; all addresses of a name are tried."""
    port: int
    connect_timeout_seconds: float = field(default=10.0, kw_only=True)
    """How long to try each address; looking up the name has as long."""
    reconnect_seconds: float = field(default=0.5, kw_only=True)
    """The first delay before another attempt; delays double, and each is shortened at random by up to a half."""
    reconnect_max_seconds: float = field(default=30.0, kw_only=True)
    keepalive_seconds: float | None = field(default=30.0, kw_only=True)
    """A silent peer is asked after so long whether it is there, and given up after twice as long; None: never."""
    idle_seconds: float | None = field(default=None, kw_only=True)
    """A connection on which nothing was received for so long is taken for dead; None: never."""
    receive_max_bytes: int = field(default=4_194_304, kw_only=True)
    """What may wait to be taken before the link stops reading."""
    send_max_bytes: int = field(default=1_048_576, kw_only=True)
    """What may wait to be sent; one send may be larger, alone."""

    def __attrs_post_init__(self) -> None:
        _checks.a_name("host of TcpClient", self.host)
        _checks.a_port("port of TcpClient", self.port, lowest=1)
        _checks.at_least("connect_timeout_seconds of TcpClient", self.connect_timeout_seconds, 0.001)
        _checks.retry_seconds("TcpClient", self.reconnect_seconds, self.reconnect_max_seconds)
        _checks.at_least("keepalive_seconds of TcpClient", self.keepalive_seconds, 1, optional=True)
        _checks.at_least("idle_seconds of TcpClient", self.idle_seconds, 0.001, optional=True)
        _checks.at_least("receive_max_bytes of TcpClient", self.receive_max_bytes, 1)
        _checks.at_least("send_max_bytes of TcpClient", self.send_max_bytes, 1)

    def at(self, address: str) -> Self:
        """The same with another ``host:port``; see :meth:`LinkSpec.at`."""
        host, port = _checks.split_address("TcpClient", address)
        return evolve(self, host=host, port=port)

    def start(self, surroundings: Surroundings | None = None) -> TcpClientLink:
        """See :meth:`LinkSpec.start`."""
        return TcpClientLink(self, surroundings or Surroundings())


class _Attempt:
    """One attempt to connect: it tries address after address, until one answers or none is left."""

    def __init__(self, link: TcpClientLink) -> None:
        self._link = link
        self._loop = link.loop
        self._addresses: list[Address] = []
        self._sock: socket.socket | None = None
        self._peer = ""
        self._timer: Timer | None = None
        self._reason = "the name has no address"
        self._is_given_up = False

    def begin(self) -> None:
        spec = self._link.spec
        self._timer = self._loop.call_later(
            spec.connect_timeout_seconds, lambda: self._fail("the name server is silent")
        )
        self._loop.resolver.resolve(self._loop, (spec.host, spec.port, socket.SOCK_STREAM), self._resolved)

    def give_up(self) -> None:
        self._is_given_up = True
        self._drop()

    def ready(self, mask: int) -> None:  # noqa: ARG002 - it can only be written
        sock = self._sock
        assert sock is not None, "it is watched"  # noqa: S101 - tells the type checker
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self._next(os.strerror(error))
        elif sock.getsockname() == sock.getpeername():
            # Where nobody listens on an ephemeral port, TCP can connect a socket to itself.
            self._next(os.strerror(errno.ECONNREFUSED))
        else:
            self._loop.watch(sock, 0, self)
            self._sock = None
            self.give_up()
            self._link.connected(sock, self._peer)

    def broke(self, error: Exception) -> None:
        self._next(text_of(error))

    def _resolved(self, found: list[Address] | OSError) -> None:
        if self._is_given_up:
            return
        if isinstance(found, OSError):
            self._fail(f"no address for {self._link.spec.host}: {text_of(found)}")
            return
        self._addresses = found
        self._next(self._reason)

    def _next(self, reason: str) -> None:
        self._drop()
        self._reason = reason
        while self._addresses:
            family, address = self._addresses.pop(0)
            try:
                self._try(family, address)
            except OSError as error:
                self._drop()
                self._reason = text_of(error)
            else:
                return
        self._fail(self._reason)

    def _try(self, family: socket.AddressFamily, address: tuple[object, ...]) -> None:
        sock = self._sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(0)
        self._peer = address_text(address)
        error = sock.connect_ex(address)
        if error not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            raise OSError(error, os.strerror(error))
        self._loop.watch(sock, WRITE, self)
        seconds = self._link.spec.connect_timeout_seconds
        self._timer = self._loop.call_later(seconds, lambda: self._next(f"no answer within {seconds:g} s"))

    def _drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._sock is not None:
            self._loop.watch(self._sock, 0, self)
            self._sock.close()
            self._sock = None

    def _fail(self, reason: str) -> None:
        self.give_up()
        self._link.attempt_failed(reason)


class TcpClientLink(SocketLink):
    """A running :class:`TcpClient`."""

    def __init__(self, spec: TcpClient, surroundings: Surroundings) -> None:
        self.spec = spec
        self._attempt: _Attempt | None = None
        self._settings = StreamSettings(spec.keepalive_seconds, spec.idle_seconds, spec.send_max_bytes)
        super().__init__(
            surroundings, spec.receive_max_bytes, Backoff(spec.reconnect_seconds, spec.reconnect_max_seconds)
        )

    def _open(self) -> None:
        if self._announce(State.CONNECTING, f"to {address_text((self.spec.host, self.spec.port))}"):
            self._attempt = _Attempt(self)
            self._attempt.begin()

    def _shut(self) -> None:
        if self._attempt is not None:
            self._attempt.give_up()
            self._attempt = None

    def connected(self, sock: socket.socket, peer: str) -> None:
        """Take over the socket of an attempt."""
        self._attempt = None
        try:
            self._settings.apply(sock)
        except OSError as error:  # the peer is gone already
            sock.close()
            self._failed(text_of(error))
            return
        self._join(Connection(self, sock, peer, self._next_number(), self._settings))
        self._tell(State.CONNECTED, f"to {peer}")

    def attempt_failed(self, reason: str) -> None:
        """Try again later."""
        self._failed(reason)

    def left(self, channel: Channel, reason: str, *, is_error: bool) -> None:
        """Connect again."""
        self._part(channel, is_error=is_error)
        lasted = channel.lasted_seconds if isinstance(channel, Connection) else 0.0
        self._down(reason, self._backoff.lost(lasted))
