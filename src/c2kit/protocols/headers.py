"""Frames that stand back to back, each with a header that tells its size."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Protocol as Contract

import numpy as np
from attrs import define

from c2kit.errors import UsageError
from c2kit.kernel.chosen import kernel
from c2kit.kernel.columns.split import put_length
from c2kit.kernel.contract import Split
from c2kit.protocols.base import Reason
from c2kit.protocols.stream import Found

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer, LengthRule

__all__ = ["AnyHeader", "FixedSize", "Header", "HeaderScanner", "LengthFieldSize", "PatternHeader", "Size", "partial"]

_REACH_BYTES = 1_024
"""How far to look at once after a bad header: far enough to be quick where the next frames are good, and no further,
so that input in which every other header is bad takes no time that is quadratic."""


class Size(Contract):
    """How a frame's header tells its size."""

    @property
    def header_bytes(self) -> int:
        """Bytes that must be there before it is known whether a frame begins there, and how long it is."""
        ...

    def split(self, buffer: Buffer, start_byte: int) -> Split:
        """Split frames off, back to back; see :meth:`c2kit.kernel.contract.Kernel.split`."""
        ...

    def fill(self, frame: bytearray) -> None:
        """Write the frame's size to its header. Raises UsageError where that is not possible."""
        ...


@define(frozen=True, slots=True)
class LengthFieldSize:
    """A length field tells it."""

    rule: LengthRule

    @property
    def header_bytes(self) -> int:
        """The bytes up to the end of the length field."""
        return self.rule.header_bytes

    def split(self, buffer: Buffer, start_byte: int) -> Split:
        """Split frames off; see :meth:`Size.split`."""
        return kernel.split(buffer, self.rule, start_byte)

    def fill(self, frame: bytearray) -> None:
        """Write the length field; see :meth:`Size.fill`."""
        put_length(frame, self.rule)


@define(frozen=True, slots=True)
class FixedSize:
    """It is always the same."""

    size_bytes: int
    header_bytes: int

    def split(self, buffer: Buffer, start_byte: int) -> Split:
        """Split frames off; see :meth:`Size.split`."""
        count = (len(buffer) - start_byte) // self.size_bytes
        bounds = start_byte + self.size_bytes * np.arange(count + 1, dtype=np.int64)
        next_byte = int(bounds[-1])
        is_known = len(buffer) - next_byte >= self.header_bytes
        return Split(bounds[:-1], bounds[1:], next_byte, self.size_bytes if is_known else None)

    def fill(self, frame: bytearray) -> None:
        """Refuse a frame of another size; see :meth:`Size.fill`."""
        if len(frame) != self.size_bytes:
            raise UsageError("frame size in bytes", expected=self.size_bytes, found=len(frame))


class Header(Contract):
    """What must stand at the beginning of a frame."""

    @property
    def reason(self) -> Reason:
        """Why bytes are discarded where it does not."""
        ...

    def good(self, view: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether frames may begin there; as many bytes as the frames' header has are in the view."""
        ...

    def seek(self, buffer: bytes, view: npt.NDArray[np.uint8], first_byte: int) -> int:
        """The first place at or after ``first_byte`` where a frame may begin, or where too few bytes are to know it."""
        ...

    def fill(self, frame: bytearray) -> None:
        """Write the header. Raises UsageError where what is in its place must not be replaced."""
        ...


@define(frozen=True, slots=True)
class AnyHeader:
    """Only a bad length tells that no frame begins at a place."""

    rule: LengthRule | None = None
    reason: Reason = Reason.BAD_LENGTH

    def good(self, view: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """All are; see :meth:`Header.good`."""
        del view
        return np.ones(len(starts), np.bool_)

    def seek(self, buffer: bytes, view: npt.NDArray[np.uint8], first_byte: int) -> int:
        """The next place with a length that is allowed; see :meth:`Header.seek`."""
        del view
        return first_byte if self.rule is None else kernel.seek_length(buffer, self.rule, first_byte)

    def fill(self, frame: bytearray) -> None:
        """Nothing; see :meth:`Header.fill`."""


@define(frozen=True, slots=True)
class PatternHeader:
    """A synchronisation pattern."""

    pattern: bytes
    reason: Reason = Reason.NO_SYNC

    def good(self, view: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether the pattern stands there; see :meth:`Header.good`."""
        good = np.ones(len(starts), np.bool_)
        for number, byte in enumerate(self.pattern):
            good &= view[starts + number] == byte
        return good

    def seek(self, buffer: bytes, view: npt.NDArray[np.uint8], first_byte: int) -> int:
        """Where the pattern, or the beginning of one that is cut, is next; see :meth:`Header.seek`."""
        del view
        place = buffer.find(self.pattern, first_byte)
        return place if place >= 0 else len(buffer) - partial(self.pattern, buffer, first_byte)

    def fill(self, frame: bytearray) -> None:
        """Write the pattern to its place, which holds zeros or the pattern; see :meth:`Header.fill`."""
        place = bytes(frame[: len(self.pattern)])
        if place != self.pattern and any(place):
            expected = f"zeros or {self.pattern.hex()}"
            raise UsageError("the synchronisation pattern's place", expected=expected, found=place.hex())
        frame[: len(self.pattern)] = self.pattern


def partial(pattern: bytes, buffer: bytes, first_byte: int) -> int:
    """How many bytes at the end of ``buffer[first_byte:]`` may be the beginning of a pattern that is cut."""
    most = min(len(pattern) - 1, len(buffer) - first_byte)
    return next((count for count in range(most, 0, -1) if buffer.endswith(pattern[:count])), 0)


@define(frozen=True, slots=True, eq=False)
class HeaderScanner:
    """Finds frames by their headers.

    Where a header or a size is bad, the framing is lost: bytes are given up until a header is good again.
    """

    size: Size
    header: Header
    leading_bytes: int = 0
    """How many bytes of each frame to strip off."""

    @property
    def added_bytes(self) -> tuple[int, int]:
        """The bytes stripped off, and none behind."""
        return self.leading_bytes, 0

    def wrap(self, payload: bytes) -> bytes:
        """Put the header before the payload, or fill it in; see :meth:`Scanner.wrap`."""
        frame = bytearray(self.leading_bytes) + payload
        self.size.fill(frame)
        self.header.fill(frame)
        return bytes(frame)

    def reset(self) -> None:
        """Nothing is remembered from scan to scan."""

    def scan(self, buffer: bytes) -> Found:
        """Decide what can be decided; see :meth:`Scanner.scan`."""
        view = np.frombuffer(buffer, np.uint8)
        parts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
        gaps: list[tuple[int, int, Reason]] = []
        position, reach = 0, len(buffer)
        while True:
            end_byte = position + reach
            part, reason = self._walk(buffer, view, position, end_byte)
            parts.append((part.starts, part.ends))
            position = part.next_byte
            if reason is None and end_byte < len(buffer):  # what lies behind was not looked at yet
                reach *= 4
                continue
            if reason is None and part.next_size_bytes is not None:
                break
            # Nothing is wrong yet where the header is not complete, but the bytes that are there may tell already.
            found = self.header.seek(buffer, view, position + (reason is not None))
            if found == position:
                break
            gaps.append((position, found, reason or self.header.reason))
            position, reach = found, _REACH_BYTES
        lows, highs = (np.concatenate(places) for places in zip(*parts, strict=True))
        wanted_bytes = part.next_size_bytes or self.size.header_bytes
        return Found(lows + self.leading_bytes, highs, lows, highs, gaps, position, wanted_bytes)

    def _walk(
        self, buffer: bytes, view: npt.NDArray[np.uint8], first_byte: int, end_byte: int
    ) -> tuple[Split, Reason | None]:
        """Split off frames with good headers before ``end_byte``, and tell what is wrong behind them, if anything."""
        part = self.size.split(buffer if end_byte >= len(buffer) else memoryview(buffer)[:end_byte], first_byte)
        headers = part.starts
        if part.next_size_bytes is not None:
            headers = np.append(headers, part.next_byte)
        good = self.header.good(view, headers)
        if not good.all():
            count = int(good.argmin())
            return Split(part.starts[:count], part.ends[:count], int(headers[count])), self.header.reason
        return part, Reason.BAD_LENGTH if part.is_bad else None
