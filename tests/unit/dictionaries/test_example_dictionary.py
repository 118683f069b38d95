"""The example dictionary is what a real one would be: sound, told apart, and of every kind of item."""

import struct
from pathlib import Path

import numpy as np
import pytest

from c2kit.dictionaries import Dictionary
from c2kit.dictionaries.prover import Severity, prove
from c2kit.kernel import columns, reference
from c2kit.kernel.layout import Layout
from c2kit.model.fields import Encoding, Expand, FieldReference, Fixed, Prefixed, Terminated
from c2kit.model.packets import Match, Packet

FOLDER = Path(__file__).parents[3] / "examples/dictionary"


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return Dictionary.load(FOLDER)


def decode(packet: Packet, data: bytes) -> dict[str, object]:
    layout = Layout(packet.items)
    bounds = np.array([0]), np.array([len(data)])
    decoded = [kernel.decode(layout, data, *bounds) for kernel in (columns, reference)]
    fast, slow = ([column.to_list()[0] for column in each] for each in decoded)
    assert fast == slow
    return dict(zip(layout.index, fast, strict=True))


def header(apid: int, kind: int, body: bytes) -> bytes:
    data = struct.pack(">IHB", 1_400_000_000, 0x8000, kind) + body
    return struct.pack(">HHH", 0x0800 | apid, 0xC000 | 17, len(data) - 1) + data


def test_the_prover_finds_nothing_wrong(dictionary: Dictionary) -> None:
    findings = prove(dictionary.targets, interfaces=[["FIREFLY"], ["ANTENNA"]])
    assert [str(finding) for finding in findings if finding.severity is not Severity.NOTE] == []
    assert dictionary.warnings == ()


def test_each_file_of_a_target_loads_alone(dictionary: Dictionary) -> None:
    for path in FOLDER.glob("[!c]*.yaml"):
        (target,) = Dictionary.load(path).targets
        whole = dictionary[target.name]
        assert set(target.packets) <= set(whole.packets)
        assert set(target.commands) <= set(whole.commands)


def test_firefly_has_a_dozen_packets_and_more_over_six_apids(dictionary: Dictionary) -> None:
    packets = dictionary["FIREFLY"].packets
    apids = [match.value for packet in packets for match in packet.identification if match.item == "APID"]
    assert len(packets) == len(apids) == 13
    assert set(apids) == set(range(100, 106))


def test_firefly_uses_every_encoding_and_every_kind_of_length(dictionary: Dictionary) -> None:
    items = [item for packet in dictionary["FIREFLY"].packets for item in packet.items]
    assert {item.encoding for item in items} == set(Encoding)
    assert {type(item.length) for item in items} >= {Fixed, FieldReference, Expand, Terminated, Prefixed}
    assert any(item.present_if for item in items)


def test_a_health_packet_says_what_its_bytes_say(dictionary: Dictionary) -> None:
    body = struct.pack(">BIHBB", 2, 86_400, 7, 0b0001_1011, 51) + (70_000).to_bytes(3)
    body += struct.pack(">HhbHH", 16_000, -250, -5, 40, 3)
    packet = dictionary["FIREFLY"].packet("HEALTH")
    values = decode(packet, header(0x064, 1, body) + b"after")
    assert values["MODE"] == 2
    assert values["RESET_CAUSE"] == 1
    flags = ("RADIO_ON", "CAMERA_ON", "WHEELS_ON", "ANTENNA_DEPLOYED")
    assert [values[name] for name in flags] == [1, 0, 1, 1]
    assert values["BATTERY_VOLTAGE"] == 16_000
    assert values["BATTERY_CURRENT"] == -250
    assert (values["OBC_TEMPERATURE"], values["COMMANDS_REJECTED"]) == (-5, 3)
    assert packet.identification[-2:] == (Match("APID", 0x064), Match("KIND", 1))


def test_a_histogram_has_one_of_its_two_forms(dictionary: Dictionary) -> None:
    packet = dictionary["FIREFLY"].packet("HISTOGRAM")
    plain = struct.pack("<IIBH3IH", 5, 1000, 0, 3, 10, 20, 30, 1)
    differences = struct.pack("<IIBHI3hH", 5, 1000, 1, 3, 700, -1, 0, 1, 2)
    one, other = (decode(packet, header(0x068, 2, body)) for body in (plain, differences))
    assert (one["COUNTS"], one["BASELINE"], one["DIFFERENCES"], one["OVERFLOWS"]) == ([10, 20, 30], None, None, 1)
    assert (other["COUNTS"], other["BASELINE"], other["DIFFERENCES"], other["OVERFLOWS"]) == (None, 700, [-1, 0, 1], 2)


def test_a_memory_dump_ends_with_its_checksum(dictionary: Dictionary) -> None:
    values = decode(
        dictionary["FIREFLY"].packet("MEMORY_DUMP"), header(0x069, 1, b"\0\1\2\3" + b"memory" + b"\xca\xfe\0\1")
    )
    assert (values["ADDRESS"], values["DATA"], values["CHECKSUM"]) == (0x00010203, b"memory", 0xCAFE0001)


def test_high_voltage_stands_in_the_order_of_its_processor(dictionary: Dictionary) -> None:
    body = struct.pack("<BBQfI", 2, 0b110_101_01, 12, 200.5, 99) + bytes.fromhex("33441122")
    values = decode(dictionary["FIREFLY"].packet("CAMERA_STATUS"), header(0x068, 1, body))
    assert (values["SHUTTER"], values["FILTER"], values["GAIN"]) == (1, 5, 6)
    assert (values["CLOCK"], values["DETECTOR_TEMPERATURE"], values["DARK_COUNTS"]) == (12, 200.5, 99)
    assert values["HIGH_VOLTAGE"] == 0x11223344


def test_all_frames_of_the_antenna_have_64_bytes(dictionary: Dictionary) -> None:
    antenna = dictionary["ANTENNA"]
    layouts = [Layout(packet.items) for packet in antenna.packets]
    layouts += [Layout(command.arguments) for command in antenna.commands]
    assert {layout.fixed_bits for layout in layouts} == {64 * 8}
    assert {packet.size_bytes for packet in antenna.packets} == {64}


def test_commands_end_with_a_checksum_and_dangerous_ones_say_so(dictionary: Dictionary) -> None:
    commands = dictionary["FIREFLY"].commands
    assert {command.arguments[-1].name for command in commands} == {"CRC"}
    assert all(command.hazard for command in commands if command.hazardous)
    assert {command.name for command in commands if command.hazardous} == {"FIRE_THRUSTER", "LOAD_MEMORY", "RESET"}
    mode = dictionary["FIREFLY"].command("SET_MODE")
    assert (mode.argument("MODE").default, mode.argument("DURATION").default) == (None, 10)
