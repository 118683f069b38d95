"""The command encoder: bytes as another encoder would make them, and every bad argument named at once."""

from __future__ import annotations

import binascii
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from c2kit.dictionaries import Dictionary
from c2kit.errors import ArgumentFault, CommandRefused, MessageError, UnknownName
from c2kit.model.commands import Argument, Checksum, Command, LengthOf, SequenceCount
from c2kit.model.conversions import Polynomial, State, States
from c2kit.model.crc import CRC16_CCITT_FALSE, CRC32
from c2kit.model.fields import Condition, Encoding, FieldReference, Fixed, Prefixed, Text
from c2kit.model.target import Target
from c2kit.processors import CommandEncoder, parse_argument

MODES = States((State("SAFE", 1, 1), State("TEST", 8, 9)))


def encoder(*arguments: Argument, **rest: Any) -> CommandEncoder:  # noqa: ANN401 - any attribute
    command = Command(name="DO", arguments=arguments, **rest)
    return CommandEncoder(Dictionary(targets=(Target(name="SAT", commands=(command,)),)))


def encode(arguments: tuple[Argument, ...], **given: Any) -> bytes:  # noqa: ANN401 - any attribute
    return encoder(*arguments).encode("SAT", "DO", given).data


def faults(arguments: tuple[Argument, ...], **given: Any) -> dict[str, str]:  # noqa: ANN401 - any attribute
    with pytest.raises(CommandRefused) as caught:
        encode(arguments, **given)
    assert all(str(fault) in str(caught.value) for fault in caught.value.faults)
    return {fault.argument: str(fault) for fault in caught.value.faults}


class TestValues:
    def test_engineering_values_become_raw_ones(self) -> None:
        arguments = (
            Argument(name="MODE", conversion=MODES),
            Argument(name="ANGLE", bit_length=16, encoding=Encoding.TWOS_COMPLEMENT, conversion=Polynomial((0.0, 0.5))),
            Argument(name="RATE", bit_length=32, encoding=Encoding.IEEE754),
            Argument(name="NAME", encoding=Encoding.STRING, length=Fixed((6,)), text=Text(padding=b" ")),
        )
        found = encode(arguments, MODE="TEST", ANGLE=-3.5, RATE=1.25, NAME="fly")
        assert found == struct.pack(">Bhf6s", 8, -7, 1.25, b"fly   ")

    def test_defaults_and_fixed_values_fill_in(self) -> None:
        arguments = (Argument(name="FUNCTION", fixed=0xA5), Argument(name="MODE", conversion=MODES, default="SAFE"))
        assert encode(arguments) == b"\xa5\x01"
        assert encode(arguments, MODE=9) == b"\xa5\x09"

    def test_bits_are_packed_as_the_fields_say(self) -> None:
        arguments = (Argument(name="A", bit_length=3), Argument(name="B", bit_length=13, byte_order="big"))
        assert encode(arguments, A=5, B=0x1234) == (5 << 13 | 0x1234).to_bytes(2)

    def test_a_count_follows_from_the_sequence_given(self) -> None:
        arguments = (Argument(name="N"), Argument(name="DATA", bit_length=16, length=FieldReference("N")))
        assert encode(arguments, DATA=[1, 2, 3]) == b"\x03\0\x01\0\x02\0\x03"
        assert "N" in faults(arguments, DATA=[1, 2, 3], N=2).popitem()[1]

    def test_a_prefix_tells_the_size_of_binary(self) -> None:
        arguments = (Argument(name="DATA", encoding=Encoding.BINARY, length=Prefixed(16)),)
        assert encode(arguments, DATA=b"abc") == b"\0\x03abc"

    def test_an_argument_may_depend_on_another(self) -> None:
        arguments = (Argument(name="KIND"), Argument(name="EXTRA", present_if=(Condition("KIND", "==", 1),)))
        assert encode(arguments, KIND=1, EXTRA=7) == b"\x01\x07"
        assert encode(arguments, KIND=2) == b"\x02"
        assert "not part of this command" in faults(arguments, KIND=2, EXTRA=7)["EXTRA"]
        assert "must be given" in faults(arguments, KIND=1)["EXTRA"]


class TestFaults:
    def test_all_bad_arguments_are_named_at_once(self) -> None:
        arguments = (
            Argument(name="FUNCTION", fixed=1),
            Argument(name="MODE", conversion=MODES),
            Argument(name="DURATION", bit_length=16, minimum=0, maximum=600, units="s"),
            Argument(name="LEVEL"),
            Argument(name="FORCE", required=True, default=3),
        )
        found = faults(arguments, FUNCTION=2, MODE="SAVE", DURATION=601, LEVEL=256, DURATIO=5)
        assert found == {
            "DURATIO": "DURATIO: no such argument, expected DURATION?",
            "FUNCTION": "FUNCTION: cannot be given: it always has the same value",
            "MODE": "MODE: no state 'SAVE' in MODE; did you mean SAFE?",
            "DURATION": "DURATION: out of range, expected 0 to 600 s, found 601",
            "LEVEL": found["LEVEL"],
            "FORCE": "FORCE: must be given",
        }
        assert "256" in found["LEVEL"]

    @pytest.mark.parametrize("value", [-0.1, 600.1, float("nan"), float("inf")])
    def test_values_outside_the_range_are_refused(self, value: float) -> None:
        argument = Argument(name="A", bit_length=32, encoding=Encoding.IEEE754, minimum=0, maximum=600)
        assert "out of range" in faults((argument,), A=value)["A"]

    @pytest.mark.parametrize("value", [0, 600])
    def test_the_bounds_are_inside(self, value: int) -> None:
        argument = Argument(name="A", bit_length=16, minimum=0, maximum=600)
        assert encode((argument,), A=value) == value.to_bytes(2)

    @pytest.mark.parametrize(
        ("argument", "value"),
        [
            (Argument(name="A"), 1.5),
            (Argument(name="A"), "1"),
            (Argument(name="A"), None),
            (Argument(name="A"), [1]),
            (Argument(name="A", length=Fixed((2,))), [1, 2, 3]),
            (Argument(name="A", length=Fixed((2,))), 5),
            (Argument(name="A", encoding=Encoding.STRING, length=Fixed((2,))), "long"),
            (Argument(name="A", encoding=Encoding.STRING, length=Fixed((9,)), text=Text(charset="ascii")), "\u00e9"),
        ],
    )
    def test_what_the_type_does_not_hold_is_refused(self, argument: Argument, value: object) -> None:
        assert list(faults((argument,), A=value)) == ["A"]

    def test_unknown_targets_and_commands_are_refused(self) -> None:
        with pytest.raises(UnknownName, match="no target 'SATT'; did you mean SAT"):
            encoder().encode("SATT", "DO")
        with pytest.raises(UnknownName, match="no command 'DOO' in target SAT"):
            encoder().encode("SAT", "DOO")


class TestComputed:
    SPACE_PACKET = (
        Argument(name="APID", bit_length=16, default=0x1864),
        Argument(name="FLAGS", bit_length=2, fixed=3),
        Argument(name="COUNT", bit_length=14, computed=SequenceCount(per="APID")),
        Argument(name="LENGTH", bit_length=16, computed=LengthOf(first_byte=6, add=-1)),
        Argument(name="DATA", encoding=Encoding.BINARY, length=Prefixed(8)),
        Argument(name="CRC", bit_length=16, computed=Checksum(CRC16_CCITT_FALSE)),
    )

    def test_length_count_and_crc_are_those_of_the_bytes(self) -> None:
        encoder_ = encoder(*self.SPACE_PACKET)
        for count, data in enumerate([b"", b"a", b"abc"]):
            found = encoder_.encode("SAT", "DO", {"DATA": data}).data
            body = struct.pack(">HHHB", 0x1864, 0xC000 | count, len(data) + 2, len(data)) + data
            # CCSDS 133.0-B-2, 4.1.3.5.3: one less than the octets after the primary header: 1 + data + 2 - 1.
            assert found == body + struct.pack(">H", binascii.crc_hqx(body, 0xFFFF))

    def test_counts_go_by_the_argument_they_belong_to_and_wrap(self) -> None:
        encoder_ = encoder(*self.SPACE_PACKET)
        encoder_.set_sequence_count("SAT", "APID=6244", 0x3FFF)
        sent = [encoder_.encode("SAT", "DO", {"DATA": b"", "APID": apid}) for apid in (0x1864, 0x1865, 0x1864, 0x1865)]
        assert [command.raw["COUNT"] for command in sent] == [0x3FFF, 0, 0, 1]

    def test_a_refused_command_takes_no_count(self) -> None:
        encoder_ = encoder(*self.SPACE_PACKET)
        with pytest.raises(CommandRefused):
            encoder_.encode("SAT", "DO", {"DATA": bytes(256)})
        assert encoder_.encode("SAT", "DO", {"DATA": b""}).raw["COUNT"] == 0

    def test_counts_survive_a_snapshot(self) -> None:
        encoder_ = encoder(*self.SPACE_PACKET)
        encoder_.encode("SAT", "DO", {"DATA": b""})
        other = encoder(*self.SPACE_PACKET)
        other.restore(encoder_.snapshot())
        assert other.encode("SAT", "DO", {"DATA": b""}).raw["COUNT"] == 1
        with pytest.raises(MessageError):
            other.restore(b"{}")

    def test_a_checksum_in_the_middle_covers_its_range_with_its_own_bits_zero(self) -> None:
        arguments = (
            Argument(name="A", bit_length=16),
            Argument(name="SUM", bit_length=32, computed=Checksum(CRC32, first_byte=1, last_byte=8)),
            Argument(name="B", bit_length=24),
        )
        found = encode(arguments, A=0x0102, B=0x030405)
        assert found == b"\x01\x02" + zlib.crc32(b"\x02\0\0\0\0\x03\x04").to_bytes(4) + b"\x03\x04\x05"

    @pytest.mark.parametrize(
        ("algorithm", "expected"), [("sum", (0xF0 + 0x11 + 0x22) % 256), ("xor", 0xF0 ^ 0x11 ^ 0x22)]
    )
    def test_sums_are_those_of_the_bytes(self, algorithm: str, expected: int) -> None:
        arguments = (Argument(name="A", bit_length=24), Argument(name="SUM", computed=Checksum(algorithm)))
        assert encode(arguments, A=0xF01122) == bytes([0xF0, 0x11, 0x22, expected])

    def test_a_length_that_does_not_fit_its_field_is_refused(self) -> None:
        arguments = (
            Argument(name="LENGTH", bit_length=8, computed=LengthOf()),
            Argument(name="DATA", encoding=Encoding.BINARY, length=Prefixed(16)),
        )
        assert "cannot tell the command's length" in faults(arguments, DATA=bytes(300))["LENGTH"]

    def test_it_cannot_be_given(self) -> None:
        assert faults(self.SPACE_PACKET, DATA=b"", CRC=5)["CRC"] == "CRC: cannot be given: it is computed"


class TestHazards:
    def test_a_hazardous_command_says_why(self) -> None:
        assert encoder(hazardous=True, hazard="Fires").encode("SAT", "DO").hazards == ("Fires",)
        assert not encoder().encode("SAT", "DO").is_hazardous

    def test_a_hazardous_state_makes_it_hazardous(self) -> None:
        mode = Argument(name="MODE", conversion=MODES, hazardous_states=("TEST",))
        assert not encoder(mode).encode("SAT", "DO", {"MODE": "SAFE"}).is_hazardous
        assert encoder(mode).encode("SAT", "DO", {"MODE": "TEST"}).hazards == ("MODE=TEST",)
        assert encoder(mode).encode("SAT", "DO", {"MODE": 9}).is_hazardous


class TestParsing:
    @pytest.mark.parametrize(
        ("argument", "text", "value"),
        [
            (Argument(name="A"), "10", 10),
            (Argument(name="A"), "0x1F", 31),
            (Argument(name="A"), "010", 10),
            (Argument(name="A"), "-1.5", -1.5),
            (Argument(name="A", conversion=MODES), "SAFE", "SAFE"),
            (Argument(name="A", conversion=MODES), "8", 8),
            (Argument(name="A", conversion=MODES), "NONSENSE", "NONSENSE"),
            (Argument(name="A", bit_length=1, encoding=Encoding.BOOLEAN), "true", True),
            (Argument(name="A", length=Fixed((3,))), "1, 0x2,3", [1, 2, 3]),
            (Argument(name="A", encoding=Encoding.STRING, length=Fixed((3,))), "10", "10"),
            (Argument(name="A", encoding=Encoding.BINARY, length=Fixed((3,))), "0a 0B0c", b"\x0a\x0b\x0c"),
        ],
    )
    def test_what_a_person_types_is_read(self, argument: Argument, text: str, value: object) -> None:
        assert parse_argument(argument, text) == value

    @pytest.mark.parametrize(
        "argument", [Argument(name="A"), Argument(name="A", encoding=Encoding.BINARY, length=Fixed((3,)))]
    )
    def test_what_cannot_be_read_is_refused(self, argument: Argument) -> None:
        with pytest.raises(ArgumentFault, match="A: not"):
            parse_argument(argument, "xyz")


def test_the_example_dictionary_encodes_its_commands() -> None:
    example = Dictionary.load(Path(__file__).parents[3] / "examples" / "dictionary")
    found = CommandEncoder(example).encode("FIREFLY", "SET_MODE", {"MODE": "SAFE", "DURATION": 10})
    body = struct.pack(">HHHBBH", 0x1864, 0xC000, 5, 3, 1, 10)
    assert found.data == body + struct.pack(">H", binascii.crc_hqx(body, 0xFFFF))
