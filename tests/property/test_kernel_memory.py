"""No kernel reads a byte that is not a packet's, wherever the bytes lie in memory."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from c2kit.kernel import reference
from c2kit.kernel.contract import LengthRule
from c2kit.model.crc import CATALOGUE
from tests.guarded import SIDES, needs_guards, with_guards
from tests.kernels import OTHERS
from tests.property.layouts import Batch, assert_same_columns, batches, layouts, plain_layouts, random_bytes

if TYPE_CHECKING:
    from c2kit.kernel.layout import Layout
    from tests.guarded import Side

pytestmark = needs_guards

RULES = [LengthRule(32, 16, adjustment_bytes=7), LengthRule(3, 13), LengthRule(7, 64), LengthRule(5, 9, True)]  # noqa: FBT003


def tight(data: st.DataObject, layout: Layout) -> Batch:
    """Packets of which one begins with the buffer's first byte and one ends with its last."""
    batch = data.draw(batches(layout).filter(lambda batch: len(batch.starts) > 0))
    first, last = int(batch.starts.min()), int(batch.ends.max())
    return Batch(batch.buffer[first:last], batch.starts - first, batch.ends - first)


def test_a_byte_beyond_the_end_kills_whoever_reads_it() -> None:
    script = """
        import ctypes
        from tests.guarded import with_guards
        with with_guards(b"bytes", "end") as view:
            address = ctypes.addressof(ctypes.c_char.from_buffer(view))
            print(ctypes.string_at(address, 5).decode(), flush=True)
            ctypes.string_at(address, 6)
        """
    lines = "\n".join(line.removeprefix(8 * " ") for line in script.splitlines())
    killed = subprocess.run([sys.executable, "-c", lines], check=False, capture_output=True, text=True)
    assert killed.stdout.split() == ["bytes"]
    assert killed.returncode < 0


@SIDES
@given(st.data())
def test_packets_beside_memory_that_must_not_be_read_decode_the_same(side: Side, data: st.DataObject) -> None:
    layout = data.draw(layouts())
    batch = tight(data, layout)
    expected = reference.decode(layout, batch.buffer, batch.starts, batch.ends)
    with with_guards(batch.buffer, side) as view:
        for kernel in OTHERS.values():
            assert_same_columns(kernel.decode(layout, view, batch.starts, batch.ends), expected)


@SIDES
@given(st.data())
def test_one_packet_beside_memory_that_must_not_be_read_has_the_same_values(side: Side, data: st.DataObject) -> None:
    layout = data.draw(st.one_of(plain_layouts(), layouts()))
    whole = -(-layout.fixed_bits // 8)
    packet = data.draw(random_bytes(max(whole + data.draw(st.integers(-1, 1)), 0)))
    expected = reference.codec(layout).values(packet)
    with with_guards(packet, side) as view:
        for kernel in OTHERS.values():
            assert repr(kernel.codec(layout).values(view)) == repr(expected)
            assert repr(tuple(kernel.codec(layout).record(view).values())) == repr(expected)


@SIDES
@given(buffer=st.binary(max_size=40), rule=st.sampled_from(RULES))
def test_packets_beside_memory_that_must_not_be_read_are_split_the_same(
    side: Side, buffer: bytes, rule: LengthRule
) -> None:
    expected = reference.split(buffer, rule)
    with with_guards(buffer, side) as view:
        for kernel in OTHERS.values():
            found = kernel.split(view, rule)
            assert found.starts.tolist() == expected.starts.tolist()
            assert found.next_byte == expected.next_byte
            assert kernel.seek_length(view, rule, 0) == reference.seek_length(buffer, rule, 0)


@SIDES
@given(packets=st.lists(st.binary(max_size=20), min_size=1, max_size=4), name=st.sampled_from(list(CATALOGUE)))
def test_packets_beside_memory_that_must_not_be_read_have_the_same_crc(
    side: Side, packets: list[bytes], name: str
) -> None:
    ends = np.cumsum([len(packet) for packet in packets], dtype=np.int64)
    starts = ends - np.array([len(packet) for packet in packets], np.int64)
    expected = reference.crc(b"".join(packets), starts, ends, CATALOGUE[name])
    with with_guards(b"".join(packets), side) as view:
        for kernel in OTHERS.values():
            assert kernel.crc(view, starts, ends, CATALOGUE[name]).tolist() == expected.tolist()


@given(st.data())
def test_packets_at_every_alignment_decode_the_same(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    batch = tight(data, layout)
    expected = reference.decode(layout, batch.buffer, batch.starts, batch.ends)
    aligned = np.zeros(len(batch.buffer) // 8 + 3, np.int64).view(np.uint8)
    for shift in range(8):
        place = slice(shift, shift + len(batch.buffer))
        aligned[place] = np.frombuffer(batch.buffer, np.uint8)
        for kernel in OTHERS.values():
            found = kernel.decode(layout, aligned.data[place], batch.starts, batch.ends)
            assert_same_columns(found, expected)


@given(st.data())
def test_offsets_may_be_any_views_of_int64(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    batch = data.draw(batches(layout))
    both = np.stack([batch.starts, batch.ends], axis=1)
    shifted = np.zeros(len(batch.starts) * 8 + 1, np.uint8)[1:].view(np.int64)
    shifted[:] = batch.starts
    expected = reference.decode(layout, batch.buffer, batch.starts, batch.ends)
    for kernel in OTHERS.values():
        assert_same_columns(kernel.decode(layout, batch.buffer, both[:, 0], both[:, 1]), expected)
        assert_same_columns(kernel.decode(layout, batch.buffer, shifted, batch.ends), expected)
