"""Every kernel is held to the reference: every bit of every column, every packet, and every refusal."""

from __future__ import annotations

import itertools
import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.errors import UsageError
from c2kit.kernel import reference
from tests.kernels import OTHERS, needs_compiled
from tests.property.layouts import (
    Batch,
    assert_same_columns,
    batches,
    layouts,
    packet_values,
    plain_layouts,
    random_bytes,
    taken,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.kernel.contract import Kernel
    from c2kit.kernel.layout import Layout
    from tests.property.layouts import Values


@needs_compiled
def test_the_kernel_in_c_is_among_those_that_are_compared() -> None:
    assert list(OTHERS) == ["columns", "compiled"]


def assert_same_decoded(layout: Layout, batch: Batch) -> None:
    expected = reference.decode(layout, batch.buffer, batch.starts, batch.ends)
    for kernel in OTHERS.values():
        assert_same_columns(kernel.decode(layout, batch.buffer, batch.starts, batch.ends), expected)


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


@pytest.mark.parametrize("count", [0, 1, 2, 31, 32, 33, 511, 512, 513, 10_000])
@given(st.data())
def test_batches_of_any_size_decode_to_what_their_packets_do(count: int, data: st.DataObject) -> None:
    # The reference takes its time: it decodes a few packets, and the batch has each of them many times.
    layout = data.draw(layouts(most_fields=4))
    few = data.draw(batches(layout).filter(lambda batch: len(batch.starts) > 0))
    expected = reference.decode(layout, few.buffer, few.starts, few.ends)
    arrangements = st.sampled_from([np.random.default_rng(1).integers(0, len(few.starts), count), np.zeros(count, int)])
    which = data.draw(arrangements)
    for kernel in OTHERS.values():
        found = kernel.decode(layout, few.buffer, few.starts[which], few.ends[which])
        assert_same_columns(found, [taken(column, which) for column in expected])


@given(st.lists(st.integers(-1, 5), max_size=200), st.integers(0, 5), st.sampled_from([np.int64, np.int32, np.int8]))
def test_any_labels_are_grouped_the_same(labels: list[int], count: int, dtype: type[np.signedinteger]) -> None:
    array = np.array(labels, dtype)
    answers = [grouped(kernel, array, count) for kernel in (reference, *OTHERS.values())]
    assert all(answer == answers[0] for answer in answers)
    if isinstance(answers[0], list):
        assert answers[0] == [[index for index, each in enumerate(labels) if each == label] for label in range(count)]


def grouped(kernel: Kernel, labels: np.ndarray[tuple[int], np.dtype[np.signedinteger]], count: int) -> object:
    """The members of each group, or why there are none."""
    try:
        groups = kernel.group(labels, count)
    except UsageError as error:
        return str(error)
    assert groups.order.dtype == groups.bounds.dtype == np.int64
    bounds = groups.bounds.tolist()
    return [groups.order[low:high].tolist() for low, high in itertools.pairwise(bounds)]


def assert_same_one_by_one(layout: Layout, batch: Batch) -> None:
    """The values of each packet alone are those of the batch; ``repr`` tells apart what only counts as equal."""
    columns = [column.to_list() for column in reference.decode(layout, batch.buffer, batch.starts, batch.ends)]
    for kernel in (reference, *OTHERS.values()):
        codec = kernel.codec(layout)
        for index, (start, end) in enumerate(zip(batch.starts, batch.ends, strict=True)):
            packet = batch.buffer[start:end]
            expected = tuple(values[index] for values in columns)
            assert repr(codec.values(packet)) == repr(expected)
            assert repr(codec.record(packet)) == repr(dict(zip(layout.index, expected, strict=True)))


@given(st.data())
def test_packets_one_by_one_have_the_values_of_the_batch(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    assert_same_one_by_one(layout, data.draw(batches(layout)))


@given(st.data())
def test_packets_of_plain_fields_one_by_one_have_the_values_of_the_batch(data: st.DataObject) -> None:
    # Whole packets of fields that always have one place, for which the extension has a way of its own.
    layout = data.draw(plain_layouts())
    whole = -(-layout.fixed_bits // 8)
    buffer = data.draw(random_bytes(whole + 3))
    assert_same_one_by_one(layout, Batch.of(buffer, [(0, whole), (1, whole + 1), (2, whole + 1), (0, whole + 3)]))


def encoded(encode: Callable[[], bytes]) -> bytes | str:
    """The packet, or why there is none."""
    try:
        return encode()
    except UsageError as error:
        return f"{type(error).__name__}: {error}"


def assert_same_encoded(layout: Layout, values: Values) -> None:
    expected = encoded(partial(reference.encode, layout, values))
    assert encoded(partial(reference.codec(layout).encode, values)) == expected
    for kernel in OTHERS.values():
        assert encoded(partial(kernel.encode, layout, values)) == expected
        assert encoded(partial(kernel.codec(layout).encode, values)) == expected


@given(st.data())
def test_values_encode_to_the_same_packet(data: st.DataObject) -> None:
    assert_same_encoded(*data.draw(layouts().flatmap(packet_values)))


@given(st.data())
def test_plain_values_encode_to_the_same_packet(data: st.DataObject) -> None:
    # Numbers one after another, for which all but the reference have a way of their own.
    layout, values = data.draw(plain_layouts(offsets=st.none()).flatmap(packet_values))
    assert_same_encoded(layout, values)
    assert_same_encoded(layout, dict(data.draw(st.permutations(list(values.items())))))


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


TOO_LARGE = float.fromhex("0x1.ffffffp127")  # of single floats, the least
SIGNS = st.sampled_from([1, -1])


@given(st.data())
def test_plain_values_that_may_not_fit_are_refused_the_same(data: st.DataObject) -> None:
    layout, values = data.draw(plain_layouts(offsets=st.none()).flatmap(packet_values))
    edges = st.builds(lambda bits, sign, beyond: sign * 2**bits + beyond, st.integers(0, 64), SIGNS, st.integers(-1, 1))
    floats = st.sampled_from([65504.0, 65520.0, TOO_LARGE, -TOO_LARGE, 2.0**75 - TOO_LARGE, 1e-46, math.inf, math.nan])
    name = data.draw(st.sampled_from([*layout.index]))
    assert_same_encoded(layout, values | {name: data.draw(edges | floats | SCALARS)})
