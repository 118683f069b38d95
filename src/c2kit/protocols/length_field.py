"""Frames that tell their length in a field of their header."""

from __future__ import annotations

from attrs import define, evolve

from c2kit.errors import UsageError
from c2kit.kernel.contract import LengthRule
from c2kit.protocols._checks import MAXIMUM_BYTES, in_range
from c2kit.protocols.headers import AnyHeader, HeaderScanner, LengthFieldSize
from c2kit.protocols.stream import StreamProtocol

__all__ = ["LengthField"]


@define(eq=False, slots=False, kw_only=True)
class LengthField(StreamProtocol):
    """Frames with a length field: ``whole frame in bytes = field * unit_bytes + adjustment_bytes``.

    The adjustment is thus what the field does not count of the frame's bytes: 0 if it counts all of them, the size of
    the header if it counts only what follows.

    Nothing marks where a frame begins. Where the field claims a size that cannot be (longer than ``maximum_bytes``,
    or not even as long as the header), bytes are discarded as ``BAD_LENGTH`` until one does not.
    """

    bit_offset: int = 0
    """The field's first bit, counted from the frame's first bit."""
    bit_length: int
    """1 to 64."""
    little_endian: bool = False
    """Whether the field is little-endian, by the rules of :mod:`c2kit.model.fields`."""
    unit_bytes: int = 1
    """How many bytes the field counts as one, such as 2 for 16-bit words."""
    adjustment_bytes: int = 0
    discard_leading_bytes: int = 0
    """How many bytes to strip off the beginning of each frame."""
    maximum_bytes: int = MAXIMUM_BYTES
    """The longest frame that may occur, what is stripped off included; also the bound on memory."""

    def __attrs_post_init__(self) -> None:
        rule = self.rule
        super().__init__(HeaderScanner(LengthFieldSize(rule), AnyHeader(rule), self.discard_leading_bytes))

    @property
    def rule(self) -> LengthRule:
        """The same for the kernel. Raises UsageError where no frame can be framed by it."""
        in_range("bit_offset of a length field", self.bit_offset, 0)
        in_range("bit_length of a length field", self.bit_length, 1, 64)
        in_range("unit_bytes of a length field", self.unit_bytes, 1)
        in_range("discard_leading_bytes", self.discard_leading_bytes, 0)
        rule = LengthRule(
            self.bit_offset,
            self.bit_length,
            self.little_endian,
            self.unit_bytes,
            self.adjustment_bytes,
            maximum_bytes=self.maximum_bytes,
        )
        least = max(self.discard_leading_bytes, rule.header_bytes)
        in_range("maximum_bytes of a frame", self.maximum_bytes, least)
        claims = (self.adjustment_bytes, self.adjustment_bytes + self.unit_bytes * ((1 << self.bit_length) - 1))
        if claims[1] < least or claims[0] > self.maximum_bytes:
            expected = f"some frame of {least} to {self.maximum_bytes} bytes"
            raise UsageError("a length field", expected=expected, found=f"only {claims[0]} to {claims[1]}")
        return evolve(rule, minimum_bytes=least)
