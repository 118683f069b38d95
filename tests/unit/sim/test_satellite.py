"""The simulated satellite: what comes down is what the dictionary says, and commands change it."""

import binascii
import itertools
import struct
import zlib
from typing import Any

import pytest

from c2kit.dictionaries import Dictionary
from c2kit.errors import UnknownName, UsageError
from c2kit.sim import BEGIN_NS, Satellite
from tests.unit.sim.conftest import SECOND, Decode, Order, fly

LIMITS = {"BATTERY_VOLTAGE": (6.0, 8.5), "OBC_TEMPERATURE": (-20, 50), "CPU_LOAD": (0, 100)}


def eventful(satellite: Satellite, order: Order) -> list[bytes]:
    """A flight in which everything happens."""
    packets = fly(satellite, 30)
    commands: dict[str, dict[str, Any]] = {
        "SET_MODE": {"MODE": "SCIENCE", "DURATION": 0},
        "DUMP_MEMORY": {"ADDRESS": 0x1234, "SIZE": 700},
        "POINT": {"POINTING": "INERTIAL"},
        "SET_CLOCK": {"SECONDS": 1_500_000_000},
        "SET_HEATER": {"HEATER": 1, "SETPOINT": 21.5},
        "FIRE_THRUSTER": {"THRUST": 2.5, "DURATION": 900},
        "SET_CALLSIGN": {"CALLSIGN": "GLOW"},
        "LOAD_MEMORY": {"ADDRESS": 0x2_0000, "DATA": b"written"},
    }
    for name, arguments in commands.items():
        satellite.command(order(name, **arguments))
        packets += fly(satellite, 7)
    packets += fly(satellite, 200)
    satellite.command(order("SET_MODE", MODE="DOWNLINK", DURATION=20))
    packets += fly(satellite, 40)
    satellite.command(order("RESET", IMAGE="SECONDARY"))
    return packets + fly(satellite, 100)


def acks(rows: dict[str, list[dict[str, Any]]]) -> list[tuple[int, str, str | None]]:
    return [(row["COMMAND_APID"], row["RESULT"], row["REASON"]) for row in rows.get("COMMAND_ACK", [])]


def ends_with_right_crc(command: bytes) -> bool:
    """CRC-16/IBM-3740, by another implementation."""
    return binascii.crc_hqx(command, 0xFFFF) == 0


def with_crc(command: bytes) -> bytes:
    return command + binascii.crc_hqx(command, 0xFFFF).to_bytes(2)


def test_equal_seeds_and_commands_give_equal_bytes(dictionary: Dictionary, order: Order) -> None:
    commands = [order("SET_MODE", MODE="SCIENCE", DURATION=0), order("NOOP")]

    def flight(seed: int, name: str, pieces: list[float]) -> bytes:
        satellite = Satellite(dictionary, seed=seed, name=name)
        packets = fly(satellite, 10)
        for command in commands:
            satellite.command(command)
        return b"".join(packets + [packet for piece in pieces for packet in fly(satellite, piece)])

    whole = flight(1, "FIREFLY", [60])
    assert flight(1, "FIREFLY", [0.01, 0.19, 0.0, 13.37, 46.43]) == whole
    assert flight(2, "FIREFLY", [60]) != whole
    assert flight(1, "FIREFLY-2", [60]) != whole


def test_every_packet_is_known_and_every_kind_comes_down(
    dictionary: Dictionary, satellite: Satellite, order: Order, decode: Decode
) -> None:
    packets = eventful(satellite, order)
    decoder, rows = decode(packets)
    assert decoder.account.unknown.count == 0
    assert not decoder.account.discarded
    assert not decoder.account.breaks
    assert set(rows) == set(dictionary["FIREFLY"].packets_by_name)
    assert {row["ENCODING"] for row in rows["HISTOGRAM"]} == {"PLAIN", "DIFFERENCES"}
    assert sum(map(len, rows.values())) == len(packets)


def test_values_are_plausible(satellite: Satellite, order: Order, decode: Decode) -> None:
    _, rows = decode(eventful(satellite, order))
    for name, (low, high) in LIMITS.items():
        values = [row[name] for row in rows["HEALTH"]]
        assert low <= min(values) <= max(values) <= high
        assert len(set(values)) > 1
    for row in rows["ATTITUDE"]:
        assert sum(part**2 for part in row["QUATERNION"]) == pytest.approx(1, abs=1e-5)
    for row in rows["POWER"]:
        assert 0 < row["BATTERY_CHARGE"] <= 100
        assert all(-5 < degrees < 40 for degrees in row["BATTERY_TEMPERATURES"])
    assert {row["IN_ECLIPSE"] for row in rows["ATTITUDE"]} == {True, False}
    assert len({len(row["MAGNITUDES"]) for row in rows["STAR_TRACKER"]}) > 3


def test_sequence_counts_go_on_and_wrap_for_each_apid(dictionary: Dictionary) -> None:
    satellite = Satellite(dictionary, seed=1)
    counts: dict[int, list[int]] = {}
    packets = fly(satellite, 10)
    satellite._counts[102] += 2**14 - 500  # as if it had flown for an hour
    for packet in [*packets, *fly(satellite, 400)]:
        first, second = struct.unpack_from(">HH", packet)
        counts.setdefault(first & 0x7FF, []).append(second & 0x3FFF)
    assert sorted(counts) == [100, 101, 102, 103, 104, 105]
    assert {each[0] for each in counts.values()} == {0}
    steps = [(after - before) % 2**14 for each in counts.values() for before, after in itertools.pairwise(each)]
    assert sorted(set(steps)) == [1, 2**14 - 499]
    assert steps.count(2**14 - 499) == 1
    assert (2**14 - 1, 0) in itertools.pairwise(counts[102])


def test_packets_tell_true_time_until_the_clock_is_set(satellite: Satellite, order: Order) -> None:
    fly(satellite, 5)
    satellite.command(order("SET_CLOCK", SECONDS=42, SUBSECONDS=0x8000))
    fly(satellite, 5)
    # GPS time since 1980-01-06, 18 leap seconds ahead of UTC.
    gps = (BEGIN_NS // SECOND) - 315_964_800 + 18
    shown = {sent.time_ns - BEGIN_NS: struct.unpack_from(">I", sent.data, 6)[0] for sent in satellite.sent}
    assert shown[0] == gps
    assert shown[4 * SECOND] == gps + 4
    assert shown[9 * SECOND] == 42 + 4  # half past, and four seconds later


def test_what_was_sent_is_on_record(satellite: Satellite) -> None:
    packets = fly(satellite, 20)
    assert [sent.data for sent in satellite.sent] == packets
    times = [sent.time_ns for sent in satellite.sent]
    assert times == sorted(times)
    assert BEGIN_NS <= times[0] <= times[-1] < satellite.now_ns == BEGIN_NS + 20 * SECOND


def test_time_does_not_go_back(satellite: Satellite) -> None:
    fly(satellite, 1)
    with pytest.raises(UsageError, match="time to advance to"):
        satellite.advance(BEGIN_NS)


def test_a_satellite_of_a_target_that_nobody_defined_is_refused(dictionary: Dictionary) -> None:
    with pytest.raises(UnknownName, match="FIREFLI"):
        Satellite(dictionary, target="FIREFLI")


def test_a_command_is_received_once_and_reported_twice(satellite: Satellite, order: Order, decode: Decode) -> None:
    command = order("NOOP")
    satellite.command(command)
    satellite.command(command)
    _, rows = decode(fly(satellite, 10))
    assert [received.data for received in satellite.received] == [command, command]
    assert acks(rows) == [(100, "ACCEPTED", ""), (100, "DONE", None)] * 2
    assert rows["HEALTH"][-1]["COMMANDS_ACCEPTED"] - 73 == 2


def test_a_long_command_is_done_when_it_has_ended(satellite: Satellite, order: Order) -> None:
    satellite.command(order("EXPOSE", EXPOSURE_TIME=4000, BINS=16))
    fly(satellite, 10)
    when = {sent.name: sent.time_ns - BEGIN_NS for sent in satellite.sent}
    assert when["COMMAND_ACK"] == when["HISTOGRAM"] == 4 * SECOND


def test_a_mode_changes_what_comes_down_and_ends_by_itself(satellite: Satellite, order: Order, decode: Decode) -> None:
    fly(satellite, 10)
    satellite.command(order("SET_MODE", MODE="SAFE", DURATION=30))
    _, safe = decode(fly(satellite, 30))
    _, after = decode(fly(satellite, 30))
    assert {row["MODE"] for row in safe["HEALTH"]} == {"SAFE"}
    assert {row["MODE"] for row in after["HEALTH"]} == {"NOMINAL"}
    assert "STAR_TRACKER" not in safe
    assert len(safe["ATTITUDE"]) == 30 / 5
    assert len(after["ATTITUDE"]) == 30 * 5


def test_a_memory_dump_has_what_was_written(satellite: Satellite, order: Order, decode: Decode) -> None:
    written = bytes(range(200)) * 2
    satellite.command(order("LOAD_MEMORY", ADDRESS=0x4_0010, DATA=written))
    satellite.command(order("DUMP_MEMORY", ADDRESS=0x4_0000, SIZE=432))
    _, rows = decode(fly(satellite, 5))
    dumps = rows["MEMORY_DUMP"]
    assert [(row["ADDRESS"], len(row["DATA"])) for row in dumps] == [(0x4_0000, 256), (0x4_0100, 176)]
    assert b"".join(row["DATA"] for row in dumps)[16:416] == written
    assert all(row["CHECKSUM"] == zlib.crc32(row["DATA"]) for row in dumps)


def test_a_damaged_command_is_refused_for_its_checksum(satellite: Satellite, order: Order, decode: Decode) -> None:
    good = order("SET_MODE", MODE="SAFE")
    assert ends_with_right_crc(good)
    for bit in range(8 * len(good)):
        bad = bytearray(good)
        bad[bit // 8] ^= 0x80 >> bit % 8
        satellite.command(bytes(bad))
    _, rows = decode(fly(satellite, 2))
    assert {result for _, result, _ in acks(rows)} == {"BAD_CHECKSUM"}
    assert {received.name for received in satellite.received} == {None}
    assert len(satellite.received) == 8 * len(good)
    assert satellite.mode == "NOMINAL"


@pytest.mark.parametrize(
    ("command", "result", "reason"),
    [
        (with_crc(bytes.fromhex("1864 c000 0002 63")), "UNKNOWN", "no such function"),
        (with_crc(bytes.fromhex("1864 c000 0005 03 07 000a")), "BAD_ARGUMENT", "MODE"),
        (with_crc(bytes.fromhex("1864 c000 0005 03 01 0e11")), "BAD_ARGUMENT", "DURATION"),
        (with_crc(bytes.fromhex("1864 c000 0004 03 01 0a")), "BAD_ARGUMENT", "wrong length"),
        (with_crc(bytes.fromhex("1864 c000 0006 03 01 000a 00")), "BAD_ARGUMENT", "wrong length"),
        (with_crc(bytes.fromhex("1864 c000 0008 04 01 b007c0df 00")), "BAD_ARGUMENT", "wrong length"),
        (with_crc(bytes.fromhex("1864 c000 0007 04 01 b007c0df")), "BAD_ARGUMENT", "KEY"),
        (b"", "BAD_CHECKSUM", "checksum"),
    ],
)
def test_a_command_that_cannot_be_is_refused_with_its_reason(
    satellite: Satellite, decode: Decode, command: bytes, result: str, reason: str
) -> None:
    satellite.command(command)
    _, rows = decode(fly(satellite, 1))
    assert [(found, why) for _, found, why in acks(rows)] == [(result, reason)]
    assert [received.result for received in satellite.received] == [result]


@pytest.mark.parametrize(
    ("before", "command"),
    [
        (("SET_SWITCH", {"LINE": "CAMERA", "STATE": "OFF"}), ("EXPOSE", {"EXPOSURE_TIME": 5})),
        (("SET_SWITCH", {"LINE": "CAMERA", "STATE": "OFF"}), ("SET_MODE", {"MODE": "SCIENCE"})),
        (("SET_SWITCH", {"LINE": "WHEELS", "STATE": "OFF"}), ("POINT", {"POINTING": "SUN"})),
        (("SET_MODE", {"MODE": "SAFE"}), ("FIRE_THRUSTER", {"THRUST": 1, "DURATION": 5})),
        (("EXPOSE", {"EXPOSURE_TIME": 5000}), ("EXPOSE", {"EXPOSURE_TIME": 5})),
        (("NOOP", {}), ("LOAD_MEMORY", {"ADDRESS": 5, "DATA": b"x"})),
    ],
)
def test_what_cannot_be_done_now_is_refused(
    satellite: Satellite, order: Order, before: tuple[str, Any], command: tuple[str, Any]
) -> None:
    for name, arguments in (before, command):
        satellite.command(order(name, **arguments))
    fly(satellite, 1)
    assert [received.result for received in satellite.received] == ["ACCEPTED", "NOT_NOW"]


def test_an_exposure_that_is_given_up_has_failed(satellite: Satellite, order: Order, decode: Decode) -> None:
    satellite.command(order("EXPOSE", EXPOSURE_TIME=5000))
    satellite.command(order("SET_MODE", MODE="SAFE"))
    _, rows = decode(fly(satellite, 10))
    assert acks(rows)[-1] == (104, "FAILED", "exposure was given up")
    assert "HISTOGRAM" not in rows


def test_a_reset_silences_it_and_ends_in_a_boot_report(satellite: Satellite, order: Order, decode: Decode) -> None:
    satellite.command(order("RESET"))
    assert len(fly(satellite, 2)) < 20
    satellite.command(order("NOOP"))
    assert fly(satellite, 30) == []
    assert [command[6] for command in satellite.missed] == [0]
    _, rows = decode(fly(satellite, 20))
    (report,) = rows["BOOT_REPORT"]
    assert (report["IMAGE"], report["SELF_TEST_PASSED"], report["FAILED_TESTS"]) == ("PRIMARY", True, None)
    assert {row["MODE"] for row in rows["HEALTH"]} == {"SAFE"}
    assert {row["BOOT_COUNT"] for row in rows["HEALTH"]} == {13}


def test_the_watchdog_switches_the_radio_on_again(satellite: Satellite, order: Order) -> None:
    satellite.command(order("SET_SWITCH", LINE="RADIO", STATE="OFF"))
    fly(satellite, 1)
    assert fly(satellite, 55) == []
    assert len(fly(satellite, 10)) > 20


def test_outside_of_passes_it_is_silent_and_deaf_if_so_asked(dictionary: Dictionary, order: Order) -> None:
    satellite = Satellite(dictionary, passes=True)
    assert len(fly(satellite, 600)) > 3000
    assert len(fly(satellite, 1)) < 10
    satellite.command(order("NOOP"))
    assert fly(satellite, 5640 - 602) == []
    assert (len(satellite.missed), satellite.received) == (1, [])
    assert len(fly(satellite, 600)) > 3000


def test_an_empty_battery_ends_in_safe_mode(dictionary: Dictionary, order: Order, decode: Decode) -> None:
    satellite = Satellite(dictionary, record=False)
    satellite._craft.charge = 0.25
    satellite.command(order("SET_MODE", MODE="DOWNLINK", DURATION=0))
    fly(satellite, 60)
    assert satellite.mode == "DOWNLINK"
    fly(satellite, 120)  # in the Earth's shadow, where it begins
    _, rows = decode(fly(satellite, 10))
    assert satellite.sent == []
    assert satellite.mode == "SAFE"
    assert all(row["BATTERY_VOLTAGE"] > 6 for row in rows["HEALTH"])
