from __future__ import annotations

import pytest

from c2kit.pipeline.observing.ledger import ByteRow, EdgeRow, LedgerRow, ledger_text

LEDGER = LedgerRow(
    stage="decom",
    processor="Identifier",
    partition="firefly.frames.fep[0]",
    taken=12_345,
    given=12_000,
    refused=300,
    merged=40,
    held=5,
)
EDGE = EdgeRow(stream="firefly.packets.FIREFLY", consumer="firefly.log", published=1_000, consumed=990, lag=10)
BYTES = ByteRow(interface="fep", received=1_000_000, framed=999_000, discarded=900, held=100)


def test_what_adds_up_is_accounted_for() -> None:
    assert (LEDGER.unaccounted, EDGE.unaccounted, BYTES.unaccounted) == (0, 0, 0)


@pytest.mark.parametrize(
    ("row", "unaccounted"),
    [
        (LedgerRow(stage="s", processor="p", partition="x[0]", taken=100), 100),
        (LedgerRow(stage="s", processor="p", partition="x[0]", taken=100, given=90), 10),
        (LedgerRow(stage="s", processor="p", partition="x[0]", given=1), -1),
        (LedgerRow(stage="s", processor="p", partition="x[0]", refused=1), -1),
        (LedgerRow(stage="s", processor="p", partition="x[0]", merged=1), -1),
        (LedgerRow(stage="s", processor="p", partition="x[0]", held=1), -1),
        (EdgeRow(stream="s", consumer="c", published=7, consumed=3, lag=2), 2),
        (ByteRow(interface="i", received=9, framed=3, discarded=2, held=1), 3),
    ],
)
def test_what_does_not_add_up_is_unaccounted(row: LedgerRow | EdgeRow | ByteRow, unaccounted: int) -> None:
    assert row.unaccounted == unaccounted


def test_the_text_has_a_table_of_each_and_ends_with_what_is_unaccounted() -> None:
    assert ledger_text([LEDGER], [EDGE], [BYTES]).splitlines() == [
        "interface  bytes received   framed  discarded  held  unaccounted",
        "fep             1,000,000  999,000        900   100            0",
        "",
        "stage  processor   partition               taken   given  refused  merged  held  unaccounted",
        "decom  Identifier  firefly.frames.fep[0]  12,345  12,000      300      40     5            0",
        "",
        "stream                   consumer     records published  consumed  lag  unaccounted",
        "firefly.packets.FIREFLY  firefly.log              1,000       990   10            0",
        "",
        "unaccounted: 0",
    ]


def test_a_ledger_of_nothing_is_its_last_line() -> None:
    assert ledger_text([]) == "unaccounted: 0"


def test_too_many_here_do_not_make_up_for_too_few_there() -> None:
    rows = [
        LedgerRow(stage="s", processor="p", partition="x[0]", taken=5, given=8),
        LedgerRow(stage="s", processor="p", partition="x[1]", taken=8, given=5),
    ]
    edges = [EdgeRow(stream="s", consumer="c", published=1, consumed=0, lag=0)]
    byte_rows = [ByteRow(interface="i", received=0, framed=2_000)]
    assert ledger_text(rows, edges, byte_rows).splitlines()[-1] == "unaccounted: 2007"


def test_rows_stand_in_the_order_of_the_chain() -> None:
    rows = [LedgerRow(stage="decom", processor=name, partition="x[0]") for name in ("Identifier", "Decommutator")]
    assert [line.split()[1] for line in ledger_text(rows).splitlines()[1:3]] == ["Identifier", "Decommutator"]
