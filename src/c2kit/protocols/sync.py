"""Frames that begin with a synchronisation pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve, field

from c2kit.errors import UsageError
from c2kit.protocols._checks import MAXIMUM_BYTES, in_range, some_bytes
from c2kit.protocols.delimiters import PatternScanner
from c2kit.protocols.fixed import Fixed
from c2kit.protocols.headers import FixedSize, HeaderScanner, LengthFieldSize, PatternHeader, Size
from c2kit.protocols.length_field import LengthField
from c2kit.protocols.stream import StreamProtocol

if TYPE_CHECKING:
    from c2kit.protocols.stream import Scanner

__all__ = ["Sync"]


@define(eq=False, slots=False)
class Sync(StreamProtocol):
    """Frames that begin with a synchronisation pattern, on a byte boundary.

    ``then`` tells where a frame ends, as if it began behind the pattern: :class:`~c2kit.protocols.Fixed`,
    :class:`~c2kit.protocols.LengthField`, or ``None`` if it goes on until the next pattern. In the last case a
    frame is complete only when the next one begins, and the last one of an input is truncated.

    The pattern is expected right behind each frame. Where it is not, bytes are discarded as ``NO_SYNC`` until it is;
    where the length behind it cannot be, it was none, and the next one is sought from its second byte on. Within a
    frame whose size is known, the pattern means nothing.
    """

    pattern: bytes
    then: Fixed | LengthField | None = None
    strip: bool = field(default=True, kw_only=True)
    """Whether frames come without the pattern."""
    maximum_bytes: int | None = field(default=None, kw_only=True)
    """The longest frame that may occur, the pattern included; also the bound on memory. Only where ``then`` is
    ``None``, since the others know: default 1 048 576."""

    def __attrs_post_init__(self) -> None:
        super().__init__(self._scanner_of(some_bytes("the synchronisation pattern", self.pattern)))

    def _scanner_of(self, pattern: bytes) -> Scanner:
        if self.then is None:
            maximum_bytes = MAXIMUM_BYTES if self.maximum_bytes is None else self.maximum_bytes
            in_range("maximum_bytes of a frame", maximum_bytes, len(pattern))
            return PatternScanner(pattern, self.strip, maximum_bytes)
        if not isinstance(self.then, Fixed | LengthField):
            raise UsageError("what follows a pattern", expected="Fixed, LengthField or None", found=repr(self.then))
        if self.maximum_bytes is not None:
            raise UsageError("Sync", expected="maximum_bytes only where nothing else bounds a frame", found=self.then)
        leading_bytes = self.then.discard_leading_bytes
        if leading_bytes and not self.strip:
            found = f"strip=False, then discard_leading_bytes={leading_bytes}"
            raise UsageError("Sync", expected="no hole in the frame", found=found, remedy="strip both or neither")
        scanner = HeaderScanner(_size(self.then, len(pattern)), PatternHeader(pattern))
        return evolve(scanner, leading_bytes=(len(pattern) + leading_bytes) * self.strip)


def _size(then: Fixed | LengthField, pattern_bytes: int) -> Size:
    """How the size of a frame is told, the pattern included."""
    if isinstance(then, Fixed):
        return FixedSize(pattern_bytes + then.size_bytes, pattern_bytes)
    rule = then.rule
    return LengthFieldSize(
        evolve(
            rule,
            length_bit_offset=rule.length_bit_offset + 8 * pattern_bytes,
            adjustment_bytes=rule.adjustment_bytes + pattern_bytes,
            minimum_bytes=rule.minimum_bytes + pattern_bytes,
            maximum_bytes=rule.maximum_bytes + pattern_bytes,
        )
    )
