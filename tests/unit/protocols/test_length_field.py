"""Frames with a length field."""

from __future__ import annotations

import re
import struct

import pytest

from c2kit.errors import UsageError
from c2kit.protocols import LengthField, Reason
from tests.framing import Event, actual_events

# How it is told, and a frame made with struct or by hand.
FORMATS = {
    "counts all": (LengthField(bit_length=16), struct.pack(">H", 7) + b"hello"),
    "counts what follows": (LengthField(bit_length=16, adjustment_bytes=2), struct.pack(">H", 5) + b"hello"),
    "counts what follows, less one": (LengthField(bit_length=8, adjustment_bytes=2), struct.pack("B", 4) + b"hello"),
    "little-endian behind a header": (
        LengthField(bit_offset=16, bit_length=32, little_endian=True, adjustment_bytes=6),
        b"HH" + struct.pack("<I", 5) + b"hello",
    ),
    "16-bit words": (LengthField(bit_length=16, unit_bytes=2, adjustment_bytes=2), struct.pack(">H", 3) + b"hello!"),
    "ten bits of sixteen": (LengthField(bit_offset=6, bit_length=10), struct.pack(">H", 0b101010 << 10 | 7) + b"hello"),
    "64 bits": (LengthField(bit_length=64), struct.pack(">Q", 13) + b"hello"),
}
formats = pytest.mark.parametrize(("protocol", "frame"), FORMATS.values(), ids=FORMATS.keys())


@formats
def test_a_frame_ends_where_its_length_field_says(protocol: LengthField, frame: bytes) -> None:
    data = frame * 2 + frame[:1]
    size = len(frame)
    assert actual_events(protocol.fresh(), data, range(len(data))) == [
        Event((0, size), frame),
        Event((size, 2 * size), frame),
        Event((2 * size, 2 * size + 1), Reason.TRUNCATED),
    ]


@formats
def test_sending_fills_in_the_length_and_leaves_the_bits_beside_it(protocol: LengthField, frame: bytes) -> None:
    rule = protocol.rule
    first, end = rule.length_bit_offset, rule.length_bit_offset + rule.length_bits
    bits = f"{int.from_bytes(frame, 'big'):0{8 * len(frame)}b}"
    blank = int(bits[:first] + "0" * (end - first) + bits[end:], 2).to_bytes(len(frame), "big")
    assert blank != frame
    assert protocol.send(blank) == frame


def test_a_header_that_is_stripped_off_is_added_with_the_length_in_it() -> None:
    protocol = LengthField(bit_offset=8, bit_length=16, discard_leading_bytes=4)
    assert protocol.send(b"data") == b"\0" + struct.pack(">H", 8) + b"\0" + b"data"
    assert actual_events(protocol, b"H\0\x08hdataH") == [Event((0, 8), b"data"), Event((8, 9), Reason.TRUNCATED)]


def test_a_frame_may_be_empty_once_its_header_is_stripped_off() -> None:
    protocol = LengthField(bit_length=8, adjustment_bytes=1, discard_leading_bytes=1)
    assert actual_events(protocol, b"\0\0\x01x") == [Event((0, 1), b""), Event((1, 2), b""), Event((2, 4), b"x")]


def test_bytes_are_discarded_until_the_length_can_be() -> None:
    protocol = LengthField(bit_length=16, maximum_bytes=10)
    assert actual_events(protocol, b"\xff\xff\xff\x00\x03a\x00") == [
        Event((0, 3), Reason.BAD_LENGTH),
        Event((3, 6), b"\x00\x03a"),
        Event((6, 7), Reason.TRUNCATED),
    ]


def test_a_length_that_does_not_hold_the_header_is_bad() -> None:
    protocol = LengthField(bit_length=8, discard_leading_bytes=3)
    assert actual_events(protocol, b"\x02\x03hh") == [Event((0, 1), Reason.BAD_LENGTH), Event((1, 4), b"")]


@pytest.mark.parametrize(
    ("protocol", "payload", "expected"),
    [
        (LengthField(bit_length=8), bytes(256), "expected at most 255 bytes, as its 8 bits can tell, found 256 bytes"),
        (LengthField(bit_length=16, maximum_bytes=9), bytes(10), "expected 2 to 9, found 10"),
        (LengthField(bit_length=16, unit_bytes=4), bytes(6), "0 bytes and a multiple of 4, found 6 bytes"),
        (LengthField(bit_length=16, adjustment_bytes=9), bytes(8), "9 bytes and a multiple of 1, found 8 bytes"),
        (LengthField(bit_length=32), b"abc", "expected 4 to 1048576, found 3"),
    ],
)
def test_what_the_field_cannot_tell_is_not_sent(protocol: LengthField, payload: bytes, expected: str) -> None:
    with pytest.raises(UsageError, match=re.escape(expected)):
        protocol.send(payload)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"bit_length": 0}, "bit_length of a length field, expected 1 to 64, found 0"),
        ({"bit_length": 65}, "found 65"),
        ({"bit_length": 8, "bit_offset": -1}, "bit_offset of a length field"),
        ({"bit_length": 8, "unit_bytes": 0}, "unit_bytes of a length field"),
        ({"bit_length": 8, "discard_leading_bytes": -1}, "discard_leading_bytes"),
        ({"bit_length": 64, "maximum_bytes": 7}, "maximum_bytes of a frame, expected at least 8, found 7"),
        (
            {"bit_length": 8, "adjustment_bytes": -255},
            "expected some frame of 1 to 1048576 bytes, found only -255 to 0",
        ),
        ({"bit_length": 8, "adjustment_bytes": 100, "maximum_bytes": 50}, "found only 100 to 355"),
        ({"bit_length": "8"}, "an integer"),
    ],
)
def test_what_cannot_work_is_refused_at_once(arguments: dict[str, int], expected: str) -> None:
    with pytest.raises(UsageError, match=re.escape(expected)):
        LengthField(**arguments)  # type: ignore[arg-type]
