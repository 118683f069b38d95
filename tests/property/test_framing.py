"""Protocols against oracles that look at whole input byte by byte: any bytes, any damage, any chunks."""

from __future__ import annotations

import contextlib
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.model.crc import CRC32
from c2kit.protocols import CcsdsPackets, Chain, Crc, Fixed, LengthField, Protocol, Sync, Terminated, headers
from tests.framing import (
    Oracle,
    actual_events,
    assert_tiled,
    ccsds_oracle,
    cuts,
    damaged,
    expected_events,
    fixed_oracle,
    length_oracle,
    nested_oracle,
    pattern_oracle,
    space_packet,
    sync_oracle,
    terminated_oracle,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Case(NamedTuple):
    """A protocol, what it should do, what its frames look like, and how much it may hold."""

    protocol: Protocol
    oracle: Oracle
    frame: st.SearchStrategy[bytes]
    maximum_bytes: int


SYNC = b"\xde\xad\xbe\xef"
TWICE = b"\xaa\xaa\xab"  # may begin within itself
payloads = st.binary(max_size=20)
some = st.binary(min_size=1, max_size=20)
few_letters = st.text("\xaa\xab\r\nx", max_size=12).map(lambda text: text.encode("latin1"))


def _be16(data: bytes) -> int:
    return struct.unpack(">H", data[:2])[0]  # type: ignore[no-any-return]


CASES = {
    "packets": Case(CcsdsPackets(), ccsds_oracle(), st.builds(space_packet, some), 65_542),
    "known packets": Case(
        CcsdsPackets(versions=[0, 1], apids=[1, 2], skip_bytes=3, maximum_bytes=20),
        ccsds_oracle([0, 1], [1, 2], 3, 20),
        st.builds(space_packet, some, st.integers(0, 3), st.integers(0, 2)).map(lambda packet: b"sss" + packet),
        23,
    ),
    "fixed": Case(Fixed(7, discard_leading_bytes=2), fixed_oracle(7, 2), st.binary(min_size=7, max_size=7), 7),
    "length": Case(
        LengthField(bit_length=16, adjustment_bytes=2, maximum_bytes=40),
        length_oracle(_be16, 2, 2, 40),
        payloads.map(lambda data: struct.pack(">H", len(data)) + data),
        40,
    ),
    "length in words, little-endian, behind a byte": Case(
        LengthField(
            bit_offset=8, bit_length=16, little_endian=True, unit_bytes=2, discard_leading_bytes=4, maximum_bytes=30
        ),
        length_oracle(lambda data: 2 * struct.unpack_from("<H", data, 1)[0], 3, 0, 30, 4),
        payloads.map(lambda data: b"h" + struct.pack("<H", (len(data) + 4) // 2) + b"t" + data),
        30,
    ),
    "length of 12 bits": Case(
        LengthField(bit_offset=12, bit_length=12, adjustment_bytes=-1, maximum_bytes=25),
        length_oracle(lambda data: int(data[:3].hex()[3:], 16), 3, -1, 25),
        payloads.map(lambda data: bytes.fromhex(f"123{len(data) + 4:03x}") + data),
        25,
    ),
    "pattern, then fixed": Case(
        Sync(SYNC, Fixed(5)), sync_oracle(SYNC, fixed_oracle(5)), st.binary(min_size=5, max_size=5).map(SYNC.__add__), 9
    ),
    "pattern, then length": Case(
        Sync(TWICE, LengthField(bit_length=8, maximum_bytes=20), strip=False),
        sync_oracle(TWICE, length_oracle(lambda data: data[0], 1, 0, 20), strip=False),
        payloads.map(lambda data: TWICE + bytes([len(data) + 1]) + data),
        23,
    ),
    "pattern to pattern": Case(
        Sync(TWICE, maximum_bytes=12), pattern_oracle(TWICE, 12), few_letters.map(TWICE.__add__), 15
    ),
    "byte to byte": Case(
        Sync(b"x", strip=False, maximum_bytes=6), pattern_oracle(b"x", 6, strip=False), few_letters.map(b"x".__add__), 7
    ),
    "lines": Case(
        Terminated(b"\r\n", maximum_bytes=10),
        terminated_oracle(b"\r\n", 10),
        few_letters.map(lambda line: line + b"\r\n"),
        10,
    ),
    "terminators that look alike": Case(
        Terminated(TWICE, strip=False, maximum_bytes=9),
        terminated_oracle(TWICE, 9, strip=False),
        few_letters.map(lambda line: line + TWICE),
        9,
    ),
    "one byte": Case(
        Terminated(b"\n", maximum_bytes=5), terminated_oracle(b"\n", 5), few_letters.map(lambda line: line + b"\n"), 5
    ),
}


@contextlib.contextmanager
def some_reach(data: st.DataObject) -> Iterator[None]:
    """How far is looked at once behind damage must not matter; no stream here is as long as it usually is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(headers, "_REACH_BYTES", data.draw(st.sampled_from([1, 10, 1_024])))
        yield


cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@cases
@given(data=st.data())
def test_events_are_those_of_the_oracle_however_the_damaged_input_is_cut(case: Case, data: st.DataObject) -> None:
    frames = data.draw(st.lists(case.frame, max_size=6))
    stream = data.draw(damaged(b"".join(frames)))
    with some_reach(data):
        events = actual_events(case.protocol.fresh(), stream, data.draw(cuts(len(stream))))
    assert events == expected_events(stream, case.oracle)
    assert_tiled(events, len(stream))


@cases
@given(data=st.data())
def test_any_bytes_are_accounted_for_and_never_raise(case: Case, data: st.DataObject) -> None:
    stream = data.draw(st.one_of(st.binary(max_size=200), st.lists(few_letters, max_size=20).map(b"".join)))
    events = actual_events(case.protocol.fresh(), stream, data.draw(cuts(len(stream))))
    assert events == expected_events(stream, case.oracle)


@cases
@given(data=st.data())
def test_every_truncation_gives_the_same_frames_up_to_there(case: Case, data: st.DataObject) -> None:
    stream = b"".join(data.draw(st.lists(case.frame, min_size=1, max_size=3)))
    whole = [event for event in actual_events(case.protocol.fresh(), stream) if isinstance(event.what, bytes)]
    for size in range(len(stream)):
        events = actual_events(case.protocol.fresh(), stream[:size])
        assert_tiled(events, size)
        frames = [event for event in events if isinstance(event.what, bytes)]
        assert frames == [event for event in whole if event.span[1] <= size][: len(frames)]


@cases
@given(data=st.data())
def test_a_frame_is_given_as_soon_as_its_last_byte_is_there(case: Case, data: st.DataObject) -> None:
    protocol = case.protocol.fresh()
    stream = b"".join(data.draw(st.lists(case.frame, max_size=4)))
    list(protocol.end())
    # Where a frame goes on until the next pattern, that has to be there.
    follows = len(protocol.pattern) if isinstance(protocol, Sync) and protocol.then is None else 0
    for size in range(1, len(stream) + 1):
        for batch in protocol.receive(stream[size - 1 : size]):
            assert batch.spans is not None
            assert (batch.spans[:, 1] == size - follows).all()


@cases
@given(data=st.data())
def test_no_more_is_held_than_the_longest_frame(case: Case, data: st.DataObject) -> None:
    protocol = case.protocol.fresh()
    for chunk in data.draw(st.lists(st.one_of(st.binary(max_size=60), few_letters, case.frame), max_size=12)):
        list(protocol.receive(chunk))
        assert len(protocol._held) < case.maximum_bytes  # type: ignore[attr-defined]


@given(data=st.data())
def test_a_protocol_within_another_takes_each_frame_for_an_input_of_its_own(data: st.DataObject) -> None:
    inside = st.lists(st.builds(space_packet, some), max_size=3).map(b"".join)
    parts = data.draw(st.lists(inside, max_size=4))
    parts = [data.draw(damaged(part)) for part in parts]
    stream = data.draw(damaged(b"".join(struct.pack(">H", len(part)) + part for part in parts)))
    chain = Chain(
        [LengthField(bit_length=16, adjustment_bytes=2, discard_leading_bytes=2, maximum_bytes=80), CcsdsPackets()]
    )
    with some_reach(data):
        events = actual_events(chain, stream, data.draw(cuts(len(stream))))
    assert events == nested_oracle(length_oracle(_be16, 2, 2, 80, 2), ccsds_oracle(), 2, stream)
    assert_tiled(events, len(stream))


@given(data=st.data())
def test_a_chain_passes_just_the_frames_whose_checksum_is_right(data: st.DataObject) -> None:
    # The standard library is the oracle of the checksum, and splitting by length that of the framing.
    parts = data.draw(st.lists(payloads, max_size=5))
    frames = []
    for part in parts:
        covered = struct.pack(">H", len(part)) + part
        wrong = data.draw(st.sampled_from([0, 0, 1]))
        frames.append((covered + struct.pack(">I", zlib.crc32(covered) ^ wrong), wrong))
    stream = b"".join(SYNC + frame for frame, _ in frames)
    then = LengthField(bit_length=16, adjustment_bytes=6)
    chain = Chain([Sync(SYNC, then), Crc(CRC32, discard_leading_bytes=2)])
    events = actual_events(chain, stream, data.draw(cuts(len(stream))))
    assert_tiled(events, len(stream))
    right = [part for part, (_, wrong) in zip(parts, frames, strict=True) if not wrong]
    assert [event.what for event in events if isinstance(event.what, bytes)] == right
