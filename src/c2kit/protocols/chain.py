"""Protocols one within the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from attrs import define, evolve

from c2kit.errors import UsageError
from c2kit.protocols.base import Discarded, Frames, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c2kit.kernel.contract import Buffer

__all__ = ["Chain"]


@define(eq=False, slots=False)
class Chain(Protocol):
    """Protocols one within the other, the outermost first.

    The first one frames the input. Each further one takes every frame for an input of its own: frames do not join, as
    datagrams do not, and what is left at the end of one is discarded as ``TRUNCATED``. Spans are still those of the
    input: bytes that an outer protocol stripped off are counted to the first or last piece of what was in its frame.
    """

    protocols: Sequence[Protocol]

    def __attrs_post_init__(self) -> None:
        if not self.protocols:
            raise UsageError("a chain of protocols", expected="at least one", found="none")
        for number, protocol in enumerate(self.protocols):
            if not isinstance(protocol, Protocol):
                raise UsageError(f"protocol {number} of a chain", expected="a protocol", found=repr(protocol))
        if len({id(protocol) for protocol in self.protocols}) < len(self.protocols):
            raise UsageError("a chain of protocols", expected="each of them once", found="one of them twice")

    @property
    def gives_space_packets(self) -> bool:
        """Whether one of them does; what comes after it only strips or checks."""
        return any(protocol.gives_space_packets for protocol in self.protocols)

    def fresh(self) -> Self:
        """Another chain of fresh protocols; see :meth:`Protocol.fresh`."""
        return evolve(self, protocols=[protocol.fresh() for protocol in self.protocols])

    def take_in(self, data: Buffer, received: int) -> Frames:
        """Pass the next bytes through all protocols; see :meth:`Protocol.receive`."""
        return self._refine_further(self.protocols[0].take_in(data, received))

    def finish(self) -> Frames:
        """Decide what is left; see :meth:`Protocol.end`."""
        return self._refine_further(self.protocols[0].finish())

    def refine(self, frames: Frames) -> Frames:
        """Pass each frame through all protocols; see :meth:`Protocol.refine`."""
        return self._refine_further(self.protocols[0].refine(frames))

    def take_asides(self) -> list[Discarded]:
        """The discards of all protocols since the last call; see :meth:`Protocol.take_asides`."""
        asides = [aside for protocol in self.protocols for aside in protocol.take_asides()]
        return sorted(asides, key=lambda aside: aside.span)

    def send(self, payload: bytes) -> bytes:
        """Frame the payload by all protocols, from the innermost to the outermost; see :meth:`Protocol.send`."""
        for protocol in reversed(self.protocols):
            payload = protocol.send(payload)
        frame = bytearray(payload)
        self.seal(frame, 0, len(frame))
        return bytes(frame)

    def seal(self, frame: bytearray, first_byte: int, end_byte: int) -> None:
        """Compute all checksums again, from the innermost to the outermost; see :meth:`Protocol.seal`."""
        places = [(first_byte, end_byte)]
        for protocol in self.protocols:
            leading_bytes, trailing_bytes = protocol.added_bytes
            first_byte, end_byte = first_byte + leading_bytes, end_byte - trailing_bytes
            places.append((first_byte, end_byte))
        for number in reversed(range(len(self.protocols))):
            self.protocols[number].seal(frame, *places[number])

    @property
    def added_bytes(self) -> tuple[int, int]:
        """What all of them add, before and behind."""
        leading, trailing = zip(*(protocol.added_bytes for protocol in self.protocols), strict=True)
        return sum(leading), sum(trailing)

    @property
    def held_bytes(self) -> int:
        """What the first one holds: the others hold nothing."""
        return self.protocols[0].held_bytes

    def _refine_further(self, frames: Frames) -> Frames:
        for protocol in self.protocols[1:]:
            if not len(frames):
                break
            frames = protocol.refine(frames)
        return frames
