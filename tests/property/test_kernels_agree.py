"""The NumPy kernel is held to the reference: every bit of every column, and every refusal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.errors import UsageError
from c2kit.kernel import columns, reference
from c2kit.kernel.layout import Layout
from tests.property.layouts import Batch, assert_same_columns, batches, layouts, random_bytes


@given(st.data())
def test_columns_are_what_the_reference_decodes(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    batch = data.draw(batches(layout))
    found = columns.decode(layout, batch.buffer, batch.starts, batch.ends)
    assert_same_columns(found, reference.decode(layout, batch.buffer, batch.starts, batch.ends))


@given(st.data())
def test_a_packet_cut_at_every_byte_decodes_the_same(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    packet = data.draw(random_bytes(min(layout.fixed_bits // 8, 100) + 12))
    batch = Batch.of(packet + b"\xff" * 9, [(0, size) for size in range(len(packet) + 1)])
    found = columns.decode(layout, batch.buffer, batch.starts, batch.ends)
    assert_same_columns(found, reference.decode(layout, batch.buffer, batch.starts, batch.ends))
