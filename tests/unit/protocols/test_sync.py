"""Frames that begin with a synchronisation pattern."""

from __future__ import annotations

import re

import pytest

from c2kit.errors import UsageError
from c2kit.protocols import Fixed, LengthField, Reason, Sync, Terminated
from tests.framing import Event, actual_events

ASM = bytes.fromhex("1ACFFC1D")
"""The attached sync marker of CCSDS 131.0-B, 9.3.2."""


def test_frames_of_fixed_size_follow_the_pattern() -> None:
    data = b"??" + ASM + b"frame1" + ASM + b"frame2" + b"!" + ASM + b"frame3" + ASM[:2]
    assert actual_events(Sync(ASM, Fixed(6)), data, range(len(data))) == [
        Event((0, 2), Reason.NO_SYNC),
        Event((2, 12), b"frame1"),
        Event((12, 22), b"frame2"),
        Event((22, 23), Reason.NO_SYNC),
        Event((23, 33), b"frame3"),
        Event((33, 35), Reason.TRUNCATED),
    ]


def test_the_pattern_means_nothing_within_a_frame_of_known_size() -> None:
    assert actual_events(Sync(b"#", Fixed(2)), b"###?#ab")[0] == Event((0, 3), b"##")


def test_a_length_field_follows_the_pattern() -> None:
    data = ASM + b"\x03ab" + ASM + b"\x02c" + ASM
    assert actual_events(Sync(ASM, LengthField(bit_length=8)), data) == [
        Event((0, 7), b"\x03ab"),
        Event((7, 13), b"\x02c"),
        Event((13, 17), Reason.TRUNCATED),
    ]


def test_pattern_and_header_can_be_stripped_off_or_left() -> None:
    data = b"#\x03ab#"
    assert actual_events(Sync(b"#", LengthField(bit_length=8, discard_leading_bytes=1)), data)[0].what == b"ab"
    assert actual_events(Sync(b"#", LengthField(bit_length=8), strip=False), data)[0].what == b"#\x03ab"


def test_behind_a_false_pattern_a_true_one_is_found_even_if_they_overlap() -> None:
    protocol = Sync(b"\xaa\xaa", LengthField(bit_length=8, maximum_bytes=4))
    assert actual_events(protocol, b"\xaa\xaa\xaa\x02xy") == [
        Event((0, 1), Reason.BAD_LENGTH),
        Event((1, 5), b"\x02x"),
        Event((5, 6), Reason.NO_SYNC),
    ]


def test_a_frame_goes_on_until_the_next_pattern() -> None:
    data = b"garbage" + ASM + b"one" + ASM + ASM + b"two" + ASM + b"rest"
    assert actual_events(Sync(ASM), data, range(len(data))) == [
        Event((0, 7), Reason.NO_SYNC),
        Event((7, 14), b"one"),
        Event((14, 18), b""),
        Event((18, 25), b"two"),
        Event((25, 33), Reason.TRUNCATED),
    ]


def test_a_frame_that_goes_on_too_long_is_given_up_as_far_as_the_next_pattern() -> None:
    data = b"#abcd" + b"#abcde" + b"#abc" + b"#" + b"x" * 20
    for cuts in ((), range(len(data))):
        assert actual_events(Sync(b"#", strip=False, maximum_bytes=5), data, cuts) == [
            Event((0, 5), b"#abcd"),
            Event((5, 11), Reason.TOO_LONG),
            Event((11, 15), b"#abc"),
            Event((15, 36), Reason.TOO_LONG),
        ]


@pytest.mark.parametrize(
    ("protocol", "payload", "frame"),
    [
        (Sync(ASM, Fixed(3)), b"abc", ASM + b"abc"),
        (Sync(ASM, Fixed(3), strip=False), bytes(4) + b"abc", ASM + b"abc"),
        (Sync(ASM, Fixed(3), strip=False), ASM + b"abc", ASM + b"abc"),
        (Sync(ASM, Fixed(3, discard_leading_bytes=2)), b"a", ASM + b"\0\0a"),
        (Sync(ASM, LengthField(bit_length=16)), b"\0\0abc", ASM + b"\0\x05abc"),
        (Sync(ASM, LengthField(bit_length=16, discard_leading_bytes=2)), b"abc", ASM + b"\0\x05abc"),
        (Sync(ASM), b"abc", ASM + b"abc"),
        (Sync(ASM, maximum_bytes=7), b"abc", ASM + b"abc"),
        (Sync(ASM, strip=False), bytes(4) + b"abc", ASM + b"abc"),
    ],
)
def test_sending_puts_the_pattern_before_the_payload(protocol: Sync, payload: bytes, frame: bytes) -> None:
    assert protocol.send(payload) == frame


@pytest.mark.parametrize(
    ("protocol", "payload", "expected"),
    [
        (Sync(b"##"), b"a##b", "the pattern 2323, expected only at a frame's beginning, found one at byte 3"),
        (Sync(b"##"), b"ab#", "found one at byte 4"),
        (Sync(b"##", maximum_bytes=4), b"abc", "expected at most 4, found 5"),
        (Sync(b"##", Fixed(3)), b"ab", "expected 5, found 4"),
        (Sync(b"##", Fixed(3), strip=False), b"xyabc", "expected zeros or 2323, found 7879"),
        (Sync(b"##", LengthField(bit_length=8)), bytes(256), "expected at most 257 bytes"),
    ],
)
def test_what_would_not_be_found_again_is_not_sent(protocol: Sync, payload: bytes, expected: str) -> None:
    with pytest.raises(UsageError, match=re.escape(expected)):
        protocol.send(payload)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"pattern": b""}, "the synchronisation pattern, expected at least one byte, found b''"),
        ({"pattern": "1ACFFC1D"}, "found '1ACFFC1D'"),
        ({"pattern": b"##", "maximum_bytes": 1}, "maximum_bytes of a frame, expected at least 2, found 1"),
        ({"pattern": b"##", "then": Fixed(1), "maximum_bytes": 9}, "maximum_bytes only where nothing else bounds"),
        ({"pattern": b"##", "then": Terminated(b"\n")}, "expected Fixed, LengthField or None"),
        ({"pattern": b"##", "then": Fixed(3, discard_leading_bytes=1), "strip": False}, "strip both or neither"),
    ],
)
def test_what_cannot_work_is_refused_at_once(arguments: dict[str, object], expected: str) -> None:
    with pytest.raises(UsageError, match=re.escape(expected)):
        Sync(**arguments)  # type: ignore[arg-type]
