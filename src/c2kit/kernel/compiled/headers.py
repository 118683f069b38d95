"""Identify packets, and check their sequence counts."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from c2kit.kernel import _kernel
from c2kit.kernel.compiled.offsets import on_packets
from c2kit.kernel.sequence import Breaks

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer
    from c2kit.kernel.identity import Identities, Identity

__all__ = ["match", "sequence_breaks"]

_Table = tuple[int, bytes, bytes, bytes, bytes]
"""Bytes that a packet must have, which of them are looked at, the mask of those, what is expected there, in rising
order, and of each the rank."""


def match(
    identities: Identities, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Which identification each packet meets; see :meth:`c2kit.kernel.contract.Kernel.match`."""
    try:
        matcher: _kernel.Matcher = identities.plans[__name__]
    except KeyError:
        matcher = identities.plans[__name__] = _compiled(identities)
    ranks = np.empty(len(starts), np.int64)
    on_packets(matcher.match, buffer, starts, ends, ranks, len(identities.identities))
    return ranks


def _compiled(identities: Identities) -> _kernel.Matcher:
    ranked = list(enumerate(identities.identities))
    by_mask = groupby(sorted(ranked, key=_mask), key=_mask)
    tables = [_table(mask, list(members)) for mask, members in by_mask]
    # Where a packet meets one of the first, the others need not be looked at.
    return _kernel.Matcher(tuple(table for _, table in sorted(tables, key=lambda table: table[0])))


def _mask(ranked: tuple[int, Identity]) -> bytes:
    return ranked[1].mask


def _table(mask: bytes, members: list[tuple[int, Identity]]) -> tuple[int, _Table]:
    """All identifications by the same bits, after the least of their ranks; of equal ones the first counts."""
    places = [place for place, bits in enumerate(mask) if bits]
    ranks: dict[bytes, int] = {}
    for rank, identity in members:
        ranks.setdefault(bytes(identity.value[place] for place in places), rank)
    keys = sorted(ranks)
    described = (
        len(mask),
        np.array(places, np.int64).tobytes(),
        bytes(mask[place] for place in places),
        b"".join(keys),
        np.array([ranks[key] for key in keys], np.int64).tobytes(),
    )
    return members[0][0], described


def sequence_breaks(
    buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], last: npt.NDArray[np.int64]
) -> Breaks:
    """Check sequence counts; see :meth:`c2kit.kernel.contract.Kernel.sequence_breaks`."""
    which, due = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
    count = on_packets(_kernel.sequence, buffer, starts, ends, last, which, due)
    return Breaks(which[:count], due[:count])
