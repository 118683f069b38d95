"""The ledger: where everything is that came in. What does not add up is *unaccounted*, and is never rounded away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import astuple, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ByteRow", "EdgeRow", "LedgerRow", "ledger_text", "total_unaccounted"]


@frozen(kw_only=True)
class LedgerRow:
    """What a processor did with what it took of one partition, as of the last commit; in packets, or commands."""

    stage: str
    processor: str
    partition: str
    """``stream[number]``."""
    taken: int = 0
    given: int = 0
    refused: int = 0
    """What fell aside: unknown, or set aside as a dead letter."""
    merged: int = 0
    """What became part of something else that was given, or was dropped as its double."""
    held: int = 0
    """What waits in the processor's memory."""

    @property
    def unaccounted(self) -> int:
        """What does not add up."""
        return self.taken - self.given - self.refused - self.merged - self.held


@frozen(kw_only=True)
class EdgeRow:
    """A stream on its way to one consumer, in records."""

    stream: str
    consumer: str
    published: int = 0
    consumed: int = 0
    lag: int = 0
    """What waits for the consumer."""

    @property
    def unaccounted(self) -> int:
        """What does not add up."""
        return self.published - self.consumed - self.lag


@frozen(kw_only=True)
class ByteRow:
    """Where the bytes are that an interface took from its link."""

    interface: str
    received: int = 0
    framed: int = 0
    discarded: int = 0
    held: int = 0
    """What waits for the rest of its frame."""

    @property
    def unaccounted(self) -> int:
        """What does not add up."""
        return self.received - self.framed - self.discarded - self.held


def ledger_text(rows: Iterable[LedgerRow], edges: Iterable[EdgeRow] = (), byte_rows: Iterable[ByteRow] = ()) -> str:
    """The ledger for people: a table of each, in the order given, and a last line ``unaccounted: N``.

    N is that of :func:`total_unaccounted`.
    """
    tables = (
        (["interface", "bytes received", "framed", "discarded", "held"], [*byte_rows]),
        (["stage", "processor", "partition", "taken", "given", "refused", "merged", "held"], [*rows]),
        (["stream", "consumer", "records published", "consumed", "lag"], [*edges]),
    )
    total = total_unaccounted(*(some for _, some in tables))
    return "\n\n".join([*(_table(headings, some) for headings, some in tables if some), f"unaccounted: {total}"])


def total_unaccounted(*tables: Iterable[LedgerRow | EdgeRow | ByteRow]) -> int:
    """What does not add up in all rows, such that too many in one and too few in another do not make up for it."""
    return sum(abs(row.unaccounted) for rows in tables for row in rows)


def _table(headings: Sequence[str], rows: Sequence[LedgerRow | EdgeRow | ByteRow]) -> str:
    """Rows under their headings, words to the left and numbers to the right."""
    cells = [[*astuple(row), row.unaccounted] for row in rows]
    is_word = [isinstance(cell, str) for cell in cells[0]]
    lines = [[*headings, "unaccounted"], *([c if isinstance(c, str) else f"{c:,}" for c in row] for row in cells)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = (
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(line, widths, is_word, strict=True)
        )
        for line in lines
    )
    return "\n".join(aligned)
