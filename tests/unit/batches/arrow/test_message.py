"""The bytes of a message, by pyarrow's judgement, and foreign schemas."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from c2kit.batches.arrow.foreign import read_schema
from c2kit.batches.arrow.message import (
    custom_metadata,
    read_header,
    read_prefix,
    read_record_batch,
    record_batch_message,
)
from c2kit.errors import MessageError


def message_of(rows: int, facts: dict[str, str]) -> bytes:
    """A message of one column of ``rows`` int64."""
    body = np.arange(rows, dtype="<i8").tobytes()
    return record_batch_message(rows, [rows, 0], [0, 0, 0, len(body)], [body], len(body), custom_metadata(facts))


@pytest.mark.parametrize("rows", [0, 1, 2, 31, 32, 33])
@pytest.mark.parametrize("facts", [{}, {"a": "b"}, {"interface": "", "origin": "übung", "x" * 100: "y" * 1000}])
def test_pyarrow_reads_a_message_and_its_facts(rows: int, facts: dict[str, str]) -> None:
    schema = pa.schema([("x", pa.int64())])
    message = pa.ipc.read_message(message_of(rows, facts))
    assert message.type == "record batch"
    batch = pa.ipc.read_record_batch(message, schema)
    batch.validate(full=True)
    assert batch.column("x").to_pylist() == list(range(rows))
    reader = pa.ipc.open_stream(schema.serialize().to_pybytes() + message_of(rows, facts))
    _, read = reader.read_next_batch_with_custom_metadata()
    assert dict(read or {}) == {key.encode(): value.encode() for key, value in facts.items()}


def test_a_message_is_taken_apart_as_it_was_put_together() -> None:
    parts = read_record_batch(message_of(3, {"a": "é"}))
    assert parts.rows == 3
    assert parts.nodes.tolist() == [[3, 0]]
    assert parts.buffers.tolist() == [[0, 0], [0, 24]]
    assert bytes(parts.body) == struct.pack("<3q", 0, 1, 2)
    assert parts.custom == {"a": "é"}


@pytest.mark.parametrize(
    ("prefix", "complaint"),
    [
        (b"\xff\xff\xff\xff\x08\0\0", "ends in its first 8 bytes"),
        (b"ARROW1\0\0", "no Arrow message, expected ffffffff, found 4152524f"),
        (b"\xff\xff\xff\xff\x07\0\0\0", "no metadata has this size"),
        (b"\xff\xff\xff\xff\xf8\xff\xff\xff", "no metadata has this size"),
    ],
)
def test_a_beginning_that_cannot_be_is_refused(prefix: bytes, complaint: str) -> None:
    with pytest.raises(MessageError, match=complaint):
        read_prefix(prefix)


# Where the parts of our own metadata stand, counted from the first byte of the message.
VERSION, HEADER, BODY_BYTES, RECORD_BATCH_VTABLE, ROWS = 48, 40, 32, 52, 72


@pytest.mark.parametrize(
    ("place", "form", "number", "complaint"),
    [
        (VERSION, "<h", 2, "no Arrow version that is known here, expected 4 or 5, found 3"),
        (VERSION, "<h", -1, "no Arrow version"),
        (BODY_BYTES, "<q", -1, "a body of -1 bytes"),
        (BODY_BYTES, "<q", 16, "the body has another size than it says, expected 16, found 24"),
        (HEADER, "<I", 2**31, "the metadata of the message is damaged"),
        (8, "<I", 2**32 - 1, "the metadata of the message is damaged"),
        (28, "<i", 2**30, "the metadata of the message is damaged"),
        (28, "<i", -(2**30), "the metadata of the message is damaged"),
        (ROWS, "<q", -3, "no batch has this number of rows"),
        (ROWS + 12, "<I", 2**20, "the metadata of the message is damaged"),
    ],
)
def test_numbers_that_cannot_be_are_refused(place: int, form: str, number: int, complaint: str) -> None:
    message = bytearray(message_of(3, {"a": "b"}))
    struct.pack_into(form, message, place, number)
    with pytest.raises(MessageError, match=complaint):
        read_record_batch(message)


def test_a_message_without_a_header_is_refused() -> None:
    message = bytearray(message_of(3, {}))
    header_slot = 8 + 4 + 4 + 2 * 2
    struct.pack_into("<H", message, header_slot, 0)
    with pytest.raises(MessageError, match="is damaged"):
        read_record_batch(message)


def test_many_references_to_one_text_do_not_become_much_work() -> None:
    with pytest.raises(MessageError, match="1001 tables, more than 1000"):
        read_record_batch(message_of(1, {str(number): "" for number in range(1001)}))


def test_a_schema_has_a_header_of_its_own() -> None:
    message = pa.schema([("x", pa.int64())]).serialize().to_pybytes()
    header = read_header(memoryview(message)[8:])
    assert header.is_schema
    assert not header.is_record_batch


@pytest.mark.parametrize(
    ("arrow_type", "expected"),
    [
        (pa.uint8(), ("C",)),
        (pa.int8(), ("c",)),
        (pa.uint16(), ("S",)),
        (pa.int16(), ("s",)),
        (pa.uint32(), ("I",)),
        (pa.int32(), ("i",)),
        (pa.uint64(), ("L",)),
        (pa.int64(), ("l",)),
        (pa.float32(), ("f",)),
        (pa.float64(), ("g",)),
        (pa.bool_(), ("b",)),
        (pa.binary(), ("z",)),
        (pa.utf8(), ("u",)),
        (pa.large_binary(), ("Z",)),
        (pa.timestamp("ns", "UTC"), ("tsn:UTC",)),
        (pa.timestamp("s"), ("tss:",)),
        (pa.list_(pa.uint16()), ("+l", "S")),
        (pa.list_(pa.list_(pa.bool_(), 3), 0), ("+w:0", "+w:3", "b")),
        (pa.float16(), ("?",)),
        (pa.decimal128(5), ("?",)),
        (pa.large_utf8(), ("?",)),
        (pa.list_(pa.date32()), ("+l", "?")),
        (pa.struct([("x", pa.int8())]), ("?",)),
        (pa.dictionary(pa.int8(), pa.utf8()), ("?",)),
    ],
)
def test_foreign_types_are_told_in_letters(arrow_type: pa.DataType, expected: tuple[str, ...]) -> None:
    schema = pa.schema([pa.field("ä", arrow_type), pa.field("", pa.int8())], metadata={"key": "wert"})
    found = read_schema(schema.serialize().to_pybytes())
    assert found.columns == (("ä", expected), ("", ("c",)))
    assert found.metadata == {"key": "wert"}


def test_a_batch_is_no_schema() -> None:
    with pytest.raises(MessageError, match="no schema"):
        read_schema(message_of(1, {}))


def test_a_big_endian_schema_is_refused() -> None:
    message = bytearray(pa.schema([("x", pa.int64())]).serialize().to_pybytes())
    # pyarrow leaves endianness out where it is little: make the slot of the fields' vector claim to be it.
    position = read_header(memoryview(message)[8:]).position + 8
    vtable = position - struct.unpack_from("<i", message, position)[0]
    endianness, columns = struct.unpack_from("<2H", message, vtable + 4)
    struct.pack_into("<2H", message, vtable + 4, columns, endianness)
    with pytest.raises(MessageError, match="big-endian"):
        read_schema(bytes(message))


def test_lists_without_a_single_element_are_told_apart() -> None:
    deep: Any = pa.int8()
    for _ in range(50):
        deep = pa.list_(deep)
    message = pa.schema([("x", deep)]).serialize().to_pybytes()
    ((_, letters),) = read_schema(message).columns
    assert set(letters) == {"+l"}
    assert len(letters) == 40


def test_a_list_with_no_child_is_no_type_that_is_known() -> None:
    message = bytearray(pa.schema([("x", pa.list_(pa.int8()))]).serialize().to_pybytes())
    children = message.index(b"item") - 4
    view = memoryview(message)
    # The vector of children is the one whose only element leads to the field called item: make it empty.
    for place in range(8, children, 4):
        if struct.unpack_from("<I", view, place)[0] == 1:
            damaged = bytearray(message)
            struct.pack_into("<I", damaged, place, 0)
            try:
                columns = read_schema(bytes(damaged)).columns
            except MessageError:
                continue
            if columns == (("x", ("?",)),):
                return
    pytest.fail("no vector of one child was found")
