"""Chunks that are frames."""

from __future__ import annotations

from c2kit.protocols import Burst
from tests.framing import Event, actual_events


def test_each_chunk_is_a_frame() -> None:
    assert actual_events(Burst(), b"abcde", [2]) == [Event((0, 2), b"ab"), Event((2, 5), b"cde")]


def test_an_empty_chunk_is_nothing() -> None:
    assert list(Burst().receive(b"")) == []


def test_a_chunk_may_change_afterwards() -> None:
    chunk = bytearray(b"abc")
    (batch,) = Burst().receive(chunk, received=7)
    chunk[:] = b"xyz"
    assert list(batch) == [b"abc"]
    assert batch.received.tolist() == [7]


def test_a_payload_is_sent_as_it_is() -> None:
    assert Burst().send(b"abc") == b"abc"
