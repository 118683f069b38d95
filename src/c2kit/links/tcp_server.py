"""A link that TCP clients connect to."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Self

from attrs import evolve, field, frozen

from c2kit.links import _checks
from c2kit.links.backoff import Backoff
from c2kit.links.connection import Connection, StreamSettings
from c2kit.links.link import LinkSpec, Surroundings, text_of
from c2kit.links.loop import READ
from c2kit.links.names import address_text
from c2kit.links.socket_link import SocketLink
from c2kit.links.values import State

if TYPE_CHECKING:
    from c2kit.links.resolve import Address
    from c2kit.links.socket_link import Channel

__all__ = ["TcpServer", "TcpServerLink"]

_ACCEPTED_AT_ONCE = 64
"""After so many new clients, others have their turn."""
_BREATH_SECONDS = 0.5
"""How long to accept nobody where the system has no socket left."""


@frozen
class TcpServer(LinkSpec):
    """Listen for TCP clients, each a connection of its own.

    What is sent goes to all clients that are there. Where commands must not be done twice, let ``max_clients`` be 1.
    """

    port: int
    """0 lets the operating system choose; the running link has the ``address``."""
    host: str = field(default="0.0.0.0", kw_only=True)  # noqa: S104 - clients are elsewhere; a container has one address
    """The address to listen at; the default is all of IPv4, and ``"::"`` all."""
    max_clients: int = field(default=64, kw_only=True)
    """One more is accepted, told of and closed at once."""
    idle_seconds: float | None = field(default=None, kw_only=True)
    """A client from which nothing was received for so long is taken for dead; None: never."""
    keepalive_seconds: float | None = field(default=30.0, kw_only=True)
    """A silent client is asked after so long whether it is there, and given up after twice as long; None: never."""
    reconnect_seconds: float = field(default=0.5, kw_only=True)
    """The first delay before listening is tried again, such as where the port is taken; delays double."""
    reconnect_max_seconds: float = field(default=30.0, kw_only=True)
    receive_max_bytes: int = field(default=4_194_304, kw_only=True)
    """What may wait to be taken, of all clients together, before the link stops reading and accepting."""
    send_max_bytes: int = field(default=1_048_576, kw_only=True)
    """What may wait to be sent to each client; one send may be larger, alone."""

    def __attrs_post_init__(self) -> None:
        _checks.a_name("host of TcpServer", self.host)
        _checks.a_port("port of TcpServer", self.port, lowest=0)
        _checks.at_least("max_clients of TcpServer", self.max_clients, 1)
        _checks.at_least("idle_seconds of TcpServer", self.idle_seconds, 0.001, optional=True)
        _checks.at_least("keepalive_seconds of TcpServer", self.keepalive_seconds, 1, optional=True)
        _checks.retry_seconds("TcpServer", self.reconnect_seconds, self.reconnect_max_seconds)
        _checks.at_least("receive_max_bytes of TcpServer", self.receive_max_bytes, 1)
        _checks.at_least("send_max_bytes of TcpServer", self.send_max_bytes, 1)

    def at(self, address: str) -> Self:
        """The same at another ``port`` or ``host:port``; see :meth:`LinkSpec.at`."""
        host, port = _checks.split_address("TcpServer", address, self.host)
        return evolve(self, host=host, port=port)

    def start(self, surroundings: Surroundings | None = None) -> TcpServerLink:
        """See :meth:`LinkSpec.start`."""
        return TcpServerLink(self, surroundings or Surroundings())


class TcpServerLink(SocketLink):
    """A running :class:`TcpServer`: ``CONNECTING`` while it listens and nobody is there."""

    def __init__(self, spec: TcpServer, surroundings: Surroundings) -> None:
        self.spec = spec
        self.address: tuple[str, int] | None = None
        """Where it listens, while it does."""
        self._listener: socket.socket | None = None
        self._opening = 0
        self._settings = StreamSettings(spec.keepalive_seconds, spec.idle_seconds, spec.send_max_bytes)
        super().__init__(
            surroundings, spec.receive_max_bytes, Backoff(spec.reconnect_seconds, spec.reconnect_max_seconds)
        )

    def ready(self, mask: int) -> None:  # noqa: ARG002 - it can only be read
        """Accept clients."""
        for _ in range(_ACCEPTED_AT_ONCE):
            if self._listener is None or self._is_paused:
                return
            try:
                sock, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no socket is left for now, and the client still waits: do not spin
                self._counters.errors += 1
                self._tell(State.DOWN, f"a client waits: {text_of(error)}", "a client")
                self.loop.watch(self._listener, 0, self)
                self.loop.call_later(_BREATH_SECONDS, self._listen_on)
                return
            self._accepted(sock, address_text(address))

    def broke(self, error: Exception) -> None:
        """Listen anew later."""
        self._failed(f"internal error: {text_of(error)}")

    def _open(self) -> None:
        self._opening += 1
        opening = self._opening

        def resolved(found: list[Address] | OSError) -> None:
            if opening == self._opening and self._is_enabled:
                self._listen(found)

        self.loop.resolver.resolve(self.loop, (self.spec.host, self.spec.port, socket.SOCK_STREAM), resolved)

    def _listen(self, found: list[Address] | OSError) -> None:
        try:
            if isinstance(found, OSError):
                raise found
            self._listener = _listener(found[0])
        except OSError as error:
            where = address_text((self.spec.host, self.spec.port))
            self._failed(f"cannot listen at {where}: {text_of(error)}")
            return
        self.address = self._listener.getsockname()[:2]
        self._backoff.reset()
        self._tell(State.CONNECTING, f"listening at {address_text(self.address)}")
        self._listen_on()

    def _listen_on(self) -> None:
        if self._listener is not None and not self._is_paused:
            self.loop.watch(self._listener, READ, self)

    def _shut(self) -> None:
        self._opening += 1
        self.address = None
        if self._listener is not None:
            self.loop.watch(self._listener, 0, self)
            self._listener.close()
            self._listener = None

    def _pause(self, *, is_paused: bool) -> None:
        super()._pause(is_paused=is_paused)
        if self._listener is not None and is_paused:
            self.loop.watch(self._listener, 0, self)
        self._listen_on()

    def _accepted(self, sock: socket.socket, peer: str) -> None:
        if len(self._channels) >= self.spec.max_clients:
            self._look_for_ends()
        if len(self._channels) >= self.spec.max_clients:
            sock.close()
            self._counters.errors += 1
            self._tell(State.DOWN, f"refused: there are {self.spec.max_clients} clients already", peer)
            return
        try:
            sock.settimeout(0)
            self._settings.apply(sock)
        except OSError as error:  # the client is gone already
            sock.close()
            self._counters.errors += 1
            self._tell(State.DOWN, text_of(error), peer)
            return
        self._join(Connection(self, sock, peer, self._next_number(), self._settings))
        self._tell(State.CONNECTED, "a client connected", peer)
        if self._connections == 1:
            self._tell(State.CONNECTED, f"from {peer}")

    def _look_for_ends(self) -> None:
        """Take note of clients that are gone and were not looked at yet, lest one that comes again is refused."""
        for channel in list(self._channels.values()):
            if isinstance(channel, Connection):
                channel.ready(READ)  # the rest of its bytes
                channel.ready(READ)  # their end

    def left(self, channel: Channel, reason: str, *, is_error: bool) -> None:
        """Go on listening."""
        self._part(channel, is_error=is_error)
        self._tell(State.DOWN, reason, channel.peer)
        if not self._channels and self._is_enabled and self.address is not None:
            self._tell(State.CONNECTING, f"listening at {address_text(self.address)}: the last client is gone")


def _listener(address: Address) -> socket.socket:
    family, place = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs have the same port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and place[0] == "::":
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.settimeout(0)
        sock.bind(place)
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock
