"""One batch of telemetry as one message, and what is refused."""

from __future__ import annotations

import io
import math
import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from attrs import evolve

from c2kit.batches import Column, TelemetryBatch
from c2kit.batches.arrow import END_OF_STREAM, TelemetrySchema
from c2kit.batches.arrow.message import read_record_batch
from c2kit.errors import MessageError, UsageError
from c2kit.model.conversions import Polynomial
from c2kit.model.fields import Encoding, Expand, Fixed
from c2kit.model.limits import Limits
from c2kit.model.packets import Item, Packet
from tests.batch_making import HASH, lists, numbers, strings

ITEMS = (
    Item(name="VOLTAGE", bit_length=12, conversion=Polynomial((0.0, 0.5)), limits=(Limits(red_high=1.0),)),
    Item(name="NAME", encoding=Encoding.STRING, length=Expand()),
    Item(name="CELLS", length=Fixed((2,))),
    Item(name="LOG", bit_length=16, length=Expand()),
)
PACKET = Packet(name="HEALTH", items=ITEMS)


def batch_of(**changes: Any) -> TelemetryBatch:  # noqa: ANN401 - any attribute of a batch
    batch = TelemetryBatch(
        target="FIREFLY",
        packet=PACKET,
        dictionary_hash=HASH,
        received=np.arange(3),
        generated=numbers([None, 7, 8], "i8"),
        raw={
            "VOLTAGE": numbers([1, 2, 4095], "u2"),
            "NAME": strings([b"a\0", None, "né".encode()]),
            "CELLS": numbers([[1, 2], [3, 4], None], "u1", (2,)),
            "LOG": lists([[1], [], [2, 3]], "u2"),
        },
        engineering={
            "VOLTAGE": numbers([0.5, 1.0, None], "f8"),
            "NAME": strings(["a", None, "né"], is_text=True),
        },
        interface="fep",
    )
    return evolve(batch, **changes)


def with_raw(name: str, column: Column) -> TelemetryBatch:
    return batch_of(raw={**batch_of().raw, name: column})


def read_by_pyarrow(batch: TelemetryBatch, *, with_limits: bool | None = None) -> pa.Table:
    schema = TelemetrySchema.of(batch, with_limits=with_limits)
    table = pa.ipc.open_stream(schema.schema_message() + schema.to_message(batch) + END_OF_STREAM).read_all()
    table.validate(full=True)
    return table


def written_by_pyarrow(batch: TelemetryBatch, **options: object) -> bytes:
    table = read_by_pyarrow(batch)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    messages = pa.ipc.MessageReader.open_stream(sink.getvalue())
    messages.read_next_message()
    return bytes(messages.read_next_message().serialize())


def test_a_batch_says_by_which_way_it_came() -> None:
    batch = batch_of(origin="replay:übung", interface="")
    schema = TelemetrySchema.of(batch)
    message = schema.to_message(batch)
    reader = pa.ipc.open_stream(schema.schema_message() + message)
    _, facts = reader.read_next_batch_with_custom_metadata()
    assert dict(facts) == {
        b"c2kit.schema": schema.form.fingerprint.encode(),
        b"c2kit.interface": b"",
        b"c2kit.origin": "replay:übung".encode(),
    }
    again = schema.from_message(message)
    assert (again.interface, again.origin) == ("", "replay:übung")


def test_values_that_are_not_finite_keep_their_bits() -> None:
    item = Item(name="X", bit_length=64, encoding=Encoding.IEEE754)
    signalling = struct.unpack("<d", bytes.fromhex("010000000000f07f"))[0]
    values = np.array([math.nan, signalling, math.inf, -0.0])
    batch = TelemetryBatch(
        target="T",
        packet=Packet(name="P", items=(item,)),
        dictionary_hash=HASH,
        received=np.arange(4),
        generated=numbers([0] * 4, "i8"),
        raw={"X": Column(values)},
    )
    schema = TelemetrySchema.of(batch)
    assert schema.from_message(schema.to_message(batch)).raw["X"].values.tobytes() == values.tobytes()
    assert read_by_pyarrow(batch).column("X").to_numpy().tobytes() == values.tobytes()


def test_columns_without_nulls_have_no_bitmap_and_all_buffers_begin_at_multiples_of_8() -> None:
    batch = batch_of(generated=numbers([1, 2, 3], "i8"))
    schema = TelemetrySchema.of(batch)
    message = schema.to_message(batch)
    parts = read_record_batch(message)
    assert (len(message) - len(parts.body)) % 8 == len(parts.body) % 8 == 0
    assert not (parts.buffers[:, 0] % 8).any()
    table = pa.ipc.open_stream(schema.schema_message() + message).read_all()
    assert table.column("generated").chunk(0).buffers()[0] is None
    assert table.column("VOLTAGE").chunk(0).buffers()[0] is not None


def test_a_mask_under_which_every_row_has_a_value_is_no_bitmap_either() -> None:
    batch = batch_of(generated=Column(np.arange(3), np.ones(3, np.bool_)))
    assert read_by_pyarrow(batch).column("generated").chunk(0).buffers()[0] is None


def test_columns_are_views_of_the_message_that_cannot_be_written_to() -> None:
    schema = TelemetrySchema.of(batch_of())
    for kind in (bytes, bytearray):
        message = kind(schema.to_message(batch_of()))
        again = schema.from_message(message)
        whole = np.frombuffer(message, np.uint8)
        for values in (again.received, *(column.values for column in again.raw.values())):
            assert np.shares_memory(values, whole)
            assert not values.flags.writeable


def test_a_message_may_lie_anywhere_in_memory() -> None:
    schema = TelemetrySchema.of(batch_of())
    shifted = memoryview(b"x" + schema.to_message(batch_of()))[1:]
    assert schema.from_message(shifted).raw["LOG"].to_list() == [[1], [], [2, 3]]


def test_values_in_the_other_byte_order_are_turned() -> None:
    batch = with_raw("VOLTAGE", Column(np.array([1, 2, 4095], ">u2")))
    assert read_by_pyarrow(batch).column("VOLTAGE.raw").to_pylist() == [1, 2, 4095]


def test_columns_that_are_parts_of_others_are_written_as_what_they_are() -> None:
    every_second = Column(np.arange(6, dtype=np.uint16)[::2])
    assert read_by_pyarrow(with_raw("VOLTAGE", every_second)).column("VOLTAGE.raw").to_pylist() == [0, 2, 4]
    later = lists([[9], [1], [2, 3], []], "u2")
    assert later.offsets is not None
    cut = Column(later.values, offsets=later.offsets[1:])
    assert read_by_pyarrow(with_raw("LOG", cut)).column("LOG").to_pylist() == [[1], [2, 3], []]


def test_limit_states_travel_when_there_are_some() -> None:
    batch = batch_of(limits={"VOLTAGE": numbers([0, 4, None], "u1")})
    assert read_by_pyarrow(batch).column("VOLTAGE.limits").to_pylist() == [0, 4, None]
    assert "VOLTAGE.limits" not in read_by_pyarrow(batch, with_limits=False).column_names


def test_limits_that_nobody_checked_have_no_state() -> None:
    items = (
        Item(name="A", limits=(Limits(red_high=1.0),)),
        Item(name="B", length=Fixed((2,)), limits=(Limits(red_high=1.0),)),
        Item(name="C", length=Expand(), limits=(Limits(red_high=1.0),)),
    )
    raw = {"A": numbers([1], "u1"), "B": numbers([[1, 2]], "u1", (2,)), "C": lists([[1]], "u1")}
    batch = TelemetryBatch(
        target="T",
        packet=Packet(name="P", items=items),
        dictionary_hash=HASH,
        received=np.arange(1),
        generated=numbers([0], "i8"),
        raw=raw,
    )
    table = read_by_pyarrow(batch, with_limits=True)
    for name in ("A.limits", "B.limits", "C.limits"):
        assert table.column(name).to_pylist() == [None]


def test_other_libraries_take_a_batch_as_it_is() -> None:
    table = pa.table(batch_of())
    table.validate(full=True)
    assert table.equals(read_by_pyarrow(batch_of()))
    assert table.schema.equals(read_by_pyarrow(batch_of()).schema, check_metadata=True)


def test_what_hides_behind_nulls_in_foreign_messages_is_taken_away() -> None:
    schema = TelemetrySchema.of(batch_of())
    ours = pa.ipc.open_stream(schema.schema_message() + schema.to_message(batch_of())).read_next_batch()
    bitmap = pa.py_buffer(b"\x05")
    ages = pa.Array.from_buffers(
        ours.schema.field("generated").type, 3, [bitmap, pa.py_buffer(struct.pack("<3q", 1, 99, 3))]
    )
    names = pa.Array.from_buffers(
        pa.binary(), 3, [bitmap, pa.py_buffer(struct.pack("<4i", 0, 1, 3, 4)), pa.py_buffer(b"axxb")]
    )
    cells = pa.FixedSizeListArray.from_arrays(
        pa.array([1, 2, 99, 99, 5, 6], pa.uint8()),
        type=ours.schema.field("CELLS").type,
        mask=pa.array([False, True, False]),
    )
    hiding = ours
    for name, column in (("generated", ages), ("NAME.raw", names), ("CELLS", cells)):
        hiding = hiding.set_column(hiding.schema.get_field_index(name), hiding.schema.field(name), column)
    again = schema.from_message(hiding.serialize().to_pybytes())
    assert again.generated.values.tolist() == [1, 0, 3]
    assert again.raw["NAME"].to_list() == [b"a", None, b"b"]
    assert again.raw["NAME"].values.tobytes() == b"ab"
    assert again.raw["CELLS"].values.tolist() == [[1, 2], [0, 0], [5, 6]]


def test_offsets_need_not_begin_at_the_first_value() -> None:
    schema = TelemetrySchema.of(batch_of())
    message = bytearray(schema.to_message(batch_of()))
    log_offsets = message.rindex(struct.pack("<4i", 0, 1, 1, 3))
    message[log_offsets : log_offsets + 16] = struct.pack("<4i", 1, 2, 2, 3)
    assert schema.from_message(message).raw["LOG"].to_list() == [[2], [], [3]]


def test_the_origin_of_a_foreign_message_is_not_taken_for_realtime() -> None:
    again = TelemetrySchema.of(batch_of()).from_message(written_by_pyarrow(batch_of()))
    assert (again.interface, again.origin) == ("", "stored")


def test_messages_of_the_older_metadata_version_are_read() -> None:
    message = written_by_pyarrow(batch_of(), metadata_version=pa.ipc.MetadataVersion.V4)
    assert TelemetrySchema.of(batch_of()).from_message(message).raw["LOG"].to_list() == [[1], [], [2, 3]]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"target": "OTHER"}, "another definition"),
        ({"dictionary_hash": "0" * 64}, "another definition"),
        ({"packet": Packet(name="OTHER", items=ITEMS)}, "another definition"),
        ({"engineering": {}}, "no engineering column VOLTAGE"),
        ({"raw": {}}, "no raw column VOLTAGE"),
        ({"received": np.arange(2)}, "column generated has another length"),
        ({"received": np.arange(3, dtype=np.int32)}, "column received is not of its schema's type"),
    ],
)
def test_a_batch_that_does_not_fit_its_schema_is_refused(changes: dict[str, Any], complaint: str) -> None:
    schema = TelemetrySchema.of(batch_of())
    with pytest.raises(UsageError, match=complaint):
        schema.to_message(batch_of(**changes))


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("VOLTAGE", numbers([1, 2, 3], "u4")),
        ("VOLTAGE", numbers([[1], [2], [3]], "u2", (1,))),
        ("VOLTAGE", lists([[1], [2], [3]], "u2")),
        ("CELLS", numbers([[1], [2], [3]], "u1", (1,))),
        ("LOG", numbers([1, 2, 3], "u2")),
        ("LOG", lists([[1], [2], [3]], "u4")),
        ("NAME", lists([[1], [2], [3]], "u2")),
        ("NAME", strings(["a", "b", "c"], is_text=True)),
    ],
)
def test_a_column_of_another_type_than_its_schema_says_is_refused(name: str, column: Column) -> None:
    batch = with_raw(name, column)
    with pytest.raises(UsageError, match=f"column {name}.* is not of its schema's type"):
        TelemetrySchema.of(batch).to_message(batch)


def test_a_message_of_another_definition_is_refused_though_its_bytes_would_fit() -> None:
    message = TelemetrySchema.of(batch_of()).to_message(batch_of())
    renamed = Packet(name="HEALTH", items=(evolve(ITEMS[0], units="mV"), *ITEMS[1:]))
    other = TelemetrySchema(target="FIREFLY", packet=renamed, dictionary_hash=HASH)
    with pytest.raises(MessageError, match="of another schema"):
        other.from_message(message)


def test_what_follows_a_message_is_refused() -> None:
    schema = TelemetrySchema.of(batch_of())
    with pytest.raises(MessageError, match="the body has another size than it says"):
        schema.from_message(schema.to_message(batch_of()) + bytes(8))


def test_columns_too_few_or_too_many_are_refused() -> None:
    schema = TelemetrySchema.of(batch_of())
    batch = read_by_pyarrow(batch_of()).to_batches()[0]
    fewer = batch.drop_columns(["LOG"]).serialize().to_pybytes()
    more = batch.append_column("MORE", batch.column("LOG")).serialize().to_pybytes()
    with pytest.raises(MessageError, match="no column LOG"):
        schema.from_message(fewer)
    with pytest.raises(MessageError, match="more columns than its schema"):
        schema.from_message(more)


def test_codes_that_are_no_limit_states_are_refused() -> None:
    batch = batch_of(limits={"VOLTAGE": numbers([0, 6, 0], "u1")})
    schema = TelemetrySchema.of(batch)
    with pytest.raises(MessageError, match=r"VOLTAGE\.limits has no limit states, expected codes up to 5, found 6"):
        schema.from_message(schema.to_message(batch))


@pytest.mark.parametrize("text", [b"a\xff", b"\xc3\xa9"])
def test_text_that_is_not_utf8_is_refused(text: bytes) -> None:
    # The second one is good as a whole and is cut within its character by the offsets.
    schema = TelemetrySchema.of(batch_of(), values="engineering")
    name = strings([text[:1], text[1:], b""])
    batch = batch_of(engineering={**batch_of().engineering, "NAME": evolve(name, is_text=True)})
    with pytest.raises(MessageError, match="expected UTF-8 text"):
        schema.from_message(schema.to_message(batch))


def test_a_received_time_that_is_missing_is_refused() -> None:
    batch = read_by_pyarrow(batch_of()).to_batches()[0]
    missing = pa.array([1, None, 3], pa.timestamp("ns", "UTC"))
    nullable = pa.schema([pa.field("received", missing.type), *list(batch.schema)[1:]])
    message = pa.record_batch([missing, *batch.columns[1:]], schema=nullable).serialize().to_pybytes()
    with pytest.raises(MessageError, match="3 rows, all with a value, found 3 rows, 1 without a value"):
        TelemetrySchema.of(batch_of()).from_message(message)


def test_compressed_messages_are_refused() -> None:
    message = written_by_pyarrow(batch_of(), compression="zstd")
    with pytest.raises(MessageError, match="compressed"):
        TelemetrySchema.of(batch_of()).from_message(message)


def test_messages_with_view_columns_are_refused() -> None:
    message = pa.record_batch({"x": pa.array(["a long text that is not inlined"], pa.string_view())}).serialize()
    with pytest.raises(MessageError, match="columns of types that c2kit does not write"):
        TelemetrySchema.of(batch_of()).from_message(message.to_pybytes())


def test_a_schema_is_no_batch() -> None:
    schema = TelemetrySchema.of(batch_of())
    with pytest.raises(MessageError, match="no record batch"):
        schema.from_message(schema.schema_message())
