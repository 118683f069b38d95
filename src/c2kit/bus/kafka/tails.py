"""How many records wait, where offsets do not tell: the ends of streams are read, as far as that is little.

Steps leave marks among the records, and what was taken back is there too, so that only who reads knows how many records
there are. What was read is remembered: looked at again, nothing is read but what came since.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from contextlib import closing
from typing import TYPE_CHECKING

from attrs import define, field, frozen
from confluent_kafka import KafkaError, KafkaException, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka.cimpl import Message

    from c2kit.bus.base import PartitionId
    from c2kit.bus.kafka.clients import Clients

__all__ = ["Count", "Tails"]

MOST_OFFSETS = 2_000
"""So many offsets of a partition are read at most, and of so many bytes:"""
_MOST_BYTES = 32_000_000
_MOST_SECONDS = 3.0
_FETCH_WAIT_MS = 10
_EOF = KafkaError._PARTITION_EOF  # noqa: SLF001 - its public name


@frozen
class Count:
    """How many records there are; ``is_most`` tells that it may be less."""

    records: int
    is_most: bool = False


@define
class _Tail:
    """What was read of a partition: the offsets of all records from ``begin`` up to ``end``."""

    begin: int
    end: int
    offsets: list[int] = field(factory=list)

    def count(self, begin: int, end: int) -> int:
        return bisect_left(self.offsets, end) - bisect_left(self.offsets, begin)

    def forget_before(self, begin: int) -> None:
        del self.offsets[: bisect_left(self.offsets, begin)]
        self.begin = begin


class Tails:
    """Counts records between offsets. Safe to share among threads, which wait for each other."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._used = threading.Lock()
        self._tails: dict[PartitionId, _Tail] = {}

    def counted(
        self, ranges: Mapping[tuple[str, PartitionId], tuple[int, int]]
    ) -> dict[tuple[str, PartitionId], Count]:
        """How many records are in each range of a partition, which whoever is named first asks for.

        Where that would be too much to read, or it cannot be read, it is what is between the offsets.
        """
        with self._used:
            wanted: dict[PartitionId, tuple[int, int]] = {}
            for (_, key), (begin, end) in ranges.items():
                if 0 < end - begin <= MOST_OFFSETS:
                    least, most = wanted.get(key, (begin, end))
                    wanted[key] = min(begin, least), max(end, most)
            self._read(wanted)
            return {who: self._count(who[1], begin, max(begin, end)) for who, (begin, end) in ranges.items()}

    def _count(self, key: PartitionId, begin: int, end: int) -> Count:
        tail = self._tails.get(key)
        if begin == end:
            return Count(0)
        if tail is None or not tail.begin <= begin <= end <= tail.end:
            return Count(end - begin, is_most=True)
        return Count(tail.count(begin, end))

    def _read(self, wanted: Mapping[PartitionId, tuple[int, int]]) -> None:
        """Read what is not known yet of these."""
        missing: dict[PartitionId, int] = {}
        for key, (begin, end) in wanted.items():
            tail = self._tails.get(key)
            if tail is None or not tail.begin <= begin <= tail.end:
                tail = self._tails[key] = _Tail(begin, begin)
            tail.forget_before(begin)
            if tail.end < end:
                missing[key] = end
        if not missing:
            return
        with closing(self._clients.reader(fetch_wait_ms=_FETCH_WAIT_MS)) as consumer:
            consumer.assign([TopicPartition(*key, self._tails[key].end) for key in missing])
            deadline, left = time.monotonic() + _MOST_SECONDS, _MOST_BYTES
            while missing and left > 0 and time.monotonic() < deadline:
                try:
                    messages = consumer.consume(500, 0) or consumer.consume(1, 0.1)
                except KafkaException:
                    return
                for message in messages:
                    left -= self._take(message, missing)

    def _take(self, message: Message, missing: dict[PartitionId, int]) -> int:
        """Note a record, or the end of a partition, and return how many bytes that took."""
        error, key, offset = message.error(), (message.topic() or "", message.partition() or 0), message.offset()
        if key not in missing or (error is not None and error.code() != _EOF):
            missing.pop(key, None)  # it cannot be read now
            return 0
        assert offset is not None  # noqa: S101 - both kinds have one
        tail = self._tails[key]
        if error is None:
            tail.offsets.append(offset)
        tail.end = offset if error else offset + 1
        if tail.end >= missing[key]:
            del missing[key]
        return 0 if error else len(message.value() or b"")
