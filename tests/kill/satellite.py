"""A satellite in a process of its own, that never dies and writes down what it really sent and received.

``c2kit sim --record`` writes down what went down, whether anybody was there or not. Here it matters what went into
which connection: the bytes that the operating system took, no more.

It prints its port. A line on its stdin lets it send no new packets; it answers with a line as soon as all that it sent
was taken, and goes on listening. Another line lets it send again. It ends with its stdin, and so with whoever started
it.

Arguments: a folder for its record, a seed, and how many simulated seconds a second has.
"""

# ruff: noqa: T201 - what it prints tells the driver how far it is

from __future__ import annotations

import contextlib
import fcntl
import json
import selectors
import socket
import struct
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.dictionaries import Dictionary
from c2kit.sim import DICTIONARY_DIRECTORY, Satellite
from tests.kill.space_packets import whole_packets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

_SIOCOUTQ = termios.TIOCOUTQ
_TICK_SECONDS = 0.01
_READ_BYTES = 65_536


@define(eq=False)
class _Client:
    """One connection, and what is on record of it."""

    number: int
    connection: socket.socket
    sent: BinaryIO
    """The bytes that the operating system took."""
    waiting: bytearray = field(factory=bytearray)
    received: bytearray = field(factory=bytearray)

    def write(self) -> bool:
        """Give the operating system what it takes now. Whether the connection is still there."""
        try:
            count = self.connection.send(self.waiting) if self.waiting else 0
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.sent.write(self.waiting[:count])
        del self.waiting[:count]
        return True

    def read(self) -> bool:
        """Take all that has come, also of a connection that is broken. Whether it is still there."""
        while True:
            try:
                data = self.connection.recv(_READ_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self.received += data

    @property
    def unacknowledged_bytes(self) -> int:
        """What the other side's operating system has not taken yet."""
        queued = struct.unpack("i", fcntl.ioctl(self.connection, _SIOCOUTQ, bytes(4)))[0]
        return len(self.waiting) + int(queued)


class _Station:
    """The satellite's port: every client gets every packet, and any may send commands."""

    def __init__(self, folder: Path, satellite: Satellite) -> None:
        self._folder, self._satellite = folder, satellite
        self._clients: list[_Client] = []
        self._count = 0
        self._commands = (folder / "commands.jsonl").open("w", encoding="ascii", buffering=1)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)  # noqa: FBT003 - as the standard library has it

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def is_taken(self) -> bool:
        """Whether whoever is there has taken all that was sent."""
        return all(not client.unacknowledged_bytes for client in self._clients)

    def send(self, packets: Sequence[bytes]) -> None:
        data = b"".join(packets)
        for client in self._clients:
            client.waiting += data

    def turn(self) -> None:
        """Accept who comes, take what came, give what is wanted, forget who is gone."""
        with contextlib.suppress(OSError):
            while True:
                self._accept(self._listener.accept()[0])
        for client in list(self._clients):
            is_there = client.write()
            is_there = client.read() and is_there
            self._take_commands(client)
            if not is_there:
                self._clients.remove(client)
                client.connection.close()
                client.sent.close()

    def _accept(self, connection: socket.socket) -> None:
        connection.setblocking(False)  # noqa: FBT003 - as the standard library has it
        self._count += 1
        record = (self._folder / f"connection-{self._count:06}.sent").open("wb", buffering=0)
        self._clients.append(_Client(self._count, connection, record))

    def _take_commands(self, client: _Client) -> None:
        for packet in whole_packets(client.received):
            del client.received[: len(packet)]
            self._commands.write(json.dumps({"connection": client.number, "hex": packet.hex()}) + "\n")
            self._satellite.command(packet)


def fly(folder: Path, seed: int, speed: float) -> None:
    """Until stdin ends."""
    satellite = Satellite(Dictionary.load(DICTIONARY_DIRECTORY), seed=seed, record=False)
    station = _Station(folder, satellite)
    print(station.port, flush=True)
    began = time.monotonic()
    is_quiet = has_answered = False
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            if selector.select(_TICK_SECONDS):
                if not sys.stdin.readline():
                    return
                is_quiet, has_answered = not is_quiet, False
            elapsed_ns = int((time.monotonic() - began) * speed * 1e9)
            packets = satellite.advance(satellite.start_ns + elapsed_ns)
            if not is_quiet:
                station.send(packets)
            station.turn()
            if is_quiet and not has_answered and station.is_taken:
                print("taken", flush=True)
                has_answered = True


if __name__ == "__main__":
    fly(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
