"""Batches of packets as messages."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from attrs import evolve

from c2kit.batches import PacketBatch
from c2kit.batches.arrow import PacketSchema
from c2kit.errors import MessageError, UsageError
from tests.batch_making import HASH

BUFFER = b"..one.two.three"
BATCH = PacketBatch(
    buffer=BUFFER,
    starts=np.array([10, 2, 6, 9]),
    ends=np.array([15, 5, 9, 9]),
    received=np.array([1, 2, 3, 4]),
    interface="fep",
    origin="replay:7",
)
IDENTIFIED = evolve(BATCH, target="FIREFLY", dictionary_hash=HASH, definition=np.array([0, 1, 0, 1], np.int32))


def test_packets_that_lie_anywhere_come_back_in_order_and_back_to_back() -> None:
    schema = PacketSchema.of(BATCH)
    again = schema.from_message(schema.to_message(BATCH))
    assert list(again) == [b"three", b"one", b"two", b""]
    assert again.starts.tolist() == [0, 5, 8, 11]
    assert again.ends.tolist() == [5, 8, 11, 11]
    assert bytes(again.buffer) == b"threeonetwo"
    assert again.generated.to_list() == [None] * 4
    assert (again.interface, again.origin, again.target, again.definition) == ("fep", "replay:7", None, None)


def test_the_buffer_is_a_view_of_the_message_that_cannot_be_written_to() -> None:
    schema = PacketSchema.of(BATCH)
    message = bytearray(schema.to_message(BATCH))
    again = schema.from_message(message)
    assert np.shares_memory(np.frombuffer(again.buffer, np.uint8), np.frombuffer(message, np.uint8))
    assert memoryview(again.buffer).readonly


@pytest.mark.parametrize("buffer", [bytes(BUFFER), bytearray(BUFFER), memoryview(BUFFER)])
def test_any_buffer_does(buffer: bytes | bytearray | memoryview) -> None:
    batch = evolve(BATCH, buffer=buffer)
    schema = PacketSchema.of(batch)
    assert list(schema.from_message(schema.to_message(batch))) == [b"three", b"one", b"two", b""]


def test_what_the_framing_knows_of_the_packets_travels_with_them() -> None:
    schema = PacketSchema.of(BATCH)
    for known in (True, False):
        message = schema.to_message(evolve(BATCH, space_packets=known))
        assert schema.from_message(message).space_packets is known
        read = pa.ipc.open_stream(schema.schema_message() + message).read_next_batch_with_custom_metadata()
        assert (read.custom_metadata.get(b"c2kit.space_packets") == b"true") is known


def test_a_batch_without_packets_is_a_message_too() -> None:
    empty = BATCH.select(np.zeros(4, np.bool_))
    schema = PacketSchema.of(empty)
    assert list(schema.from_message(schema.to_message(empty))) == []


def test_other_libraries_take_packets_as_they_are() -> None:
    table = pa.table(IDENTIFIED)
    table.validate(full=True)
    assert table.column("packet").to_pylist() == [b"three", b"one", b"two", b""]
    assert table.column("definition").to_pylist() == [0, 1, 0, 1]


def test_only_batches_of_2_gib_and_more_have_wide_offsets() -> None:
    # The same GiB, twice over: packets may overlap, so that no memory is needed.
    zeros = np.zeros(2**30, np.uint8).data
    starts, ends = np.array([0, 0]), np.array([2**30, 2**30])
    large = PacketBatch(buffer=zeros, starts=starts, ends=ends, received=np.array([1, 2]))
    assert PacketSchema.of(large).is_large
    assert not PacketSchema.of(evolve(large, ends=ends - 1)).is_large


def test_packets_that_nobody_identified_are_not_written_as_if_somebody_had() -> None:
    schema = PacketSchema(target="FIREFLY", dictionary_hash=HASH)
    with pytest.raises(UsageError, match="of other definitions than the schema"):
        schema.to_message(BATCH)
    with pytest.raises(UsageError, match="identify it first"):
        schema.to_message(evolve(IDENTIFIED, definition=None))


def test_negative_indices_are_refused_though_python_would_take_them() -> None:
    batch = evolve(IDENTIFIED, definition=np.array([0, 1, 0, -1], np.int32))
    schema = PacketSchema.of(batch)
    with pytest.raises(MessageError, match="the target does not define such packets"):
        schema.from_message(schema.to_message(batch))
