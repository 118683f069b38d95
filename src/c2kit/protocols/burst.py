"""What takes a chunk for a frame: a link that keeps frames apart by itself, such as datagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define

from c2kit.protocols.base import NO_FRAMES, Discarded, Frames, Protocol

if TYPE_CHECKING:
    from c2kit.kernel.contract import Buffer

__all__ = ["Burst", "FrameProtocol"]


class FrameProtocol(Protocol):
    """A protocol that works on whole frames: each non-empty chunk that it receives is one."""

    def __init__(self) -> None:
        self._first_byte = 0
        self._asides: list[Discarded] = []

    def take_in(self, data: Buffer, received: int) -> Frames:
        """Take the chunk for a frame; see :meth:`Protocol.receive`."""
        buffer = bytes(data)
        if not buffer:
            return NO_FRAMES
        first_byte, size = self._first_byte, len(buffer)
        self._first_byte += size
        start, end = np.zeros(1, np.int64), np.full(1, size, np.int64)
        spans = np.array([[first_byte, first_byte + size]], np.int64)
        return self.refine(Frames(buffer, first_byte, start, end, spans, received))

    def finish(self) -> Frames:
        """Nothing is left; see :meth:`Protocol.end`."""
        return NO_FRAMES

    def take_asides(self) -> list[Discarded]:
        """The discards since the last call; see :meth:`Protocol.take_asides`."""
        asides, self._asides = self._asides, []
        return asides

    @property
    def held_bytes(self) -> int:
        """None: each chunk is decided at once."""
        return 0


@define(eq=False, slots=False)
class Burst(FrameProtocol):
    """Each chunk received is a frame; an empty one is nothing."""

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def refine(self, frames: Frames) -> Frames:
        """The frames as they are; see :meth:`Protocol.refine`."""
        return frames

    def send(self, payload: bytes) -> bytes:
        """The payload as it is; see :meth:`Protocol.send`."""
        return payload

    @property
    def added_bytes(self) -> tuple[int, int]:
        """None."""
        return 0, 0
