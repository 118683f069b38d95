"""Identify packets, and check their sequence counts, all at once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define

from c2kit.kernel.bounds import check_bounds
from c2kit.kernel.columns.decode import decode
from c2kit.kernel.columns.group import group
from c2kit.kernel.sequence import APIDS, COUNTS, NO_COUNT, PRIMARY_HEADER, Breaks

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer
    from c2kit.kernel.identity import Identities

__all__ = ["gathered", "match", "sequence_breaks"]


def match(
    identities: Identities, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Which identification each packet meets; see :meth:`c2kit.kernel.contract.Kernel.match`.

    Identifications that look at the same bits share a sorted table of what they expect there, so that the work grows
    with the number of different sets of bits, and hardly with that of identifications.
    """
    check_bounds(buffer, starts, ends)
    none = len(identities.identities)
    ranks = np.full(len(starts), none, np.int64)
    for table in _tables(identities):
        if (ranks > table.first).any():
            np.minimum(ranks, table.ranks(buffer, starts, ends, none), out=ranks)
    return ranks


def _tables(identities: Identities) -> list[_Table]:
    try:
        tables: list[_Table] = identities.plans[__name__]
    except KeyError:
        by_mask: dict[bytes, dict[bytes, int]] = defaultdict(dict)
        for rank, identity in enumerate(identities.identities):
            by_mask[identity.mask].setdefault(identity.value, rank)
        tables = identities.plans[__name__] = [_Table.of(mask, values) for mask, values in by_mask.items()]
    return tables


@define(eq=False)
class _Table:
    """All identifications by the same bits: a packet's bytes under the mask are looked up among their values."""

    size_bytes: int
    where: npt.NDArray[np.int64]
    """Which bytes are looked at at all."""
    mask: npt.NDArray[np.uint8]
    """Their part of the mask."""
    keys: npt.NDArray[Any]
    """What is expected under it, sorted."""
    ranks_of_keys: npt.NDArray[np.int64]
    first: int
    """The least of those ranks."""

    @classmethod
    def of(cls, mask: bytes, values: dict[bytes, int]) -> _Table:
        where = np.flatnonzero(np.frombuffer(mask, np.uint8))
        table = cls(
            size_bytes=len(mask),
            where=where,
            mask=np.frombuffer(mask, np.uint8)[where],
            keys=np.zeros(0, np.uint64),
            ranks_of_keys=np.fromiter(values.values(), np.int64),
            first=min(values.values()),
        )
        keys = table.keys_in(b"".join(values), np.arange(len(values)) * len(mask))
        order = np.argsort(keys, kind="stable")
        table.keys, table.ranks_of_keys = keys[order], table.ranks_of_keys[order]
        return table

    def keys_in(self, buffer: Buffer, starts: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """The bytes under the mask, each packet's as one number or, where they are too many, as one run of bytes."""
        size = max(8, len(self.where))
        rows = np.zeros((len(starts), size), np.uint8)
        gathered(buffer, starts, self.where, self.mask, rows)
        return rows.view(f"V{size}" if size > 8 else np.uint64).reshape(-1)

    def ranks(
        self, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], none: int
    ) -> npt.NDArray[np.int64]:
        """For each packet the first identification whose value it has, else ``none``."""
        long_enough = ends - starts >= self.size_bytes
        which: Any = slice(None) if long_enough.all() else np.flatnonzero(long_enough)
        found = self.keys_in(buffer, starts[which])
        places = np.minimum(np.searchsorted(self.keys, found), len(self.keys) - 1)
        ranks = np.full(len(starts), none, np.int64)
        ranks[which] = np.where(self.keys[places] == found, self.ranks_of_keys[places], none)
        return ranks


def gathered(
    buffer: Buffer,
    starts: npt.NDArray[np.int64],
    where: npt.NDArray[np.int64],
    mask: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.uint8],
) -> None:
    """Write bytes ``where`` of each packet, under the mask, into its row."""
    view = np.frombuffer(buffer, np.uint8)
    for column, (byte, bits) in enumerate(zip(where.tolist(), mask.tolist(), strict=True)):
        rows[:, column] = view[starts + byte] & bits


def sequence_breaks(
    buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], last: npt.NDArray[np.int64]
) -> Breaks:
    """Check sequence counts; see :meth:`c2kit.kernel.contract.Kernel.sequence_breaks`."""
    apid, count, length = decode(PRIMARY_HEADER, buffer, starts, ends)
    at: Any = np.arange(len(starts)) if length.valid is None else np.flatnonzero(length.valid)
    groups = group(apid.values[at], APIDS)
    order = at[groups.order]
    counts = count.values[order].astype(np.int64)
    apids = np.flatnonzero(groups.bounds[1:] > groups.bounds[:-1])
    firsts, lasts = groups.bounds[apids], groups.bounds[apids + 1] - 1
    due = np.empty_like(counts)
    due[1:] = counts[:-1] + 1
    due[firsts] = last[apids] + 1
    due %= COUNTS
    due[firsts[last[apids] == NO_COUNT]] = NO_COUNT
    last[apids] = counts[lasts]
    broken = np.flatnonzero(counts != due)
    in_order = broken[np.argsort(order[broken])]
    return Breaks(order[in_order].astype(np.int64), due[in_order])
