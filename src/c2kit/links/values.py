"""What links say: what arrived, how a link is, and what became of what was sent."""

from __future__ import annotations

from enum import Enum, StrEnum, unique
from typing import TYPE_CHECKING

from attrs import define, frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Arrival", "Counters", "Ends", "LinkState", "Outcome", "SendResult", "State"]


@unique
class State(StrEnum):
    """How a link, or one connection of it, is."""

    CONNECTING = "connecting"
    """It tries to connect, or listens and nobody is there."""
    CONNECTED = "connected"
    """Bytes can come and go."""
    DOWN = "down"
    """It failed or ended; the reason says why. A link that is enabled tries again."""
    DISABLED = "disabled"
    """Somebody does not want it to be up."""


@frozen
class LinkState:
    """A change of state, the moment it happened.

    Changes of one of a server's connections have its ``peer``; the link as a whole is connected while ``connections``
    is above zero.
    """

    state: State
    reason: str
    time: int
    """POSIX nanoseconds, UTC."""
    peer: str = ""
    """The other side's address, where the change is that of a connection."""
    connections: int = 0
    """How many connections there are after the change."""


@unique
class Ends(Enum):
    """What ends with some bytes; framing must not join them to later ones."""

    NOTHING = "nothing"
    DATAGRAM = "datagram"
    CONNECTION = "connection"


@frozen
class Arrival:
    """Bytes from a link, as the operating system gave them.

    ``connection`` numbers the link's connections from 1: bytes of one are in order, and those of different ones have
    nothing to do with each other.
    """

    connection: int
    data: bytes
    received: int
    """POSIX nanoseconds, UTC."""
    ends: Ends = Ends.NOTHING
    peer: str = ""


@unique
class Outcome(StrEnum):
    """What became of bytes to be sent."""

    SENT = "sent"
    """All of them were handed to the operating system. Whether they arrived, only the other side can tell."""
    NOT_SENT = "not sent"
    """None of them left, and none will: they may be sent again."""
    PARTIAL = "partial"
    """Some left, or may have: whether the other side can make something of them is unknown."""


@frozen
class SendResult:
    """What became of one send, and why it was not ``SENT``."""

    outcome: Outcome
    reason: str = ""
    written_bytes: int = 0
    """How many bytes were handed to the operating system, as far as is known; over all connections."""

    @classmethod
    def of_many(cls, results: Sequence[SendResult]) -> SendResult:
        """That of a send to many connections: ``SENT`` or ``NOT_SENT`` only where it is so for all."""
        outcomes = {result.outcome for result in results}
        outcome = outcomes.pop() if len(outcomes) == 1 else Outcome.PARTIAL
        reasons = dict.fromkeys(result.reason for result in results if result.reason)
        return cls(outcome, "; ".join(reasons), sum(result.written_bytes for result in results))


@define
class Counters:
    """What a link has done since it was started. A copy: it does not go on counting."""

    received_bytes: int = 0
    sent_bytes: int = 0
    last_received: int | None = None
    """POSIX nanoseconds, UTC."""
    connects: int = 0
    """How often a connection came to be."""
    errors: int = 0
    """Attempts and connections that failed, clients that were refused."""
    lost_datagrams: int = 0
    """Datagrams that the operating system dropped since they were not read in time, where it tells (Linux)."""
    discarded_datagrams: int = 0
    """Datagrams that were read, and discarded since ``receive_max_bytes`` waited already."""
    discarded_bytes: int = 0
    """Their bytes."""
