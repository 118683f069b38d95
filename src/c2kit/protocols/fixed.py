"""Frames that all have the same size."""

from __future__ import annotations

from attrs import define, field

from c2kit.protocols._checks import in_range
from c2kit.protocols.headers import AnyHeader, FixedSize, HeaderScanner
from c2kit.protocols.stream import StreamProtocol

__all__ = ["Fixed"]


@define(eq=False, slots=False)
class Fixed(StreamProtocol):
    """Frames of ``size_bytes``, back to back from the first byte on, without their first ``discard_leading_bytes``.

    Nothing tells where a frame begins, so that the framing is never found again once bytes are lost: on anything but
    datagrams and files, put it after a pattern (:class:`~c2kit.protocols.Sync`).
    """

    size_bytes: int
    """The whole frame, what is stripped off included."""
    discard_leading_bytes: int = field(default=0, kw_only=True)

    def __attrs_post_init__(self) -> None:
        in_range("size_bytes of a frame", self.size_bytes, 1)
        in_range("discard_leading_bytes", self.discard_leading_bytes, 0, self.size_bytes)
        super().__init__(HeaderScanner(FixedSize(self.size_bytes, 1), AnyHeader(), self.discard_leading_bytes))
