"""What can be said of an item, and what it becomes."""

from pathlib import Path
from typing import Any

import pytest

from c2kit.errors import DefinitionError
from c2kit.model.conversions import Extrapolation, Function, PiecewiseLinear, Polynomial, State, States
from c2kit.model.fields import Condition, FieldReference, Prefixed, Terminated, Text
from c2kit.model.limits import Limits
from tests.definitions import load, load_item, load_packet


@pytest.mark.parametrize(
    ("definition", "attribute", "expected"),
    [
        ("{type: u8, description: Volts of the battery}", "description", "Volts of the battery"),
        ("{type: u8, description: 12}", "description", "12"),
        ("{type: u8, description: }", "description", ""),
        ('{type: u8, units: "%"}', "units", "%"),
        ("{type: u8, units: 1}", "units", "1"),
        ("{type: u8, display: .2f}", "display", ".2f"),
        ('{type: u8, display: "#06x"}', "display", "#06x"),
        ("{type: u8, states: {A: 1}, display: x}", "display", "x"),
        ('{type: "text[8]", display: ">10"}', "display", ">10"),
        ("{type: u8, at_byte: 12}", "bit_offset", 96),
        ("{type: u8, at_bit: 3}", "bit_offset", 3),
        ("{type: u8, at_byte: 12, at_bit: 3}", "bit_offset", 99),
        ("{type: u8, at_byte: 0x10}", "bit_offset", 128),
        ("{type: u8, length: {item: N}}", "length", FieldReference("N")),
        ("{type: u8, length: {item: N, multiply: 2, add: -4}}", "length", FieldReference("N", 2, -4)),
        ('{type: text, until: "\\0"}', "length", Terminated(b"\0")),
        ('{type: text, until: "\\r\\n", max_bytes: 80}', "length", Terminated(b"\r\n", 80)),
        ("{type: bytes, until: 0xFFFE}", "length", Terminated(b"\xff\xfe")),
        ('{type: bytes, until: "0xFF"}', "length", Terminated(b"0xFF")),
        ("{type: bytes, prefix: u16}", "length", Prefixed(16)),
        ("{type: text, prefix: u12le}", "length", Prefixed(12, "little")),
        ('{type: "text[4]"}', "text", Text()),
        ('{type: "bytes[4]"}', "text", None),
        ("{type: u8}", "text", None),
        ('{type: "text[4]", charset: utf-16-le}', "text", Text("utf-16-le")),
        ('{type: "text[4]", padding: " "}', "text", Text(padding=b" ")),
        ('{type: "text[4]", padding: 0xFF}', "text", Text(padding=b"\xff")),
        ('{type: "text[4]", padding: ""}', "text", Text(padding=b"")),
        ('{type: "text[4]", cut_at: "\\0"}', "text", Text(terminator=b"\0")),
        ("{type: u8, only_if: {N: 2}}", "present_if", (Condition("N", "==", 2),)),
        ("{type: u8, only_if: {N: 0x10}}", "present_if", (Condition("N", "==", 16),)),
        ('{type: u8, only_if: {N: "!= 2"}}', "present_if", (Condition("N", "!=", 2),)),
        ("{type: u8, only_if: {N: '>=2'}}", "present_if", (Condition("N", ">=", 2),)),
        ("{type: u8, only_if: {F: '< -1.5'}}", "present_if", (Condition("F", "<", -1.5),)),
        ("{type: u8, only_if: {B: true}}", "present_if", (Condition("B", "==", 1),)),
        (
            "{type: u8, only_if: {N: ['> 2', '<= 5'], B: false}}",
            "present_if",
            (Condition("N", "<=", 5), Condition("N", ">", 2), Condition("B", "==", 0)),
        ),
        ("{type: u8, only_if: {MODE: SAFE}}", "present_if", (Condition("MODE", "==", 0),)),
        ('{type: u8, only_if: {MODE: "!= SAFE"}}', "present_if", (Condition("MODE", "!=", 0),)),
        (
            "{type: u8, only_if: {MODE: SCIENCE}}",
            "present_if",
            (Condition("MODE", "<=", 5), Condition("MODE", ">=", 2)),
        ),
        ("{type: u8, scale: 0.5}", "conversion", Polynomial((0, 0.5))),
        ("{type: u8, offset: -40}", "conversion", Polynomial((-40, 1))),
        ("{type: u8, scale: 1e-3, offset: .5}", "conversion", Polynomial((0.5, 0.001))),
        ("{type: u8, polynomial: [1, 2.5, -3e-2]}", "conversion", Polynomial((1, 2.5, -0.03))),
        ("{type: u8, piecewise: [[0, -40], [255, 85]]}", "conversion", PiecewiseLinear(((0, -40), (255, 85)))),
        (
            "{type: u8, piecewise: [[0, 1], [1, 0]], extrapolate: extend}",
            "conversion",
            PiecewiseLinear(((0, 1), (1, 0)), Extrapolation.EXTEND),
        ),
        ('{type: u8, function: "a.b:c"}', "conversion", Function("a.b:c")),
        ('{type: u8, function: "a.b:c", version: 2.1}', "conversion", Function("a.b:c", "2.1")),
        ("{type: u8, states: {OFF: 0, ON: 1}}", "conversion", States((State("OFF", 0, 0), State("ON", 1, 1)))),
        ("{type: i8, states: {LOW: -5..-1}}", "conversion", States((State("LOW", -5, -1),))),
        ("{type: u8, states: {A: 0x10..0x1F}}", "conversion", States((State("A", 16, 31),))),
        ("{type: u8, states: {A: [2..5, 9]}}", "conversion", States((State("A", 2, 5), State("A", 9, 9)))),
        ("{type: u8, states: {A: {value: 1, description: x}}}", "conversion", States((State("A", 1, 1, "x"),))),
        ("{type: u8, states: {YES: 1, 2: 2, a b: 3}}", "conversion", States(tuple(
            State(name, value, value) for name, value in (("YES", 1), ("2", 2), ("a b", 3))))),
        ("{type: u8, limits: {red_low: 1.5}}", "limits", (Limits(red_low=1.5),)),
        (
            "{type: u8, limits: {red_low: 1, yellow_low: 2, yellow_high: 3, red_high: 4}}",
            "limits",
            (Limits("default", 1, 2, 3, 4),),
        ),
        (
            "{type: u8, limits: {default: {red_high: 9}, eclipse: {red_high: 8}}}",
            "limits",
            (Limits("default", red_high=9), Limits("eclipse", red_high=8)),
        ),
    ],
)  # fmt: skip
def test_each_key_sets_its_attribute(tmp_path: Path, definition: str, attribute: str, expected: object) -> None:
    before = """
        N: u8
        B: bool
        F: f32
        MODE: {type: u8, states: {SAFE: 0, NOMINAL: 1, SCIENCE: 2..5}}
    """
    item = load_item(tmp_path, definition, before)
    assert getattr(item, attribute) == expected


def test_items_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    packet = load_packet(tmp_path, "items:\n  Z: u8\n  A: u8\n  M: u8\n")
    assert [item.name for item in packet.items] == ["Z", "A", "M"]


def test_an_item_knows_where_its_name_stands(tmp_path: Path) -> None:
    packet = load_packet(tmp_path, "items:\n  A: u8\n  B:\n    type: u8\n")
    assert [(item.source.line, item.source.column) for item in packet.items if item.source] == [(5, 7), (6, 7)]
    assert str(packet.items[0].source) == f"{tmp_path / 'defs.yaml'}:5:7"


def test_little_endian_packets_say_so_once(tmp_path: Path) -> None:
    packet = load_packet(
        tmp_path,
        """
        byte_order: little
        items:
          A: u16
          B: u16be
          C: {type: u16, byte_order: big}
          D: "text[4]"
          E: {type: f32}
        """,
    )
    assert [item.byte_order for item in packet.items] == ["little", "big", "big", "big", "little"]


def test_shared_definitions_are_known_by_name(tmp_path: Path) -> None:
    target = load(
        tmp_path,
        """
        target: SAT
        packets:
          P:
            items:
              A: {type: u8, states: OFF_ON, limits: BUS}
              B: {type: u8, conversion: THERMISTOR}
        states: {OFF_ON: {OFF: 0, ON: 1}}
        limits: {BUS: {red_low: 1}}
        conversions: {THERMISTOR: {piecewise: [[0, 0], [1, 10]]}}
        """,
    )
    a, b = target.packet("P").items
    assert a.conversion == States((State("OFF", 0, 0), State("ON", 1, 1)))
    assert a.limits == (Limits(red_low=1),)
    assert b.conversion == PiecewiseLinear(((0, 0), (1, 10)))


def test_derived_items_are_computed_of_items(tmp_path: Path) -> None:
    packet = load_packet(
        tmp_path,
        """
        items: {V: u8, I: u8}
        derived:
          POWER:
            function: "c2kit.functions:product"
            version: 3
            of: [V, I]
            units: W
            description: Of the bus
            display: .1f
            limits: {red_high: 5}
          HALF: {function: "m:half", of: [POWER]}
        """,
    )
    power, half = packet.derived
    assert (power.name, power.function, power.inputs) == ("POWER", Function("c2kit.functions:product", "3"), ("V", "I"))
    assert (power.units, power.description, power.display) == ("W", "Of the bus", ".1f")
    assert power.limits == (Limits(red_high=5),)
    assert half.inputs == ("POWER",)


@pytest.mark.parametrize(
    ("definition", "wrong"),
    [
        ("{}", "no type"),
        ("{units: V}", "no type"),
        ("[u8]", "must be a mapping"),
        ("{type: u8, unit: V}", "did you mean units"),
        ("{type: u8, type: u16}", "stands twice"),
        ("{type: [u8]}", "a type must be"),
        ("{type: u8, units: [V]}", "units must be text"),
        ("{type: u8, display: .2q}", "display"),
        ("{type: u8, display: 1000000d}", "display"),
        ("{type: f32, display: x}", "display"),
        ("{type: u8, scale: 2, display: x}", "display"),
        ('{type: "text[4]", display: .2f}', "display"),
        ("{type: u8, at_bit: -1}", "out of range"),
        ("{type: u8, at_byte: 1.5}", "integer"),
        ("{type: u8, at_byte: 99999999999}", "out of range"),
        ("{type: text}", "nothing tells how many bytes"),
        ('{type: "text[4]", until: "x"}', "told twice"),
        ('{type: bytes, until: "x", prefix: u8}', "told twice"),
        ('{type: text, until: ""}', "terminator is empty"),
        ('{type: u8, until: "x"}', "only strings and binary"),
        ("{type: bytes, until: 0xABC}", "must be bytes"),
        ("{type: u8, max_bytes: 4}", "max_bytes belongs to until"),
        ("{type: bytes, prefix: u8, max_bytes: 4}", "max_bytes belongs to until"),
        ("{type: bytes, prefix: i8}", "a prefix is an unsigned integer"),
        ("{type: bytes, prefix: u40}", "1 to 32 bits"),
        ("{type: u8, length: {item: NOBODY}}", "told by NOBODY, which is not defined before it"),
        ("{type: u8, length: {add: 1}}", "length names no item"),
        ('{type: "u8[NOBODY]"}', "told by NOBODY, which is not defined before it"),
        ('{type: "u8[F]"}', "not an integer"),
        ('{type: "u8[X]"}', "not defined before it"),
        ("{type: u8, charset: ascii}", "charset belongs to text"),
        ("{type: bytes, padding: x}", "padding belongs to text"),
        ('{type: "text[4]", charset: klingon}', "no such character set"),
        ('{type: "text[4]", charset: rot13}', "no such character set"),
        ("{type: u8, only_if: {}}", "only_if must not be empty"),
        ("{type: u8, only_if: {N: []}}", "compared with nothing"),
        ("{type: u8, only_if: N}", "only_if must be a mapping"),
        ("{type: u8, only_if: {NOBODY: 1}}", "NOBODY, which is not defined before it"),
        ("{type: u8, only_if: {N: OFF}}", "cannot be compared"),
        ('{type: u8, only_if: {N: "=> 2"}}', "cannot be compared"),
        ("{type: u8, only_if: {MODE: OTHER}}", "or one of its states"),
        ('{type: u8, only_if: {MODE: "> SCIENCE"}}', "more than one value"),
        ("{type: u8, scale: .nan}", "finite"),
        ("{type: u8, scale: inf}", "finite"),
        ("{type: u8, scale: 1e999}", "finite"),
        ('{type: u8, scale: "2"}', "finite number"),
        ("{type: u8, scale: 2, polynomial: [1, 2]}", "one conversion"),
        ("{type: u8, states: {A: 1}, scale: 2}", "one conversion"),
        ("{type: u8, polynomial: []}", "coefficients"),
        ("{type: u8, polynomial: 3}", "must be a list"),
        ("{type: u8, piecewise: [[0, 1]]}", "two points"),
        ("{type: u8, piecewise: [[0, 1], [0, 2]]}", "must rise"),
        ("{type: u8, piecewise: [[0, 1], [1]]}", "two numbers"),
        ("{type: u8, piecewise: [[0, 1], [1, 2]], extrapolate: maybe}", "none or hold or extend"),
        ("{type: u8, extrapolate: hold}", "extrapolate belongs to piecewise"),
        ("{type: u8, version: 2}", "version belongs to function"),
        ("{type: u8, function: os.system}", "package.module:name"),
        ("{type: u8, function: 'os:system()'}", "package.module:name"),
        ("{type: u8, conversion: NOBODY}", "no conversion 'NOBODY'"),
        ("{type: u8, states: NOBODY}", "no set of states 'NOBODY'"),
        ("{type: u8, limits: NOBODY}", "no set of limits 'NOBODY'"),
        ("{type: u8, states: {}}", "must not be empty"),
        ("{type: u8, states: {A: }}", "integer"),
        ("{type: u8, states: {A: 5..2}}", "ends before it begins"),
        ("{type: u8, states: {A: 1..x}}", "64 bits"),
        ("{type: u8, states: {'': 1}}", "must have a name"),
        ("{type: u8, states: {A: 1}, display: .2q}", "display"),
        ("{type: u8, scale: \uff11}", "finite number"),
        ("{type: u8, states: {A: 1..}}", "integer"),
        ("{type: u8, states: {A: 010}}", "0o in front of octal"),
        ("{type: u8, states: {A: 99999999999999999999}}", "out of range"),
        ("{type: u8, states: {A: 0..99999999999999999999}}", "64 bits"),
        ("{type: u8, states: {A: []}}", "no value"),
        ("{type: u8, states: {A: {description: x}}}", "no value"),
        ("{type: f32, states: {A: 1}}", "only integers have states"),
        ('{type: "text[4]", scale: 2}', "converts numbers"),
        ('{type: "text[4]", limits: {red_low: 2}}', "no number"),
        ("{type: u8, limits: {}}", "must not be empty"),
        ("{type: u8, limits: {red: 2}}", "did you mean red_low"),
        ("{type: u8, limits: {a: {}}}", "no bound"),
        ("{type: u8, limits: {'': {red_low: 1}}}", "must have a name"),
        ("{type: u8, minimum: 2}", "has no 'minimum'"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(tmp_path: Path, definition: str, wrong: str) -> None:
    before = """
        N: u8
        F: f32
        MODE: {type: u8, states: {SAFE: 0, SCIENCE: 2..5}}
    """
    with pytest.raises(DefinitionError) as caught:
        load_item(tmp_path, definition, before)
    source = caught.value.source
    assert wrong in str(caught.value)
    assert source is not None
    assert source.file == str(tmp_path / "defs.yaml")
    assert source.line == 8
    assert source.column >= 7
    assert str(caught.value).startswith(f"{source.file}:8:{source.column}: ")


@pytest.mark.parametrize("name", ["1A", "A B", "'A[1]'", "A=1", "'A,B'", "Ä", f"X{'x' * 100}", "''"])
def test_names_that_would_not_do_on_a_command_line_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DefinitionError, match="cannot be named like this"):
        load_packet(tmp_path, f"items:\n  {name}: u8\n")


@pytest.mark.parametrize("name", ["A", "_a1", "HDR.APID", "a-b", "RW/1", "NO", "null", "e5"])
def test_names_mean_themselves(tmp_path: Path, name: str) -> None:
    assert load_packet(tmp_path, f"items:\n  {name}: u8\n").items[0].name == name


@pytest.mark.parametrize(
    ("derived", "wrong"),
    [
        ("{of: [A]}", "has no function"),
        ('{function: "m:f"}', "has no of"),
        ('{function: "m:f", of: []}', "derived from nothing"),
        ('{function: "m:f", of: [NOBODY]}', "NOBODY is no item before it"),
        ('{function: "m:f", of: [T]}', "is not a number"),
        ('{function: "m:f", of: [D]}', "D is no item before it"),
        ('{function: "m:f", of: A}', "must be a list"),
        ('{function: "m:f", of: [A], type: u8}', "has no 'type'"),
        ('{function: "m:f", of: [A], display: s}', "display"),
    ],
)
def test_derived_items_that_cannot_be_are_refused(tmp_path: Path, derived: str, wrong: str) -> None:
    with pytest.raises(DefinitionError, match=wrong) as caught:
        load_packet(tmp_path, f'items: {{A: u8, T: "text[4]"}}\nderived:\n  D: {derived}\n')
    assert caught.value.source is not None
    assert caught.value.source.line == 6


def test_what_depends_on_a_broken_item_is_not_reported_too(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        load_packet(tmp_path, "identify: {A: 1}\nitems:\n  A: u99\n  B: {type: u8, only_if: {A: 1}}\n  A: u8\n")
    assert [each.source.line for each in (caught.value, *caught.value.others) if each.source] == [6, 8]


def test_fixed_arrays_have_a_bound_for_each_has_room_in_every_packet(tmp_path: Path) -> None:
    body = 'items: {A: "u64[1000000]", B: "u8[48577]"}'
    with pytest.raises(DefinitionError, match="too large, expected at most 1048576 elements, found 1048577 elements"):
        load_packet(tmp_path, body)
    packet: Any = load_packet(tmp_path, body.replace("48577", "48576"))
    assert packet.items[1].length.count == 48576
