"""Sequence counts of space packets: do they go on by one? CCSDS 133.0-B-2, 4.1.3.4.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from c2kit.processors.asides import SequenceBreaks
from c2kit.processors.base import pack_snapshot, unpack_snapshot

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.batches import PacketBatch

__all__ = ["SequenceCheck"]

_IDLE_APID = 0x7FF
"""4.1.3.3.4.4: idle packets. Their sequence count need not mean anything."""
_MODULUS = 1 << 14
_HEADER_BYTES = 6


class SequenceCheck:
    """Remembers the last sequence count of each interface and APID, and tells where the next one is not one more.

    One more, modulo 16 384, is right. The same is a repeat. Up to half round ahead is a gap, and what is between is
    missing. The other half is behind: a reset, or packets out of order.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, int], int] = {}

    def check(self, batch: PacketBatch) -> list[SequenceBreaks]:
        """The breaks in a batch of space packets, at most one entry an APID, by APID."""
        at = np.flatnonzero(batch.ends - batch.starts >= _HEADER_BYTES)
        view = np.frombuffer(batch.buffer, np.uint8)
        starts = batch.starts[at]
        apids = (view[starts].astype(np.int64) & 0x07) << 8 | view[starts + 1]
        counts = (view[starts + 2].astype(np.int64) & 0x3F) << 8 | view[starts + 3]
        found = []
        for apid in np.unique(apids):
            if apid != _IDLE_APID:
                which = np.flatnonzero(apids == apid)
                breaks = self._check_apid(batch.interface, int(apid), counts[which], batch.received[at[which]])
                found += [breaks] if breaks else []
        return found

    def _check_apid(
        self, interface: str, apid: int, counts: npt.NDArray[np.int64], received: npt.NDArray[np.int64]
    ) -> SequenceBreaks | None:
        first = int(counts[0])
        before = np.empty_like(counts)
        before[1:] = counts[:-1]
        before[0] = self._last.get((interface, apid), first - 1)
        self._last[interface, apid] = int(counts[-1])
        steps = (counts - before) % _MODULUS
        broken = np.flatnonzero(steps != 1)
        if not len(broken):
            return None
        gaps = (steps > 1) & (steps <= _MODULUS // 2)
        where = broken[0]
        return SequenceBreaks(
            interface=interface,
            apid=apid,
            gaps=int(gaps.sum()),
            missing=int((steps[gaps] - 1).sum()),
            repeats=int((steps == 0).sum()),
            resets=int((steps > _MODULUS // 2).sum()),
            expected=int((before[where] + 1) % _MODULUS),
            found=int(counts[where]),
            received=int(received[where]),
        )

    def snapshot(self) -> bytes:
        """The last counts."""
        return pack_snapshot("SequenceCheck", 1, [[*key, count] for key, count in self._last.items()])

    def restore(self, snapshot: bytes) -> None:
        """Go on from the last counts of another one."""
        memory = unpack_snapshot(snapshot, "SequenceCheck", 1)
        self._last = {(interface, apid): count for interface, apid, count in memory}
