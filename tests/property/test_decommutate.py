"""Every kernel converts as the reference does: every bit of every engineering value, what has none, what is counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.ipc as pa_ipc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2kit.batches import TelemetryBatch
from c2kit.batches.arrow import TelemetrySchema
from c2kit.kernel import columns, reference
from c2kit.kernel.contract import Column
from c2kit.kernel.decommutation import Decommutated, Decommutation
from c2kit.kernel.envelope import Envelope
from tests.guarded import SIDES, needs_guards, with_guards
from tests.kernels import OTHERS
from tests.property.definitions import packets
from tests.property.layouts import Batch, assert_same_columns, batches, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.kernel.contract import Buffer, Kernel
    from c2kit.kernel.tally import Tallies
    from c2kit.model.packets import Packet
    from tests.guarded import Side


def decommutated(kernel: Kernel, packet: Packet, batch: Batch, buffer: Buffer | None = None) -> Decommutated:
    plan = Decommutation.of(packet)
    return kernel.decommutate(plan, batch.buffer if buffer is None else buffer, batch.starts, batch.ends)


def assert_same_named(found: Mapping[str, Column], expected: Mapping[str, Column]) -> None:
    assert list(found) == list(expected)
    assert_same_columns(list(found.values()), list(expected.values()))


def assert_same(found: Decommutated, expected: Decommutated) -> None:
    assert_same_named(found.raw, expected.raw)
    assert_same_named(found.engineering, expected.engineering)
    assert found.tallies == expected.tallies
    assert list(found.tallies) == list(expected.tallies)


@given(st.data())
def test_any_bytes_are_converted_the_same(data: st.DataObject) -> None:
    packet = data.draw(packets())
    batch = data.draw(batches(Decommutation.of(packet).layout))
    expected = decommutated(reference, packet, batch)
    for kernel in OTHERS.values():
        assert_same(decommutated(kernel, packet, batch), expected)


@pytest.mark.parametrize("count", [0, 1, 2, 31, 32, 33, 513, 10_000])
@given(st.data())
def test_batches_of_any_size_are_converted_to_what_their_packets_are(count: int, data: st.DataObject) -> None:
    packet = data.draw(packets(most_fields=4))
    few = data.draw(batches(Decommutation.of(packet).layout).filter(lambda batch: len(batch.starts) > 0))
    which = np.random.default_rng(1).integers(0, len(few.starts), count)
    batch = Batch(few.buffer, few.starts[which], few.ends[which])
    expected = decommutated(reference, packet, few)
    counted = [
        decommutated(reference, packet, Batch(few.buffer, few.starts[[number]], few.ends[[number]])).tallies
        for number in range(len(few.starts))
    ]
    wanted: dict[str, Tallies] = defaultdict(Counter)
    for number, times in enumerate(np.bincount(which, minlength=len(few.starts)).tolist()):
        for name, tally in counted[number].items():
            wanted[name].update({key: times * value for key, value in tally.items() if times})
    for kernel in OTHERS.values():
        found = decommutated(kernel, packet, batch)
        assert_same_named(found.raw, {name: taken(column, which) for name, column in expected.raw.items()})
        assert_same_named(
            found.engineering, {name: taken(column, which) for name, column in expected.engineering.items()}
        )
        assert found.tallies == {name: tally for name, tally in wanted.items() if tally}


@needs_guards
@SIDES
@given(st.data())
def test_packets_beside_memory_that_must_not_be_read_are_converted_the_same(side: Side, data: st.DataObject) -> None:
    packet = data.draw(packets())
    batch = data.draw(batches(Decommutation.of(packet).layout).filter(lambda batch: len(batch.starts) > 0))
    expected = decommutated(reference, packet, batch)
    with with_guards(batch.buffer, side) as view:
        for kernel in OTHERS.values():
            assert_same(decommutated(kernel, packet, batch, view), expected)


@st.composite
def envelopes(draw: st.DrawFn, schema: TelemetrySchema, count: int) -> Envelope:
    words = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=count, max_size=count)
    flags = st.lists(st.booleans(), min_size=count, max_size=count)
    valid = draw(st.one_of(st.none(), flags.map(lambda drawn: np.array(drawn, np.bool_))))
    generated = np.array(draw(words), np.int64)
    if valid is not None:
        generated[~valid] = 0
    head = schema.head(draw(st.text(max_size=9)), draw(st.sampled_from(["realtime", "replay:1"])))
    return Envelope(head, np.array(draw(words), np.int64), Column(generated, valid))


def assert_written(
    kernel: Kernel, packet: Packet, batch: Batch, envelope: Envelope, view: Buffer, expected: Decommutated
) -> None:
    """The kernel has written the very batch that its columns make, which another library reads as well."""
    schema = TelemetrySchema(target="T", packet=packet, dictionary_hash="0")
    found = kernel.decommutate(Decommutation.of(packet), view, batch.starts, batch.ends, envelope)
    assert_same_named(found.raw, expected.raw)
    assert_same_named(found.engineering, expected.engineering)
    assert found.tallies == expected.tallies
    assert (found.message is None) == (kernel is not OTHERS.get("compiled") or not len(batch.starts))
    if found.message is None:
        return
    sizes = (batch.ends - batch.starts).tolist()
    assert found.sizes_bytes == (min(sizes), max(sizes))
    told = read(schema, found.message)
    whole = TelemetryBatch(
        target="T",
        packet=packet,
        dictionary_hash="0",
        received=envelope.received,
        generated=envelope.generated,
        raw=expected.raw,
        engineering=expected.engineering,
    )
    assert told.equals(read(schema, schema.to_message(whole)))
    told.validate(full=True)
    back = schema.from_message(found.message)
    assert back.raw.keys() == expected.raw.keys()
    assert_same_named({name: back.raw[name] for name in expected.raw}, expected.raw)
    assert_same_named(back.engineering, expected.engineering)


def read(schema: TelemetrySchema, message: bytes) -> pa.RecordBatch:
    """The batch, as pyarrow sees it; floats as their bits, since what is no number equals nothing."""
    (batch,) = pa_ipc.open_stream(schema.schema_message() + message)
    arrays = [
        column.view(f"int{column.type.bit_width}") if pa.types.is_floating(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names)


@given(st.data())
def test_a_message_is_the_one_that_its_columns_make(data: st.DataObject) -> None:
    packet = data.draw(packets(numbers_only=True))
    batch = data.draw(batches(Decommutation.of(packet).layout))
    schema = TelemetrySchema(target="T", packet=packet, dictionary_hash="0")
    envelope = data.draw(envelopes(schema, len(batch.starts)))
    expected = decommutated(reference, packet, batch)
    for kernel in OTHERS.values():
        assert_written(kernel, packet, batch, envelope, batch.buffer, expected)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 31, 32, 33, 513, 10_000])
@settings(max_examples=20)
@given(st.data())
def test_a_message_of_any_number_of_packets_is_the_one_that_its_columns_make(count: int, data: st.DataObject) -> None:
    packet = data.draw(packets(most_fields=4, numbers_only=True))
    few = data.draw(batches(Decommutation.of(packet).layout).filter(lambda batch: len(batch.starts) > 0))
    which = np.random.default_rng(1).integers(0, len(few.starts), count)
    batch = Batch(few.buffer, few.starts[which], few.ends[which])
    head = TelemetrySchema(target="T", packet=packet, dictionary_hash="0").head("link", "realtime")
    times = np.arange(count)
    is_generated = times % 3 > 0
    envelope = Envelope(head, times, Column(times * is_generated, is_generated))
    expected = decommutated(columns, packet, batch)
    for kernel in OTHERS.values():
        assert_written(kernel, packet, batch, envelope, batch.buffer, expected)


@needs_guards
@SIDES
@given(st.data())
def test_packets_beside_memory_that_must_not_be_read_make_the_same_message(side: Side, data: st.DataObject) -> None:
    packet = data.draw(packets(numbers_only=True))
    batch = data.draw(batches(Decommutation.of(packet).layout).filter(lambda batch: len(batch.starts) > 0))
    schema = TelemetrySchema(target="T", packet=packet, dictionary_hash="0")
    envelope = data.draw(envelopes(schema, len(batch.starts)))
    expected = decommutated(reference, packet, batch)
    with with_guards(batch.buffer, side) as view:
        for kernel in OTHERS.values():
            assert_written(kernel, packet, batch, envelope, view, expected)
