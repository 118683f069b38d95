"""CCSDS space packets, back to back: CCSDS 133.0-B-2, Space Packet Protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define

from c2kit.errors import UsageError
from c2kit.kernel.columns.split import put_length
from c2kit.kernel.contract import LengthRule
from c2kit.protocols._checks import in_range
from c2kit.protocols.base import Reason
from c2kit.protocols.scan import HeaderScanner, LengthFieldSize
from c2kit.protocols.stream import StreamProtocol

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

__all__ = ["CcsdsPackets"]

PRIMARY_HEADER_BYTES = 6
"""4.1.3.1: the packet primary header has six octets."""
MINIMUM_BYTES = 7
"""4.1.1.4 and 4.1.4.1.1.1: the packet data field has at least one octet."""
MAXIMUM_BYTES = 65_542
"""4.1.1.4: a packet has at most 65 542 octets."""

_SEEK_BYTES = 64
"""How far to seek a good header at once, at first: most bad ones are followed by a good one soon."""


class CcsdsPackets(StreamProtocol):
    """CCSDS space packets, framed by the packet data length of their primary header (133.0-B-2, 4.1.3.5).

    Each frame is one whole packet, primary header included. Idle packets are frames like all others, and nothing but
    the header's first and last sixteen bits is looked at: identification and sequence checks are not framing.

    Nothing in a space packet marks its beginning. Where the packet version number is not one of ``versions``, or the
    APID not one of ``apids`` (if any are given), or a packet longer than ``maximum_bytes``, the framing was lost: bytes
    are discarded as ``BAD_HEADER`` or ``BAD_LENGTH`` until a header is good. The more is known, the sooner a false
    header is told from a true one.

    Args:
        versions: Packet version numbers that may occur, 0 to 7. Only 0 is that of a space packet (4.1.3.2), but there
            are recordings with others.
        apids: Application process identifiers that may occur, 0 to 2047; ``None`` for all.
        skip_bytes: Bytes that stand before each packet, such as a ground station's header. They are not part of
            the frame.
        maximum_bytes: The longest packet that may occur, 7 to 65 542.
    """

    def __init__(
        self,
        *,
        versions: Collection[int] = (0,),
        apids: Collection[int] | None = None,
        skip_bytes: int = 0,
        maximum_bytes: int = MAXIMUM_BYTES,
    ) -> None:
        in_range("skip_bytes", skip_bytes, 0)
        in_range("maximum_bytes of a space packet", maximum_bytes, MINIMUM_BYTES, MAXIMUM_BYTES)
        self._skip_bytes = skip_bytes
        # 4.1.3.5.2: the packet data length is the number of octets in the packet data field, less one.
        self._rule = LengthRule(
            length_bit_offset=8 * skip_bytes + 32,
            length_bits=16,
            adjustment_bytes=skip_bytes + PRIMARY_HEADER_BYTES + 1,
            maximum_bytes=skip_bytes + maximum_bytes,
        )
        self._header = _PrimaryHeader(_allowed(versions, apids), skip_bytes)
        super().__init__(HeaderScanner(LengthFieldSize(self._rule), self._header, leading_bytes=skip_bytes))

    def send(self, payload: bytes) -> bytes:
        """The packet with its packet data length filled in, after ``skip_bytes`` zero bytes.

        Raises:
            UsageError: it is no packet that :meth:`receive` would give: too short, too long, another version or APID.
        """
        packet = bytearray(self._skip_bytes) + payload
        put_length(packet, self._rule)
        if not self._header.allowed[int.from_bytes(payload[:2], "big")]:
            found = f"version {payload[0] >> 5}, APID {int.from_bytes(payload[:2], 'big') & 0x7FF}"
            raise UsageError(what="packet to be sent", expected="one of the versions and APIDs told", found=found)
        return bytes(packet)


@define(frozen=True, slots=True, eq=False)
class _PrimaryHeader:
    """Looks at the first two bytes of a primary header: version number, type, secondary header flag and APID."""

    allowed: npt.NDArray[np.bool_]
    """For each of the 65 536 values of these bytes whether it may occur."""
    skip_bytes: int
    reason: Reason = Reason.BAD_HEADER

    def good(self, view: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        places = starts + self.skip_bytes
        good: npt.NDArray[np.bool_] = self.allowed[view[places].astype(np.uint16) << 8 | view[places + 1]]
        return good

    def seek(self, buffer: bytes, view: npt.NDArray[np.uint8], first_byte: int, header_bytes: int) -> int:
        del buffer
        last = len(view) - header_bytes
        span = _SEEK_BYTES
        while first_byte <= last:
            starts = np.arange(first_byte, min(first_byte + span, last + 1))
            good = self.good(view, starts)
            if good.any():
                return first_byte + int(good.argmax())
            first_byte += len(starts)
            span *= 4
        return first_byte


def _allowed(versions: Collection[int], apids: Collection[int] | None) -> npt.NDArray[np.bool_]:
    first_words = np.arange(1 << 16)
    allowed = np.isin(first_words >> 13, [in_range("packet version number", version, 0, 7) for version in versions])
    if apids is not None:
        allowed &= np.isin(first_words & 0x7FF, [in_range("APID", apid, 0, 0x7FF) for apid in apids])
    if not allowed.any():
        raise UsageError(what="CcsdsPackets", expected="at least one version and one APID", found="none")
    return allowed
