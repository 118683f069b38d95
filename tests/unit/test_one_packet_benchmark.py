"""What the benchmark of single packets compares gives the same on both sides. How fast it is, is not asserted."""

from __future__ import annotations

import pytest

pytest.importorskip("bitstruct.c", reason="bitstruct's module in C is not installed here")

from benchmarks.one_packet import comparisons


def test_both_sides_of_each_comparison_give_the_same() -> None:
    rows = list(comparisons())
    assert len(rows) == 6
    for row in rows:
        assert row.ours(row.argument) == row.theirs(row.argument), row.what
