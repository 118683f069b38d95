"""Streams in memory and in files."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from attrs import evolve

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.arrow import END_OF_STREAM, ArrowStream, PacketSchema, TelemetrySchema, read_stream
from c2kit.errors import MessageError, UsageError
from c2kit.model.conversions import Polynomial
from c2kit.model.packets import Item, Packet
from c2kit.model.target import Target
from tests.batch_making import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

HEALTH = Packet(name="HEALTH", items=(Item(name="VOLTAGE", conversion=Polynomial((0.0, 2.0))),))
ORBIT = Packet(name="ORBIT", items=(Item(name="ALTITUDE", bit_length=16),))
FIREFLY = Target(name="FIREFLY", packets=(HEALTH, ORBIT))


def health(*voltages: int) -> TelemetryBatch:
    return TelemetryBatch(
        target="FIREFLY",
        packet=HEALTH,
        dictionary_hash=FIREFLY.hash,
        received=np.arange(len(voltages)),
        generated=numbers(voltages, "i8"),
        raw={"VOLTAGE": numbers(voltages, "u1")},
        engineering={"VOLTAGE": numbers([2.0 * voltage for voltage in voltages], "f8")},
    )


def orbit(*altitudes: int) -> TelemetryBatch:
    return TelemetryBatch(
        target="FIREFLY",
        packet=ORBIT,
        dictionary_hash=FIREFLY.hash,
        received=np.arange(len(altitudes)),
        generated=numbers(altitudes, "i8"),
        raw={"ALTITUDE": numbers(altitudes, "u2")},
    )


def packets(*contents: bytes, definition: list[int] | None = None) -> PacketBatch:
    ends = np.cumsum([len(content) for content in contents], dtype=np.int64)
    return PacketBatch(
        buffer=b"".join(contents),
        starts=np.concatenate(([0], ends[:-1])),
        ends=ends,
        received=np.arange(len(contents)),
        target=None if definition is None else "FIREFLY",
        dictionary_hash=None if definition is None else FIREFLY.hash,
        definition=None if definition is None else np.array(definition, np.int32),
    )


def stream_of(*batches: TelemetryBatch, values: str = "both", with_limits: bool = False) -> bytes:
    sink = io.BytesIO()
    with ArrowStream(sink, TelemetrySchema.of(batches[0], values=values, with_limits=with_limits)) as stream:
        for batch in batches:
            stream.write(batch)
    return sink.getvalue()


def packet_stream(batch: PacketBatch) -> bytes:
    sink = io.BytesIO()
    with ArrowStream(sink, PacketSchema.of(batch)) as stream:
        stream.write(batch)
    return sink.getvalue()


def telemetry(batches: Iterable[TelemetryBatch | PacketBatch]) -> list[TelemetryBatch]:
    found = list(batches)
    assert all(isinstance(batch, TelemetryBatch) for batch in found)
    return [batch for batch in found if isinstance(batch, TelemetryBatch)]


def altered(stream: bytes, metadata: dict[str, str | None]) -> bytes:
    """The stream with other facts in its schema, as another tool would write it; ``None`` leaves one out."""
    table = pa.ipc.open_stream(stream).read_all()
    ours = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    facts = {key: value for key, value in (ours | metadata).items() if value is not None}
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema.with_metadata(facts)) as writer:
        writer.write_table(table)
    return sink.getvalue()


class Trickle(io.BytesIO):
    """A file that gives a byte or two at a time, as a pipe may."""

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0
        return super().read(min(size, 2))


def test_all_batches_come_back_from_memory_and_from_files() -> None:
    stream = stream_of(health(1, 2), health(), health(3))
    for source in (stream, bytearray(stream), memoryview(stream), io.BytesIO(stream), Trickle(stream)):
        batches = telemetry(read_stream(source, [FIREFLY]))
        assert [batch.raw["VOLTAGE"].to_list() for batch in batches] == [[1, 2], [], [3]]
        assert [batch["VOLTAGE"].to_list() for batch in batches] == [[2.0, 4.0], [], [6.0]]
        assert batches[0].packet is HEALTH
        assert (batches[0].target, batches[0].dictionary_hash) == ("FIREFLY", FIREFLY.hash)


def test_batches_in_memory_are_not_copied() -> None:
    stream = stream_of(health(1, 2))
    (batch,) = telemetry(read_stream(stream, [FIREFLY]))
    assert np.shares_memory(batch.raw["VOLTAGE"].values, np.frombuffer(stream, np.uint8))


@pytest.mark.parametrize("values", ["raw", "engineering", "both"])
def test_a_stream_tells_which_values_it_has(values: str) -> None:
    (batch,) = telemetry(read_stream(stream_of(health(1), values=values, with_limits=True), [FIREFLY]))
    assert list(batch.raw) == ([] if values == "engineering" else ["VOLTAGE"])
    assert list(batch.engineering) == ([] if values == "raw" else ["VOLTAGE"])


def test_a_stream_tells_which_items_it_has() -> None:
    packet = Packet(name="HEALTH", items=tuple(Item(name=name) for name in "ABC"))
    target = Target(name="FIREFLY", packets=(packet,))
    batch = evolve(
        health(1), packet=packet, dictionary_hash=target.hash, raw={name: numbers([7], "u1") for name in "ABC"}
    )
    sink = io.BytesIO()
    schema = TelemetrySchema(target="FIREFLY", packet=packet, dictionary_hash=target.hash, items=("C", "A"))
    with ArrowStream(sink, schema) as stream:
        stream.write(batch)
    (again,) = telemetry(read_stream(sink.getvalue(), [target]))
    assert list(again.raw) == ["C", "A"]


def test_a_stream_without_batches_is_an_empty_table() -> None:
    sink = io.BytesIO()
    ArrowStream(sink, TelemetrySchema.of(health())).close()
    assert pa.ipc.open_stream(sink.getvalue()).read_all().column_names[2:] == ["VOLTAGE", "VOLTAGE.raw"]
    assert list(read_stream(sink.getvalue(), [FIREFLY])) == []
    assert list(read_stream(b"", [FIREFLY])) == []


def test_a_stream_ends_once_and_takes_nothing_more() -> None:
    sink = io.BytesIO()
    stream = ArrowStream(sink, TelemetrySchema.of(health()))
    stream.close()
    stream.close()
    assert sink.getvalue().count(END_OF_STREAM) == 1
    with pytest.raises(UsageError, match="the Arrow stream has ended"):
        stream.write(health(1))


def test_a_stream_that_an_error_cut_off_is_left_open_and_still_read() -> None:
    sink = io.BytesIO()

    def fail() -> None:
        with ArrowStream(sink, TelemetrySchema.of(health())) as stream:
            stream.write(health(1))
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - it has no text
        fail()
    assert not sink.getvalue().endswith(END_OF_STREAM)
    assert len(list(read_stream(sink.getvalue(), [FIREFLY]))) == 1


def test_a_batch_of_another_packet_does_not_get_into_the_stream() -> None:
    sink = io.BytesIO()
    stream = ArrowStream(sink, TelemetrySchema.of(health()))
    before = sink.getvalue()
    with pytest.raises(UsageError, match="of another definition"):
        stream.write(orbit(1))
    assert sink.getvalue() == before


def test_streams_may_follow_each_other_in_one_file() -> None:
    file = stream_of(health(1)) + stream_of(orbit(500)) + packet_stream(packets(b"ab", b"c"))
    for source in (file, io.BytesIO(file)):
        first, second, third = read_stream(source, [FIREFLY])
        assert isinstance(first, TelemetryBatch)
        assert first["VOLTAGE"].to_list() == [2.0]
        assert isinstance(second, TelemetryBatch)
        assert second["ALTITUDE"].to_list() == [500]
        assert list(third) == [b"ab", b"c"]


def test_packets_come_back_with_their_definitions() -> None:
    (again,) = read_stream(packet_stream(packets(b"ab", b"c", definition=[1, 0])), [FIREFLY])
    assert isinstance(again, PacketBatch)
    assert list(again) == [b"ab", b"c"]
    assert again.definition is not None
    assert again.definition.tolist() == [1, 0]
    assert (again.target, again.dictionary_hash) == ("FIREFLY", FIREFLY.hash)


@pytest.mark.parametrize("index", [-1, 2])
def test_packets_of_a_definition_that_the_target_has_not_are_refused(index: int) -> None:
    stream = packet_stream(packets(b"ab", b"c", definition=[0, index]))
    with pytest.raises(MessageError, match="expected 0 to 1"):
        list(read_stream(stream, [FIREFLY]))


def test_what_came_whole_is_given_before_a_cut_is_complained_of() -> None:
    stream = stream_of(health(1), health(2))
    last = len(stream) - len(END_OF_STREAM)
    for source in (stream[: last - 1], io.BytesIO(stream[: last - 1])):
        batches = read_stream(source, [FIREFLY])
        assert next(batches).received.tolist() == [0]
        with pytest.raises(MessageError):
            next(batches)


def test_every_cut_is_either_between_messages_or_complained_of() -> None:
    stream = stream_of(health(1), health(2))
    schema = TelemetrySchema.of(health())
    ends = np.cumsum([0, len(schema.schema_message()), *(len(schema.to_message(health(1))) for _ in range(2)), 8])
    batches_until = dict(zip(ends.tolist(), (0, 0, 1, 2, 2), strict=True))
    for cut in range(len(stream) + 1):
        if cut in batches_until:
            assert len(list(read_stream(stream[:cut], [FIREFLY]))) == batches_until[cut]
        else:
            with pytest.raises(MessageError):
                list(read_stream(stream[:cut], [FIREFLY]))


def test_streams_that_pyarrow_wrote_again_are_read() -> None:
    batches = telemetry(read_stream(altered(stream_of(health(1), health(2)), {"mine": "too"}), [FIREFLY]))
    assert [batch["VOLTAGE"].to_list() for batch in batches] == [[2.0], [4.0]]


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ({"c2kit.format": "2"}, "expected format 1"),
        ({"c2kit.format": None}, "was not written by this c2kit"),
        ({"c2kit.kind": None}, "metadata of the stream's schema is damaged"),
        ({"c2kit.packet": "NOTHING"}, "metadata of the stream's schema is damaged"),
        ({"c2kit.values": "most"}, "metadata of the stream's schema is damaged"),
        ({"c2kit.values": "raw"}, "other columns than its definition"),
        ({"c2kit.limits": None}, "metadata of the stream's schema is damaged"),
        ({"c2kit.kind": "packets"}, "metadata of the stream's schema is damaged"),
        ({"c2kit.kind": "packets", "c2kit.large": "no"}, "other columns than its definition"),
        ({"c2kit.items": "["}, "expected a JSON list of names"),
        ({"c2kit.items": "[1]"}, "expected a JSON list of names"),
        ({"c2kit.items": '["NOTHING"]'}, "metadata of the stream's schema is damaged"),
        ({"c2kit.items": "[]"}, "other columns than its definition"),
        ({"c2kit.target": "OTHER"}, "of definitions that are not here, expected OTHER"),
        ({"c2kit.dictionary": "0" * 64}, "give the dictionary that the stream was written with"),
    ],
)
def test_a_schema_that_is_not_ours_or_not_known_is_refused(metadata: dict[str, str | None], complaint: str) -> None:
    with pytest.raises(MessageError, match=complaint):
        list(read_stream(altered(stream_of(health(1)), metadata), [FIREFLY]))


def test_a_batch_before_its_schema_is_refused() -> None:
    message = TelemetrySchema.of(health()).to_message(health(1))
    with pytest.raises(MessageError, match="before the schema of its stream"):
        list(read_stream(message, [FIREFLY]))
    with pytest.raises(MessageError, match="before the schema of its stream"):
        list(read_stream(stream_of(health(1)) + message, [FIREFLY]))


def test_a_size_that_cannot_be_takes_no_memory() -> None:
    claims = bytes.fromhex("ffffffff f8ffff7f") + bytes(100)
    tracemalloc.start()
    try:
        with pytest.raises(MessageError, match="the stream ends in a message"):
            list(read_stream(io.BytesIO(claims), [FIREFLY]))
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
