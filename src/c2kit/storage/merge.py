"""Packets of several logs in the order in which they were received, with no more than a block of each log in memory."""

from __future__ import annotations

import heapq
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from c2kit.errors import UsageError
from c2kit.storage.index import UNKNOWN_TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    from c2kit.batches import PacketBatch

    Run = tuple[npt.NDArray[np.int64], PacketBatch]
    """A batch, and by which times its packets are ordered: they never go back."""
    _Head = tuple[int, int, int, Run]
    """The time of the next packet of a log, the log, and the place of that packet in its run."""

__all__ = ["merged"]


def merged(
    logs: Sequence[Iterable[PacketBatch]], *, skip: Sequence[int] | None = None
) -> Iterator[tuple[int, PacketBatch]]:
    """Batches of all logs, each with the number of its log, by the time of receiving.

    ``logs`` are what :meth:`PacketLogReader.read` gives of each. Packets of one log and source keep the order in which
    they were written, also where a clock went back or nobody knows the time any more: these count as received with the
    ones before them. Of equal times, the earlier log comes first.

    ``skip`` is how many packets of each log were had already: the first ones that are given of it, which are the same
    however often it is read, and however much it grows. Raises UsageError where a log has not that many.
    """
    runs = [_in_order(log) for log in logs]
    if skip is not None:
        runs = [_without(count, log) for count, log in zip(skip, runs, strict=True)]
    return ((number, batch) for number, (_, batch) in _merged(runs))


def _without(count: int, runs: Iterator[Run]) -> Iterator[Run]:
    """All but so many packets, with the times by which they are ordered among all."""
    for times, batch in runs:
        skipped = min(count, len(batch))
        count -= skipped
        if skipped < len(batch):
            yield times[skipped:], _part(batch, skipped, len(batch))
    if count:
        what = "a log has fewer packets than were read of it already"
        raise UsageError(what, found=f"{count} fewer", remedy="bring it back as it was, or begin anew")


def _in_order(batches: Iterable[PacketBatch]) -> Iterator[Run]:
    """The packets of a log; those of one block, which its sources share, by time."""
    latest = UNKNOWN_TIME
    for _, block in groupby(batches, key=_Bytes):
        runs = [iter([(np.maximum.accumulate(np.maximum(batch.received, latest)), batch)]) for batch in block]
        for _, (times, batch) in _merged(runs):
            latest = int(times[-1])
            yield times, batch


class _Bytes:
    """The bytes that a batch lies in, as a key: the same ones, not equal ones."""

    def __init__(self, batch: PacketBatch) -> None:
        self._bytes = batch.buffer

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bytes) and self._bytes is other._bytes

    __hash__ = None  # type: ignore[assignment]


def _merged(logs: Sequence[Iterator[Run]]) -> Iterator[tuple[int, Run]]:
    """Runs of which none begins before the one before it ends, cut where another log has an earlier packet."""
    heads: list[_Head] = []
    for number, log in enumerate(logs):
        _push_next(heads, number, log)
    while heads:
        _, number, start, run = heapq.heappop(heads)
        times, batch = run
        stop = len(times)
        if heads:
            other_time, other, _, _ = heads[0]
            stop = start + int(np.searchsorted(times[start:], other_time, side="right" if number < other else "left"))
        yield number, (times[start:stop], _part(batch, start, stop))
        if stop < len(times):
            heapq.heappush(heads, (int(times[stop]), number, stop, run))
        else:
            _push_next(heads, number, logs[number])


def _push_next(heads: list[_Head], number: int, log: Iterator[Run]) -> None:
    for times, batch in log:
        if len(batch):
            heapq.heappush(heads, (int(times[0]), number, 0, (times, batch)))
            return


def _part(batch: PacketBatch, start: int, stop: int) -> PacketBatch:
    return batch if stop - start == len(batch) else batch.select(np.arange(start, stop))
