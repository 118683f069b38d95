"""Where packets go and commands come from: TCP clients, a UDP address, or a file. Nothing here ever blocks."""

from __future__ import annotations

import contextlib
import selectors
import socket
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

from c2kit.protocols import CcsdsPackets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Uplink = Callable[[bytes], None]

__all__ = ["Address", "FilePort", "Port", "TcpPort", "UdpPort"]

Address = tuple[str, int]
"""Host and port."""

MAX_WAITING_BYTES = 8 * 2**20
"""A client that has not taken so much is let go: a satellite does not wait."""
_READ_BYTES = 65_536


class Port(Protocol):
    """One satellite's way to the ground."""

    @property
    def where(self) -> str:
        """For people."""
        ...

    @property
    def is_used(self) -> bool:
        """Whether somebody is there."""
        ...

    @property
    def waiting_bytes(self) -> int:
        """What the slowest has not taken yet."""
        ...

    def send(self, packets: Iterable[bytes]) -> None:
        """Send packets to all who are there; to nobody if nobody is."""
        ...

    def drop(self) -> None:
        """Break all connections."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _shown(address: Address) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@define(eq=False)
class _Client:
    """One TCP connection, with its own framing of commands."""

    socket: socket.socket
    framing: CcsdsPackets = field(factory=CcsdsPackets)
    waiting: bytearray = field(factory=bytearray)


class TcpPort:
    """A server: all clients get all packets from when they connect, and any of them may send commands.

    Raises :class:`OSError` where the address cannot be listened at; port 0 is any that is free.
    """

    def __init__(self, address: Address, selector: selectors.BaseSelector, uplink: Uplink) -> None:
        self._selector, self._uplink = selector, uplink
        self._clients: dict[socket.socket, _Client] = {}
        self._listener = socket.create_server(address, family=_family(address[0]))
        self._listener.setblocking(False)  # noqa: FBT003 - as the standard library has it
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    @property
    def address(self) -> Address:
        """Where it listens."""
        host, port = self._listener.getsockname()[:2]
        return host, port

    @property
    def where(self) -> str:
        """For people."""
        return f"tcp {_shown(self.address)}"

    @property
    def is_used(self) -> bool:
        """Whether a client is there."""
        return bool(self._clients)

    @property
    def waiting_bytes(self) -> int:
        """What the slowest client has not taken yet."""
        return max((len(client.waiting) for client in self._clients.values()), default=0)

    def send(self, packets: Iterable[bytes]) -> None:
        """Send packets to all clients; to nobody if nobody is there."""
        data = b"".join(packets)
        for client in [*self._clients.values()] if data else []:
            client.waiting += data
            self._write(client)
            if len(client.waiting) > MAX_WAITING_BYTES:
                self._close(client)

    def drop(self) -> None:
        """Break all connections."""
        for client in [*self._clients.values()]:
            self._close(client)

    def close(self) -> None:
        """Break all connections, and listen no more."""
        self.drop()
        self._selector.unregister(self._listener)
        self._listener.close()

    def _accept(self, _: int) -> None:
        with contextlib.suppress(OSError):  # it went away again before it was accepted
            connection, _ = self._listener.accept()
            connection.setblocking(False)  # noqa: FBT003 - as the standard library has it
            client = self._clients[connection] = _Client(connection)
            self._selector.register(connection, selectors.EVENT_READ, lambda events: self._serve(client, events))

    def _serve(self, client: _Client, events: int) -> None:
        if events & selectors.EVENT_READ:
            self._read(client)
        if events & selectors.EVENT_WRITE and client.socket in self._clients:
            self._write(client)

    def _read(self, client: _Client) -> None:
        try:
            data = client.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(client)
            return
        for batch in client.framing.receive(data):
            for packet in batch:
                self._uplink(packet)
        client.framing.take_asides()  # what is no packet is noise in the satellite's receiver

    def _write(self, client: _Client) -> None:
        try:
            sent = client.socket.send(client.waiting) if client.waiting else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(client)
            return
        del client.waiting[:sent]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.waiting else 0)
        key = self._selector.get_key(client.socket)
        if key.events != events:
            self._selector.modify(client.socket, events, key.data)

    def _close(self, client: _Client) -> None:
        if self._clients.pop(client.socket, None) is not None:
            self._selector.unregister(client.socket)
            client.socket.close()


class UdpPort:
    """A datagram for each packet, to one address; commands come back to where the datagrams came from.

    Each datagram that comes back holds whole commands. Nobody needs to be there.
    """

    is_used = True
    waiting_bytes = 0

    def __init__(self, remote: Address, selector: selectors.BaseSelector, uplink: Uplink) -> None:
        self._remote, self._selector, self._uplink = remote, selector, uplink
        self._socket = socket.socket(_family(remote[0]), socket.SOCK_DGRAM)
        self._socket.setblocking(False)  # noqa: FBT003 - as the standard library has it
        self._socket.connect(remote)
        selector.register(self._socket, selectors.EVENT_READ, self._read)

    @property
    def where(self) -> str:
        """For people."""
        return f"udp {_shown(self._remote)} from {_shown(self._socket.getsockname())}"

    def send(self, packets: Iterable[bytes]) -> None:
        """Send packets; what the network does not take is lost, as it is with UDP."""
        for packet in packets:
            with contextlib.suppress(OSError):
                self._socket.send(packet)

    def drop(self) -> None:
        """Do nothing: there is no connection."""

    def close(self) -> None:
        """Close the socket."""
        self._selector.unregister(self._socket)
        self._socket.close()

    def _read(self, _: int) -> None:
        with contextlib.suppress(OSError):  # a refusal of something that was sent
            framing = CcsdsPackets()
            for batch in [*framing.receive(self._socket.recv(_READ_BYTES)), *framing.end()]:
                for packet in batch:
                    self._uplink(packet)


class FilePort:
    """A file with one packet after the other; it takes no commands."""

    is_used = True
    waiting_bytes = 0

    def __init__(self, path: Path) -> None:
        self.where = f"file {path}"
        self._file = path.open("wb")

    def send(self, packets: Iterable[bytes]) -> None:
        """Write packets."""
        self._file.writelines(packets)

    def drop(self) -> None:
        """Do nothing: there is no connection."""

    def close(self) -> None:
        """Write what is buffered, and close the file."""
        self._file.close()
