"""Frames of one size."""

from __future__ import annotations

import pytest

from c2kit.errors import UsageError
from c2kit.protocols import Fixed, Reason
from tests.framing import Event, actual_events


def test_the_input_is_cut_into_frames_of_one_size() -> None:
    assert actual_events(Fixed(3), b"abcdefgh") == [
        Event((0, 3), b"abc"),
        Event((3, 6), b"def"),
        Event((6, 8), Reason.TRUNCATED),
    ]


def test_leading_bytes_are_in_the_span_and_not_in_the_frame() -> None:
    assert actual_events(Fixed(3, discard_leading_bytes=2), b"hha!!bx") == [
        Event((0, 3), b"a"),
        Event((3, 6), b"b"),
        Event((6, 7), Reason.TRUNCATED),
    ]


def test_sending_adds_what_receiving_strips_off() -> None:
    assert Fixed(5, discard_leading_bytes=2).send(b"abc") == b"\0\0abc"


def test_a_payload_of_another_size_is_not_sent() -> None:
    with pytest.raises(UsageError, match="frame size in bytes, expected 5, found 4"):
        Fixed(5).send(b"abcd")


@pytest.mark.parametrize(("size_bytes", "discard"), [(0, 0), (-1, 0), (3, 4), (3, -1), ("3", 0)])
def test_what_cannot_work_is_refused_at_once(size_bytes: int, discard: int) -> None:
    with pytest.raises(UsageError, match="expected"):
        Fixed(size_bytes, discard_leading_bytes=discard)
