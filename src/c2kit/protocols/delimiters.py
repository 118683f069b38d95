"""Frames that a pattern of bytes ends, or that go on until it begins the next one.

Occurrences of a pattern are counted from left to right; a byte that belongs to one does not belong to another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from attrs import define

from c2kit.errors import UsageError
from c2kit.protocols.base import Reason
from c2kit.protocols.headers import PatternHeader, partial
from c2kit.protocols.stream import Found

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["PatternScanner", "TerminatorScanner"]


def _occurrences(pattern: bytes, buffer: bytes) -> npt.NDArray[np.int64]:
    if len(pattern) == 1:
        return np.flatnonzero(np.frombuffer(buffer, np.uint8) == pattern[0])
    return np.array([match.start() for match in re.finditer(re.escape(pattern), buffer)], np.int64)


def _too_long(lows: npt.NDArray[np.int64], highs: npt.NDArray[np.int64]) -> list[tuple[int, int, Reason]]:
    return [(low, high, Reason.TOO_LONG) for low, high in zip(lows.tolist(), highs.tolist(), strict=True)]


@define(slots=True, eq=False)
class TerminatorScanner:
    """Finds frames that a terminator ends. One that is too long is given up as far as the next terminator."""

    terminator: bytes
    strip: bool
    maximum_bytes: int
    is_lost: bool = False
    """Whether the bytes to come are the rest of a frame that is too long."""

    @property
    def added_bytes(self) -> tuple[int, int]:
        """The terminator behind, if it is stripped off."""
        return 0, len(self.terminator) * self.strip

    def wrap(self, payload: bytes) -> bytes:
        """Put the terminator behind the payload, or see that it is there; see :meth:`Scanner.wrap`."""
        frame = payload + self.terminator * self.strip
        last = len(frame) - len(self.terminator)
        place = frame.find(self.terminator)
        if place != last or place < 0:
            found = f"one at byte {place}" if place >= 0 else "none"
            raise UsageError(f"the terminator {self.terminator.hex()}", expected="only at a frame's end", found=found)
        if len(frame) > self.maximum_bytes:
            raise UsageError("frame size in bytes", expected=f"at most {self.maximum_bytes}", found=len(frame))
        return frame

    def reset(self) -> None:
        """A frame begins with the next byte."""
        self.is_lost = False

    def scan(self, buffer: bytes) -> Found:
        """Decide what can be decided; see :meth:`Scanner.scan`."""
        highs = _occurrences(self.terminator, buffer) + len(self.terminator)
        lows = np.concatenate(([0], highs))[:-1]
        good = highs - lows <= self.maximum_bytes
        if len(highs):
            good[0] &= not self.is_lost
            self.is_lost = False
        gaps = _too_long(lows[~good], highs[~good])
        rest = int(highs[-1]) if len(highs) else 0
        cut = partial(self.terminator, buffer, rest)
        least = len(buffer) - rest + len(self.terminator) - cut
        if self.is_lost or least > self.maximum_bytes:
            self.is_lost = True
            gaps.append((rest, len(buffer) - cut, Reason.TOO_LONG))
            rest = len(buffer) - cut
        lows, highs = lows[good], highs[good]
        ends = highs - len(self.terminator) * self.strip
        wanted_bytes = cut + 1 if self.is_lost else self.maximum_bytes
        return Found(lows, ends, lows, highs, gaps, rest, wanted_bytes, self.terminator, len(buffer) - cut - rest)


@define(frozen=True, slots=True, eq=False)
class PatternScanner:
    """Finds frames that begin with a pattern and end where it is next. One that is too long is given up as far."""

    pattern: bytes
    strip: bool
    maximum_bytes: int

    @property
    def added_bytes(self) -> tuple[int, int]:
        """The pattern before, if it is stripped off."""
        return len(self.pattern) * self.strip, 0

    def wrap(self, payload: bytes) -> bytes:
        """Put the pattern before the payload, or fill it in; see :meth:`Scanner.wrap`."""
        frame = bytearray(len(self.pattern) * self.strip) + payload
        PatternHeader(self.pattern).fill(frame)
        place = (frame + self.pattern).find(self.pattern, len(self.pattern))
        if place != len(frame):
            expected = "only at a frame's beginning"
            raise UsageError(f"the pattern {self.pattern.hex()}", expected=expected, found=f"one at byte {place}")
        if len(frame) > self.maximum_bytes:
            raise UsageError("frame size in bytes", expected=f"at most {self.maximum_bytes}", found=len(frame))
        return bytes(frame)

    def reset(self) -> None:
        """Nothing is remembered from scan to scan."""

    def scan(self, buffer: bytes) -> Found:
        """Decide what can be decided; see :meth:`Scanner.scan`."""
        size = len(self.pattern)
        places = _occurrences(self.pattern, buffer)
        lows, highs = places[:-1], places[1:]
        good = highs - lows <= self.maximum_bytes
        gaps = _too_long(lows[~good], highs[~good])
        cut = partial(self.pattern, buffer, int(places[-1]) + size if len(places) else 0)
        end = len(buffer) - cut
        first, rest = (int(places[0]), int(places[-1])) if len(places) else (end, end)
        if first:
            gaps.insert(0, (0, first, Reason.NO_SYNC))
        if end - rest > self.maximum_bytes:
            gaps.append((rest, end, Reason.TOO_LONG))
            rest = end
        lows, highs = lows[good], highs[good]
        starts = lows + size * self.strip
        if rest == end:
            return Found(starts, highs, lows, highs, gaps, rest, cut + 1)
        awaited_byte = max(size, end - rest)
        return Found(starts, highs, lows, highs, gaps, rest, self.maximum_bytes + size, self.pattern, awaited_byte)
