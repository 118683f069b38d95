"""Commands and their arguments."""

from pathlib import Path

import pytest

from c2kit.errors import DefinitionError
from c2kit.model.commands import Argument, Checksum, Command, LengthOf, SequenceCount
from c2kit.model.crc import CATALOGUE, CrcParameters
from tests.definitions import load

HEADER = """
target: SAT
headers:
  CCSDS:
    items:
      TYPE: {type: u1, states: {TM: 0, TC: 1}}
      APID: u11
      COUNT: u14
      LENGTH: {type: u16, limits: {red_high: 100}}
  TC:
    extends: CCSDS
    fixed: {TYPE: TC}
    computed: {COUNT: {sequence_count: {per: APID}}, LENGTH: {length: {first_byte: 6, add: -1}}}
    arguments: {FUNCTION: u8}
    trailer: {CRC: {type: u16, computed: {crc: CRC-16/IBM-3740}}}
commands:
"""


def command(folder: Path, body: str) -> Command:
    (one,) = load(folder, HEADER + "  C:\n" + "".join(f"    {line}\n" for line in body.splitlines())).commands
    return one


def argument(folder: Path, definition: str, before: str = "") -> Argument:
    return command(folder, f"arguments:\n  {before}\n  X: {definition}").argument("X")


def test_a_command_begins_with_its_header_and_ends_with_its_trailer(tmp_path: Path) -> None:
    one = command(tmp_path, "extends: TC\nfixed: {APID: 5, FUNCTION: 3}\narguments: {MODE: u8}")
    assert [(each.name, each.fixed, each.computed) for each in one.arguments] == [
        ("TYPE", 1, None),
        ("APID", 5, None),
        ("COUNT", None, SequenceCount("APID")),
        ("LENGTH", None, LengthOf(6, -1)),
        ("FUNCTION", 3, None),
        ("MODE", None, None),
        ("CRC", None, Checksum(CATALOGUE["CRC-16/IBM-3740"])),
    ]


def test_what_a_command_fixes_or_computes_replaces_what_its_header_said(tmp_path: Path) -> None:
    one = command(tmp_path, "extends: TC\nfixed: {TYPE: 0, LENGTH: 9}\ncomputed: {APID: sequence_count, COUNT: length}")
    assert one.argument("TYPE").fixed == 0
    assert (one.argument("LENGTH").fixed, one.argument("LENGTH").computed) == (9, None)
    assert one.argument("APID").computed == SequenceCount()
    assert one.argument("COUNT").computed == LengthOf()


def test_what_is_said_of_a_command(tmp_path: Path) -> None:
    one = command(
        tmp_path,
        "description: Burns\nhazardous: true\nhazard: Hot\noverlaps: true\nbyte_order: little\narguments: {A: u16}",
    )
    assert (one.description, one.hazardous, one.hazard, one.overlaps) == ("Burns", True, "Hot", True)
    assert one.argument("A").byte_order == "little"
    assert one.source is not None
    assert one.source.line == HEADER.strip().count("\n") + 2


def test_a_command_may_have_no_arguments(tmp_path: Path) -> None:
    assert command(tmp_path, "description: Nothing").arguments == ()


@pytest.mark.parametrize(
    ("definition", "attribute", "expected"),
    [
        ("{type: u8, default: 5}", "default", 5),
        ("{type: u8, scale: 0.1, default: 0.5}", "default", 0.5),
        ("{type: bool, default: true}", "default", True),
        ("{type: bool, default: 1}", "default", 1),
        ("{type: u8, states: {OFF: 0, ON: 1}, default: ON}", "default", "ON"),
        ("{type: u8, states: {OFF: 0, ON: 1}, default: 1}", "default", 1),
        ("{type: u8, states: {NO: 0}, default: NO}", "default", "NO"),
        ('{type: "text[8]", default: FIREFLY}', "default", "FIREFLY"),
        ('{type: "text[8]", default: 12}', "default", "12"),
        ('{type: "bytes[2]", default: 0xCAFE}', "default", b"\xca\xfe"),
        ('{type: "f32[3]", default: [0, 0.5, 1]}', "default", (0, 0.5, 1)),
        ("{type: u8, required: true, default: 1}", "required", True),
        ("{type: u8, minimum: -1.5}", "minimum", -1.5),
        ("{type: u8, maximum: 7}", "maximum", 7),
        ("{type: u8, states: {OFF: 0, ON: 1}, hazardous: [ON]}", "hazardous_states", ("ON",)),
        ("{type: u8, fixed: 0xA5}", "fixed", 0xA5),
        ("{type: u8, states: {ON: 1}, fixed: ON}", "fixed", 1),
        ("{type: f32, fixed: 1.5}", "fixed", 1.5),
        ('{type: "bytes[2]", fixed: 0x0102}', "fixed", b"\x01\x02"),
        ('{type: "text[4]", fixed: AB}', "fixed", b"AB\0\0"),
        ("{type: bytes, prefix: u8, fixed: 0x0102}", "fixed", b"\x01\x02"),
        ("{type: u14, computed: sequence_count}", "computed", SequenceCount()),
        ("{type: u14, computed: {sequence_count: {}}}", "computed", SequenceCount()),
        ("{type: u14, computed: {sequence_count: {per: N}}}", "computed", SequenceCount("N")),
        ("{type: u16, computed: length}", "computed", LengthOf()),
        ("{type: u16, computed: {length: {first_byte: 6, add: -1}}}", "computed", LengthOf(6, -1)),
        ("{type: u16, computed: {checksum: sum}}", "computed", Checksum("sum")),
        ("{type: u8, computed: {checksum: xor, first_byte: 2, end_byte: 9}}", "computed", Checksum("xor", 2, 9)),
        ("{type: u32, computed: {crc: CRC-32/ISO-HDLC}}", "computed", Checksum(CATALOGUE["CRC-32/ISO-HDLC"])),
        (
            "{type: u8, computed: {crc: {width: 8, polynomial: 0x9B, initial: 0xFF, check: 0xDA, name: LTE}}}",
            "computed",
            Checksum(CrcParameters(name="LTE", width=8, polynomial=0x9B, initial=0xFF, check=0xDA)),
        ),
        (
            "{type: u5, computed: {crc: {width: 5, polynomial: 0x15, reflect_in: true, reflect_out: true, check: 7}}}",
            "computed",
            Checksum(CrcParameters(name="CRC-5", width=5, polynomial=0x15, reflect_in=True, reflect_out=True, check=7)),
        ),
    ],
)
def test_each_key_sets_its_attribute(tmp_path: Path, definition: str, attribute: str, expected: object) -> None:
    found = getattr(argument(tmp_path, definition, before="N: u8"), attribute)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("definition", "wrong"),
    [
        ("{type: u8, default: ON}", "number"),
        ("{type: u8, default: [1]}", "must be a value"),
        ('{type: "u8[2]", default: 1}', "must be a list"),
        ("{type: u8, states: {OFF: 0}, default: ON}", "no state 'ON'; known: OFF"),
        ("{type: u8, hazardous: [ON]}", "no state 'ON'; give it states"),
        ("{type: u8, states: {ON: 1}, hazardous: ON}", "must be a list"),
        ("{type: u8, fixed: 256}", "expected 0 to 255, found 256"),
        ('{type: "u8[2]", fixed: 1}', "array"),
        ("{type: u8, fixed: 1, default: 2}", "nobody can give X"),
        ("{type: u8, fixed: 1, minimum: 2}", "nobody can give X"),
        ("{type: u8, fixed: 1, computed: length}", "fixed and computed"),
        ('{type: "text[2]", minimum: 1}', "only numbers have a range"),
        ("{type: u8, minimum: low}", "number"),
        ("{type: u8, required: 1}", "true or false"),
        ("{type: i8, computed: length}", "unsigned integer"),
        ("{type: u8, computed: size}", "nothing is computed like this"),
        ("{type: u8, computed: {}}", "one of sequence_count, length, crc, checksum"),
        ("{type: u16, computed: {crc: CRC-16/IBM-3740, length: {}}}", "one thing is computed"),
        ("{type: u16, computed: {length: {}, first_byte: 1}}", "first_byte belongs to crc and checksum"),
        ("{type: u16, computed: {sequence_count: {per: NOBODY}}}", "counted per NOBODY"),
        ("{type: u16, computed: {sequence_count: {per: X}}}", "counted per X"),
        ("{type: u16, computed: {crc: CRC-16/CCITT-FALSE}}", "no CRC 'CRC-16/CCITT-FALSE'"),
        ("{type: u32, computed: {crc: CRC-16/IBM-3740}}", "expected u16, found 32 bits"),
        ("{type: u16, computed: {crc: {width: 16, polynomial: 0x1021}}}", "crc has no check"),
        ("{type: u16, computed: {crc: {width: 16, polynomial: 0x11021, check: 0}}}", "out of range"),
        ("{type: u16, computed: {crc: {width: 65, polynomial: 1, check: 0}}}", "out of range"),
        ("{type: u16, computed: {crc: {width: 16, polynomial: 0x1021, check: 0x1234}}}", "0x31c3"),
        ("{type: u16, computed: {checksum: product}}", "sum or xor"),
        ("{type: u16, computed: {checksum: sum, first_byte: 4, end_byte: 4}}", "ends before it begins"),
        ("{type: u8, maximun: 1}", "did you mean maximum"),
    ],
)
def test_arguments_that_cannot_be_are_refused_where_they_stand(tmp_path: Path, definition: str, wrong: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        argument(tmp_path, definition)
    assert wrong in str(caught.value)
    assert caught.value.source is not None
    assert caught.value.source.line >= HEADER.strip().count("\n") + 2


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("extends: TC\nfixed: {NOBODY: 1}", "fixed names NOBODY, which is no argument"),
        ("extends: TC\ncomputed: {NOBODY: length}", "computed names NOBODY, which is no argument"),
        ("extends: TC\nfixed: {APID: 4096}", "expected 0 to 2047"),
        ("hazard: it explodes\narguments: {A: u8}", "has a hazard, and nobody would be asked to confirm it"),
        ("hazard: it explodes\nhazardous: false\narguments: {A: u8}", "nobody would be asked"),
        ("extends: TC\nfixed: {COUNT: 1}\ncomputed: {COUNT: length}", "COUNT is fixed and computed"),
        ("extends: TC\nfixed: {TYPE: TX}", "no state 'TX'"),
        ("extends: TC\narguments: {APID: u8}", "APID stands twice"),
        ("items: {A: u8}", "has no 'items'"),
        ("hazardous: very", "true or false"),
        ("arguments: {A: u8, A: u8}", "stands twice"),
        ('arguments: {A: "u8[N]"}', "N, which is not defined"),
    ],
)
def test_commands_that_cannot_be_are_refused(tmp_path: Path, body: str, wrong: str) -> None:
    with pytest.raises(DefinitionError, match=wrong):
        command(tmp_path, body)


def test_a_command_cannot_extend_a_header_of_telemetry(tmp_path: Path) -> None:
    text = HEADER.replace("headers:\n", "headers:\n  TM: {extends: CCSDS, identify: {TYPE: TM}}\n")
    with pytest.raises(DefinitionError, match="header TM is for telemetry"):
        load(tmp_path, text + "  C: {extends: TM}\n")
