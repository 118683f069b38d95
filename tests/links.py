"""What tests of links share: patience, and the other side of a link, written with the standard library alone."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

from c2kit.links import Arrival, Ends, Link, LinkState, SelectorLoop, State, Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 60.0


def until(condition: Callable[[], object], what: str = "it") -> None:
    """Wait for something, a bounded time."""
    due = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < due, f"{what} did not happen"
        time.sleep(0.001)


class Watch:
    """Keeps all changes of state of a link."""

    def __init__(self, loop: SelectorLoop | None = None, *, is_enabled: bool = True) -> None:
        self.events: list[LinkState] = []
        self.surroundings = Surroundings(on_state=self.events.append, loop=loop, is_enabled=is_enabled)

    @property
    def states(self) -> list[State]:
        """Those of the link as a whole."""
        return [event.state for event in self.events if not event.peer]

    @property
    def peers(self) -> list[LinkState]:
        """Those of connections."""
        return [event for event in self.events if event.peer]

    def saw(self, state: State, times: int = 1) -> bool:
        return self.states.count(state) >= times


def listener(port: int = 0) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(128)
    sock.settimeout(PATIENCE_SECONDS)
    return sock


def port_of(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


def take_until(link: Link, enough: Callable[[list[Arrival]], object]) -> list[Arrival]:
    """Take from a link until that is enough."""
    arrivals: list[Arrival] = []
    due = time.monotonic() + PATIENCE_SECONDS
    while not enough(arrivals):
        assert time.monotonic() < due, f"only {len(arrivals)} arrivals"
        arrivals += link.take(0.1)
    return arrivals


def take_bytes(link: Link, size_bytes: int) -> bytes:
    """Take that many bytes from a link."""
    arrivals = take_until(link, lambda taken: sum(len(each.data) for each in taken) >= size_bytes)
    return b"".join(each.data for each in arrivals)


def is_end(arrival: Arrival) -> bool:
    return arrival.ends is Ends.CONNECTION


def receive_exactly(sock: socket.socket, size_bytes: int) -> bytes:
    data = b""
    while len(data) < size_bytes:
        piece = sock.recv(size_bytes - len(data))
        assert piece, "it was closed"
        data += piece
    return data


def in_thread(call: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread
