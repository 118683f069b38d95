"""What all links share: a specification that says what to open, and the running thing that is opened."""

from __future__ import annotations

import abc
import logging
import time
from typing import TYPE_CHECKING, Any, Self

import attrs
from attrs import field, frozen

from c2kit.links.inbox import Inbox
from c2kit.links.values import Arrival, Counters, Ends, LinkState, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.links.loop import SelectorLoop
    from c2kit.links.values import SendResult

__all__ = ["Link", "LinkSpec", "Surroundings", "text_of"]

_log = logging.getLogger(__name__)


def _ignore(_: LinkState) -> None:
    pass


def text_of(error: Exception) -> str:
    """Why something failed, for people: without the number, which systems do not agree on."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


@frozen
class Surroundings:
    """What a link is given by whoever runs it.

    The two callbacks are called in a thread of the link and hold it up: they must not block.
    """

    on_state: Callable[[LinkState], None] = _ignore
    """Called with each change of state, in the order in which they happen."""
    on_arrival: Callable[[], None] | None = None
    """Called when something arrived and nothing had been waiting to be taken, and when nothing more will arrive."""
    loop: SelectorLoop | None = None
    """The loop that serves the process's sockets; a link without one has a loop, and so a thread, of its own."""
    now: Callable[[], int] = field(default=time.time_ns)
    """The time: POSIX nanoseconds, UTC."""
    is_enabled: bool = True
    """Whether the link is to be up from the start."""


class LinkSpec(abc.ABC):
    """What a link connects to, as a value: frozen, checked when it is made, and without any effect.

    Constructors raise :class:`~c2kit.errors.UsageError` for what cannot work.
    """

    @property
    def settings(self) -> dict[str, Any]:
        """All it was told, as plain data, for the description of a mission."""
        return attrs.asdict(self)  # type: ignore[arg-type]

    @abc.abstractmethod
    def at(self, address: str) -> Self:
        """The same with another address, as it is written in a setting. Raises UsageError for what is none."""

    @abc.abstractmethod
    def start(self, surroundings: Surroundings | None = None) -> Link:
        """Open the link, and keep it open until it is closed. Returns at once; what comes of it is told by events."""


class Link(abc.ABC):
    """A link that runs: it comes up, goes down and comes up again by itself, and tells each change.

    *Arrivals* of one connection are in order, and none is dropped: where they are not taken, the link stops reading, so
    that the other side has to wait (or, with datagrams, the operating system drops them). *Memory* is bounded by what
    the specification says. *A send* says exactly what became of it, and nothing is ever sent a second time.

    All methods may be called from any thread.
    """

    def __init__(self, surroundings: Surroundings, receive_max_bytes: int) -> None:
        self._surroundings = surroundings
        self._inbox = Inbox(receive_max_bytes, on_arrival=surroundings.on_arrival, on_room=self._on_room)
        self._counters = Counters()
        self._state = LinkState(State.DISABLED, "not started", surroundings.now())
        self._connections = 0
        self._connection_number = 0

    @property
    def state(self) -> LinkState:
        """How the link as a whole is: the last change that was told of it."""
        return self._state

    @property
    def counters(self) -> Counters:
        """What it has done so far; a copy."""
        return attrs.evolve(self._counters)

    @property
    def is_finished(self) -> bool:
        """Whether all was taken and nothing can arrive any more: it is closed, or a file that was read to its end."""
        return self._inbox.is_finished

    @property
    def waiting_bytes(self) -> int:
        """How much memory is held by what has arrived and was not taken yet."""
        return self._inbox.size_bytes

    def take(self, timeout_seconds: float | None = 0) -> list[Arrival]:
        """All that arrived since the last call, waiting so long for the first of it; None waits without end.

        What arrived before the link was closed can still be taken afterwards.
        """
        return self._inbox.take(timeout_seconds)

    @abc.abstractmethod
    def send(
        self,
        data: bytes,
        *,
        timeout_seconds: float = 10.0,
        expires_at: int | None = None,
        connection: int | None = None,
    ) -> SendResult:
        """Hand bytes to the operating system, all or none if that can be had, and say what became of them.

        Waits until that is certain. Sends come one after the other, and never into one another: a send that stalls in
        the middle ends the connection, since nobody could tell where the next one begins. It goes to the connection of
        that number, or to all that there are.

        Args:
            data: what is to be sent.
            timeout_seconds: nothing of it is sent later than so long after the call.
            expires_at: the same as a time, POSIX nanoseconds, UTC; looked at right before the first byte is sent.
            connection: one of those that arrivals name.
        """

    @abc.abstractmethod
    def enable(self) -> None:
        """Bring it up, and keep it up."""

    @abc.abstractmethod
    def disable(self, reason: str = "on request") -> None:
        """Bring it down, and keep it down; it is down on return."""

    @abc.abstractmethod
    def close(self) -> None:
        """Bring it down for good, and free what it holds; a second time does nothing."""

    def _on_room(self) -> None:  # noqa: B027 - what blocks waits by itself
        """Read on: the inbox was full and is not any more."""

    def _tell(self, state: State, reason: str, peer: str = "") -> None:
        event = LinkState(state, reason, self._surroundings.now(), peer, self._connections)
        if not peer:
            self._state = event
        try:
            self._surroundings.on_state(event)
        except Exception:  # noqa: BLE001 - it is somebody else's code, and the link has to go on
            _log.exception("a callback for changes of a link's state failed")

    def _arrived(self, connection: int, data: bytes, peer: str, ends: Ends = Ends.NOTHING) -> bool:
        """Keep what arrived; return whether there is room for more."""
        received = self._surroundings.now()
        if ends is not Ends.CONNECTION:
            self._counters.received_bytes += len(data)
            self._counters.last_received = received
        return self._inbox.put(Arrival(connection, data, received, ends, peer))
