"""Frames that a terminator ends."""

from __future__ import annotations

import re

import pytest

from c2kit.errors import UsageError
from c2kit.protocols import Reason, Terminated
from tests.framing import Event, actual_events


@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 100])
def test_frames_end_at_terminators(chunk_bytes: int) -> None:
    data = b"one\r\n\r\ntwo\rthree\r\nfour\r"
    assert actual_events(Terminated(b"\r\n"), data, range(0, len(data), chunk_bytes)) == [
        Event((0, 5), b"one"),
        Event((5, 7), b""),
        Event((7, 18), b"two\rthree"),
        Event((18, 23), Reason.TRUNCATED),
    ]


def test_the_terminator_can_be_left() -> None:
    assert actual_events(Terminated(b"\n", strip=False), b"a\n\nb")[:2] == [Event((0, 2), b"a\n"), Event((2, 3), b"\n")]


def test_a_byte_belongs_to_one_terminator_only() -> None:
    assert actual_events(Terminated(b"--"), b"a---b--") == [Event((0, 3), b"a"), Event((3, 7), b"-b")]


@pytest.mark.parametrize("chunk_bytes", [1, 2, 5, 100])
def test_a_frame_without_terminator_is_given_up_as_far_as_the_next_one(chunk_bytes: int) -> None:
    data = b"abc\r\n" + b"abcd\r\n" + b"abc\r\n" + b"x" * 20 + b"\r"
    assert actual_events(Terminated(b"\r\n", maximum_bytes=5), data, range(0, len(data), chunk_bytes)) == [
        Event((0, 5), b"abc"),
        Event((5, 11), Reason.TOO_LONG),
        Event((11, 16), b"abc"),
        Event((16, 36), Reason.TOO_LONG),
        Event((36, 37), Reason.TRUNCATED),
    ]


def test_sending_puts_the_terminator_behind_the_payload() -> None:
    assert Terminated(b"\r\n").send(b"NO OP") == b"NO OP\r\n"
    assert Terminated(b"\r\n", strip=False).send(b"NO OP\r\n") == b"NO OP\r\n"
    assert Terminated(b"\r\n").send(b"") == b"\r\n"
    assert Terminated(b"\n", maximum_bytes=4).send(b"abc") == b"abc\n"


@pytest.mark.parametrize(
    ("protocol", "payload", "expected"),
    [
        (Terminated(b"\r\n"), b"a\r\nb", "the terminator 0d0a, expected only at a frame's end, found one at byte 1"),
        (Terminated(b"--"), b"a-", "found one at byte 1"),
        (Terminated(b"\n", strip=False), b"a", "found none"),
        (Terminated(b"\r\n", strip=False), b"", "found none"),
        (Terminated(b"\r\n", strip=False), b"a", "found none"),
        (Terminated(b"\n", maximum_bytes=3), b"abc", "expected at most 3, found 4"),
    ],
)
def test_what_would_end_elsewhere_is_not_sent(protocol: Terminated, payload: bytes, expected: str) -> None:
    with pytest.raises(UsageError, match=re.escape(expected)):
        protocol.send(payload)


@pytest.mark.parametrize(
    ("terminator", "maximum_bytes", "expected"),
    [
        (b"", 9, "the terminator, expected at least one byte, found b''"),
        ("\n", 9, "at least one byte"),
        (b"\r\n", 1, "maximum_bytes of a frame, expected at least 2, found 1"),
    ],
)
def test_what_cannot_work_is_refused_at_once(terminator: bytes, maximum_bytes: int, expected: str) -> None:
    with pytest.raises(UsageError, match=re.escape(expected)):
        Terminated(terminator, maximum_bytes=maximum_bytes)
