"""CCSDS space packets: vectors by the clauses of CCSDS 133.0-B-2, damage, and recordings of spacecraft."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from c2kit.errors import UsageError
from c2kit.protocols import CcsdsPackets, Reason
from tests.framing import Event, actual_events, assert_tiled, space_packet

if TYPE_CHECKING:
    from pathlib import Path

LEAST = bytes.fromhex("0801 C000 0000 AB")
NEXT = bytes.fromhex("1802 4007 0001 CDEF")


def frames_of(protocol: CcsdsPackets, data: bytes) -> list[bytes]:
    return [event.what for event in actual_events(protocol, data) if isinstance(event.what, bytes)]


def test_a_packet_data_length_of_zero_is_one_octet_of_data() -> None:
    # 4.1.3.5.3: the length is one fewer than the octets in the packet data field; 4.1.2.2: at least 7 octets.
    assert actual_events(CcsdsPackets(), LEAST + b"\x08") == [
        Event((0, 7), LEAST),
        Event((7, 8), Reason.TRUNCATED),
    ]


def test_the_longest_packet_has_65542_octets() -> None:
    # 4.1.2.2.
    packet = bytes.fromhex("0801 C000 FFFF") + bytes(65_536)
    assert frames_of(CcsdsPackets(), packet + LEAST + b"\0") == [packet, LEAST]


def test_type_flags_apid_and_count_make_no_difference() -> None:
    # 4.1.3.3.2 and 4.1.3.3.3: a telecommand with secondary header; 4.1.3.3.4.4: idle; 4.1.3.4.2: all sequence flags.
    packets = [
        bytes.fromhex(text)
        for text in (
            "1FFE C000 0001 AABB",
            "07FF FFFF 0000 00",
            "0005 0001 0000 01",
            "0005 4001 0000 01",
            "0005 8001 0000 01",
        )
    ]
    assert frames_of(CcsdsPackets(), b"".join(packets) + b"\x08\x01") == packets


def test_a_primary_header_alone_is_truncated() -> None:
    assert actual_events(CcsdsPackets(), LEAST[:6]) == [Event((0, 6), Reason.TRUNCATED)]


def test_only_version_zero_is_a_packet_unless_told() -> None:
    # 4.1.3.2: the packet version number is 000.
    packet = space_packet(b"data", version=1)
    assert Reason.BAD_HEADER in [event.what for event in actual_events(CcsdsPackets(), packet)]
    assert frames_of(CcsdsPackets(versions=[1]), packet + b"\x20") == [packet]
    assert frames_of(CcsdsPackets(versions=range(8)), packet + LEAST) == [packet, LEAST]


def test_framing_is_found_again_behind_bytes_that_are_no_header() -> None:
    data = LEAST + b"\xff\xfe\xfd" + NEXT + LEAST
    assert actual_events(CcsdsPackets(), data + b"\0") == [
        Event((0, 7), LEAST),
        Event((7, 10), Reason.BAD_HEADER),
        Event((10, 18), NEXT),
        Event((18, 25), LEAST),
        Event((25, 26), Reason.TRUNCATED),
    ]


def test_a_false_header_is_told_by_its_apid() -> None:
    garbage = bytes.fromhex("0777 C000 0009")  # a header of 16 octets, but for its APID
    data = garbage + LEAST + NEXT
    assert frames_of(CcsdsPackets(), data) == [data[:16]]
    assert actual_events(CcsdsPackets(apids=[1, 2]), data) == [
        Event((0, 6), Reason.BAD_HEADER),
        Event((6, 13), LEAST),
        Event((13, 21), NEXT),
    ]


def test_a_false_header_is_told_by_its_length() -> None:
    garbage = bytes.fromhex("0777 FFFF FFFF")
    data = garbage + LEAST + NEXT
    assert actual_events(CcsdsPackets(), data) == [Event((0, 21), Reason.TRUNCATED)]
    assert actual_events(CcsdsPackets(maximum_bytes=100), data)[-2:] == [Event((6, 13), LEAST), Event((13, 21), NEXT)]


def test_a_header_that_is_bad_is_not_waited_for() -> None:
    framing = CcsdsPackets()
    (batch,) = framing.receive(bytes.fromhex("E8E1 FFFF FFFF") + LEAST + NEXT[:3])
    assert list(batch) == [LEAST]
    assert framing.held_bytes == 3


def test_bytes_before_each_packet_are_in_the_span_and_not_in_the_frame() -> None:
    assert actual_events(CcsdsPackets(skip_bytes=4), b"skip" + LEAST + b"SKIP" + NEXT + b"skip") == [
        Event((0, 11), LEAST),
        Event((11, 23), NEXT),
        Event((23, 27), Reason.TRUNCATED),
    ]


def test_bytes_before_each_packet_do_not_count_for_the_longest() -> None:
    data = b"skip" + LEAST + b"SKIP"
    assert frames_of(CcsdsPackets(skip_bytes=4, maximum_bytes=7), data) == [LEAST]


def test_every_packet_that_alternates_with_a_bad_one_is_found() -> None:
    data = (b"\xe0" + LEAST) * 3_000
    events = actual_events(CcsdsPackets(), data)
    assert_tiled(events, len(data))
    assert [event.what for event in events] == [Reason.BAD_HEADER, LEAST] * 3_000


@pytest.mark.parametrize("count", [10, 100, 145, 150, 700, 900, 3_000])
@pytest.mark.parametrize("damaged", [1, 2, 5])
def test_all_packets_behind_damage_are_given_with_their_last_byte(count: int, damaged: int) -> None:
    data = (LEAST * 5_000 + b"\xff" * 20) * damaged + LEAST * count
    protocol = CcsdsPackets()
    assert sum(map(len, protocol.receive(data))) == 5_000 * damaged + count
    assert protocol.held_bytes == 0
    assert list(protocol.end()) == []


def test_many_packets_of_one_chunk_are_one_batch_on_its_bytes() -> None:
    data = b"".join(space_packet(bytes(size % 50 + 1), count=size) for size in range(2_000))
    (batch,) = CcsdsPackets().receive(data, received=5)
    assert batch.buffer is data
    assert len(batch) == 2_000
    assert set(batch.received.tolist()) == {5}
    assert batch.target is None


def test_sending_fills_in_the_packet_data_length() -> None:
    blank = LEAST[:4] + b"\xff\xff" + b"data"
    assert CcsdsPackets().send(blank) == LEAST[:4] + b"\x00\x03" + b"data"
    assert CcsdsPackets(skip_bytes=2).send(blank) == b"\0\0" + LEAST[:4] + b"\x00\x03" + b"data"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (LEAST[:6], "expected 7 to 65542, found 6"),
        (LEAST[:4] + bytes(65_539), "expected 7 to 65542, found 65543"),
        (b"", "found 0"),
        (space_packet(b"data", version=2, apid=9), "found version 2, APID 9"),
    ],
)
def test_what_is_no_packet_is_not_sent(payload: bytes, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        CcsdsPackets().send(payload)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"versions": [8]}, "packet version number, expected 0 to 7, found 8"),
        ({"versions": 1}, "several of them, found 1; give [1]"),
        ({"versions": []}, "at least one version"),
        ({"apids": []}, "at least one version and one APID"),
        ({"apids": [2048]}, "APID, expected 0 to 2047, found 2048"),
        ({"skip_bytes": -1}, "skip_bytes, expected 0 to 1048576, found -1"),
        ({"skip_bytes": 2**63}, "skip_bytes, expected 0 to 1048576, found 9223372036854775808"),
        ({"maximum_bytes": 6}, "expected 7 to 65542, found 6"),
        ({"maximum_bytes": 65_543}, "found 65543"),
        ({"maximum_bytes": 64.0}, "an integer, 7 to 65542, found 64.0"),
    ],
)
def test_what_cannot_work_is_refused_at_once(arguments: dict[str, object], expected: str) -> None:
    with pytest.raises(UsageError, match=re.escape(expected)):
        CcsdsPackets(**arguments)  # type: ignore[arg-type]


# Recordings: (file, how to read it, packets). The counts are those that come with the recordings.
RECORDINGS = {
    "CYGNSS": ("ccsdspy/split/CYGNSS_F7_L0_2022_086_10_15_V01_F__first101pkts.tlm", CcsdsPackets(), 101),
    "housekeeping": ("ccsdspy/hs/apid001/SSAT1_2015-180-00-00-00_2015-180-01-59-58_1_1_sim.tlm", CcsdsPackets(), 1448),
    "JPSS-1": ("space_packet_parser/jpss/J01_G011_LZ_2021-04-09T00-00-00Z_V01.DAT1", CcsdsPackets(), 7200),
    "SUDA": ("space_packet_parser/suda/sciData_2022_130_17_41_53.spl", CcsdsPackets(skip_bytes=4), 13),
}


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS.keys())
def test_recordings_are_packets_from_end_to_end(real_data: Path, recording: tuple[str, CcsdsPackets, int]) -> None:
    path, protocol, count = recording
    data = (real_data / path).read_bytes()
    cuts = range(0, len(data), 10_007)
    events = actual_events(protocol.fresh(), data, cuts)
    assert_tiled(events, len(data))
    assert len(events) == count
    assert all(isinstance(event.what, bytes) for event in events)


def test_a_recording_with_version_one_is_read_when_told(real_data: Path) -> None:
    data = (real_data / "ccsdspy/byte_order/byteorder_21.bin").read_bytes()
    assert all(isinstance(what, bytes) for _, what in actual_events(CcsdsPackets(versions=[1]), data))
    assert_tiled(actual_events(CcsdsPackets(), data), len(data))


def test_the_packets_of_an_apid_are_those_that_another_tool_split_off(real_data: Path) -> None:
    folder = real_data / "ccsdspy/split"
    data = (folder / RECORDINGS["CYGNSS"][0].rpartition("/")[2]).read_bytes()
    packets = frames_of(CcsdsPackets(), data)
    for path in folder.glob("apid*.tlm"):
        apid = int(path.stem.removeprefix("apid"))
        own = [packet for packet in packets if int.from_bytes(packet[:2], "big") & 0x7FF == apid]
        assert b"".join(own) == path.read_bytes()
