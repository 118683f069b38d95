"""Every kernel converts as the reference does: every bit of every engineering value, what has none, what is counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.kernel import reference
from c2kit.kernel.decommutation import Decommutated, Decommutation
from tests.guarded import SIDES, needs_guards, with_guards
from tests.kernels import OTHERS
from tests.property.definitions import packets
from tests.property.layouts import Batch, assert_same_columns, batches, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.kernel.contract import Buffer, Column, Kernel
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
