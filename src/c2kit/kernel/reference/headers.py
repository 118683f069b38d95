"""Identify packets, and check their sequence counts, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from c2kit.kernel.bounds import check_bounds
from c2kit.kernel.reference.decode import decode
from c2kit.kernel.sequence import COUNTS, NO_COUNT, PRIMARY_HEADER, Breaks

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer
    from c2kit.kernel.identity import Identities

__all__ = ["match", "sequence_breaks"]


def match(
    identities: Identities, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Which identification each packet meets; see :meth:`c2kit.kernel.contract.Kernel.match`."""
    check_bounds(buffer, starts, ends)
    view, every = memoryview(buffer), identities.identities
    ranks = np.full(len(starts), len(every), np.int64)
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        packet = bytes(view[start:end])
        ranks[number] = next((rank for rank, each in enumerate(every) if each.matches(packet)), len(every))
    return ranks


def sequence_breaks(
    buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], last: npt.NDArray[np.int64]
) -> Breaks:
    """Check sequence counts; see :meth:`c2kit.kernel.contract.Kernel.sequence_breaks`."""
    headers = zip(*(column.to_list() for column in decode(PRIMARY_HEADER, buffer, starts, ends)), strict=True)
    breaks: list[tuple[int, int]] = []
    for number, (apid, count, length) in enumerate(headers):
        if length is None:
            continue
        due = NO_COUNT if last[apid] == NO_COUNT else (int(last[apid]) + 1) % COUNTS
        if count != due:
            breaks.append((number, due))
        last[apid] = count
    which, dues = np.array(breaks, np.int64).reshape(-1, 2).T
    return Breaks(which, dues)
