"""Scanners: where frames begin and end, by their headers or by what stands between them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Protocol as Contract

import numpy as np
from attrs import define

from c2kit.kernel import columns
from c2kit.kernel.contract import Split
from c2kit.protocols.base import Reason
from c2kit.protocols.stream import Found

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer, LengthRule

__all__ = ["FixedSize", "Header", "HeaderScanner", "LengthFieldSize", "Size"]

_REACH_BYTES = 1_024
"""How far to look at once after a bad header: far enough to be quick where the next frames are good, and no further,
so that input in which every other header is bad takes no time that is quadratic."""


class Size(Contract):
    """How a frame's header tells its size."""

    @property
    def header_bytes(self) -> int:
        """Bytes that must be there before the size is known."""
        ...

    def split(self, buffer: Buffer, start_byte: int) -> Split:
        """Split frames off, back to back."""
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
        """Split frames off, back to back."""
        return columns.split(buffer, self.rule, start_byte)


@define(frozen=True, slots=True)
class FixedSize:
    """It is always the same."""

    size_bytes: int
    header_bytes: int

    def split(self, buffer: Buffer, start_byte: int) -> Split:
        """Split frames off, back to back."""
        count = (len(buffer) - start_byte) // self.size_bytes
        bounds = start_byte + self.size_bytes * np.arange(count + 1, dtype=np.int64)
        next_byte = int(bounds[-1])
        is_known = len(buffer) - next_byte >= self.header_bytes
        return Split(bounds[:-1], bounds[1:], next_byte, self.size_bytes if is_known else None)


class Header(Contract):
    """What must stand at the beginning of a frame."""

    @property
    def reason(self) -> Reason:
        """Why bytes are discarded where it does not."""
        ...

    def good(self, view: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether frames may begin there; as many bytes as the frames' header has are in the view."""
        ...

    def seek(self, buffer: bytes, view: npt.NDArray[np.uint8], first_byte: int, header_bytes: int) -> int:
        """The first place at or after ``first_byte`` where a frame may begin, or where too few bytes are to know it."""
        ...


@define(slots=True, eq=False)
class HeaderScanner:
    """Frames that stand back to back and tell their size.

    Where a header or a size is bad, the framing is lost: bytes are given up until a header is good again.
    """

    size: Size
    header: Header
    leading_bytes: int = 0
    """How many bytes of each frame to strip off."""

    def reset(self) -> None:
        """Nothing is remembered from scan to scan."""

    def scan(self, buffer: bytes) -> Found:
        """Decide what can be decided; see :meth:`Scanner.scan`."""
        view = np.frombuffer(buffer, np.uint8)
        parts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
        gaps: list[tuple[int, int, Reason]] = []
        position, reach = 0, len(buffer)
        while True:
            part, reason = self._walk(buffer, view, position, position + reach)
            parts.append((part.starts, part.ends))
            position = part.next_byte
            if reason is None and position + reach < len(buffer):
                reach *= 4
                continue
            if reason is None and part.next_size_bytes is not None:
                break
            # Nothing is wrong yet where the header is not complete, but the bytes that are there may tell already.
            found = self.header.seek(buffer, view, position + (reason is not None), self.size.header_bytes)
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
        """Split off frames with good headers before ``end_byte``, and tell why there is none after them."""
        part = self.size.split(buffer if end_byte >= len(buffer) else memoryview(buffer)[:end_byte], first_byte)
        headers = part.starts
        if part.next_size_bytes is not None:
            headers = np.append(headers, part.next_byte)
        good = self.header.good(view, headers)
        if not good.all():
            count = int(good.argmin())
            part = Split(part.starts[:count], part.ends[:count], int(headers[count]))
            return part, self.header.reason
        return part, Reason.BAD_LENGTH if part.is_bad else None
