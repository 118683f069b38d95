"""CCSDS space packets, back to back: CCSDS 133.0-B-2, Space Packet Protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define

from c2kit.errors import UsageError
from c2kit.kernel.contract import LengthRule
from c2kit.protocols._checks import all_in_range, in_range
from c2kit.protocols.base import Reason
from c2kit.protocols.headers import HeaderScanner, LengthFieldSize
from c2kit.protocols.stream import StreamProtocol

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

__all__ = ["CcsdsPackets"]

PRIMARY_HEADER_BYTES = 6
"""4.1.3.1: the packet primary header has six octets."""
MINIMUM_BYTES = 7
"""4.1.2.2: a packet has at least 7 octets."""
MAXIMUM_BYTES = 65_542
"""4.1.2.2: a packet has at most 65 542 octets."""

MAXIMUM_SKIP_BYTES = 1_048_576
"""More before each packet is a mistake, and all of it would have to be held until the packet is there."""

_SEEK_BYTES = 64
"""How far to seek a good header at once, at first: most bad ones are followed by a good one soon."""


@define(eq=False, slots=False, kw_only=True)
class CcsdsPackets(StreamProtocol):
    """CCSDS space packets, framed by the packet data length of their primary header (133.0-B-2, 4.1.3.5).

    Each frame is one whole packet, primary header included. Idle packets are frames like all others, and nothing but
    the header's first and last sixteen bits is looked at: identification and sequence checks are not framing.

    Nothing in a space packet marks its beginning. Where the packet version number is not one of ``versions``, or the
    APID not one of ``apids`` (if any are given), or a packet longer than ``maximum_bytes``, the framing was lost: bytes
    are discarded as ``BAD_HEADER`` or ``BAD_LENGTH`` until a header is good. The more is known, the sooner a false
    header is told from a true one.
    """

    versions: Collection[int] = (0,)
    """Packet version numbers that may occur, 0 to 7. Only 0 is a space packet's (4.1.3.2), but there are recordings
    with others."""
    apids: Collection[int] | None = None
    """Application process identifiers that may occur, 0 to 2047; ``None`` for all."""
    skip_bytes: int = 0
    """Bytes that stand before each packet, such as a ground station's header, at most 1 048 576. They are not part of
    the frame."""
    maximum_bytes: int = MAXIMUM_BYTES
    """The longest packet that may occur, 7 to 65 542."""

    @property
    def gives_space_packets(self) -> bool:
        """They all are."""
        return True

    def __attrs_post_init__(self) -> None:
        in_range("skip_bytes", self.skip_bytes, 0, MAXIMUM_SKIP_BYTES)
        in_range("maximum_bytes of a space packet", self.maximum_bytes, MINIMUM_BYTES, MAXIMUM_BYTES)
        # 4.1.3.5.3: the packet data length is the number of octets in the packet data field, less one.
        rule = LengthRule(
            length_bit_offset=8 * self.skip_bytes + 32,
            length_bits=16,
            adjustment_bytes=self.skip_bytes + PRIMARY_HEADER_BYTES + 1,
            maximum_bytes=self.skip_bytes + self.maximum_bytes,
            minimum_bytes=self.skip_bytes + MINIMUM_BYTES,
        )
        header = _PrimaryHeader(_allowed(self.versions, self.apids), self.skip_bytes)
        super().__init__(HeaderScanner(LengthFieldSize(rule), header, leading_bytes=self.skip_bytes))


@define(frozen=True, slots=True, eq=False)
class _PrimaryHeader:
    """Looks at the first two bytes of a primary header: version number, type, secondary header flag and APID."""

    allowed: npt.NDArray[np.bool_]
    """For each of the 65 536 values of these bytes whether it may occur."""
    skip_bytes: int
    reason: Reason = Reason.BAD_HEADER

    def good(self, view: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        places = starts + self.skip_bytes
        good: npt.NDArray[np.bool_] = self.allowed[view[places].astype(np.intp) << 8 | view[places + 1]]
        return good

    def seek(self, buffer: bytes, view: npt.NDArray[np.uint8], first_byte: int) -> int:
        end_byte = len(buffer) - self.skip_bytes - PRIMARY_HEADER_BYTES + 1
        span = _SEEK_BYTES
        while first_byte < end_byte:
            starts = np.arange(first_byte, min(first_byte + span, end_byte))
            good = self.good(view, starts)
            if good.any():
                return first_byte + int(good.argmax())
            first_byte += len(starts)
            span *= 4
        return first_byte

    def fill(self, frame: bytearray) -> None:
        identification = int.from_bytes(frame[self.skip_bytes : self.skip_bytes + 2], "big")
        if not self.allowed[identification]:
            found = f"version {identification >> 13}, APID {identification & 0x7FF}"
            raise UsageError("a packet to be sent", expected="one of the versions and APIDs told", found=found)


def _allowed(versions: Collection[int], apids: Collection[int] | None) -> npt.NDArray[np.bool_]:
    first_words = np.arange(1 << 16)
    allowed = np.isin(first_words >> 13, all_in_range("packet version number", versions, 0, 7))
    if apids is not None:
        allowed &= np.isin(first_words & 0x7FF, all_in_range("APID", apids, 0, 0x7FF))
    if not allowed.any():
        raise UsageError("CcsdsPackets", expected="at least one version and one APID", found="none")
    return allowed
