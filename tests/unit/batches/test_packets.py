"""Many packets in one buffer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from c2kit.batches import PacketBatch
from c2kit.batches.packets import joined
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


class TestJoining:
    """Batches that follow one another become one."""

    OTHER = evolve(BATCH, received=np.array([40, 50, 60]))

    def test_packets_of_batches_that_are_alike_keep_their_bytes_times_and_order(self) -> None:
        some = BATCH.select(np.array([2, 0]))
        (one,) = joined([some, self.OTHER], max_bytes=100)
        assert list(one) == [b"c", b"aa", b"aa", b"bbb", b"c"]
        assert one.received.tolist() == [30, 10, 40, 50, 60]
        assert [bytes(piece) for piece in one.pieces()] == [b"caaaabbbc"]
        assert (one.interface, one.spans, one.definition) == ("fep", None, None)
        assert one.generated.to_list() == [None] * 5

    def test_all_columns_are_joined(self) -> None:
        whole = evolve(
            BATCH,
            generated=numbers([1, None, 3], "i8"),
            spans=np.array([[0, 2], [2, 5], [5, 6]]),
            definition=np.array([4, 5, 6], np.int32),
        )
        always = evolve(whole, generated=numbers([7, 8, 9], "i8"))
        (one,) = joined([whole, always], max_bytes=100)
        assert one.generated.to_list() == [1, None, 3, 7, 8, 9]
        assert one.spans is not None
        assert one.spans.tolist() == [[0, 2], [2, 5], [5, 6]] * 2
        assert one.definition is not None
        assert one.definition.tolist() == [4, 5, 6] * 2

    @pytest.mark.parametrize(
        "changes",
        [
            {"interface": "other"},
            {"origin": "stored"},
            {"space_packets": True},
            {"is_uplink": True},
            {"target": "FIREFLY", "dictionary_hash": HASH},
            {"spans": np.array([[0, 2], [2, 5], [5, 6]])},
        ],
    )
    def test_what_is_not_alike_stays_apart_and_in_order(self, changes: dict[str, Any]) -> None:
        batches = [BATCH, evolve(BATCH, **changes), BATCH, BATCH]
        given = joined(batches, max_bytes=100)
        assert [len(batch) for batch in given] == [3, 3, 6]
        assert given[:2] == batches[:2]

    def test_no_batch_becomes_larger_than_it_may(self) -> None:
        given = joined([BATCH] * 5, max_bytes=13)
        assert [batch.size_bytes for batch in given] == [12, 12, 6]
        assert joined([BATCH, BATCH], max_bytes=5) == [BATCH, BATCH]

    def test_nothing_gives_nothing(self) -> None:
        assert joined([], max_bytes=5) == []


def test_a_batch_is_divided_until_each_part_is_small_enough_or_one_packet() -> None:
    assert BATCH.divided(6) == [BATCH]
    assert [list(part) for part in BATCH.divided(5)] == [[b"aa", b"bbb"], [b"c"]]
    assert [list(part) for part in BATCH.divided(1)] == [[b"aa"], [b"bbb"], [b"c"]]
    assert [part.received.tolist() for part in BATCH.divided(1)] == [[10], [20], [30]]
