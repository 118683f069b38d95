"""Many packets in one buffer."""

from __future__ import annotations

import numpy as np
from attrs import evolve

from c2kit.batches import PacketBatch
from tests.batch_making import HASH, numbers

BATCH = PacketBatch(
    buffer=b"aabbbc.after",
    starts=np.array([0, 2, 5]),
    ends=np.array([2, 5, 6]),
    received=np.array([10, 20, 30]),
    interface="fep",
)


def test_packets_are_the_bytes_between_their_bounds() -> None:
    assert len(BATCH) == 3
    assert list(BATCH) == [BATCH[0], BATCH[1], BATCH[2]] == [b"aa", b"bbb", b"c"]
    assert BATCH.size_bytes == 6


def test_a_batch_has_no_generation_times_until_somebody_knows_them() -> None:
    assert BATCH.generated.to_list() == [None, None, None]
    assert BATCH.origin == "realtime"


def test_a_selection_takes_everything_along_over_the_same_buffer() -> None:
    whole = evolve(
        BATCH,
        generated=numbers([1, None, 3], "i8"),
        spans=np.array([[0, 2], [2, 5], [5, 6]]),
        definition=np.array([4, 5, 6], np.int32),
        target="FIREFLY",
        dictionary_hash=HASH,
    )
    for which in (np.array([2, 0]), np.array([True, False, True])):
        part = whole.select(which)
        order = [2, 0] if which.dtype != np.bool_ else [0, 2]
        assert list(part) == [[b"aa", b"bbb", b"c"][index] for index in order]
        assert part.received.tolist() == [[10, 20, 30][index] for index in order]
        assert part.generated.to_list() == [[1, None, 3][index] for index in order]
        assert part.spans is not None
        assert part.spans.tolist() == [[[0, 2], [2, 5], [5, 6]][index] for index in order]
        assert part.definition is not None
        assert part.definition.tolist() == [[4, 5, 6][index] for index in order]
        assert part.buffer is whole.buffer
        assert (part.target, part.interface) == ("FIREFLY", "fep")


def test_a_selection_of_nothing_is_empty() -> None:
    nothing = BATCH.select(np.zeros(3, np.bool_))
    assert len(nothing) == nothing.size_bytes == 0
    assert nothing.spans is None


def test_the_pieces_are_all_bytes_in_order_and_those_that_lie_back_to_back_are_one() -> None:
    assert [bytes(piece) for piece in BATCH.pieces()] == [b"aabbbc"]
    assert [bytes(piece) for piece in BATCH.select(np.array([0, 2])).pieces()] == [b"aa", b"c"]
    assert [bytes(piece) for piece in BATCH.select(np.array([1, 0, 1, 2])).pieces()] == [b"bbb", b"aabbbc"]
    assert BATCH.select(np.zeros(3, np.bool_)).pieces() == []


def test_a_batch_is_shown_in_a_line_whatever_is_in_it() -> None:
    batch = PacketBatch(buffer=bytes(10**6), starts=np.array([0]), ends=np.array([10**6]), received=np.array([0]))
    assert repr(batch) == "<PacketBatch of 1 packet, 1000000 bytes: frames>"
