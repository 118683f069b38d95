"""Names, types and facts of the columns, by what pyarrow says of the schema message."""

from __future__ import annotations

import hashlib
import json

import pyarrow as pa
import pytest

from c2kit.batches.arrow import PacketSchema, TelemetrySchema
from c2kit.errors import UnknownName, UsageError
from c2kit.model.conversions import Function, PiecewiseLinear, Polynomial, State, States
from c2kit.model.fields import Encoding, Expand, FieldReference, Fixed, Terminated
from c2kit.model.limits import Limits
from c2kit.model.packets import DerivedItem, Item, Packet
from tests.batch_making import HASH

VOLTS = Polynomial((0.0, 0.1))


def schema_of(
    *items: Item, derived: tuple[DerivedItem, ...] = (), values: str = "both", with_limits: bool = False
) -> pa.Schema:
    packet = Packet(name="HEALTH", items=items, derived=derived)
    schema = TelemetrySchema(
        target="FIREFLY", packet=packet, dictionary_hash=HASH, values=values, with_limits=with_limits
    )
    return pa.ipc.read_schema(pa.py_buffer(schema.schema_message()))


def facts(schema: pa.Schema, name: str) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in schema.field(name).metadata.items()}


def test_times_come_first_and_only_the_received_time_is_always_there() -> None:
    schema = schema_of()
    assert schema.names == ["received", "generated"]
    assert {field.type for field in schema} == {pa.timestamp("ns", "UTC")}
    assert [field.nullable for field in schema] == [False, True]


def test_an_item_without_conversion_stands_there_once_whatever_is_chosen() -> None:
    for values in ("raw", "engineering", "both"):
        assert schema_of(Item(name="COUNT"), values=values).names == ["received", "generated", "COUNT"]


def test_both_values_of_an_item_are_told_apart_by_name() -> None:
    item = Item(name="VOLTAGE", conversion=VOLTS)
    assert schema_of(item).names[2:] == ["VOLTAGE", "VOLTAGE.raw"]
    assert schema_of(item).field("VOLTAGE").type == pa.float64()
    assert schema_of(item).field("VOLTAGE.raw").type == pa.uint8()


@pytest.mark.parametrize(("values", "expected"), [("raw", pa.uint8()), ("engineering", pa.float64())])
def test_values_of_one_kind_have_the_name_of_their_item(values: str, expected: pa.DataType) -> None:
    schema = schema_of(Item(name="VOLTAGE", conversion=VOLTS), values=values)
    assert schema.names[2:] == ["VOLTAGE"]
    assert schema.field("VOLTAGE").type == expected
    assert facts(schema, "VOLTAGE")["values"] == values


def test_derived_items_have_engineering_values_only() -> None:
    power = DerivedItem(name="POWER", function=Function("m:f"), inputs=("VOLTAGE",), units="W")
    item = Item(name="VOLTAGE")
    assert schema_of(item, derived=(power,)).names[2:] == ["VOLTAGE", "POWER"]
    assert schema_of(item, derived=(power,)).field("POWER").type == pa.float64()
    assert schema_of(item, derived=(power,), values="raw").names[2:] == ["VOLTAGE"]


def test_limit_states_stand_beside_the_items_that_have_limits() -> None:
    limited = Item(name="VOLTAGE", conversion=VOLTS, limits=(Limits(red_high=1.0),))
    array = Item(name="CELLS", length=Fixed((2,)), limits=(Limits(red_high=1.0),))
    schema = schema_of(limited, array, Item(name="COUNT"), with_limits=True)
    assert schema.names[2:] == ["VOLTAGE", "VOLTAGE.raw", "VOLTAGE.limits", "CELLS", "CELLS.limits", "COUNT"]
    assert schema.field("VOLTAGE.limits").type == pa.uint8()
    assert schema.field("CELLS.limits").type == pa.list_(pa.field("item", pa.uint8(), nullable=False), 2)
    assert facts(schema, "VOLTAGE.limits") == {"item": "VOLTAGE", "values": "limits"}
    assert "VOLTAGE.limits" not in schema_of(limited).names


def test_item_names_stay_and_other_columns_make_room_for_them() -> None:
    items = [Item(name=name) for name in ("received", "generated", "generated_", "A.raw")]
    schema = schema_of(*items, Item(name="A", conversion=VOLTS))
    assert schema.names == [
        "received_",
        "generated__",
        "received",
        "generated",
        "generated_",
        "A.raw",
        "A",
        "A.raw_",
    ]
    assert facts(schema, "A.raw_")["item"] == "A"


@pytest.mark.parametrize(
    ("item", "raw"),
    [
        (Item(name="X", bit_length=1), pa.uint8()),
        (Item(name="X", bit_length=9), pa.uint16()),
        (Item(name="X", bit_length=17), pa.uint32()),
        (Item(name="X", bit_length=33), pa.uint64()),
        (Item(name="X", bit_length=12, encoding=Encoding.TWOS_COMPLEMENT), pa.int16()),
        (Item(name="X", bit_length=64, encoding=Encoding.SIGN_MAGNITUDE), pa.int64()),
        (Item(name="X", bit_length=16, encoding=Encoding.IEEE754), pa.float32()),
        (Item(name="X", bit_length=32, encoding=Encoding.IEEE754), pa.float32()),
        (Item(name="X", bit_length=64, encoding=Encoding.IEEE754), pa.float64()),
        (Item(name="X", bit_length=48, encoding=Encoding.MIL_STD_1750A), pa.float64()),
        (Item(name="X", bit_length=1, encoding=Encoding.BOOLEAN), pa.uint8()),
        (Item(name="X", encoding=Encoding.STRING, length=Terminated(b"\0")), pa.binary()),
        (Item(name="X", encoding=Encoding.BINARY, length=Fixed((4,))), pa.binary()),
        (Item(name="X", bit_length=12, length=Expand()), pa.list_(pa.field("item", pa.uint16(), nullable=False))),
        (Item(name="X", length=FieldReference("N")), pa.list_(pa.field("item", pa.uint8(), nullable=False))),
        (Item(name="X", length=Fixed((3,))), pa.list_(pa.field("item", pa.uint8(), nullable=False), 3)),
    ],
)
def test_raw_values_have_the_next_wider_type(item: Item, raw: pa.DataType) -> None:
    assert schema_of(item, values="raw").field("X").type == raw


@pytest.mark.parametrize(
    ("item", "engineering"),
    [
        (Item(name="X", conversion=VOLTS), pa.float64()),
        (Item(name="X", conversion=PiecewiseLinear(((0.0, 0.0), (1.0, 1.0)))), pa.float64()),
        (Item(name="X", encoding=Encoding.BINARY, length=Fixed((4,)), conversion=Function("m:f")), pa.float64()),
        (Item(name="X", conversion=States((State("ON", 1, 1),))), pa.uint8()),
        (Item(name="X", encoding=Encoding.BOOLEAN), pa.bool_()),
        (Item(name="X", encoding=Encoding.BOOLEAN, conversion=States((State("ON", 1, 1),))), pa.uint8()),
        (Item(name="X", encoding=Encoding.STRING, length=Expand()), pa.utf8()),
        (Item(name="X", encoding=Encoding.BINARY, length=Expand()), pa.binary()),
        (
            Item(name="X", length=Fixed((2,)), conversion=VOLTS),
            pa.list_(pa.field("item", pa.float64(), nullable=False), 2),
        ),
    ],
)
def test_engineering_values_have_the_type_of_their_conversion(item: Item, engineering: pa.DataType) -> None:
    assert schema_of(item, values="engineering").field("X").type == engineering


def test_dimensions_are_lists_inside_each_other_the_last_one_innermost() -> None:
    schema = schema_of(Item(name="X", length=Fixed((2, 3))))
    inner = pa.list_(pa.field("item", pa.uint8(), nullable=False), 3)
    assert schema.field("X").type == pa.list_(pa.field("item", inner, nullable=False), 2)
    assert json.loads(facts(schema, "X")["shape"]) == [2, 3]


def test_a_field_tells_what_a_person_needs_to_know_of_its_item() -> None:
    states = States((State("OFF", 0, 0), State("ON", 1, 5, description="läuft")))
    item = Item(name="MODE", bit_length=3, conversion=states, description='the "mode"\n', display="d", units="-")
    found = facts(schema_of(item), "MODE")
    assert json.loads(found.pop("states")) == [
        {"name": "OFF", "low": 0, "high": 0},
        {"name": "ON", "low": 1, "high": 5, "description": "läuft"},
    ]
    assert found == {
        "item": "MODE",
        "values": "engineering",
        "description": 'the "mode"\n',
        "display": "d",
        "units": "-",
        "encoding": "unsigned",
        "bit_length": "3",
    }


def test_units_and_display_are_those_of_the_engineering_value() -> None:
    schema = schema_of(Item(name="VOLTAGE", conversion=VOLTS, units="V", display=".2f"))
    assert facts(schema, "VOLTAGE")["units"] == "V"
    assert facts(schema, "VOLTAGE")["display"] == ".2f"
    assert not {"units", "display"} & facts(schema, "VOLTAGE.raw").keys()


def test_texts_that_nanoarrow_or_utf8_cannot_carry_do_no_harm() -> None:
    schema = schema_of(Item(name="A\0B", description="x\0y\ud800z"), Item(name="A\ud800"))
    assert schema.names[2:] == ["A\N{REPLACEMENT CHARACTER}B", "A?"]
    assert facts(schema, schema.names[2])["description"] == "x\N{REPLACEMENT CHARACTER}y?z"


def test_the_schema_says_whose_telemetry_it_is() -> None:
    assert schema_of(values="raw", with_limits=True).metadata == {
        b"c2kit.format": b"1",
        b"c2kit.kind": b"telemetry",
        b"c2kit.target": b"FIREFLY",
        b"c2kit.packet": b"HEALTH",
        b"c2kit.dictionary": HASH.encode(),
        b"c2kit.values": b"raw",
        b"c2kit.limits": b"yes",
    }


def test_packets_have_a_definition_once_they_were_identified() -> None:
    before = pa.ipc.read_schema(pa.py_buffer(PacketSchema().schema_message()))
    after = PacketSchema(target="FIREFLY", dictionary_hash=HASH, is_large=True)
    identified = pa.ipc.read_schema(pa.py_buffer(after.schema_message()))
    assert before.names == ["packet", "received", "generated"]
    assert before.metadata == {b"c2kit.format": b"1", b"c2kit.kind": b"packets", b"c2kit.large": b"no"}
    assert identified.names == ["packet", "received", "generated", "definition"]
    assert identified.field("definition").type == pa.int32()
    assert identified.field("packet").type == pa.large_binary()
    assert identified.metadata[b"c2kit.target"] == b"FIREFLY"
    assert identified.metadata[b"c2kit.dictionary"] == HASH.encode()


def test_a_choice_of_values_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="expected raw or engineering or both, found 'all'"):
        schema_of(values="all")


def test_a_target_without_its_definitions_is_refused() -> None:
    with pytest.raises(UsageError, match="give both or neither"):
        PacketSchema(target="FIREFLY")


def test_only_the_items_that_were_asked_for_travel_each_once_and_in_that_order() -> None:
    packet = Packet(name="HEALTH", items=tuple(Item(name=name, conversion=VOLTS) for name in "ABC"))
    schema = TelemetrySchema(target="T", packet=packet, dictionary_hash=HASH, items=["C", "A", "C"])
    read = pa.ipc.read_schema(pa.py_buffer(schema.schema_message()))
    assert read.names[2:] == ["C", "C.raw", "A", "A.raw"]
    assert json.loads(read.metadata[b"c2kit.items"]) == ["C", "A"]
    with pytest.raises(UnknownName, match="no item 'D' in packet HEALTH"):
        TelemetrySchema(target="T", packet=packet, dictionary_hash=HASH, items=["D"])


def test_the_fingerprint_is_what_the_reference_page_says() -> None:
    packet = Packet(name="HÄLTH", items=(Item(name="X", length=Fixed((2,)), units="V"),))
    schema = TelemetrySchema(target="T", packet=packet, dictionary_hash="ab", values="raw")
    canonical = (
        '{"columns":[["received",["tsn:UTC"],{}],["generated",["tsn:UTC"],{}],'
        '["X",["+w:2","C"],{"bit_length":"8","encoding":"unsigned","item":"X","shape":"[2]","units":"V",'
        '"values":"engineering"}]],'
        '"metadata":{"c2kit.dictionary":"ab","c2kit.format":"1","c2kit.kind":"telemetry","c2kit.limits":"no",'
        '"c2kit.packet":"H\\u00c4LTH","c2kit.target":"T","c2kit.values":"raw"}}'
    )
    assert schema.form.fingerprint == hashlib.sha256(canonical.encode()).hexdigest()
