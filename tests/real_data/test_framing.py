"""Recordings as streams of space packets: all of them, and nothing else, however the bytes come and are damaged."""

import itertools
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.protocols import CcsdsPackets
from tests.framing import actual_events, assert_tiled, ccsds_oracle, cuts, damaged, expected_events
from tests.real_data.recordings import (
    ALL,
    CYGNSS,
    CYGNSS_BY_APID,
    HS,
    JPSS,
    SUDA,
    SWAPI,
    Recording,
    packets_of,
    published,
)


@pytest.mark.parametrize("recording", ALL, ids=str)
def test_each_recording_is_packets_from_its_first_byte_to_its_last(real_data: Path, recording: Recording) -> None:
    data = recording.data(real_data)

    events = actual_events(recording.framing, data)

    assert [type(event.what) for event in events] == [bytes] * recording.packets
    assert_tiled(events, len(data))
    # What is not part of a packet are the bytes before it, and nothing else.
    assert sum(len(event.what) for event in events if isinstance(event.what, bytes)) == (
        len(data) - recording.skip_bytes * recording.packets
    )


@pytest.mark.parametrize("recording", [CYGNSS, *HS.values(), JPSS, SUDA, SWAPI], ids=str)
def test_packets_have_the_headers_that_were_published(real_data: Path, recording: Recording) -> None:
    told = published(real_data, recording)
    data = recording.data(real_data)
    headers = [int.from_bytes(packet[:6], "big") for packet in packets_of(recording, data)]

    assert len(data) == told["bytes"]
    assert recording.skip_bytes == told["skip_before_each"]
    assert len(headers) == told["packets"]
    assert told["leftover"] == 0
    for name, shift, bits in (("versions", 45, 3), ("apid", 32, 11), ("sequence_flags", 30, 2)):
        counted = Counter(str(header >> shift & (1 << bits) - 1) for header in headers)
        assert counted == told[name]


@pytest.mark.parametrize("apid", CYGNSS_BY_APID)
def test_the_packets_of_an_apid_are_byte_for_byte_its_own_file(real_data: Path, apid: int) -> None:
    packets = packets_of(CYGNSS, CYGNSS.data(real_data))

    own = b"".join(packet for packet in packets if int.from_bytes(packet[:2], "big") & 0x7FF == apid)

    assert own == CYGNSS_BY_APID[apid].data(real_data)


@pytest.mark.parametrize("recording", ALL, ids=str)
def test_packets_are_the_same_however_the_bytes_are_cut(real_data: Path, recording: Recording) -> None:
    data = recording.data(real_data)
    whole = actual_events(recording.framing, data)
    chance = random.Random(f"cuts of {recording}")

    for count in (1, 7, 200):
        places = [chance.randrange(len(data) + 1) for _ in range(count)]
        assert actual_events(recording.framing, data, places) == whole


@pytest.mark.parametrize("recording", ALL, ids=str)
def test_damage_loses_some_packets_and_every_byte_is_accounted_for(real_data: Path, recording: Recording) -> None:
    data = recording.data(real_data)
    packets = packets_of(recording, data)
    whole = Counter(packets)
    # Nothing marks the beginning of a space packet: what else is known of them is what finds the next one.
    known = CcsdsPackets(
        skip_bytes=recording.skip_bytes,
        versions=recording.versions,
        apids={int.from_bytes(packet[:2], "big") & 0x7FF for packet in packets},
        maximum_bytes=max(map(len, packets)),
    )
    chance = random.Random(f"damage to {recording}")

    for kind in ("cut", "insert", "remove", "flip", "garbage"):
        broken = _break(data, kind, chance)
        places = [chance.randrange(len(broken) + 1) for _ in range(5)]
        assert_tiled(actual_events(recording.framing, broken, places), len(broken))
        events = actual_events(known.fresh(), broken, places)
        assert_tiled(events, len(broken))
        found = Counter(event.what for event in events if isinstance(event.what, bytes))
        assert (found & whole).total() >= recording.packets // 5


def _break(data: bytes, kind: str, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    match kind:
        case "cut":
            return data[: max(place, len(data) // 2)]
        case "insert":
            return data[:place] + chance.randbytes(chance.randint(1, 40)) + data[place:]
        case "remove":
            return data[:place] + data[place + chance.randint(1, 40) :]
        case "flip":
            return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]
        case _:
            return chance.randbytes(300) + data + chance.randbytes(300)


@pytest.mark.parametrize(("first", "second"), [*itertools.pairwise(ALL)], ids=str)
def test_two_recordings_of_one_framing_are_both_found_in_one_stream(
    real_data: Path, first: Recording, second: Recording
) -> None:
    joined = first.data(real_data) + second.data(real_data)

    events = actual_events(first.framing, joined)

    assert_tiled(events, len(joined))
    if (first.skip_bytes, first.versions) == (second.skip_bytes, second.versions):
        assert [type(event.what) for event in events] == [bytes] * (first.packets + second.packets)


# Any damage anywhere, in parts that are short enough to try many, against framing told as simply as possible.


@pytest.mark.parametrize("recording", [CYGNSS, HS[10], JPSS, SUDA, SWAPI], ids=str)
@given(chooser=st.data())
def test_damaged_parts_are_framed_as_the_oracle_says(
    real_data: Path, recording: Recording, chooser: st.DataObject
) -> None:
    data = recording.data(real_data)
    begin = chooser.draw(st.integers(0, len(data) - 1))
    part = chooser.draw(damaged(data[begin : begin + chooser.draw(st.integers(1, 2000))]))
    oracle = ccsds_oracle(recording.versions, skip_bytes=recording.skip_bytes)

    events = actual_events(recording.framing, part, chooser.draw(cuts(len(part))))

    assert events == expected_events(part, oracle)
    assert_tiled(events, len(part))
