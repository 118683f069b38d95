"""Checksums at the end of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define, evolve, field

from c2kit.errors import UsageError
from c2kit.kernel.chosen import kernel
from c2kit.protocols._checks import in_range
from c2kit.protocols.base import Frames, Reason
from c2kit.protocols.burst import FrameProtocol

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.model.crc import CrcParameters

__all__ = ["Crc"]


@define(eq=False, slots=False)
class Crc(FrameProtocol):
    """Lets frames pass whose last bytes are the CRC of all bytes before them; the others are discarded as ``BAD_CRC``.

    It does not find frames: put it behind a protocol that does, in a :class:`~c2kit.protocols.Chain`. By itself it
    takes each chunk for a frame. A frame too short for what is stripped off is ``TRUNCATED``.
    """

    parameters: CrcParameters
    """The width is a whole number of bytes, at most 8."""
    strip: bool = field(default=True, kw_only=True)
    """Whether frames come without the checksum."""
    little_endian: bool = field(default=False, kw_only=True)
    """Whether the checksum's least significant byte is the first one."""
    discard_leading_bytes: int = field(default=0, kw_only=True)
    """How many bytes to strip off the beginning of each frame once it is checked: a header that the checksum covers."""

    def __attrs_post_init__(self) -> None:
        in_range("discard_leading_bytes", self.discard_leading_bytes, 0)
        if self.parameters.width not in range(8, 65, 8):
            found = f"the {self.parameters.width} bits of {self.parameters.name}"
            raise UsageError("a checksum at a frame's end", expected="1 to 8 whole bytes", found=found)
        digits = b"123456789"
        (check,) = kernel.crc(digits, np.array([0]), np.array([len(digits)]), self.parameters).tolist()
        if check != self.parameters.check:
            what = f"the check value of {self.parameters.name}"
            remedy = "one of its parameters, or the check value, is wrong"
            raise UsageError(what, expected=hex(self.parameters.check), found=hex(check), remedy=remedy)
        super().__init__()

    @property
    def _size_bytes(self) -> int:
        return self.parameters.width // 8

    @property
    def added_bytes(self) -> tuple[int, int]:
        """What is stripped off, before and behind."""
        return self.discard_leading_bytes, self._size_bytes * self.strip

    def refine(self, frames: Frames) -> Frames:
        """Check the frames, all at once; see :meth:`Protocol.refine`."""
        long_enough = frames.ends - frames.starts >= self.discard_leading_bytes + self._size_bytes
        frames = self._keep(frames, long_enough, Reason.TRUNCATED)
        view = np.frombuffer(frames.buffer, np.uint8)
        crcs = kernel.crc(frames.buffer, frames.starts, frames.ends - self._size_bytes, self.parameters)
        frames = self._keep(frames, crcs == self._stored(view, frames.ends), Reason.BAD_CRC)
        leading_bytes, trailing_bytes = self.added_bytes
        return evolve(frames, starts=frames.starts + leading_bytes, ends=frames.ends - trailing_bytes)

    def send(self, payload: bytes) -> bytes:
        """The payload with its checksum; see :meth:`Protocol.send`."""
        leading_bytes, trailing_bytes = self.added_bytes
        frame = bytearray(leading_bytes) + payload + bytes(trailing_bytes)
        if len(frame) < self._size_bytes:
            expected = f"at least {self._size_bytes} bytes"
            raise UsageError("a payload with room for its checksum", expected=expected, found=len(frame))
        self.seal(frame, 0, len(frame))
        return bytes(frame)

    def seal(self, frame: bytearray, first_byte: int, end_byte: int) -> None:
        """Write the checksum; see :meth:`Protocol.seal`."""
        place = end_byte - self._size_bytes
        starts, ends = np.array([first_byte], np.int64), np.array([place], np.int64)
        (crc,) = kernel.crc(frame, starts, ends, self.parameters).tolist()
        frame[place:end_byte] = crc.to_bytes(self._size_bytes, "little" if self.little_endian else "big")

    def _stored(self, view: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
        """The checksums that stand before the ends."""
        stored = np.zeros(len(ends), np.uint64)
        places = range(1, self._size_bytes + 1) if self.little_endian else range(self._size_bytes, 0, -1)
        for place in places:
            stored = stored << np.uint64(8) | view[ends - place]
        return stored

    def _keep(self, frames: Frames, which: npt.NDArray[np.bool_], reason: Reason) -> Frames:
        """The frames for which it holds; the others are discarded."""
        if which.all():
            return frames
        self._asides += [frames.discard((low, high), reason) for low, high in frames.spans[~which].tolist()]
        return evolve(frames, starts=frames.starts[which], ends=frames.ends[which], spans=frames.spans[which])
