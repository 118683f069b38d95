"""Sequence counts of space packets: do they go on by one? CCSDS 133.0-B-2, 4.1.3.4.3."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from c2kit.errors import MessageError
from c2kit.kernel.chosen import kernel
from c2kit.kernel.sequence import APIDS, COUNTS, NO_COUNT, PRIMARY_HEADER, no_counts
from c2kit.processors.asides import SequenceBreaks

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from c2kit.batches import PacketBatch

__all__ = ["SequenceCheck"]

_IDLE_APID = 0x7FF
"""4.1.3.3.4.4: idle packets. Their sequence count need not mean anything."""

Source = tuple[str, str]
"""Interface, and origin: a recorder's packets have counts of another time than those sent at once."""


class SequenceCheck:
    """Remembers the last sequence count of each source and APID, and tells where the next one is not one more.

    One more, modulo 16 384, is right. The same is a repeat. 0 where another was due is a reset: whoever counts has
    begun again. Up to half round ahead is a gap, and what is between is missing. The other half is behind: a reset, or
    packets out of order.
    """

    def __init__(self) -> None:
        self._last: dict[Source, npt.NDArray[np.int64]] = defaultdict(no_counts)
        self._apids: dict[Source, list[int]] = {}
        """Those of which there is a last count: it is remembered after each batch, and hardly ever there are more."""

    def check(self, batch: PacketBatch) -> Iterator[SequenceBreaks]:
        """The breaks in a batch of space packets, one for each APID that has some, by APID."""
        source = (batch.interface, batch.origin)
        last = self._last[source]
        breaks = kernel.sequence_breaks(batch.buffer, batch.starts, batch.ends, last)
        if not len(breaks.which):
            return
        is_break = breaks.due != NO_COUNT
        if not is_break.all():
            self._apids[source] = _apids_in(last)
        which, due = breaks.which[is_break], breaks.due[is_break]
        apid, count, _ = kernel.decode(PRIMARY_HEADER, batch.buffer, batch.starts[which], batch.ends[which])
        found, received = count.values.astype(np.int64), batch.received[which]
        for label, mine in kernel.group(apid.values.astype(np.int64), APIDS).present():
            if label != _IDLE_APID:
                yield _breaks((*source, label), due[mine], found[mine], int(received[mine[0]]))

    def memory(self) -> list[list[str | int]]:
        """The last counts, as JSON has them."""
        return [
            [*source, apid, int(last[apid])]
            for source, last in self._last.items()
            for apid in self._apids.get(source, ())
        ]

    def remember(self, memory: object) -> None:
        """Go on from the last counts of another one. Raises :class:`~c2kit.errors.MessageError` for what is none."""
        remembered: dict[Source, npt.NDArray[np.int64]] = defaultdict(no_counts)
        for entry in memory if isinstance(memory, list) else [memory]:
            match entry:
                case [str(interface), str(origin), int(apid), int(count)] if 0 <= apid < APIDS and 0 <= count < COUNTS:
                    remembered[interface, origin][apid] = count
                case _:
                    expected = "interface, origin, APID and count"
                    raise MessageError("sequence counts in a snapshot", expected=expected, found=entry)
        self._last = remembered
        self._apids = {source: _apids_in(last) for source, last in remembered.items()}


def _apids_in(last: npt.NDArray[np.int64]) -> list[int]:
    apids: list[int] = np.flatnonzero(last != NO_COUNT).tolist()
    return apids


def _breaks(
    source: tuple[str, str, int], due: npt.NDArray[np.int64], found: npt.NDArray[np.int64], received: int
) -> SequenceBreaks:
    ahead = (found - due) % COUNTS
    is_repeat = ahead == COUNTS - 1
    is_gap = (ahead < COUNTS // 2) & (found != 0)
    gaps, repeats = int(is_gap.sum()), int(is_repeat.sum())
    interface, origin, apid = source
    return SequenceBreaks(
        interface=interface,
        origin=origin,
        apid=apid,
        gaps=gaps,
        missing=int(ahead[is_gap].sum()),
        repeats=repeats,
        resets=len(found) - gaps - repeats,
        expected=int(due[0]),
        found=int(found[0]),
        received=received,
    )
