"""Batches as Arrow messages: pyarrow is the judge of what is written, and nothing that is damaged gets through."""

from __future__ import annotations

import contextlib
import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.arrow import END_OF_STREAM, ArrowStream, PacketSchema, TelemetrySchema, read_stream
from c2kit.errors import MessageError
from c2kit.model.fields import Encoding, Fixed
from c2kit.model.packets import DerivedItem, Item, Packet
from c2kit.model.target import Target
from tests.batch_making import HASH, Made, engineering_kind, numbers, packets, telemetry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.kernel.contract import Column

VALUES = st.sampled_from(["raw", "engineering", "both"])
TIME = pa.timestamp("ns", "UTC")


def expected_columns(made: Made, values: str) -> Iterator[tuple[str, pa.DataType, list[Any]]]:
    """What a table of the batch must hold, by the reference page and by hand."""
    yield "received", TIME, made.received
    yield "generated", TIME, made.generated
    for name, item in made.batch.packet.items_by_name.items():
        kind = engineering_kind(item)
        if kind and values != "raw":
            yield name, expected_type(item, kind), made.engineering[name]
        if name in made.raw and not (kind and values == "engineering"):
            yield f"{name}.raw" if kind and values == "both" else name, expected_type(item, "raw"), made.raw[name]
        if name in made.limits:
            yield f"{name}.limits", expected_type(item, "limits"), made.limits[name]


def expected_type(item: Item | DerivedItem, kind: str) -> pa.DataType:
    match kind:
        case "float":
            element = pa.float64()
        case "bool":
            element = pa.bool_()
        case "limits":
            element = pa.uint8()
        case "text":
            return pa.utf8()
        case _:
            assert isinstance(item, Item)
            element = expected_raw_type(item)
    if not isinstance(item, Item) or not item.is_array or element == pa.binary():
        return element
    if not isinstance(item.length, Fixed):
        return pa.list_(pa.field("item", element, nullable=False))
    nested = pa.field("item", element, nullable=False)
    for extent in reversed(item.length.shape):
        nested = pa.field("item", pa.list_(nested, extent), nullable=False)
    return nested.type


def expected_raw_type(item: Item) -> pa.DataType:
    if item.encoding.is_bytes:
        return pa.binary()
    if item.encoding is Encoding.MIL_STD_1750A:
        return pa.float64()
    if item.encoding is Encoding.IEEE754:
        return pa.float64() if item.bit_length == 64 else pa.float32()
    sign = "u" if item.encoding in (Encoding.UNSIGNED, Encoding.BOOLEAN) else ""
    width = min(width for width in (8, 16, 32, 64) if width >= item.bit_length)
    return pa.type_for_alias(f"{sign}int{width}")


def as_list(column: pa.ChunkedArray) -> list[Any]:
    return list((column.cast(pa.int64()) if column.type == TIME else column).to_pylist())


def has_plain_names(packet: Packet) -> bool:
    """Whether no item is called as another column is; that case has a test of its own."""
    return not any(
        name in {"received", "generated"} or name.endswith((".raw", ".limits")) for name in packet.items_by_name
    )


def same(column: Column, values: list[Any]) -> bool:
    return column.to_list() == values


@given(telemetry(), VALUES)
def test_pyarrow_reads_the_values_that_went_in(made: Made, values: str) -> None:
    assume(has_plain_names(made.batch.packet))
    schema = TelemetrySchema.of(made.batch, values=values)
    message = schema.to_message(made.batch)
    table = pa.ipc.open_stream(schema.schema_message() + message + message + END_OF_STREAM).read_all()
    table.validate(full=True)
    expected = list(expected_columns(made, values))
    assert table.column_names == [name for name, _, _ in expected]
    for name, arrow_type, values_of_item in expected:
        assert table.field(name).type == arrow_type
        assert as_list(table.column(name)) == values_of_item * 2


@given(telemetry(), VALUES)
def test_what_is_read_back_is_what_went_in(made: Made, values: str) -> None:
    schema = TelemetrySchema.of(made.batch, values=values)
    again = schema.from_message(schema.to_message(made.batch))
    assert again.received.tolist() == made.received
    assert same(again.generated, made.generated)
    assert (again.interface, again.origin) == (made.batch.interface, made.batch.origin)
    raw = {name: made.raw[name] for name in again.raw}
    kept = {name for name in made.raw if values != "engineering" or not engineering_kind(made.batch.packet.item(name))}
    assert set(raw) == kept
    assert set(again.engineering) == (set() if values == "raw" else set(made.engineering))
    assert set(again.limits) == set(made.limits)
    for ours, theirs, lists in (
        (again.raw, made.batch.raw, made.raw),
        (again.engineering, made.batch.engineering, made.engineering),
        (again.limits, made.batch.limits, made.limits),
    ):
        for name, column in ours.items():
            assert column.to_list() == lists[name]
            assert column.values.dtype == theirs[name].values.dtype
            assert column.values.tobytes() == theirs[name].values.tobytes()


@given(telemetry(), VALUES, st.integers(0, 3))
def test_messages_that_pyarrow_wrote_of_the_same_table_are_read(made: Made, values: str, skipped: int) -> None:
    schema = TelemetrySchema.of(made.batch, values=values)
    batch = next(iter(pa.ipc.open_stream(schema.schema_message() + schema.to_message(made.batch))))
    again = schema.from_message(batch.slice(skipped).serialize().to_pybytes())
    assert again.received.tolist() == made.received[skipped:]
    assert again.origin == "stored"
    for name, column in {**again.raw}.items():
        assert same(column, made.raw[name][skipped:])
    for name, column in {**again.engineering}.items():
        assert same(column, made.engineering[name][skipped:])


@given(telemetry())
def test_no_truncated_message_is_read(made: Made) -> None:
    schema = TelemetrySchema.of(made.batch)
    message = schema.to_message(made.batch)
    for end in range(len(message)):
        with pytest.raises(MessageError):
            schema.from_message(message[:end])


def read_wholly(batch: TelemetryBatch | PacketBatch) -> None:
    """Touch every value, so that whatever points outside would be followed."""
    if isinstance(batch, PacketBatch):
        assert len(list(batch)) == len(batch)
        return
    for columns in (batch.raw, batch.engineering, batch.limits):
        for column in columns.values():
            assert len(column.to_list()) == len(batch)
    schema = TelemetrySchema.of(batch, with_limits=bool(batch.limits))
    assert len(schema.from_message(schema.to_message(batch))) == len(batch)


def damaged(data: st.DataObject, whole: bytes) -> bytes:
    """Some bits flipped, and numbers that are not what they seem put where the numbers of the metadata stand."""
    message = bytearray(whole)
    for position in data.draw(st.lists(st.integers(0, 8 * len(message) - 1), max_size=4)):
        message[position // 8] ^= 1 << position % 8
    for form in data.draw(st.lists(st.sampled_from("HIQ"), max_size=2)):
        size = struct.calcsize(form)
        number = data.draw(
            st.sampled_from([0, 1, 4, 8, *(2**shift + step for shift in (7, 15, 31, 62) for step in (-1, 0))])
        )
        place = size * data.draw(st.integers(0, len(message) // size - 1))
        struct.pack_into(f"<{form}", message, place, number % 2 ** (8 * size))
    return bytes(message)


@given(telemetry(), st.data())
def test_a_damaged_message_is_refused_or_read_within_its_bounds(made: Made, data: st.DataObject) -> None:
    schema = TelemetrySchema.of(made.batch)
    message = damaged(data, schema.to_message(made.batch))
    with contextlib.suppress(MessageError):
        read_wholly(schema.from_message(message))


@given(telemetry(), st.data())
def test_a_damaged_stream_is_refused_or_read_within_its_bounds(made: Made, data: st.DataObject) -> None:
    target = Target(name="FIREFLY", packets=(made.batch.packet,))
    batch = evolve(made.batch, dictionary_hash=target.hash)
    schema = TelemetrySchema.of(batch)
    whole = schema.schema_message() + schema.to_message(batch) + END_OF_STREAM
    assert len(list(read_stream(whole, [target]))) == 1
    stream = damaged(data, whole)[: data.draw(st.integers(0, 2 * len(whole)))]
    for source in (stream, io.BytesIO(stream)):
        with contextlib.suppress(MessageError):
            for again in read_stream(source, [target]):
                read_wholly(again)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    schema = PacketSchema()
    for garbage in (data, b"\xff\xff\xff\xff" + data, schema.schema_message() + data):
        with pytest.raises(MessageError):
            schema.from_message(garbage)


@given(
    contents=st.lists(st.binary(max_size=20), max_size=40),
    data=st.data(),
    is_identified=st.booleans(),
    is_large=st.booleans(),
)
def test_packets_come_back_as_they_went_in(
    *, contents: list[bytes], data: st.DataObject, is_identified: bool, is_large: bool
) -> None:
    order = np.array(data.draw(st.permutations(range(len(contents)))), np.intp)
    ends = np.cumsum([len(content) for content in contents], dtype=np.int64)
    starts = ends - np.array([len(content) for content in contents], np.int64)
    definition = data.draw(st.lists(st.integers(0, 6), min_size=len(contents), max_size=len(contents)))
    generated = data.draw(
        st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=len(contents), max_size=len(contents))
    )
    batch = PacketBatch(
        buffer=b"".join(contents) + b"after",
        starts=starts,
        ends=ends,
        received=np.arange(len(contents)),
        generated=numbers(generated, "i8"),
        interface="fep",
        target="FIREFLY" if is_identified else None,
        dictionary_hash=HASH if is_identified else None,
        definition=np.array(definition, np.int32) if is_identified else None,
    ).select(order)
    schema = PacketSchema(target=batch.target, dictionary_hash=batch.dictionary_hash, packet_count=7, is_large=is_large)
    message = schema.to_message(batch)
    again = schema.from_message(message)
    assert list(again) == [contents[index] for index in order]
    assert again.received.tolist() == order.tolist()
    assert again.generated.to_list() == [generated[index] for index in order]
    assert (again.interface, again.origin, again.target) == ("fep", "realtime", batch.target)
    table = pa.ipc.open_stream(schema.schema_message() + message + END_OF_STREAM).read_all()
    table.validate(full=True)
    assert table.column("packet").to_pylist() == list(batch)
    assert table.field("packet").type == (pa.large_binary() if is_large else pa.binary())
    if is_identified:
        assert again.definition is not None
        assert again.definition.tolist() == [definition[index] for index in order]
        assert table.column("definition").to_pylist() == again.definition.tolist()


@given(st.data())
def test_damaged_packets_are_refused_or_read_within_their_bounds(data: st.DataObject) -> None:
    batch = PacketBatch(buffer=b"abcdef", starts=np.array([0, 3]), ends=np.array([3, 6]), received=np.array([1, 2]))
    schema = PacketSchema.of(batch)
    message = damaged(data, schema.to_message(batch))
    with contextlib.suppress(MessageError):
        read_wholly(schema.from_message(message))


@given(packet=packets(), values=VALUES, with_limits=st.booleans())
def test_every_definition_has_a_schema_that_pyarrow_reads(*, packet: Packet, values: str, with_limits: bool) -> None:
    schema = TelemetrySchema(
        target="FIREFLY", packet=packet, dictionary_hash=HASH, values=values, with_limits=with_limits
    )
    sink = io.BytesIO()
    ArrowStream(sink, schema).close()
    table = pa.ipc.open_stream(sink.getvalue()).read_all()
    assert len(set(table.column_names)) == len(table.column_names)
    assert len(table) == 0
    assert set(packet.items_by_name) - {item.name for item in packet.derived} <= set(table.column_names)
