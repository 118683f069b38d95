"""CCSDS space packets: 133.0-B-2, 4.1."""

from __future__ import annotations

from c2kit.protocols import CcsdsPackets, Reason


def test_a_packet_of_the_least_size_is_framed_by_its_packet_data_length() -> None:
    # 4.1.3.5.2: packet data length 0 means one octet of packet data field.
    packet = bytes.fromhex("0801 C000 0000 AB")
    framing = CcsdsPackets()
    (batch,) = framing.receive(packet + b"\x08")
    assert list(batch) == [packet]
    assert batch.spans is not None
    assert batch.spans.tolist() == [[0, 7]]
    assert framing.held_bytes == 1
    assert list(framing.end()) == []
    (left,) = framing.take_asides()
    assert (left.span, left.reason, left.data) == ((7, 8), Reason.TRUNCATED, b"\x08")
