"""A link with its protocols: frames come out, payloads go in."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Self

from attrs import define, evolve, frozen

from c2kit.errors import UsageError
from c2kit.links.link import LinkSpec, Surroundings
from c2kit.links.values import Ends, LinkState
from c2kit.protocols import Chain, Discarded, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from c2kit.batches import PacketBatch
    from c2kit.links.link import Link
    from c2kit.links.values import Arrival, Counters, SendResult

__all__ = ["ByteAccount", "Interface", "InterfaceEvent", "LinkDiscard"]

_KEPT_BYTES = 4_194_304
"""How much of what fell aside is kept for somebody who does not take it."""
_EVENT_BYTES = 256


@frozen
class LinkDiscard:
    """Bytes of one connection that are in no frame. ``discarded.span`` counts from that connection's first byte."""

    connection: int
    peer: str
    discarded: Discarded


InterfaceEvent = LinkState | LinkDiscard


@define
class ByteAccount:
    """Where all bytes are that were taken from a link: ``received == framed + discarded + held``."""

    received: int = 0
    framed: int = 0
    """The input bytes that frames were made of, with what was stripped off."""
    discarded: int = 0
    held: int = 0
    """They wait for more."""
    frames: int = 0
    """How many frames there were."""


class Interface:
    """A device: the link it is at, the protocols it speaks, outermost first, and the targets behind it.

    ::

        with Interface("fep", TcpClient("localhost", 7011), [CcsdsPackets()], ["FIREFLY"]) as fep:
            for frames in fep:  # a PacketBatch, as soon as something is complete
                ...

    Each connection has framing of its own, which begins afresh. Where a connection or a datagram ends, the framing
    ends: what is incomplete is discarded as truncated. Every byte that was taken from the link is in the account.

    It is opened by ``with`` (or :meth:`open` and :meth:`close`). Frames are for one thread; everything else may be
    called from any.

    Args:
        name: what batches name as their interface.
        link: a specification, such as ``TcpClient("localhost", 7011)``.
        protocols: fresh ones are made of them for each connection.
        targets: who lives behind it; for whoever reads on.
        on_event: called with each change of state (in a thread of the link) and each discard (in the thread that takes
            frames), at once; it must not block. Without it they are kept for :meth:`take_events`.
    """

    def __init__(
        self,
        name: str,
        link: LinkSpec,
        protocols: Sequence[Protocol],
        targets: Sequence[str] = (),
        *,
        on_event: Callable[[InterfaceEvent], None] | None = None,
    ) -> None:
        if not isinstance(link, LinkSpec):
            raise UsageError(f"the link of interface {name}", expected="such as TcpClient(...)", found=repr(link))
        self.name = name
        self.spec = link
        self.targets = tuple(targets)
        protocols = list(protocols)
        chain = Chain(protocols)  # raises for what is no protocol
        self._template: Protocol = protocols[0] if len(protocols) == 1 else chain
        self._sending = self._template.fresh()
        self._send_lock = threading.Lock()
        self._framings: dict[int, Protocol] = {}
        self._account = ByteAccount()
        self._events = _Events()
        self._on_event = on_event or self._events.put
        self._link: Link | None = None

    def open(self, surroundings: Surroundings | None = None) -> Self:
        """Start the link. Its surroundings' ``on_state`` is called beside ``on_event``."""
        if self._link is not None:
            raise UsageError(f"interface {self.name}", expected="to be opened once", found="a second time")
        given = surroundings or Surroundings()

        def told(event: LinkState) -> None:
            given.on_state(event)
            self._on_event(event)

        self._link = self.spec.start(evolve(given, on_state=told))
        return self

    def close(self) -> None:
        """Close the link. What it received before can still be taken."""
        if self._link is not None:
            self._link.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether it was opened, so that it has a link."""
        return self._link is not None

    @property
    def link(self) -> Link:
        """The running link. Raises UsageError before the interface is opened."""
        if self._link is None:
            raise UsageError(f"interface {self.name}", expected="to be open", found="not opened", remedy="use `with`")
        return self._link

    def __iter__(self) -> Iterator[PacketBatch]:
        """Frames as they come, for as long as the interface is open and its link can give any."""
        while not self.link.is_finished:
            yield from self.receive(timeout_seconds=None)

    def receive(self, timeout_seconds: float | None = 0) -> Iterator[PacketBatch]:
        """The frames of what has arrived, waiting so long for something to arrive; None waits without end."""
        for arrival in self.take(timeout_seconds):
            yield from self.frame(arrival)

    def take(self, timeout_seconds: float | None = 0) -> list[Arrival]:
        """What has arrived, not framed yet, for whoever keeps the bytes too: give each of them to :meth:`frame`."""
        return self.link.take(timeout_seconds)

    def frame(self, arrival: Arrival) -> list[PacketBatch]:
        """The frames that are complete with an arrival. Arrivals are framed in the order in which they were taken."""
        number = arrival.connection
        framing = self._framings.get(number)
        if framing is None:
            framing = self._framings[number] = self._template.fresh()
        held = framing.held_bytes
        batches = list(framing.receive(arrival.data, arrival.received))
        if arrival.ends is not Ends.NOTHING:
            batches += framing.end()
        self._aside(arrival, framing)
        self._account.received += len(arrival.data)
        self._account.held += framing.held_bytes - held
        if arrival.ends is Ends.CONNECTION:
            del self._framings[number]
        return [self._named(batch) for batch in batches]

    def send(
        self,
        payload: bytes,
        *,
        timeout_seconds: float = 10.0,
        expires_at: int | None = None,
        connection: int | None = None,
    ) -> SendResult:
        """Frame a payload and send it; see :meth:`~c2kit.links.Link.send`.

        Raises:
            UsageError: the payload cannot be framed; nothing was sent.
        """
        data = self.encode(payload)
        return self.link.send(data, timeout_seconds=timeout_seconds, expires_at=expires_at, connection=connection)

    def encode(self, payload: bytes) -> bytes:
        """The bytes that :meth:`send` would send. Raises UsageError for what cannot be framed."""
        with self._send_lock:
            return self._sending.send(payload)

    def enable(self) -> None:
        """Bring the link up, and keep it up."""
        self.link.enable()

    def disable(self, reason: str = "on request") -> None:
        """Bring the link down, and keep it down."""
        self.link.disable(reason)

    @property
    def state(self) -> LinkState:
        """How the link is."""
        return self.link.state

    @property
    def counters(self) -> Counters:
        """What the link has done so far; a copy."""
        return self.link.counters

    @property
    def account(self) -> ByteAccount:
        """Where all bytes are that were taken from the link; a copy."""
        return evolve(self._account)

    def take_events(self) -> list[InterfaceEvent]:
        """Changes of state and discards since the last call, in order; the oldest are given up beyond 4 MiB."""
        return self._events.take()

    @property
    def forgotten_events(self) -> int:
        """How many events were given up since nobody took them."""
        return self._events.forgotten

    def _aside(self, arrival: Arrival, framing: Protocol) -> None:
        for discarded in framing.take_asides():
            self._account.discarded += discarded.size_bytes
            self._on_event(LinkDiscard(arrival.connection, arrival.peer, discarded))

    def _named(self, batch: PacketBatch) -> PacketBatch:
        self._account.frames += len(batch)
        if batch.spans is not None:
            self._account.framed += int((batch.spans[:, 1] - batch.spans[:, 0]).sum())
        return evolve(batch, interface=self.name)


class _Events:
    """Events that nobody wanted at once, bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: deque[InterfaceEvent] = deque()
        self._size_bytes = 0
        self.forgotten = 0

    def put(self, event: InterfaceEvent) -> None:
        with self._lock:
            self._events.append(event)
            self._size_bytes += _size_bytes(event)
            while self._size_bytes > _KEPT_BYTES:
                self._size_bytes -= _size_bytes(self._events.popleft())
                self.forgotten += 1

    def take(self) -> list[InterfaceEvent]:
        with self._lock:
            events = list(self._events)
            self._events.clear()
            self._size_bytes = 0
        return events


def _size_bytes(event: InterfaceEvent) -> int:
    return _EVENT_BYTES + (event.discarded.size_bytes if isinstance(event, LinkDiscard) else 0)
