"""What c2kit chose for everybody, beside what could be chosen: when to commit, and whether to compress.

c2kit commits what there is as soon as the step before is committed, and compresses nothing; it has no setting for
either. Bare clients do it otherwise: they commit at intervals, and compress. One source commits records, which a
reader of what is committed reads; half of each record is noise. Each is measured twice: with as much as goes through,
and at a low rate, where the time from adding a record to having it read is told.
"""

from __future__ import annotations

import itertools
import random
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from benchmarks.kafka.bare import Reader, Source, make
from benchmarks.pipeline.latency import Delays
from benchmarks.rounds import ResultsDiffer
from c2kit.bus import Record, Step, StreamSpec, open_bus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c2kit.bus import Worker

__all__ = ["Choice", "Chosen", "choose"]

_TOPIC = "benchmark.choices"
_STEP_BYTES = 8_000_000
"""So much a stage takes at once, where there is as much as goes through."""
_POOL_BYTES = 8_000_000
_RATES = {7_000: 200.0, 70_000: 100.0}
_WARM = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """Records of a size, when they are committed, and how batches of them are compressed."""

    record_bytes: int
    commit_ms: int | None = None
    """``None`` for c2kit, which commits at once."""
    compression: str = "none"

    @property
    def is_ours(self) -> bool:
        """Whether it is what c2kit does."""
        return self.commit_ms is None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of a choice."""

    bytes_a_second: float
    delays: Delays


class _Sender(Protocol):
    def add(self, value: bytes) -> None:
        """Put a record into the transaction."""

    def commit(self) -> None:
        """Make it true."""


class _Ours:
    """A worker of c2kit's, as a sender."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._records: list[Record] = []

    def add(self, value: bytes) -> None:
        self._records.append(Record(_TOPIC, "lane", value))

    def commit(self) -> None:
        records, self._records = self._records, []
        self._worker.commit(Step(publish=records))


def choose(brokers: str, choice: Choice, seconds: float) -> Chosen:
    """Measure a choice. Fails where other records arrive than were sent."""
    with ExitStack() as stack:
        sender = _sender(brokers, choice, stack)
        reader = stack.enter_context(Reader(brokers, _TOPIC))
        values = itertools.cycle(_values(choice.record_bytes))
        for _ in range(_WARM):
            sender.add(next(values))
            sender.commit()
        _take(reader, _WARM)
        delays = _paced(sender, reader, choice, values, seconds)
        return Chosen(_saturated(sender, reader, choice, values, seconds), delays)


def _sender(brokers: str, choice: Choice, stack: ExitStack) -> _Sender:
    if not choice.is_ours:
        make(brokers, [_TOPIC])
        return Source(brokers, _TOPIC, choice.compression)
    bus = stack.enter_context(open_bus(f"kafka:{brokers}"))
    bus.apply([StreamSpec(name=_TOPIC, writer="benchmark.source", consumers=("benchmark.sink",))])
    return _Ours(bus.worker("benchmark.source", (), outputs=(_TOPIC,)))


def _values(size: int) -> list[bytes]:
    """Many records that differ."""
    draw = random.Random(size)
    return [bytes(size // 2 - 8) + draw.randbytes(size - size // 2) + bytes(8) for _ in range(_POOL_BYTES // size)]


def _take(reader: Reader, count: int) -> Sequence[tuple[int, bytes]]:
    """So many records, as they come."""
    reader.wait(lambda: len(reader.seen) >= count)
    seen = reader.take()
    if len(seen) != count:
        raise ResultsDiffer(f"{len(seen)} records came of {count}")
    return seen


def _paced(sender: _Sender, reader: Reader, choice: Choice, values: Iterator[bytes], seconds: float) -> Delays:
    """Add records at random times, and commit them when it is due. What waits for a commit that lasts counts, too."""
    rate, draw = _RATES[choice.record_bytes], random.Random(7)
    begin, interval = time.monotonic(), (choice.commit_ms or 0) / 1e3
    due = [begin + (number + draw.random()) / rate for number in range(int(rate * seconds))]
    added = committed = 0
    commit_at = begin
    while committed < len(due):
        now = time.monotonic()
        while added < len(due) and due[added] <= now:
            sender.add(next(values)[:-8] + int(due[added] * 1e9).to_bytes(8))
            added += 1
        if added > committed and now >= commit_at:
            commit_at = now + interval
            sender.commit()
            committed = added
        else:
            moments = [*due[added : added + 1], *([commit_at] if added > committed else [])]
            time.sleep(max(0.0, min(moments) - now))
    seen = _take(reader, len(due))
    return Delays([(now - int.from_bytes(value[-8:])) / 1e6 for now, value in seen])


def _saturated(sender: _Sender, reader: Reader, choice: Choice, values: Iterator[bytes], seconds: float) -> float:
    """Add records as fast as they are taken. Gives bytes a second."""
    began = last = time.monotonic()
    pending, sent = 0, list[bytes]()
    while time.monotonic() < began + seconds:
        value = next(values)[:-8] + len(sent).to_bytes(8)
        sender.add(value)
        sent.append(value[-8:])
        pending += len(value)
        is_due = pending >= _STEP_BYTES if choice.is_ours else time.monotonic() >= last + (choice.commit_ms or 0) / 1e3
        if is_due:
            sender.commit()
            pending, last = 0, time.monotonic()
    if pending:
        sender.commit()
    seen = _take(reader, len(sent))
    if [value[-8:] for _, value in seen] != sent:
        raise ResultsDiffer("records came in another order than they were sent in")
    return len(sent) * choice.record_bytes / (seen[-1][0] / 1e9 - began)
