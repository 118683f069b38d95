"""Space packets cut apart by the standard alone (CCSDS 133.0-B-2, 4.1.3.5.3), for want of trust in what is tested."""

from __future__ import annotations

HEADER_BYTES = 6


def whole_packets(data: bytes | bytearray) -> list[bytes]:
    """The packets that lie back to back from the first byte on, without one that is not complete."""
    packets = []
    at = 0
    while len(data) - at >= HEADER_BYTES:
        end = at + HEADER_BYTES + 1 + int.from_bytes(data[at + 4 : at + 6])
        if end > len(data):
            break
        packets.append(bytes(data[at:end]))
        at = end
    return packets
