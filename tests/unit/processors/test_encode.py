"""The command encoder: bytes as another encoder would make them, and every bad argument named at once."""

from __future__ import annotations

import binascii
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import bitstruct
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.dictionaries import Dictionary
from c2kit.errors import ArgumentFault, CommandRefused, MessageError, UnknownName, UsageError
from c2kit.model.commands import Argument, Checksum, Command, LengthOf, SequenceCount
from c2kit.model.conversions import Polynomial, State, States
from c2kit.model.crc import CRC16_CCITT_FALSE, CRC32
from c2kit.model.fields import Condition, Encoding, Expand, FieldReference, Fixed, Prefixed, Terminated, Text
from c2kit.model.target import Target
from c2kit.processors import CommandEncoder, parse_argument, parse_arguments

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

    def test_a_count_follows_from_the_bytes_of_text_not_from_its_characters(self) -> None:
        arguments = (Argument(name="N"), Argument(name="TEXT", encoding=Encoding.STRING, length=FieldReference("N")))
        assert encode(arguments, TEXT="\u00e9\u00e9") == b"\x04\xc3\xa9\xc3\xa9"

    def test_a_count_follows_from_a_default_and_by_its_factor(self) -> None:
        length = FieldReference("N", multiply=2, add=1)
        arguments = (Argument(name="N", default=99), Argument(name="DATA", length=length, default=(7, 8, 9)))
        assert encode(arguments) == b"\x01\x07\x08\x09"
        assert encode(arguments, DATA=[1]) == b"\x00\x01"
        assert "DATA" in faults(arguments, DATA=[1, 2])

    def test_numbers_and_arrays_of_numpy_are_as_good(self) -> None:
        arguments = (
            Argument(name="A", bit_length=16, maximum=300),
            Argument(name="B", length=Fixed((2, 2)), maximum=8),
        )
        assert encode(arguments, A=np.int64(258), B=np.array([[1, 2], [3, 4]])) == b"\x01\x02\x01\x02\x03\x04"
        found = faults(arguments, A=np.int64(301), B=np.array([[1, 2], [3, 9]]))
        assert found["A"].startswith("A: out of range, expected at most 300")
        assert found["B"].startswith("B: out of range, expected at most 8")

    def test_an_argument_after_one_of_varying_size_and_a_trailer_are_where_they_belong(self) -> None:
        arguments = (
            Argument(name="NAME", encoding=Encoding.STRING, length=Terminated(b"\0")),
            Argument(name="DATA", encoding=Encoding.BINARY, length=Expand()),
            Argument(name="END", bit_length=16, fixed=0xBEEF),
        )
        assert encode(arguments, NAME="ab", DATA=b"123") == b"ab\x00123\xbe\xef"

    @given(st.data())
    def test_bits_stand_where_an_independent_packer_puts_them(self, data: st.DataObject) -> None:
        arguments, values, formats = [], {}, []
        for number in range(data.draw(st.integers(1, 8))):
            bits = data.draw(st.integers(1, 64))
            is_signed = data.draw(st.booleans()) and bits > 1
            low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
            encoding = Encoding.TWOS_COMPLEMENT if is_signed else Encoding.UNSIGNED
            arguments.append(Argument(name=f"A{number}", bit_length=bits, encoding=encoding))
            values[f"A{number}"] = data.draw(st.integers(low, high))
            formats.append(f"{'s' if is_signed else 'u'}{bits}")
        assert encode(tuple(arguments), **values) == bitstruct.pack("".join(formats), *values.values())


class TestFaults:
    def test_sequences_that_do_not_fit_are_named_along_with_all_else(self) -> None:
        arguments = (
            Argument(name="A"),
            Argument(name="ARRAY", length=Fixed((2,))),
            Argument(name="TEXT", encoding=Encoding.STRING, length=Prefixed(4)),
            Argument(name="LINE", encoding=Encoding.STRING, length=Terminated(b"\n")),
        )
        found = faults(arguments, A=1, ARRAY=[1, 2, 3], TEXT="x" * 16, LINE="a\nb")
        assert sorted(found) == ["ARRAY", "LINE", "TEXT"]
        assert sorted(faults(arguments, ARRAY=[1, 2, 3], TEXT="x" * 16, LINE="a\nb")) == ["A", "ARRAY", "LINE", "TEXT"]

    def test_what_depends_on_a_bad_argument_is_not_blamed_for_it(self) -> None:
        arguments = (
            Argument(name="KIND", maximum=2),
            Argument(name="EXTRA", present_if=(Condition("KIND", "==", 1),)),
            Argument(name="MORE", present_if=(Condition("EXTRA", "==", 1),)),
        )
        assert list(faults(arguments, KIND=9, EXTRA=7)) == ["KIND"]
        assert list(faults(arguments, EXTRA=7)) == ["KIND"]
        assert list(faults(arguments, KIND=9, EXTRA=256, MORE=1)) == ["KIND", "EXTRA"]

    def test_a_bad_default_of_an_absent_argument_does_not_matter(self) -> None:
        arguments = (
            Argument(name="KIND"),
            Argument(name="EXTRA", default=999, present_if=(Condition("KIND", "==", 1),)),
        )
        assert encode(arguments, KIND=0) == b"\0"
        assert list(faults(arguments, KIND=1)) == ["EXTRA"]

    @pytest.mark.parametrize(
        ("bounds", "expected"),
        [
            ({"minimum": 2}, "at least 2"),
            ({"maximum": 16777215}, "at most 16777215"),
            ({"minimum": -0.5, "maximum": 1}, "-0.5 to 1"),
        ],
    )
    def test_the_range_is_told_in_full(self, bounds: dict[str, Any], expected: str) -> None:
        argument = Argument(name="A", bit_length=32, encoding=Encoding.TWOS_COMPLEMENT, units="s", **bounds)
        value = 16777216 if "maximum" in bounds else 1
        assert faults((argument,), A=value)["A"] == f"A: out of range, expected {expected} s, found {value}"

    def test_a_conversion_without_an_inverse_is_refused(self) -> None:
        argument = Argument(name="A", conversion=Polynomial((0.0, 0.0, 1.0)), encoding=Encoding.TWOS_COMPLEMENT)
        assert "no inverse" in faults((argument,), A=4)["A"]

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

    def test_a_later_checksum_covers_an_earlier_one(self) -> None:
        arguments = (
            Argument(name="A", bit_length=24),
            Argument(name="SUM", computed=Checksum("sum")),
            Argument(name="CRC", bit_length=32, computed=Checksum(CRC32)),
        )
        body = b"\xf0\x11\x22\x23"
        assert encode(arguments, A=0xF01122) == body + zlib.crc32(body).to_bytes(4)

    def test_a_checksum_that_stands_before_what_it_covers_and_is_little_endian(self) -> None:
        checksum = Checksum(CRC32, first_byte=4, last_byte=7)
        arguments = (
            Argument(name="CRC", bit_length=32, byte_order="little", computed=checksum),
            Argument(name="A", bit_length=24),
        )
        assert encode(arguments, A=0x010203) == zlib.crc32(b"\1\2\3").to_bytes(4, "little") + b"\1\2\3"

    @pytest.mark.parametrize("checksum", [Checksum("sum", 0, 5), Checksum("sum", 4), Checksum("sum", 3, 2)])
    def test_a_checksum_over_bytes_that_are_not_there_is_refused(self, checksum: Checksum) -> None:
        arguments = (Argument(name="A", bit_length=24), Argument(name="SUM", computed=checksum))
        assert "covers what the command does not have, expected bytes" in faults(arguments, A=1)["SUM"]

    @pytest.mark.parametrize("data", [b"", b"a", b"\xff" * 9])
    def test_a_checksum_behind_what_varies_covers_all_before_it(self, data: bytes) -> None:
        arguments = (
            Argument(name="DATA", encoding=Encoding.BINARY, length=Expand()),
            Argument(name="CRC", bit_length=16, computed=Checksum(CRC16_CCITT_FALSE)),
            Argument(name="END", fixed=0xA5),
        )
        assert encode(arguments, DATA=data) == data + struct.pack(">HB", binascii.crc_hqx(data, 0xFFFF), 0xA5)

    def test_a_count_of_all_commands_of_a_target_goes_by_its_name(self) -> None:
        counted = Argument(name="COUNTER", bit_length=2, computed=SequenceCount())
        commands = tuple(Command(name=name, arguments=(counted,)) for name in ("A", "B"))
        targets = tuple(Target(name=name, commands=commands) for name in ("X", "Y"))
        encoder_ = CommandEncoder(Dictionary(targets=targets))
        sent = [("X", "A"), ("X", "B"), ("Y", "A"), ("X", "A"), ("X", "A"), ("X", "B")]
        assert [encoder_.encode(*each).raw["COUNTER"] for each in sent] == [0, 1, 0, 2, 3, 0]

    @pytest.mark.parametrize(
        "snapshot",
        [
            b"",
            b"nonsense",
            b'{"processor":"Identifier","version":1,"memory":{"counts":[]}}',
            b'{"processor":"CommandEncoder","version":1,"memory":{}}',
            b'{"processor":"CommandEncoder","version":1,"memory":{"counts":{"SAT":1}}}',
            b'{"processor":"CommandEncoder","version":1,"memory":{"counts":[["SAT","APID=1",-1]]}}',
            b'{"processor":"CommandEncoder","version":1,"memory":{"counts":[["SAT","APID=1"]]}}',
        ],
    )
    def test_a_damaged_snapshot_is_refused_and_changes_nothing(self, snapshot: bytes) -> None:
        encoder_ = encoder(*self.SPACE_PACKET)
        encoder_.encode("SAT", "DO", {"DATA": b""})
        before = encoder_.snapshot()
        with pytest.raises(MessageError, match="snapshot"):
            encoder_.restore(snapshot)
        assert encoder_.snapshot() == before

    def test_counts_outlive_a_new_version_of_the_dictionary(self) -> None:
        old = encoder(*self.SPACE_PACKET)
        old.encode("SAT", "DO", {"DATA": b""})
        new = encoder(*self.SPACE_PACKET, description="another text, another hash")
        new.restore(old.snapshot())
        assert new.encode("SAT", "DO", {"DATA": b""}).raw["COUNT"] == 1
        assert json.loads(new.snapshot())["definitions"] != json.loads(old.snapshot())["definitions"]

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

    def test_every_hazardous_element_and_name_counts(self) -> None:
        states = States((State("OFF", 0, 0), State("ARM", 1, 1), State("FIRE", 1, 2)))
        lines = Argument(name="LINES", length=Fixed((3,)), conversion=states, hazardous_states=("ARM", "FIRE"))
        assert encoder(lines).encode("SAT", "DO", {"LINES": ["OFF", 0, 0]}).hazards == ()
        assert encoder(lines).encode("SAT", "DO", {"LINES": [0, 2, 2]}).hazards == ("LINES=FIRE",)
        found = encoder(lines, hazardous=True, hazard="Burns").encode("SAT", "DO", {"LINES": [0, 1, 0]})
        assert found.hazards == ("Burns", "LINES=ARM: Burns", "LINES=FIRE: Burns")


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

    @pytest.mark.parametrize("text", ["0x0a0B0c", "0a:0b:0c", "0A-0B-0C", "0a0b_0c", " 0a 0b 0c "])
    def test_binary_is_read_in_any_spelling_of_hexadecimal(self, text: str) -> None:
        argument = Argument(name="A", encoding=Encoding.BINARY, length=Fixed((3,)))
        assert parse_argument(argument, text) == b"\x0a\x0b\x0c"

    @pytest.mark.parametrize(("text", "value"), [("", []), ("[]", []), ("[1,2]", [1, 2]), ("SAFE, 9", ["SAFE", 9])])
    def test_arrays_are_read_with_or_without_brackets(self, text: str, value: list[object]) -> None:
        assert parse_argument(Argument(name="A", length=Fixed((2,)), conversion=MODES), text) == value

    def test_assignments_are_read_and_all_that_is_wrong_is_told_by_the_encoder(self) -> None:
        arguments = (
            Argument(name="MODE", conversion=MODES),
            Argument(name="LEVEL"),
            Argument(name="KEY", encoding=Encoding.BINARY, length=Fixed((2,))),
            Argument(name="TEXT", encoding=Encoding.STRING, length=Fixed((4,))),
        )
        command = Command(name="DO", arguments=arguments)
        good = parse_arguments(command, ["MODE=SAFE", "LEVEL=0x10", "KEY=BEEF", "TEXT=a=b "])
        assert encode(arguments, **good) == b"\x01\x10\xbe\xefa=b "
        bad = parse_arguments(command, ["MODE=SAVE", "LEVEL=high", "KEY=xy", "TEXT=abcde", "LEVL=1"])
        assert sorted(faults(arguments, **bad)) == ["KEY", "LEVEL", "LEVL", "MODE", "TEXT"]

    @pytest.mark.parametrize("assignments", [["LEVEL"], ["=1"], ["LEVEL=1", "LEVEL=2"]])
    def test_what_is_no_assignment_is_refused(self, assignments: list[str]) -> None:
        with pytest.raises(UsageError, match="argument"):
            parse_arguments(Command(name="DO", arguments=(Argument(name="LEVEL"),)), assignments)

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
