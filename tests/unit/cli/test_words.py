"""Definitions in words: as a dictionary spells them, and nothing rounded."""

from pathlib import Path

import pytest

from c2kit.cli import words
from c2kit.model.commands import Argument, Checksum, Computed, LengthOf, SequenceCount
from c2kit.model.conversions import Conversion, Extrapolation, Function, PiecewiseLinear, Polynomial, State, States
from c2kit.model.crc import CRC32
from c2kit.model.fields import Condition, Encoding, Expand, Field, FieldReference, Fixed, Prefixed, Terminated
from c2kit.model.limits import Limits
from c2kit.model.packets import Item, Match, Packet
from c2kit.model.time import GPS, UNIX, Cds, Cuc, PacketTime
from tests.definitions import load_item

MODES = States((State("OFF", 0, 0), State("ON", 1, 1), State("FAULT", 8, 15)))


@pytest.mark.parametrize(
    "spelled",
    [
        *("u1", "u12", "i16le", "ones7", "signmag9", "f16", "f32le", "f64", "m32", "m48", "bool", "bool8"),
        *("u8[4]", "f32[2, 3]", "bytes[...]", "text[16]", "u16[N]", "u16[2 * N]", "u16[2 * N + 1]", "bytes[N - 1]"),
    ],
)
def test_a_type_is_spelled_as_the_dictionary_that_it_came_from_has_it(tmp_path: Path, spelled: str) -> None:
    item = load_item(tmp_path, f'"{spelled}"', before="N: u8")
    assert words.type_words(item) == spelled


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (Field(name="X", bit_length=32, byte_order="3412"), "u32 in byte order 3412"),
        (Field(name="X", encoding=Encoding.STRING, length=Terminated(b"\r\n")), "text until 0d 0a"),
        (
            Field(name="X", encoding=Encoding.BINARY, length=Terminated(b"\0", max_bytes=1)),
            "bytes until 00, at most 1 byte",
        ),
        (Field(name="X", encoding=Encoding.BINARY, length=Prefixed(16)), "bytes after its length in u16"),
        (Field(name="X", encoding=Encoding.BINARY, length=Prefixed(16, "little")), "bytes after its length in u16le"),
        (Field(name="X", length=Expand()), "u8[...]"),
        (Field(name="X", length=FieldReference("N", -1, 0)), "u8[-1 * N]"),
        (Field(name="X", length=Fixed((1, 2, 3))), "u8[1, 2, 3]"),
    ],
)
def test_what_has_no_short_spelling_is_told(field: Field, told: str) -> None:
    assert words.type_words(field) == told


@pytest.mark.parametrize(
    ("conversion", "told"),
    [
        (None, ""),
        (MODES, ""),
        (Polynomial((0, 0.5)), "0.5 * raw"),
        (Polynomial((-40, 1)), "1 * raw - 40"),
        (Polynomial((1.25, -0.1234567890123, 0, 3e-7)), "3e-07 * raw^3 - 0.1234567890123 * raw + 1.25"),
        (Polynomial((0, 0)), "0"),
        (Polynomial((7.0,)), "7"),
        (Polynomial((1, 0, -2)), "-2 * raw^2 + 1"),
        (PiecewiseLinear(((0, 1.5), (10, 2))), "2 points from (0, 1.5) to (10, 2), no value outside"),
        (
            PiecewiseLinear(((0, 1), (5, 3), (10, 2)), Extrapolation.HOLD),
            "3 points from (0, 1) to (10, 2), held outside",
        ),
        (
            PiecewiseLinear(((0, 1), (1, 2)), Extrapolation.EXTEND),
            "2 points from (0, 1) to (1, 2), extended outside",
        ),
        (Function("a.b:c", "2"), "a.b:c version 2"),
    ],
)
def test_a_conversion_is_a_formula_with_all_its_digits(conversion: Conversion | None, told: str) -> None:
    assert words.conversion_words(conversion) == told


def test_states_are_told_with_their_ranges_and_dangers() -> None:
    assert words.states_words(MODES) == "0=OFF, 1=ON, 8..15=FAULT"
    assert words.states_words(MODES, hazardous=("OFF",)) == "0=OFF!, 1=ON, 8..15=FAULT"
    assert words.states_words(Polynomial((1, 2))) == ""


def test_limits_are_told_one_set_a_line() -> None:
    one = Item(name="X", limits=(Limits(red_low=-1.5, yellow_high=20),))
    two = Item(name="X", limits=(Limits(red_high=1e-3), Limits(name="eclipse", yellow_low=0)))
    assert words.limits_words(one) == ["red below -1.5, yellow above 20"]
    assert words.limits_words(two) == ["default: red above 0.001", "eclipse: yellow below 0"]


def test_presence_is_told_with_all_conditions() -> None:
    conditions = (Condition("A", ">=", 2), Condition("A", "<=", 5))
    assert words.presence_words(conditions) == "only if A >= 2 and A <= 5"
    assert words.presence_words(()) == ""


@pytest.mark.parametrize(
    ("computed", "told"),
    [
        (LengthOf(), "the length in bytes"),
        (LengthOf(first_byte=6, add=-1), "the bytes from byte 6 on, less 1"),
        (LengthOf(add=2), "the length in bytes, plus 2"),
        (SequenceCount(), "how many were encoded before"),
        (SequenceCount(per="APID"), "how many were encoded before, for each APID"),
        (Checksum("xor", first_byte=1, last_byte=9), "xor from byte 1 up to byte 9"),
        (Checksum(CRC32), "CRC-32/ISO-HDLC from byte 0 up to itself"),
    ],
)
def test_what_is_computed_is_told(computed: Computed, told: str) -> None:
    assert words.computed_words(computed) == told


@pytest.mark.parametrize(
    ("field", "raw", "told"),
    [
        (Argument(name="X", display="#06x"), 255, "0x00ff"),
        (Argument(name="X", conversion=MODES), 9, "9 (FAULT)"),
        (Argument(name="X", conversion=MODES), 2, "2"),
        (Argument(name="X", encoding=Encoding.BINARY), b"\xca\xfe", "ca fe"),
        (Argument(name="X", encoding=Encoding.BINARY), b"", "no bytes"),
        (Argument(name="X", encoding=Encoding.IEEE754), 1.5, "1.5"),
    ],
)
def test_a_raw_value_is_told_as_it_wants_to_be_shown(field: Field, raw: object, told: str) -> None:
    assert words.raw_words(field, raw) == told


@pytest.mark.parametrize(
    ("matches", "fallback", "told"),
    [
        ((), False, "any bytes"),
        ((), True, "anything that no other packet matches"),
        ((Match("A", 1), Match("B", b"\xff")), False, "A = 1, B = ff"),
        ((Match("A", 1),), True, "A = 1, where no other packet matches"),
    ],
)
def test_a_packet_is_known_by_words(matches: tuple[Match, ...], fallback: bool, told: str) -> None:  # noqa: FBT001
    items = (Item(name="A"), Item(name="B", encoding=Encoding.BINARY, length=Fixed((1,))))
    packet = Packet(name="P", items=items, identification=matches, fallback=fallback)
    assert words.identification_words(packet) == told


def test_what_is_known_already_is_not_told_again() -> None:
    matches = (Match("A", 1), Match("B", 2))
    packet = Packet(name="P", items=(Item(name="A"), Item(name="B")), identification=matches)
    assert words.identification_words(packet, without=matches[:1]) == "B = 2"
    assert words.identification_words(packet, without=matches) == ""


def test_a_time_is_told_by_its_fields_code_and_epoch() -> None:
    assert words.time_words(None) == ""
    assert words.time_words(PacketTime(Cuc("S"), GPS)) == "S (CUC since the epoch gps, every second counts)"
    cds = PacketTime(Cds("D", "MS", "US"), UNIX)
    assert words.time_words(cds) == "D, MS, US (CDS since the epoch unix, leap seconds are not counted)"
