"""Sequence counts of space packets: do they go on by one? CCSDS 133.0-B-2, 4.1.3.4.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from c2kit.errors import MessageError
from c2kit.kernel.chosen import kernel
from c2kit.kernel.layout import Layout
from c2kit.model.fields import Field
from c2kit.processors.asides import SequenceBreaks

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from c2kit.batches import PacketBatch

__all__ = ["SequenceCheck"]

_IDLE_APID = 0x7FF
"""4.1.3.3.4.4: idle packets. Their sequence count need not mean anything."""
_MODULUS = 1 << 14
_APIDS = 1 << 11
# 4.1.3.3.4 and 4.1.3.4.3: the last 11 bits of the first word, the last 14 of the second; the length ends the header.
_HEADER = Layout(
    (
        Field(name="APID", bit_offset=5, bit_length=11),
        Field(name="COUNT", bit_offset=18, bit_length=14),
        Field(name="LENGTH", bit_offset=32, bit_length=16),
    )
)

Source = tuple[str, str, int]
"""Interface, origin (a recorder's packets have counts of another time than those sent at once), APID."""


class SequenceCheck:
    """Remembers the last sequence count of each source, and tells where the next one is not one more.

    One more, modulo 16 384, is right. The same is a repeat. 0 where another was due is a reset: whoever counts has
    begun again. Up to half round ahead is a gap, and what is between is missing. The other half is behind: a reset, or
    packets out of order.
    """

    def __init__(self) -> None:
        self._last: dict[Source, int] = {}

    def check(self, batch: PacketBatch) -> Iterator[SequenceBreaks]:
        """The breaks in a batch of space packets, one for each APID that has some, by APID."""
        apid, count, last = kernel.decode(_HEADER, batch.buffer, batch.starts, batch.ends)
        at: Any = slice(None) if last.valid is None else np.flatnonzero(last.valid)
        groups = kernel.group(apid.values[at], _APIDS)
        apids = np.flatnonzero(groups.bounds[1:] > groups.bounds[:-1])
        counts = count.values[at].astype(np.int64)[groups.order]
        received = batch.received[at][groups.order]
        yield from self._check(batch, apids.tolist(), groups.bounds[apids], counts, received)

    def _check(
        self,
        batch: PacketBatch,
        apids: list[int],
        firsts: npt.NDArray[np.intp],
        counts: npt.NDArray[np.int64],
        received: npt.NDArray[np.int64],
    ) -> Iterator[SequenceBreaks]:
        """The breaks in counts that stand in runs, one for each APID, which begin at ``firsts``."""
        sources = [(batch.interface, batch.origin, apid) for apid in apids]
        ends = np.append(firsts[1:], len(counts))
        due = np.empty_like(counts)
        due[1:] = counts[:-1] + 1
        due[firsts] = [
            count if last is None else last + 1
            for last, count in zip(map(self._last.get, sources), counts[firsts].tolist(), strict=True)
        ]
        due %= _MODULUS
        self._last.update(zip(sources, counts[ends - 1].tolist(), strict=True))
        broken = np.flatnonzero(counts != due)
        if not len(broken):
            return  # what follows takes longer than all before, for nothing
        runs, begins = np.unique(np.searchsorted(firsts, broken, "right") - 1, return_index=True)
        for run, which in zip(runs.tolist(), np.split(broken, begins[1:]), strict=False):
            if apids[run] != _IDLE_APID:
                yield _breaks(sources[run], due[which], counts[which], int(received[which[0]]))

    def memory(self) -> list[list[str | int]]:
        """The last counts, as JSON has them."""
        return [[*source, count] for source, count in self._last.items()]

    def remember(self, memory: object) -> None:
        """Go on from the last counts of another one. Raises :class:`~c2kit.errors.MessageError` for what is none."""
        last: dict[Source, int] = {}
        for entry in memory if isinstance(memory, list) else [memory]:
            match entry:
                case [str(interface), str(origin), int(apid), int(count)] if 0 <= count < _MODULUS:
                    last[interface, origin, apid] = count
                case _:
                    expected = "interface, origin, APID and count"
                    raise MessageError("sequence counts in a snapshot", expected=expected, found=entry)
        self._last = last


def _breaks(source: Source, due: npt.NDArray[np.int64], found: npt.NDArray[np.int64], received: int) -> SequenceBreaks:
    ahead = (found - due) % _MODULUS
    is_repeat = ahead == _MODULUS - 1
    is_gap = (ahead < _MODULUS // 2) & (found != 0)
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
