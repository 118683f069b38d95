"""Protocols one within the other."""

from __future__ import annotations

import binascii
import json
import struct
import zlib
from typing import TYPE_CHECKING

import pytest

from c2kit.errors import UsageError
from c2kit.model.crc import CRC16_CCITT_FALSE, CRC32
from c2kit.protocols import (
    Burst,
    CcsdsPackets,
    Chain,
    Crc,
    Fixed,
    LengthField,
    Protocol,
    Reason,
    Sync,
    Terminated,
)
from c2kit.protocols.base import NO_FRAMES
from tests.framing import Event, actual_events, assert_tiled, space_packet

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = space_packet(b"one", apid=1), space_packet(b"number two", apid=2)


def f_prime() -> Chain:
    """F Prime's framing: start word, size of the payload, payload, and a CRC-32 of all three."""
    size = LengthField(bit_length=32, adjustment_bytes=8)
    return Chain([Sync(b"\xde\xad\xbe\xef", size, strip=False), Crc(CRC32, discard_leading_bytes=8)])


def f_prime_frame(payload: bytes) -> bytes:
    covered = b"\xde\xad\xbe\xef" + struct.pack(">I", len(payload)) + payload
    return covered + struct.pack(">I", zlib.crc32(covered))


def test_packets_are_found_within_frames_and_do_not_join_over_their_ends() -> None:
    frames = [ONE + TWO, ONE + TWO[:5], TWO[5:] + ONE]
    data = b"".join(b"##" + bytes([len(frame)]) + frame for frame in frames)
    chain = Chain([Sync(b"##", LengthField(bit_length=8, adjustment_bytes=1, discard_leading_bytes=1)), CcsdsPackets()])
    events = actual_events(chain, data + b"##", range(0, len(data), 7))
    assert_tiled(events, len(data) + 2)
    # Each outer frame has three bytes before it: they belong to its first piece.
    assert events[:4] == [
        Event((0, 12), ONE),
        Event((12, 28), TWO),
        Event((28, 40), ONE),
        Event((40, 45), Reason.TRUNCATED),
    ]
    assert events[-1] == Event((len(data), len(data) + 2), Reason.TRUNCATED)


def test_bytes_behind_the_frame_belong_to_its_last_piece() -> None:
    chain = Chain([Terminated(b"\r\n"), Fixed(2)])
    assert actual_events(chain, b"abcd\r\nabc\r\n") == [
        Event((0, 2), b"ab"),
        Event((2, 6), b"cd"),
        Event((6, 8), b"ab"),
        Event((8, 11), Reason.TRUNCATED),
    ]


def test_a_frame_with_nothing_in_it_is_truncated() -> None:
    assert actual_events(Chain([Terminated(b"\n"), Fixed(2)]), b"\nab\n") == [
        Event((0, 1), Reason.TRUNCATED),
        Event((1, 4), b"ab"),
    ]


def test_garbage_within_a_frame_is_discarded_with_its_place_in_the_input() -> None:
    chain = Chain([Fixed(12, discard_leading_bytes=2), Sync(b"#", Fixed(2))])
    assert actual_events(chain, b"hh??#ab!!#cd") == [
        Event((0, 4), Reason.NO_SYNC),
        Event((4, 7), b"ab"),
        Event((7, 9), Reason.NO_SYNC),
        Event((9, 12), b"cd"),
    ]


def test_state_of_one_frame_is_not_carried_to_the_next() -> None:
    chain = Chain([Fixed(6), Terminated(b"\n", maximum_bytes=3)])
    assert actual_events(chain, b"abcdefab\ncd\n") == [
        Event((0, 6), Reason.TOO_LONG),
        Event((6, 9), b"ab"),
        Event((9, 12), b"cd"),
    ]


def test_datagrams_are_framed_each_by_itself() -> None:
    chain = Chain([Burst(), CcsdsPackets()])
    data = ONE + TWO + TWO[:4] + ONE
    assert [event.what for event in actual_events(chain, data, [len(ONE + TWO), len(ONE + TWO) + 4])] == [
        ONE,
        TWO,
        Reason.TRUNCATED,
        ONE,
    ]


def test_discards_of_all_protocols_come_in_the_order_of_the_input() -> None:
    chain = Chain([Sync(b"##", Fixed(11)), Crc(CRC16_CCITT_FALSE)])
    good = b"123456789" + struct.pack(">H", binascii.crc_hqx(b"123456789", 0xFFFF))
    list(chain.receive(b"?##" + bytes(11) + b"!##" + good + b"##" + bytes(11) + b"."))
    list(chain.end())
    asides = chain.take_asides()
    assert [aside.span for aside in asides] == [(0, 1), (1, 14), (14, 15), (28, 41), (41, 42)]
    assert [aside.reason for aside in asides[:2]] == [Reason.NO_SYNC, Reason.BAD_CRC]
    assert chain.take_asides() == []


def test_three_protocols_deep_everything_is_accounted_for() -> None:
    packet = CcsdsPackets().send(ONE[:4] + b"\0\0" + b"data" + b"??")
    packet = packet[:-2] + struct.pack(">H", binascii.crc_hqx(packet[:-2], 0xFFFF))
    lines = packet + packet[:-1] + b"\xff" + packet
    frame = b"##" + bytes([len(lines)]) + lines
    chain = Chain(
        [
            Sync(b"##", LengthField(bit_length=8, adjustment_bytes=1, discard_leading_bytes=1)),
            CcsdsPackets(),
            Crc(CRC16_CCITT_FALSE),
        ]
    )
    size = len(packet)
    for cuts in ((), range(len(frame))):
        assert actual_events(chain.fresh(), frame + b"?", cuts) == [
            Event((0, 3 + size), packet[:-2]),
            Event((3 + size, 3 + 2 * size), Reason.BAD_CRC),
            Event((3 + 2 * size, 3 + 3 * size), packet[:-2]),
            Event((3 + 3 * size, 4 + 3 * size), Reason.NO_SYNC),
        ]


def test_a_chain_within_a_chain_is_as_good_as_one() -> None:
    flat = Chain([Terminated(b"\n"), Fixed(5), Crc(CRC16_CCITT_FALSE)])
    nested = Chain([Terminated(b"\n"), Chain([Fixed(5), Crc(CRC16_CCITT_FALSE)])])
    data = flat.send(b"abc") + b"defgh\n" + flat.send(b"xyz")
    assert nested.send(b"abc") == flat.send(b"abc")
    assert nested.added_bytes == flat.added_bytes == (0, 3)
    events = actual_events(flat, data)
    assert actual_events(nested, data) == events
    assert [event.what for event in events] == [b"abc", Reason.BAD_CRC, b"xyz"]


def test_sending_frames_from_the_inside_out() -> None:
    assert Chain([Terminated(b"\n"), Sync(b"#", Fixed(3))]).send(b"abc") == b"#abc\n"
    assert f_prime().send(b"payload") == f_prime_frame(b"payload")


def test_a_checksum_covers_the_length_that_is_filled_in_further_out() -> None:
    # The packet's length field is the framing's, and its last two bytes are the checksum of everything before.
    chain = Chain([CcsdsPackets(), Crc(CRC16_CCITT_FALSE, strip=False)])
    sent = chain.send(b"\x18\x01\xc0\x00\0\0" + b"data" + b"\0\0")
    covered = b"\x18\x01\xc0\x00\0\x05" + b"data"
    assert sent == covered + struct.pack(">H", binascii.crc_hqx(covered, 0xFFFF))


def test_a_checksum_further_out_covers_one_further_in() -> None:
    chain = Chain([Crc(CRC32), LengthField(bit_length=8, discard_leading_bytes=1), Crc(CRC16_CCITT_FALSE)])
    inner = b"data" + struct.pack(">H", binascii.crc_hqx(b"data", 0xFFFF))
    outer = bytes([len(inner) + 1]) + inner
    assert chain.send(b"data") == outer + struct.pack(">I", zlib.crc32(outer))


def test_a_fresh_chain_is_made_of_fresh_protocols() -> None:
    chain = Chain([Fixed(3)])
    list(chain.receive(b"ab"))
    assert chain.held_bytes == 2
    assert chain.fresh().held_bytes == 0
    assert chain.held_bytes == 2


@pytest.mark.parametrize("protocols", [[], [Fixed(3), "Crc"], [Fixed(3), Fixed]])
def test_what_is_no_chain_is_refused_at_once(protocols: list[Protocol]) -> None:
    with pytest.raises(UsageError, match="chain"):
        Chain(protocols)


def test_a_protocol_cannot_be_in_a_chain_twice() -> None:
    fixed = Fixed(3)
    with pytest.raises(UsageError, match="each of them once"):
        Chain([fixed, fixed])


def test_a_recorded_f_prime_stream_is_framed_both_ways(real_data: Path) -> None:
    data = (real_data / "reference/fprime/ref_stream.bin").read_bytes()
    known = json.loads((real_data / "reference/fprime/ref.json").read_text())
    packets = [bytes.fromhex(entry["packet"]) for entry in known["channels"] + known["events"]]
    assert len(packets) == 320
    events = actual_events(f_prime(), data, range(0, len(data), 1_009))
    assert [event.what for event in events] == packets
    assert b"".join(f_prime().send(packet) for packet in packets) == data


def test_a_damaged_f_prime_stream_gives_no_packet_that_was_not_sent(real_data: Path) -> None:
    data = bytearray((real_data / "reference/fprime/ref_stream.bin").read_bytes())
    for place in range(0, len(data), 1_237):
        data[place] ^= 0x10
    del data[5_000:5_003]
    data[7_000:7_000] = b"inserted"
    known = json.loads((real_data / "reference/fprime/ref.json").read_text())
    sent = {bytes.fromhex(entry["packet"]) for entry in known["channels"] + known["events"]}
    events = actual_events(f_prime(), bytes(data), range(0, len(data), 113))
    assert_tiled(events, len(data))
    received = [event.what for event in events if isinstance(event.what, bytes)]
    assert set(received) <= sent
    assert 290 < len(received) < 320


def test_garbage_within_a_frame_is_one_discard_with_the_reason_of_its_beginning() -> None:
    chain = Chain([Fixed(9), Sync(b"#", LengthField(bit_length=8, maximum_bytes=3))])
    assert actual_events(chain, b"#\xff#\xff#\x03ab!") == [
        Event((0, 4), Reason.BAD_LENGTH),
        Event((4, 8), b"\x03ab"),
        Event((8, 9), Reason.NO_SYNC),
    ]


@pytest.mark.parametrize("protocol", [Fixed(3), Crc(CRC32), Burst(), Chain([Fixed(3), Fixed(1)])])
def test_in_no_frames_there_are_no_frames(protocol: Protocol) -> None:
    assert len(protocol.refine(NO_FRAMES)) == 0
    assert protocol.take_asides() == []


@pytest.mark.parametrize(
    "outer",
    [Burst(), Sync(b"##"), Sync(b"##", Fixed(6)), Terminated(b"\n"), Fixed(9, discard_leading_bytes=3)],
    ids=repr,
)
def test_a_checksum_is_in_its_place_whatever_is_around_it(outer: Protocol) -> None:
    framed = b"data" + struct.pack(">H", binascii.crc_hqx(b"data", 0xFFFF))
    assert Chain([outer, Crc(CRC16_CCITT_FALSE)]).send(b"data") == outer.send(framed)
