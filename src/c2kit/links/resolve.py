"""Names of hosts to addresses, without holding up the loop."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from typing import TYPE_CHECKING

from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.links.loop import SelectorLoop

__all__ = ["Address", "Resolver", "addresses_of"]

Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]

_MOST_THREADS = 4
"""A name server that does not answer holds up this many names, and no link but those that wait for names."""


def addresses_of(host: str, port: int, kind: socket.SocketKind, flags: int = 0) -> list[Address]:
    """All addresses of a host, the best first. Blocks unless ``flags`` ask for numbers; raises OSError."""
    found = socket.getaddrinfo(host, port, type=kind, flags=flags)
    return [(family, address) for family, _, _, _, address in found]


class Resolver:
    """Looks names up in threads of its own, which exist only once there was a name that is no number."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0

    def resolve(
        self,
        loop: SelectorLoop,
        where: tuple[str, int, socket.SocketKind],
        done: Callable[[list[Address] | OSError], None],
    ) -> None:
        """Give the addresses of a host, port and kind of socket, or why there are none; in the loop's thread."""
        try:
            done(addresses_of(*where, socket.AI_NUMERICHOST))
        except (socket.gaierror, UnicodeError):
            pass  # a name, then
        else:
            return

        def job() -> None:
            found = _found(where)
            with contextlib.suppress(UsageError):  # the loop was closed meanwhile: nobody wants to know
                loop.call(lambda: done(found))

        self._jobs.put(job)
        with self._lock:
            if self._threads < _MOST_THREADS:
                self._threads += 1
                threading.Thread(target=self._work, name="c2kit-names", daemon=True).start()

    def close(self) -> None:
        """Let the threads end; one that waits for a name server ends when that answers."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _found(where: tuple[str, int, socket.SocketKind]) -> list[Address] | OSError:
    try:
        return addresses_of(*where)
    except OSError as error:
        return error
    except UnicodeError as error:  # the name has a label that is empty or too long
        return OSError(str(error))
