"""The contract of framing: what every protocol does, and what becomes of bytes that are no frame.

Protocols do no I/O and know no clock: bytes go in as they came, frames and discards come out, and the other way round
for commands. Whatever the bytes are, nothing is raised because of them.
"""

from __future__ import annotations

import abc
from enum import Enum, unique
from typing import TYPE_CHECKING, Self

import numpy as np
from attrs import define, evolve, field, frozen

from c2kit.batches import PacketBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer

__all__ = ["NO_FRAMES", "Discarded", "Frames", "Protocol", "Reason"]


@unique
class Reason(Enum):
    """Why bytes are not part of a frame."""

    NO_SYNC = "no sync"
    """They stand where the synchronisation pattern should."""
    BAD_HEADER = "bad header"
    """No packet header that was asked for begins there."""
    BAD_LENGTH = "bad length"
    """A length field claims a size that is forbidden."""
    TOO_LONG = "too long"
    """The frame has not ended within the bytes that a frame may have."""
    BAD_CRC = "bad CRC"
    """The frame's checksum is not that of its bytes."""
    TRUNCATED = "truncated"
    """The input, or the frame around, ended before the frame was complete."""


def _excerpt(data: bytes) -> str:
    return data.hex() if len(data) <= 16 else f"{data[:16].hex()}..."


@frozen
class Discarded:
    """Input bytes that are not part of any frame.

    They are the bytes from ``span[0]`` up to, not including, ``span[1]``, counted from the first ever received.
    """

    span: tuple[int, int]
    reason: Reason
    data: bytes = field(repr=_excerpt)
    """The bytes themselves, for inspection."""
    received: int
    """When the last of them was given up: POSIX nanoseconds, UTC, as told to :meth:`Protocol.receive`."""

    @property
    def size_bytes(self) -> int:
        """How many bytes they are."""
        return self.span[1] - self.span[0]


@define(frozen=True, slots=True, eq=False)
class Frames:
    """Frames on their way through a chain of protocols.

    Frame ``i`` is ``buffer[starts[i]:ends[i]]`` and was made of the input bytes ``spans[i]``, all of which are in the
    buffer, whose first byte is the input's byte ``first_byte``.
    """

    buffer: bytes
    first_byte: int
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    spans: npt.NDArray[np.int64]
    received: int

    def __len__(self) -> int:
        """The number of frames."""
        return len(self.starts)

    def batches(self, *, space_packets: bool) -> Iterator[PacketBatch]:
        """The frames as one batch, or as none where there is no frame."""
        if not len(self):
            return
        yield PacketBatch(
            buffer=self.buffer,
            starts=self.starts,
            ends=self.ends,
            received=np.full(len(self), self.received, np.int64),
            space_packets=space_packets,
            spans=self.spans,
        )

    def discard(self, span: tuple[int, int], reason: Reason) -> Discarded:
        """Give up some input bytes that are in the buffer."""
        data = self.buffer[span[0] - self.first_byte : span[1] - self.first_byte]
        return Discarded(span, reason, data, self.received)


NO_FRAMES = Frames(b"", 0, np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2), np.int64), 0)
"""Nothing is complete yet: the answer to most calls where input comes byte by byte."""


class Protocol(abc.ABC):
    """Bytes in, frames and discards out, such that nothing is unaccounted for; and payloads in, bytes out.

    *Every byte is in one place.* The spans of all frames and of all discards, put in order, tile the input from its
    first byte: they neither overlap nor leave anything out. What is not decided yet is :attr:`held_bytes` long, and
    :meth:`end` decides it.

    *Chunks do not matter.* However the input is cut, the same frames with the same spans come out, and the same
    discards, only sooner or later. (Where there is no framing, as in :class:`~c2kit.protocols.Burst`, a chunk is a
    frame.)

    *Memory is bounded* by the constructor's arguments, whatever the input claims. What :meth:`take_asides` would give
    is kept until it is taken, so take it after each call.

    An instance is for one input and one thread; :meth:`fresh` gives another one. Constructors raise
    :class:`~c2kit.errors.UsageError` for what cannot work.

    Who writes a protocol defines the abstract methods. Of these, :meth:`take_in`, :meth:`finish`, :meth:`refine`,
    :meth:`seal` and :attr:`added_bytes` are what a :class:`~c2kit.protocols.Chain` calls; users call the others.
    """

    def receive(self, data: Buffer, received: int = 0) -> Iterator[PacketBatch]:
        """Take in the next bytes of the input, and give the frames that are complete with them.

        The bytes are taken in by the call, not by iterating over its result. ``received`` is the time that frames and
        discards get which these bytes decide: POSIX nanoseconds, UTC. The frames have their ``spans`` and are in
        the order of the input.
        """
        return self.take_in(data, received).batches(space_packets=self.gives_space_packets)

    def end(self) -> Iterator[PacketBatch]:
        """Take note that the input (a datagram, a connection, a file) has ended: what is incomplete is truncated.

        The next bytes, if there are any, begin afresh; spans are still counted from the first byte ever received.
        """
        return self.finish().batches(space_packets=self.gives_space_packets)

    @property
    def gives_space_packets(self) -> bool:
        """Whether each frame is a CCSDS space packet, which the batches then say."""
        return False

    def fresh(self) -> Self:
        """Another one of the same parameters, for another input.

        Protocols are attrs classes; one that is none overrides this.
        """
        return evolve(self)  # type: ignore[misc]

    @abc.abstractmethod
    def take_asides(self) -> list[Discarded]:
        """The discards since the last call, in the order of the input."""

    @abc.abstractmethod
    def send(self, payload: bytes) -> bytes:
        """The bytes to be sent so that the other side's :meth:`receive` gives ``payload``.

        What ``receive`` strips off is added; what it leaves in the frame (a length field, a checksum, a pattern) has
        its place in ``payload`` already and is filled in.

        Raises:
            UsageError: the payload cannot be framed.
        """

    @property
    @abc.abstractmethod
    def held_bytes(self) -> int:
        """How many bytes were received that are neither in a frame nor in a discard so far."""

    @abc.abstractmethod
    def take_in(self, data: Buffer, received: int) -> Frames:
        """What :meth:`receive` does."""

    @abc.abstractmethod
    def finish(self) -> Frames:
        """What :meth:`end` does."""

    @abc.abstractmethod
    def refine(self, frames: Frames) -> Frames:
        """Take each of the frames for an input of its own, and give the frames that are in them.

        All spans that come of a frame tile its span: bytes around the inner frames (headers that were stripped) are
        counted to the first and to the last of them.
        """

    @property
    @abc.abstractmethod
    def added_bytes(self) -> tuple[int, int]:
        """How many bytes :meth:`send` puts before and after a payload."""

    def seal(self, frame: bytearray, first_byte: int, end_byte: int) -> None:  # noqa: B027 - most have nothing to do
        """Compute again what depends on every byte of a frame that :meth:`send` made, now that it is framed further.

        It is ``frame[first_byte:end_byte]``. Protocols further out may have filled in parts of it that a checksum
        covers.
        """
