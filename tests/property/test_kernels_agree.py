"""The NumPy kernel is held to the reference: every bit of every column, every packet, and every refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from c2kit.errors import UsageError
from c2kit.kernel import columns, reference
from tests.property.layouts import Batch, assert_same_columns, batches, layouts, packet_values, random_bytes

if TYPE_CHECKING:
    from c2kit.kernel.contract import Kernel
    from c2kit.kernel.layout import Layout
    from tests.property.layouts import Values


def assert_same_decoded(layout: Layout, batch: Batch) -> None:
    found = columns.decode(layout, batch.buffer, batch.starts, batch.ends)
    assert_same_columns(found, reference.decode(layout, batch.buffer, batch.starts, batch.ends))


@given(st.data())
def test_any_bytes_decode_the_same(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    assert_same_decoded(layout, data.draw(batches(layout)))


@given(st.data())
def test_a_packet_cut_at_every_byte_decodes_the_same(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    packet = data.draw(random_bytes(min(layout.fixed_bits // 8, 100) + 12))
    buffer = packet + b"\xff" * 9
    assert_same_decoded(layout, Batch.of(buffer, [(0, size) for size in range(len(packet) + 1)]))


@given(st.data())
def test_whole_and_damaged_packets_among_garbage_decode_the_same(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    pieces: list[bytes] = []
    bounds: list[tuple[int, int]] = []
    for _ in range(data.draw(st.integers(1, 4))):
        try:
            packet = bytearray(reference.encode(*data.draw(packet_values(layout))))
        except UsageError:
            continue
        if packet and data.draw(st.booleans()):
            packet[data.draw(st.integers(0, len(packet) - 1))] ^= data.draw(st.integers(1, 255))
        pieces += [data.draw(st.binary(max_size=2)), bytes(packet)]
        end = sum(map(len, pieces))
        bounds.append((end - len(packet), end - data.draw(st.integers(0, min(len(packet), 1)))))
    buffer = b"".join(pieces) + data.draw(st.binary(max_size=3))
    assert_same_decoded(layout, Batch.of(buffer, data.draw(st.permutations(bounds))))


def encoded(kernel: Kernel, layout: Layout, values: Values) -> bytes | str:
    """The packet, or why there is none."""
    try:
        return kernel.encode(layout, values)
    except UsageError as error:
        return str(error)


def assert_same_encoded(layout: Layout, values: Values) -> None:
    assert encoded(columns, layout, values) == encoded(reference, layout, values)


@given(st.data())
def test_values_encode_to_the_same_packet(data: st.DataObject) -> None:
    assert_same_encoded(*data.draw(layouts().flatmap(packet_values)))


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.binary(max_size=9),
    st.text(max_size=2),
    st.complex_numbers(),
)


@given(st.data())
def test_values_that_may_not_fit_are_refused_the_same(data: st.DataObject) -> None:
    layout, values = data.draw(layouts().flatmap(packet_values))
    names = st.sampled_from([*layout.index, "NOBODY"])
    wrong = st.dictionaries(names, st.one_of(SCALARS, st.lists(SCALARS, max_size=4)), max_size=2)
    left_out = data.draw(st.sets(names, max_size=1))
    kept = {name: value for name, value in values.items() if name not in left_out}
    assert_same_encoded(layout, kept | data.draw(wrong))
