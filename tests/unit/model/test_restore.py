"""Definitions read back from their canonical form are the definitions that were written, or are refused."""

import hashlib
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.dictionaries import Dictionary
from c2kit.errors import MessageError
from c2kit.model.canonical import canonical_json
from c2kit.model.commands import Argument, Checksum, Command, LengthOf, SequenceCount
from c2kit.model.conversions import Extrapolation, Function, PiecewiseLinear, Polynomial, State, States
from c2kit.model.crc import CRC16_CCITT_FALSE
from c2kit.model.fields import Condition, Encoding, Expand, FieldReference, Fixed, Prefixed, Terminated, Text
from c2kit.model.limits import Limits
from c2kit.model.packets import DerivedItem, Item, Match, Packet, PacketLength
from c2kit.model.restore import from_canonical
from c2kit.model.source import Source
from c2kit.model.target import Target
from c2kit.model.time import GPS, Cds, Cuc, Epoch, PacketTime, Scale
from tests.batch_making import packets

ITEMS = (
    Item(name="APID", bit_length=11, bit_offset=5, source=Source("a.yaml", 3)),
    Item(name="N", encoding=Encoding.TWOS_COMPLEMENT, byte_order="2143", conversion=Polynomial((1, 0.5))),
    Item(name="MODE", conversion=States((State("ON", 1, 1, "it is on"),)), description="\u00c4\n"),
    Item(name="TEXT", encoding=Encoding.STRING, length=Terminated(b"\0", 9), text=Text("latin-1", b"\xff")),
    Item(name="GRID", length=Fixed((2, 3)), limits=(Limits(red_low=-1.5, yellow_high=2**53), Limits("own"))),
    Item(
        name="SOME", length=FieldReference("N", 2, -1), present_if=(Condition("N", ">=", 1.5), Condition("N", "<", 9))
    ),
    Item(name="CURVE", conversion=PiecewiseLinear(((0.0, 1.0), (1.0, -0.0)), Extrapolation.HOLD)),
    Item(name="BLOB", encoding=Encoding.BINARY, length=Prefixed(16, "little")),
    Item(name="REST", length=Expand(), conversion=Function("a.b:c", "2")),
)
PACKETS = (
    Packet(
        name="ALL",
        items=ITEMS,
        derived=(DerivedItem(name="D", function=Function("a:b"), inputs=("N", "MODE")),),
        identification=(Match("APID", 2**40), Match("TEXT", b"\x01")),
        time=PacketTime(Cuc("APID", "N"), Epoch("own", 2**70, Scale.TAI)),
        length=PacketLength("APID", 7),
        size_bytes=12,
    ),
    Packet(name="OTHER", items=(), fallback=True, time=PacketTime(Cds("A", "B"), GPS)),
)
ARGUMENTS = (
    Argument(name="A", default=1, minimum=0, maximum=math.inf, hazardous_states=("ON",)),
    Argument(name="B", default="x", required=True),
    Argument(name="C", default=b"\0"),
    Argument(name="D", default=True, computed=LengthOf(6, -1)),
    Argument(name="E", default=(1, 2.5), computed=SequenceCount("A")),
    Argument(name="F", fixed=b"\xff", computed=Checksum("xor", 1, 2)),
    Argument(name="G", fixed=1.25, computed=Checksum(CRC16_CCITT_FALSE)),
)
COMMANDS = (Command(name="GO", arguments=ARGUMENTS, hazardous=True, hazard="it goes"),)
WHOLE = Target(name="FIREFLY", packets=PACKETS, commands=COMMANDS, description="a target")


def test_a_target_with_every_kind_of_definition_is_read_back_equal() -> None:
    canonical = canonical_json(WHOLE)
    restored = from_canonical(canonical)
    assert restored == WHOLE
    assert restored.hash == hashlib.sha256(canonical).hexdigest()


def test_numbers_have_the_types_that_conversions_compute_with() -> None:
    restored = from_canonical(canonical_json(WHOLE))
    conversion = restored.packet("ALL").items[1].conversion
    assert isinstance(conversion, Polynomial)
    assert [type(coefficient) for coefficient in conversion.coefficients] == [float, float]
    assert restored.command("GO").argument("D").default is True


def test_what_is_no_number_is_read_back() -> None:
    packet = Packet(name="P", items=(Item(name="I", conversion=Polynomial((math.nan, -math.inf))),))
    canonical = canonical_json(Target(name="T", packets=(packet,)))
    assert canonical_json(from_canonical(canonical)) == canonical


def test_the_example_dictionary_is_read_back_equal() -> None:
    dictionary = Dictionary.load(Path(__file__).parents[3] / "examples" / "dictionary")
    assert len(dictionary) > 0
    for target in dictionary.targets:
        restored = from_canonical(canonical_json(target))
        assert restored == target
        assert restored.hash == target.hash


@given(st.lists(packets(), max_size=3, unique_by=lambda packet: packet.name))
def test_any_target_is_read_back_equal(some: list[Packet]) -> None:
    target = Target(name="T", packets=tuple(some))
    assert from_canonical(canonical_json(target)) == target


@pytest.mark.parametrize(
    ("canonical", "told"),
    [
        (b"", "no target"),
        (b"\xff", "no target"),
        (b"[]", "Target"),
        (b"{}", "Target"),
        (b'{"is":"Packet","items":[],"name":"P"}', "Target"),
        (b'{"is":"Target"}', "name"),
        (b'{"is":"Target","name":5}', "str"),
        (b'{"colour":"red","is":"Target","name":"T"}', "colour"),
        (b'{"is":"Target","name":"T","source":"x"}', "source"),
        (b'{"name":"T","is":"Target"}', "canonical form"),
        (b'{"is":"Target","name":"T"}\n', "canonical form"),
        (b'{"description":"","is":"Target","name":"T"}', "canonical form"),
        (b'{"is":"Target","name":"T","packets":{}}', "list"),
        (b'{"is":"Target","name":"T","packets":[{"is":"Packet","items":[],"name":"P","size_bytes":1.5}]}', "int"),
        (b"[" * 100_000, "no target"),
    ],
)
def test_what_is_no_canonical_form_is_refused(canonical: bytes, told: str) -> None:
    with pytest.raises(MessageError, match=told):
        from_canonical(canonical)


def test_no_form_that_was_cut_off_is_read() -> None:
    canonical = canonical_json(WHOLE)
    for end in range(len(canonical)):
        with pytest.raises(MessageError):
            from_canonical(canonical[:end])


@given(st.data())
def test_what_is_changed_is_refused_or_has_another_hash(data: st.DataObject) -> None:
    canonical = bytearray(canonical_json(WHOLE))
    place = data.draw(st.integers(0, len(canonical) - 1))
    canonical[place] ^= data.draw(st.integers(1, 255))
    try:
        restored = from_canonical(bytes(canonical))
    except MessageError:
        return
    assert restored.hash == hashlib.sha256(canonical).hexdigest() != WHOLE.hash


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=9))
def test_any_other_json_in_place_of_an_attribute_raises_nothing_else(value: object) -> None:
    plain = json.loads(canonical_json(WHOLE))
    for name in ("packets", "commands"):
        changed = json.dumps(plain | {name: [value]}, sort_keys=True, separators=(",", ":")).encode()
        with pytest.raises(MessageError):
            from_canonical(changed)
