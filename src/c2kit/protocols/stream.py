"""What all protocols share that find frames in a stream of bytes.

Goals, in this order:

- every byte ends in one frame or one discard, and in the same one however the input was cut;
- memory is bounded against any input;
- the work is O(n) in the bytes received, for chunks of one byte and of a hundred megabytes alike;
- nothing is done for each packet, only for each chunk.

How: a scanner looks at all bytes that are not decided and decides what it can, such that more bytes would not have
changed it. It says what it waits for, and until that is there, bytes are only appended. Garbage is collected until a
frame follows (or :data:`DISCARD_BYTES` of it are there), since where a run of it ends must not depend on the chunks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Protocol as Contract

import numpy as np
from attrs import define, field

from c2kit.protocols.base import NO_FRAMES, Discarded, Frames, Protocol, Reason

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer

__all__ = ["DISCARD_BYTES", "Found", "Scanner", "StreamProtocol"]

DISCARD_BYTES = 65_536
"""A longer run of garbage is reported in pieces of this size."""


@define(frozen=True, slots=True, eq=False)
class Found:
    """What a scanner made of a buffer; all places are counted from its first byte.

    Frame ``i`` is ``buffer[starts[i]:ends[i]]``, made of ``buffer[lows[i]:highs[i]]``. Those and the ``gaps`` tile the
    buffer up to ``rest_byte``. What is there is not decided before there are ``wanted_bytes`` of it, or before
    ``awaited`` occurs in it, at its byte ``awaited_byte`` or later.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    lows: npt.NDArray[np.int64]
    highs: npt.NDArray[np.int64]
    gaps: list[tuple[int, int, Reason]]
    rest_byte: int
    wanted_bytes: int
    awaited: bytes = b""
    awaited_byte: int = 0


class Scanner(Contract):
    """Finds frames in bytes."""

    def scan(self, buffer: bytes) -> Found:
        """Decide what can be decided: ``buffer`` begins with what the last scan left undecided."""
        ...

    def reset(self) -> None:
        """Forget what was before: a new input begins."""
        ...

    def wrap(self, payload: bytes) -> bytes:
        """Make a frame, which a scan will find; raises UsageError where it would not. See :meth:`Protocol.send`."""
        ...

    @property
    def added_bytes(self) -> tuple[int, int]:
        """How many bytes :meth:`wrap` puts before and after a payload."""
        ...


@define(slots=True, eq=False)
class _Run:
    """Garbage without a frame in between: its reason is that of its first byte, where the framing was lost."""

    first_byte: int
    reason: Reason
    received: int
    """When the last of it was given up."""
    data: bytearray = field(factory=bytearray)

    @property
    def end_byte(self) -> int:
        return self.first_byte + len(self.data)

    def cut(self, size_bytes: int) -> Discarded:
        data = bytes(self.data[:size_bytes])
        del self.data[:size_bytes]
        span = (self.first_byte, self.first_byte + len(data))
        self.first_byte = span[1]
        return Discarded(span, self.reason, data, self.received)


class StreamProtocol(Protocol):
    """A protocol that finds frames with a :class:`Scanner`."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._first_byte = 0
        self._held = bytearray()
        self._wanted_bytes = 1
        self._awaited = b""
        self._awaited_byte = 0
        self._run: _Run | None = None
        self._received = 0
        self._asides: list[Discarded] = []

    def take_in(self, data: Buffer, received: int) -> Frames:
        """Take in the next bytes; see :meth:`Protocol.receive`."""
        self._received = received
        if not self._held and len(data) >= self._wanted_bytes:
            return self._advance(bytes(data))
        self._held += data
        return self._advance(bytes(self._held)) if self._is_decidable() else NO_FRAMES

    def finish(self) -> Frames:
        """Decide what is left; see :meth:`Protocol.end`."""
        frames = self._advance(bytes(self._held)) if self._held else NO_FRAMES
        self._close_run()
        if self._held:
            end_byte = self._first_byte + len(self._held)
            span = (self._first_byte, end_byte)
            self._asides.append(Discarded(span, Reason.TRUNCATED, bytes(self._held), self._received))
            self._first_byte = end_byte
            self._held.clear()
        self._scanner.reset()
        self._wait(1)
        return frames

    def take_asides(self) -> list[Discarded]:
        """The discards since the last call; see :meth:`Protocol.take_asides`."""
        asides, self._asides = self._asides, []
        return asides

    def send(self, payload: bytes) -> bytes:
        """Frame a payload; see :meth:`Protocol.send`."""
        return self._scanner.wrap(payload)

    @property
    def added_bytes(self) -> tuple[int, int]:
        """How many bytes :meth:`send` puts before and after a payload."""
        return self._scanner.added_bytes

    @property
    def held_bytes(self) -> int:
        """Bytes that are neither in a frame nor in a discard so far."""
        return len(self._held) + (len(self._run.data) if self._run else 0)

    def refine(self, frames: Frames) -> Frames:
        """Find frames in each frame by itself; see :meth:`Protocol.refine`."""
        view = memoryview(frames.buffer)
        parts = []
        bounds = zip(frames.starts.tolist(), frames.ends.tolist(), frames.spans.tolist(), strict=True)
        for start, end, span in bounds:
            found = self._scanner.scan(bytes(view[start:end]))
            self._scanner.reset()
            parts.append(self._refined(frames, found, start, end, span))
        if not parts:
            return frames
        starts, ends, spans = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return Frames(frames.buffer, frames.first_byte, starts, ends, spans, frames.received)

    def _refined(
        self, frames: Frames, found: Found, start: int, end: int, span: list[int]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The frames found in one frame: their starts and ends in the buffer, and their spans in the input."""
        size = end - start
        offset = frames.first_byte + start

        def place(low: int, high: int) -> tuple[int, int]:
            return span[0] if low == 0 else offset + low, span[1] if high == size else offset + high

        gaps = _joined(found.gaps)
        if found.rest_byte < size or not size:
            gaps.append((found.rest_byte, size, Reason.TRUNCATED))
        self._asides += [frames.discard(place(low, high), reason) for low, high, reason in gaps]
        lows = np.where(found.lows == 0, span[0], found.lows + offset)
        highs = np.where(found.highs == size, span[1], found.highs + offset)
        return found.starts + start, found.ends + start, np.column_stack((lows, highs))

    def _is_decidable(self) -> bool:
        held = self._held
        if len(held) >= self._wanted_bytes:
            return True
        if not self._awaited:
            return False
        place = held.find(self._awaited, self._awaited_byte)
        self._awaited_byte = max(self._awaited_byte, len(held) - len(self._awaited) + 1)
        return place >= 0

    def _wait(self, wanted_bytes: int, awaited: bytes = b"", awaited_byte: int = 0) -> None:
        self._wanted_bytes = wanted_bytes
        self._awaited = awaited
        self._awaited_byte = awaited_byte

    def _advance(self, buffer: bytes) -> Frames:
        found = self._scanner.scan(buffer)
        first_byte = self._first_byte
        self._first_byte += found.rest_byte
        self._held = bytearray(memoryview(buffer)[found.rest_byte :])
        self._wait(found.wanted_bytes, found.awaited, found.awaited_byte)
        for low, high, reason in found.gaps:
            self._collect(first_byte + low, buffer[low:high], reason)
        if self._run and self._run.end_byte < self._first_byte:
            self._close_run()  # a frame follows
        spans = np.column_stack((found.lows, found.highs)) + first_byte
        return Frames(buffer, first_byte, found.starts, found.ends, spans, self._received)

    def _collect(self, first_byte: int, data: bytes, reason: Reason) -> None:
        if self._run is None or self._run.end_byte < first_byte:
            self._close_run()
            self._run = _Run(first_byte, reason, self._received)
        self._run.data += data
        self._run.received = self._received
        while len(self._run.data) >= DISCARD_BYTES:
            self._asides.append(self._run.cut(DISCARD_BYTES))

    def _close_run(self) -> None:
        if self._run and self._run.data:
            self._asides.append(self._run.cut(len(self._run.data)))
        self._run = None


def _joined(gaps: list[tuple[int, int, Reason]]) -> list[tuple[int, int, Reason]]:
    """Each run of adjacent gaps as one, with the reason of its first."""
    joined: list[tuple[int, int, Reason]] = []
    for low, high, reason in gaps:
        if joined and joined[-1][1] == low:
            joined[-1] = (joined[-1][0], high, joined[-1][2])
        else:
            joined.append((low, high, reason))
    return joined
