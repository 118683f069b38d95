"""What all protocols share that find frames in a stream: accounting, memory, the amount of work."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest

from c2kit.protocols import CcsdsPackets, Discarded, Fixed, LengthField, Protocol, Reason, Sync, Terminated
from c2kit.protocols.stream import DISCARD_BYTES, Found, StreamProtocol
from tests.framing import Event, actual_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.batches import PacketBatch

MEGABYTE = 1 << 20


def scanned_bytes(protocol: StreamProtocol, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count the bytes that a protocol's scanner looks at from now on."""
    scan, count = protocol._scanner.scan, 0

    def counting(buffer: bytes) -> Found:
        nonlocal count
        count += len(buffer)
        return scan(buffer)

    monkeypatch.setattr(type(protocol._scanner), "scan", lambda _, buffer: counting(buffer))
    return lambda: count


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_chunks_may_be_any_bytes_like_object_and_change_afterwards(kind: type) -> None:
    framing = Fixed(4)
    chunks = [bytearray(b"abcdef"), bytearray(b"gh"), bytearray(b"ijkl")]
    batches: list[PacketBatch] = []
    for chunk in chunks:
        batches += framing.receive(kind(chunk))
        chunk[:] = bytes(len(chunk))
    assert [frame for batch in batches for frame in batch] == [b"abcd", b"efgh", b"ijkl"]


def test_bytes_are_taken_in_by_the_call_even_if_nobody_looks_at_the_result() -> None:
    framing = Terminated(b"\n")
    framing.receive(b"lost\nfou")
    (batch,) = framing.receive(b"nd\n")
    assert list(batch) == [b"found"]
    assert batch.spans is not None
    assert batch.spans.tolist() == [[5, 11]]


def test_frames_and_discards_have_the_time_of_the_bytes_that_decided_them() -> None:
    framing = Sync(b"##", Fixed(2))
    assert list(framing.receive(b"?##a", received=1)) == []
    (batch,) = framing.receive(b"b!", received=2)
    list(framing.end())
    assert batch.received.tolist() == [2]
    assert framing.take_asides() == [
        Discarded((0, 1), Reason.NO_SYNC, b"?", 1),
        Discarded((5, 6), Reason.NO_SYNC, b"!", 2),
    ]


def test_a_discard_is_shown_without_all_of_its_bytes() -> None:
    assert "data=3f3f" in repr(Discarded((0, 2), Reason.NO_SYNC, b"??", 0))
    assert len(repr(Discarded((0, DISCARD_BYTES), Reason.NO_SYNC, bytes(DISCARD_BYTES), 0))) < 150


def test_discards_are_taken_once() -> None:
    framing = Sync(b"#", Fixed(1))
    list(framing.receive(b"?#a"))
    assert len(framing.take_asides()) == 1
    assert framing.take_asides() == []


def test_garbage_between_two_frames_is_one_discard_with_the_reason_of_its_beginning() -> None:
    framing = Sync(b"##", LengthField(bit_length=8, maximum_bytes=3))
    data = b"##\x02a" + b"##\xff?" + b"???" + b"##\x01"
    assert actual_events(framing, data, range(len(data))) == [
        Event((0, 4), b"\x02a"),
        Event((4, 11), Reason.BAD_LENGTH),
        Event((11, 14), b"\x01"),
    ]


def test_a_long_run_of_garbage_is_reported_in_pieces_that_do_not_depend_on_the_chunks() -> None:
    data = b"#a" + b"?" * (2 * DISCARD_BYTES + 10) + b"#b"
    expected = [
        (2, 2 + DISCARD_BYTES),
        (2 + DISCARD_BYTES, 2 + 2 * DISCARD_BYTES),
        (2 + 2 * DISCARD_BYTES, len(data) - 2),
    ]
    for size in (len(data), 1_000, 65_536, 65_538):
        events = actual_events(Sync(b"#", Fixed(1)), data, range(0, len(data), size))
        assert [span for span, what in events if what is Reason.NO_SYNC] == expected


def test_after_the_end_an_input_begins_afresh_and_spans_go_on() -> None:
    framing = Terminated(b"\n", maximum_bytes=4)
    list(framing.receive(b"far too long"))
    assert list(framing.end()) == []
    (batch,) = framing.receive(b"abc\n")
    assert batch.spans is not None
    assert batch.spans.tolist() == [[12, 16]]
    assert [aside.reason for aside in framing.take_asides()] == [Reason.TOO_LONG]


def test_the_end_of_nothing_is_nothing() -> None:
    framing = CcsdsPackets()
    assert list(framing.end()) == []
    assert list(framing.receive(b"")) == []
    assert list(framing.end()) == []
    assert framing.take_asides() == []


def test_a_fresh_protocol_knows_nothing_of_what_the_other_one_received() -> None:
    framing = CcsdsPackets(skip_bytes=1)
    list(framing.receive(b"abc"))
    other = framing.fresh()
    assert other.skip_bytes == 1
    assert other.held_bytes == 0
    assert framing.held_bytes == 3


# What never ends, and how much of it may be held.
ENDLESS: dict[str, tuple[Protocol, bytes, int]] = {
    "a length of gigabytes": (LengthField(bit_length=32, maximum_bytes=1_000), b"\x7f\xff\xff\xff", 1_000),
    "the greatest length allowed": (LengthField(bit_length=32, maximum_bytes=1_000), b"\0\0\x03\xe8", 1_000),
    "a line without an end": (Terminated(b"\r\n", maximum_bytes=1_000), b"\rx", 1_000),
    "a pattern that never comes": (Sync(b"\xde\xad", maximum_bytes=1_000), b"\xde", 1_000),
    "a frame without an end": (Sync(b"x", maximum_bytes=1_000, then=None), b"xyz", 1_000),
    "a pattern and a length of gigabytes": (
        Sync(b"\xde", LengthField(bit_length=64, maximum_bytes=1_000)),
        b"\xde\xff",
        1_001,
    ),
    "packets of all sizes": (CcsdsPackets(), b"\0\0\0\xff\xff", 65_542),
    "no packets": (CcsdsPackets(apids=[3]), b"\xff\0", 65_542),
}


@pytest.mark.parametrize("case", ENDLESS.values(), ids=ENDLESS.keys())
@pytest.mark.parametrize("chunk_bytes", [997, 100_000])
def test_memory_is_bounded_whatever_the_input_claims(case: tuple[Protocol, bytes, int], chunk_bytes: int) -> None:
    protocol, pattern, maximum_bytes = case
    protocol = protocol.fresh()
    chunk = (pattern * chunk_bytes)[:chunk_bytes]
    for _ in range(200_000 // chunk_bytes):
        list(protocol.receive(chunk))
        assert protocol.held_bytes < maximum_bytes + DISCARD_BYTES
        protocol.take_asides()


LONG = {
    "length": (
        LengthField(bit_length=32, maximum_bytes=2 * MEGABYTE),
        (MEGABYTE // 4).to_bytes(4, "big") + bytes(MEGABYTE // 4 - 4),
    ),
    "line": (Terminated(b"\r\n"), b"\r" * (MEGABYTE // 4) + b"\r\n"),
    "pattern to pattern": (Sync(b"\xaa\xaa\xab"), b"\xaa\xaa\xab" + b"\xaa" * (MEGABYTE // 4) + b"\xaa\xab"),
    "fixed": (Fixed(MEGABYTE // 4), bytes(MEGABYTE // 4)),
    "pattern and fixed": (Sync(b"\xaa", Fixed(MEGABYTE // 4)), b"\xaa" + bytes(MEGABYTE // 4)),
}


@pytest.mark.parametrize("case", LONG.values(), ids=LONG.keys())
def test_a_long_frame_that_comes_byte_by_byte_is_looked_at_only_a_few_times(
    case: tuple[StreamProtocol, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol, data = case
    protocol = protocol.fresh()
    looked_at = scanned_bytes(protocol, monkeypatch)
    batches = [batch for place in range(len(data)) for batch in protocol.receive(data[place : place + 1])]
    assert len(batches) == 1
    assert zlib.crc32(batches[0][0]) in {
        zlib.crc32(data[low:high]) for low in (0, 1, 3) for high in (len(data), -2, -3)
    }
    assert looked_at() < 3 * len(data)


@pytest.mark.parametrize(
    ("protocol", "data"),
    [
        (CcsdsPackets(), b"\xe0"),
        (CcsdsPackets(apids=[1]), b"\0"),
        (Sync(b"\xde\xad", Fixed(9)), b"\xde"),
        (LengthField(bit_length=32, maximum_bytes=9), b"\xff"),
        (Terminated(b"\n", maximum_bytes=9), b"x"),
    ],
)
def test_garbage_that_comes_byte_by_byte_is_looked_at_only_a_few_times(
    protocol: StreamProtocol, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = scanned_bytes(protocol, monkeypatch)
    for _ in range(5_000):
        list(protocol.receive(data))
    assert looked_at() < 10 * 5_000
