"""Frames that a terminator ends."""

from __future__ import annotations

from attrs import define, field

from c2kit.protocols._checks import MAXIMUM_BYTES, in_range, some_bytes
from c2kit.protocols.delimiters import TerminatorScanner
from c2kit.protocols.stream import StreamProtocol

__all__ = ["Terminated"]


@define(eq=False, slots=False)
class Terminated(StreamProtocol):
    r"""Frames that end with a terminator, such as lines with ``b"\r\n"``.

    A terminator right behind another makes an empty frame. Where there is no terminator within ``maximum_bytes``, what
    comes before the next one is discarded as ``TOO_LONG``.
    """

    terminator: bytes
    strip: bool = field(default=True, kw_only=True)
    """Whether frames come without it."""
    maximum_bytes: int = field(default=MAXIMUM_BYTES, kw_only=True)
    """The longest frame that may occur, the terminator included; also the bound on memory."""

    def __attrs_post_init__(self) -> None:
        terminator = some_bytes("the terminator", self.terminator)
        in_range("maximum_bytes of a frame", self.maximum_bytes, len(terminator))
        super().__init__(TerminatorScanner(terminator, self.strip, self.maximum_bytes))
