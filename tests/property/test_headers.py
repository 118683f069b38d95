"""Every kernel identifies packets, and checks their sequence counts, as the reference does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.errors import UsageError
from c2kit.kernel import reference
from c2kit.kernel.identity import Identities, Identity
from c2kit.kernel.sequence import NO_COUNT, no_counts
from tests.guarded import SIDES, needs_guards, with_guards
from tests.kernels import KERNELS, OTHERS
from tests.property.layouts import Batch

if TYPE_CHECKING:
    from c2kit.kernel.contract import Kernel
    from tests.guarded import Side

SIZES = [0, 1, 2, 31, 32, 33, 10_000]
BYTES = st.sampled_from([0x00, 0x01, 0x7F, 0x80, 0xFF])


@st.composite
def identities(draw: st.DrawFn) -> Identities:
    """Identities of few different bits, some of more than eight bytes, so that packets often meet several of them."""
    masks = draw(st.lists(st.lists(BYTES, max_size=12).map(bytes), min_size=1, max_size=3))
    made = []
    for mask in draw(st.lists(st.sampled_from(masks), max_size=9)):
        value = draw(st.lists(BYTES, min_size=len(mask), max_size=len(mask)))
        made.append(Identity(mask, bytes(byte & bits for byte, bits in zip(value, mask, strict=True))))
    return Identities(tuple(made))


@st.composite
def headers(draw: st.DrawFn) -> Batch:
    """Packets of two APIDs, whose counts go on by one mostly; some are shorter than a header."""
    bounds, buffer, counts = [], bytearray(draw(st.binary(max_size=2))), {0x123: 16_380, 0x7FF: 0}
    for _ in range(draw(st.integers(0, 12))):
        apid = draw(st.sampled_from(sorted(counts)))
        counts[apid] = (counts[apid] + draw(st.sampled_from([1, 1, 1, 1, 0, 2, 9_000]))) % (1 << 14)
        header = (0x0800 | apid).to_bytes(2) + (0xC000 | counts[apid]).to_bytes(2) + bytes(3)
        packet = header[: draw(st.sampled_from([7, 7, 7, 6, 5, 3, 0]))]
        bounds.append((len(buffer), len(buffer) + len(packet)))
        buffer += packet
    return Batch.of(bytes(buffer), bounds)


def packets(draw: st.DrawFn) -> Batch:
    sizes = draw(st.lists(st.integers(0, 14), max_size=9))
    ends = np.cumsum(sizes, dtype=np.int64)
    buffer = draw(st.lists(BYTES, min_size=sum(sizes), max_size=sum(sizes)))
    return Batch(bytes(buffer), ends - np.array(sizes, np.int64), ends)


def times(batch: Batch, count: int) -> Batch:
    """The packets over and over, until there are so many."""
    which = np.arange(count) % max(len(batch.starts), 1)
    return batch if not len(batch.starts) else Batch(batch.buffer, batch.starts[which], batch.ends[which])


@given(identities(), st.composite(packets)())
def test_packets_have_the_same_identity_by_every_kernel(known: Identities, batch: Batch) -> None:
    expected = reference.match(known, batch.buffer, batch.starts, batch.ends).tolist()
    for kernel in OTHERS.values():
        found = kernel.match(known, batch.buffer, batch.starts, batch.ends)
        assert found.tolist() == expected
        assert found.dtype == np.int64


@pytest.mark.parametrize("count", SIZES)
@given(known=identities(), few=st.composite(packets)())
def test_as_many_packets_as_there_are_have_their_identity(count: int, known: Identities, few: Batch) -> None:
    batch = times(few, count)
    expected = reference.match(known, few.buffer, few.starts, few.ends)
    for kernel in OTHERS.values():
        found = kernel.match(known, batch.buffer, batch.starts, batch.ends)
        assert np.array_equal(found, np.resize(expected, len(batch.starts)))


def broken(kernel: Kernel, batch: Batch, last: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[list[int]]:
    breaks = kernel.sequence_breaks(batch.buffer, batch.starts, batch.ends, last)
    return [breaks.which.tolist(), breaks.due.tolist(), last.tolist()]


@given(headers(), headers())
def test_sequence_counts_break_at_the_same_packets_by_every_kernel(first: Batch, second: Batch) -> None:
    lasts = {name: no_counts() for name in ("reference", *OTHERS)}
    for batch in (first, second):
        expected = broken(reference, batch, lasts["reference"])
        for name, kernel in OTHERS.items():
            assert broken(kernel, batch, lasts[name]) == expected


@KERNELS
def test_no_count_is_due_of_the_first_packet_of_an_apid(kernel: Kernel) -> None:
    sent = [(0x123, 7), (0x124, 0), (0x123, 8), (0x124, 5), (0x125, 16_383), (0x125, 0)]
    buffer = b"".join((0x0800 | apid).to_bytes(2) + (0xC000 | count).to_bytes(2) + bytes(2) for apid, count in sent)
    batch, last = Batch.of(buffer, [(6 * number, 6 * number + 6) for number in range(len(sent))]), no_counts()
    assert broken(kernel, batch, last)[:2] == [[0, 1, 3, 4], [NO_COUNT, NO_COUNT, 1, NO_COUNT]]
    assert broken(kernel, Batch.of(buffer[:6], [(0, 6)]), last)[:2] == [[0], [9]]


@pytest.mark.parametrize("count", SIZES)
@given(few=headers())
def test_counts_of_as_many_packets_as_there_are_break_the_same(count: int, few: Batch) -> None:
    batch = times(few, count)
    found = [broken(kernel, batch, no_counts()) for kernel in OTHERS.values()]
    assert all(each == found[0] for each in found)


@needs_guards
@SIDES
@given(known=identities(), batch=headers())
def test_headers_beside_memory_that_must_not_be_read_tell_the_same(side: Side, known: Identities, batch: Batch) -> None:
    expected = reference.match(known, batch.buffer, batch.starts, batch.ends).tolist()
    breaks = broken(reference, batch, no_counts())
    with with_guards(batch.buffer, side) as view:
        for kernel in OTHERS.values():
            assert kernel.match(known, view, batch.starts, batch.ends).tolist() == expected
            found = kernel.sequence_breaks(view, batch.starts, batch.ends, no_counts())
            assert [found.which.tolist(), found.due.tolist()] == breaks[:2]


@KERNELS
def test_packets_outside_the_buffer_are_refused(kernel: Kernel) -> None:
    known, starts, ends = Identities((Identity(b"", b""),)), np.array([0]), np.array([9])
    with pytest.raises(UsageError, match="not in the buffer"):
        kernel.match(known, b"12345678", starts, ends)
    with pytest.raises(UsageError, match="not in the buffer"):
        kernel.sequence_breaks(b"12345678", starts, ends, no_counts())
