"""The decoder of recordings: the three processors in one, and an account that adds up whatever the bytes are."""

import random
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from c2kit.dictionaries import Dictionary
from c2kit.errors import UnknownName
from c2kit.kernel.tally import Tally
from c2kit.processors import RecordingDecoder
from c2kit.processors.account import Account, Amount
from c2kit.protocols import CcsdsPackets, Chain, Fixed, Reason, Sync
from tests.definitions import write

DEFINITIONS = """
    target: {target}
    packets:
      A:
        identify: {{APID: {first}}}
        items: {{W: u5, APID: u11, SEQ: u16, LEN: u16, VALUE: u16}}
      B:
        identify: {{APID: {second}}}
        items: {{W: u5, APID: u11, SEQ: u16, LEN: u16, MODE: {{type: u8, states: {{ON: 1}}}}}}
"""


def packet(apid: int, count: int, data: bytes) -> bytes:
    return struct.pack(">HHH", apid, 0xC000 | count % 2**14, len(data) - 1) + data


@pytest.fixture
def dictionary(tmp_path: Path) -> Dictionary:
    files = [
        write(tmp_path, DEFINITIONS.format(target="SAT", first=1, second=2), "sat.yaml"),
        write(tmp_path, DEFINITIONS.format(target="PROBE", first=3, second=4), "probe.yaml"),
    ]
    return Dictionary.load(files)


def traffic(count: int) -> list[bytes]:
    """Packets A and B of SAT and A of PROBE, in turn."""
    return [
        each
        for number in range(count)
        for each in (
            packet(1, number, struct.pack(">H", number)),
            packet(2, number, b"\1"),
            packet(3, number, struct.pack(">H", 1000 + number)),
        )
    ]


def cut(data: bytes, chance: random.Random) -> Iterator[bytes]:
    while data:
        size = chance.randrange(0, 40)
        yield data[:size]
        data = data[size:]


@pytest.mark.parametrize("seed", range(5))
def test_values_and_account_are_the_same_however_the_bytes_are_cut(dictionary: Dictionary, seed: int) -> None:
    data = b"".join(traffic(50)) + b"\xff\xff" + packet(9, 0, b"?") + b"\0"
    decoder = RecordingDecoder(dictionary, CcsdsPackets())
    values: dict[tuple[str, str], list[int]] = {}
    for telemetry in decoder.decode(cut(data, random.Random(seed))):
        name = "VALUE" if telemetry.packet.name == "A" else "MODE"
        values.setdefault((telemetry.target, telemetry.packet.name), []).extend(telemetry[name].to_list())
        assert telemetry.origin == "stored"
    numbers = list(range(50))
    assert values == {("SAT", "A"): numbers, ("SAT", "B"): [1] * 50, ("PROBE", "A"): [1000 + n for n in numbers]}
    account = decoder.account
    assert account.packets == {
        ("SAT", "A"): Amount(50, 400),
        ("SAT", "B"): Amount(50, 350),
        ("PROBE", "A"): Amount(50, 400),
    }
    assert account.unknown == Amount(1, 7)
    assert account.discarded == {Reason.BAD_HEADER: Amount(1, 2), Reason.TRUNCATED: Amount(1, 1)}
    assert account.input_bytes == account.accounted_bytes == len(data)
    assert account.packet_count == 151


def test_what_is_held_back_is_accounted_for_at_any_moment(dictionary: Dictionary) -> None:
    decoder = RecordingDecoder(dictionary, CcsdsPackets())
    for byte in b"".join(traffic(3)) + b"\xff\xff\xff" + packet(1, 4, b"\0\0"):
        assert all(len(telemetry) == 1 for telemetry in decoder.receive(bytes([byte])))
        assert decoder.account.unaccounted_bytes == 0
    assert list(decoder.end()) == []
    assert decoder.account.held_bytes == 0


def test_recordings_do_not_join_but_their_sequence_counts_do(dictionary: Dictionary) -> None:
    decoder = RecordingDecoder(dictionary, CcsdsPackets())
    first = packet(1, 0, b"\0\0") + packet(1, 1, b"\0\0")[:-1]
    assert [len(telemetry) for telemetry in decoder.decode([first])] == [1]
    assert [len(telemetry) for telemetry in decoder.decode([packet(1, 1, b"\0\0")])] == [1]
    assert decoder.account.break_count == 0
    assert [len(telemetry) for telemetry in decoder.decode([packet(1, 5, b"\0\0")])] == [1]
    assert (decoder.account.break_count, decoder.account.breaks[1].missing) == (1, 3)
    assert decoder.account.discarded == {Reason.TRUNCATED: Amount(1, 7)}


def test_bytes_that_framing_strips_off_are_accounted_for(dictionary: Dictionary) -> None:
    data = b"".join(b"\xaa\xbb" + each for each in traffic(4))
    decoder = RecordingDecoder(dictionary, CcsdsPackets(skip_bytes=2))
    assert sum(map(len, decoder.decode([data]))) == 12
    assert decoder.account.around_bytes == 24
    assert decoder.account.unaccounted_bytes == 0


def test_any_framing_will_do(dictionary: Dictionary) -> None:
    pattern = b"\x1a\xcf\xfc\x1d"
    framed = b"".join(pattern + packet(1, count, b"\0\0") for count in range(3))
    decoder = RecordingDecoder(dictionary, Chain([Sync(pattern, then=Fixed(8)), CcsdsPackets()]))
    assert sum(map(len, decoder.decode([framed, b"noise"]))) == 3
    assert decoder.account.around_bytes == 12
    assert decoder.account.unaccounted_bytes == 0


def test_only_packets_that_are_wanted_are_decommutated_and_all_are_counted(dictionary: Dictionary) -> None:
    decoder = RecordingDecoder(dictionary, CcsdsPackets(), packets={("SAT", "B")})
    batches = list(decoder.decode([b"".join(traffic(5))]))
    assert [(telemetry.target, telemetry.packet.name, len(telemetry)) for telemetry in batches] == [("SAT", "B", 5)]
    assert {name: amount.count for name, amount in decoder.account.packets.items()} == {
        ("SAT", "A"): 5,
        ("SAT", "B"): 5,
        ("PROBE", "A"): 5,
    }


def test_only_targets_that_can_come_are_looked_for(dictionary: Dictionary) -> None:
    decoder = RecordingDecoder(dictionary, CcsdsPackets(), targets=["PROBE"])
    assert sum(map(len, decoder.decode([b"".join(traffic(5))]))) == 5
    assert decoder.account.unknown.count == 10


def test_a_target_that_nobody_defined_is_refused(dictionary: Dictionary) -> None:
    with pytest.raises(UnknownName, match="did you mean SAT"):
        RecordingDecoder(dictionary, CcsdsPackets(), targets=["SATT"])


def test_anomalies_add_up_over_batches(dictionary: Dictionary) -> None:
    decoder = RecordingDecoder(dictionary, CcsdsPackets())
    data = [packet(2, count, bytes([count])) for count in range(4)]
    assert sum(map(len, decoder.decode([*data, packet(1, 0, b"\0")]))) == 5
    assert decoder.account.anomalies[("SAT", "B")].tallies == Counter({Tally.WITHOUT_STATE: 3})
    assert decoder.account.anomalies[("SAT", "A")].tallies == Counter({Tally.PACKET_TOO_SHORT: 1})
    assert not decoder.account.is_flawless


def test_what_unknown_packets_nearly_are_is_kept_for_a_few_kinds_only(dictionary: Dictionary) -> None:
    decoder = RecordingDecoder(dictionary, CcsdsPackets())
    for apid in range(100, 200):
        assert list(decoder.receive(packet(apid, 0, b"x") + packet(apid, 1, b"x"))) == []
    assert decoder.account.unknown == Amount(200, 1400)
    assert len(decoder.account.unknown_kinds) == 8
    assert set(decoder.account.unknown_kinds.values()) == {2}


def test_a_recording_with_nothing_wrong_is_flawless(dictionary: Dictionary) -> None:
    decoder = RecordingDecoder(dictionary, CcsdsPackets())
    assert sum(map(len, decoder.decode([b"".join(traffic(5))]))) == 15
    assert decoder.account.is_flawless


def test_an_account_tells_what_it_lost() -> None:
    account = Account(input_bytes=10, around_bytes=3)
    account.unknown.add(1, 5)
    assert (account.accounted_bytes, account.unaccounted_bytes) == (8, 2)
