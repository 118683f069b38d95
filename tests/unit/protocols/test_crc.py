"""Checksums at the end of frames, against those of the standard library."""

from __future__ import annotations

import binascii
import re
import struct
import zlib

import pytest
from attrs import evolve

from c2kit.errors import UsageError
from c2kit.model.crc import CRC16_CCITT_FALSE, CRC32, CrcParameters
from c2kit.protocols import Crc, Reason
from tests.framing import Event, actual_events

CRC64 = CrcParameters(name="CRC-64/ECMA-182", width=64, polynomial=0x42F0E1EBA9EA3693, check=0x6C40DF5F0B497347)
DATA = b"123456789"
FRAME16 = DATA + struct.pack(">H", binascii.crc_hqx(DATA, 0xFFFF))
FRAME32 = DATA + struct.pack("<I", zlib.crc32(DATA))

FORMATS = {
    "16 bits": (Crc(CRC16_CCITT_FALSE), DATA, FRAME16),
    "32 bits, little-endian": (Crc(CRC32, little_endian=True), DATA, FRAME32),
    "64 bits": (Crc(CRC64), DATA, DATA + bytes.fromhex("6C40DF5F0B497347")),
    "with the header it covers": (Crc(CRC16_CCITT_FALSE, discard_leading_bytes=3), DATA[3:], FRAME16),
}


@pytest.mark.parametrize(("protocol", "payload", "frame"), FORMATS.values(), ids=FORMATS.keys())
def test_a_frame_with_the_right_checksum_passes_without_it(protocol: Crc, payload: bytes, frame: bytes) -> None:
    assert actual_events(protocol.fresh(), frame) == [Event((0, len(frame)), payload)]


@pytest.mark.parametrize(("protocol", "payload", "frame"), FORMATS.values(), ids=FORMATS.keys())
def test_a_frame_with_any_bit_flipped_is_discarded_whole(protocol: Crc, payload: bytes, frame: bytes) -> None:
    del payload
    for bit in range(8 * len(frame)):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        assert actual_events(protocol.fresh(), bytes(damaged)) == [Event((0, len(frame)), Reason.BAD_CRC)]


def test_the_checksum_can_be_left() -> None:
    assert actual_events(Crc(CRC16_CCITT_FALSE, strip=False), FRAME16) == [Event((0, 11), FRAME16)]


def test_each_chunk_is_checked_by_itself() -> None:
    events = actual_events(Crc(CRC16_CCITT_FALSE), FRAME16 + DATA + DATA + FRAME16, [11, 20, 29])
    assert [event.what for event in events] == [DATA, Reason.BAD_CRC, Reason.BAD_CRC, DATA]


def test_a_frame_too_short_for_what_is_stripped_off_is_truncated() -> None:
    assert actual_events(Crc(CRC32), b"abc") == [Event((0, 3), Reason.TRUNCATED)]
    assert actual_events(Crc(CRC16_CCITT_FALSE, discard_leading_bytes=10), FRAME16) == [
        Event((0, 11), Reason.TRUNCATED)
    ]


def test_a_frame_of_nothing_but_its_checksum_is_empty() -> None:
    assert actual_events(Crc(CRC16_CCITT_FALSE), b"\xff\xff") == [Event((0, 2), b"")]


def test_sending_adds_the_checksum() -> None:
    assert Crc(CRC16_CCITT_FALSE).send(DATA) == FRAME16
    assert Crc(CRC32, little_endian=True).send(DATA) == FRAME32


def test_sending_fills_in_a_checksum_that_receiving_leaves() -> None:
    assert Crc(CRC16_CCITT_FALSE, strip=False).send(DATA + b"??") == FRAME16


def test_sending_adds_room_for_a_header_that_receiving_strips_off() -> None:
    frame = Crc(CRC16_CCITT_FALSE, discard_leading_bytes=2).send(b"abc")
    assert frame == b"\0\0abc" + struct.pack(">H", binascii.crc_hqx(b"\0\0abc", 0xFFFF))


def test_nothing_is_sent_as_the_checksum_of_nothing() -> None:
    assert Crc(CRC16_CCITT_FALSE).send(b"") == b"\xff\xff"
    assert Crc(CRC16_CCITT_FALSE, strip=False).send(b"??") == b"\xff\xff"


def test_a_payload_without_room_for_its_checksum_is_not_sent() -> None:
    with pytest.raises(UsageError, match="room for its checksum, expected at least 4 bytes, found 3"):
        Crc(CRC32, strip=False).send(b"abc")


@pytest.mark.parametrize(
    ("parameters", "discard", "expected"),
    [
        (evolve(CRC32, polynomial=0x04C11DB5), 0, "the check value of CRC-32/ISO-HDLC, expected 0xcbf43926, found 0x"),
        (evolve(CRC32, reflect_out=False), 0, "one of its parameters, or the check value, is wrong"),
        (evolve(CRC16_CCITT_FALSE, width=15), 0, "expected 1 to 8 whole bytes, found the 15 bits of CRC-16/IBM-3740"),
        (CRC32, -1, "discard_leading_bytes"),
    ],
)
def test_what_cannot_work_is_refused_at_once(parameters: CrcParameters, discard: int, expected: str) -> None:
    with pytest.raises(UsageError, match=re.escape(expected)):
        Crc(parameters, discard_leading_bytes=discard)
