"""Bodies whose metadata does not say what they hold, which a message from a link or disk may have."""

from __future__ import annotations

import numpy as np
import pytest

from c2kit.batches import Column
from c2kit.batches.arrow.body import BodyReader, BodyWriter
from c2kit.batches.arrow.columns import ArrowColumn, ArrowType, Role
from c2kit.batches.arrow.message import RecordBatch
from c2kit.errors import MessageError, UsageError
from tests.batch_making import lists, numbers

U2 = np.dtype("<u2")
NUMBER = ArrowColumn("X", Role.VALUE, ArrowType(U2), "X")
ALWAYS = ArrowColumn("X", Role.VALUE, ArrowType(U2), "X", is_nullable=False)
LIST = ArrowColumn("X", Role.VALUE, ArrowType(U2, is_list=True), "X")
BYTES = ArrowColumn("X", Role.VALUE, ArrowType(None), "X")
PAIR = ArrowColumn("X", Role.VALUE, ArrowType(U2, shape=(2,)), "X")
BOOLEAN = ArrowColumn("X", Role.VALUE, ArrowType(np.dtype(np.bool_)), "X")


def read(spec: ArrowColumn, nodes: list[tuple[int, int]], buffers: list[bytes], rows: int = 2) -> Column:
    """Read one column of a body whose metadata is as given, with bytes that are no column's after each buffer."""
    places, body = [], b""
    for buffer in buffers:
        places.append((len(body), len(buffer)))
        body += buffer + b"\xee" * (8 - len(buffer) % 8)
    batch = RecordBatch(
        rows,
        np.array(nodes, np.int64).reshape(-1, 2),
        np.array(places, np.int64).reshape(-1, 2),
        memoryview(body),
        {},
    )
    reader = BodyReader(batch)
    column = reader.take(spec)
    reader.finish()
    return column


def offsets(*numbers: int) -> bytes:
    return np.array(numbers, "<i4").tobytes()


def values(*numbers: int) -> bytes:
    return np.array(numbers, "<u2").tobytes()


def test_good_bodies_are_read() -> None:
    assert read(NUMBER, [(2, 0)], [b"", values(1, 2)]).to_list() == [1, 2]
    assert read(NUMBER, [(2, 1)], [b"\x02", values(0, 2)]).to_list() == [None, 2]
    assert read(LIST, [(2, 0), (3, 0)], [b"", offsets(0, 1, 3), b"", values(1, 2, 3)]).to_list() == [[1], [2, 3]]
    assert read(PAIR, [(2, 0), (4, 0)], [b"", b"", values(1, 2, 3, 4)]).to_list() == [[1, 2], [3, 4]]
    assert read(BYTES, [(2, 0)], [b"", offsets(0, 1, 3), b"abc"]).to_list() == [b"a", b"bc"]
    assert read(BYTES, [(2, 0)], [b"", offsets(1, 2, 3), b"abc"]).to_list() == [b"b", b"c"]
    assert read(BOOLEAN, [(2, 0)], [b"", b"\xfe"]).to_list() == [False, True]


def test_without_rows_no_offset_is_needed() -> None:
    assert read(BYTES, [(0, 0)], [b"", b"", b""], rows=0).to_list() == []
    assert read(LIST, [(0, 0), (0, 0)], [b"", b"", b"", b""], rows=0).to_list() == []


@pytest.mark.parametrize(
    ("spec", "nodes", "buffers", "complaint"),
    [
        (NUMBER, [], [b"", values(1, 2)], "the message has no column X"),
        (NUMBER, [(2, 0)], [b""], "no bytes for column X"),
        (NUMBER, [(3, 0)], [b"", values(1, 2, 3)], "expected 2 rows, found 3 rows, 0 without a value"),
        (NUMBER, [(2, 3)], [b"\0", values(1, 2)], "found 2 rows, 3 without a value"),
        (NUMBER, [(2, -1)], [b"\0", values(1, 2)], "found 2 rows, -1 without a value"),
        (ALWAYS, [(2, 1)], [b"\x01", values(1, 2)], "expected 2 rows, all with a value"),
        (NUMBER, [(2, 1)], [b"\x03", values(1, 2)], "expected 1 rows without a value, found 0"),
        (NUMBER, [(2, 1)], [b"", values(1, 2)], "expected 1 elements of uint8, found 0 bytes"),
        (NUMBER, [(2, 0)], [b"", values(1)], "expected 2 elements of uint16, found 2 bytes"),
        (BOOLEAN, [(2, 0)], [b"", b""], "expected 1 elements of uint8, found 0 bytes"),
        (PAIR, [(2, 0), (3, 0)], [b"", b"", values(1, 2, 3, 4)], "expected 4 elements, found 3 elements"),
        (PAIR, [(2, 0), (4, 1)], [b"", b"\x07", values(1, 2, 3, 4)], "4 elements, 1 without a value"),
        (LIST, [(2, 0), (2, 0)], [b"", offsets(0, 1, 3), b"", values(1, 2, 3)], "expected 3 elements, found 2"),
        (LIST, [(2, 0), (3, 0)], [b"", offsets(0, 1, 3), b"", values(1, 2)], "expected 3 elements of uint16"),
        (BYTES, [(2, 0)], [b"", offsets(0, 1), b"abc"], "expected 3 elements of int32, found 8 bytes"),
        (BYTES, [(2, 0)], [b"", offsets(0, 2, 1), b"abc"], "offsets from 0 that never fall"),
        (BYTES, [(2, 0)], [b"", offsets(-1, 0, 1), b"abc"], "offsets from 0 that never fall"),
        (BYTES, [(2, 0)], [b"", offsets(0, 1, 4), b"abc"], "expected 4 elements of uint8, found 3 bytes"),
        (BYTES, [(2, 0)], [b"", offsets(0, 1, 3), b"abc", b""], "more columns than its schema"),
    ],
)
def test_bodies_that_do_not_hold_what_is_said_of_them_are_refused(
    spec: ArrowColumn, nodes: list[tuple[int, int]], buffers: list[bytes], complaint: str
) -> None:
    with pytest.raises(MessageError, match=complaint):
        read(spec, nodes, buffers)


@pytest.mark.parametrize("place", [(-8, 4), (0, -4), (8, 4), (2**62, 4), (0, 2**62)])
def test_buffers_outside_the_body_are_refused(place: tuple[int, int]) -> None:
    batch = RecordBatch(2, np.array([(2, 0)]), np.array([(0, 0), place]), memoryview(bytes(8)), {})
    with pytest.raises(MessageError, match=f"expected bytes 0 to 8 of the body, found {place[1]} bytes at {place[0]}"):
        BodyReader(batch).take(NUMBER)


def test_a_column_that_must_have_values_is_not_written_without() -> None:
    with pytest.raises(UsageError, match="rows without a value"):
        BodyWriter(2).put(ALWAYS, numbers([1, None], "u2"))


def test_a_column_with_more_elements_than_its_offsets_can_count_is_not_written() -> None:
    endless = Column(np.zeros(0, np.uint16), offsets=np.array([0, 2**31]))
    with pytest.raises(UsageError, match="split the batch"):
        BodyWriter(1).put(LIST, endless)
    with pytest.raises(UsageError, match="split the batch"):
        BodyWriter(1).put(BYTES, Column(np.zeros(0, np.uint8), offsets=endless.offsets, is_bytes=True))


def test_large_columns_are_written_whether_or_not_they_lie_in_one_piece() -> None:
    array = np.arange(20_000, dtype=np.uint16)
    for part in (array, array[::2], array[::-1]):
        writer = BodyWriter(len(part))
        writer.put(NUMBER, Column(part))
        assert b"".join(writer.parts)[: 2 * len(part)] == part.tobytes()
        assert writer.size_bytes == len(b"".join(writer.parts))


def test_lists_that_begin_later_are_written_from_their_beginning() -> None:
    whole = lists([[1], [2, 3], [4]], "u2")
    assert whole.offsets is not None
    writer = BodyWriter(2)
    writer.put(LIST, Column(whole.values, offsets=whole.offsets[1:]))
    assert writer.nodes == [2, 0, 3, 0]
    assert b"".join(writer.parts) == offsets(0, 2, 3) + bytes(4) + values(2, 3, 4) + bytes(2)
