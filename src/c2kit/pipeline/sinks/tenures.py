"""Which replica of a sink keeps which partition, and how another one takes it over.

A replica's logs are its own, often on a disk that no other one has. So the bus remembers of each partition who keeps
it, and who ends in good order leaves there exactly how far it got. Where the number of replicas changes, a partition
that another one keeps now begins there: in no log twice, and missing in none.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

from attrs import asdict, evolve, frozen

from c2kit.bus import Position, Step
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from c2kit.bus import PartitionId, StateKey, Worker
    from c2kit.pipeline.composition.description import StreamDescription
    from c2kit.pipeline.surroundings import StageSurroundings

__all__ = ["Tenure", "Tenures", "share_of"]


def share_of(streams: Iterable[StreamDescription], ordinal: int, replicas: int) -> Iterator[PartitionId]:
    """The partitions of one of so many replicas: of each stream every so-many-th.

    With which of them a stream begins follows from its name alone, so that one more stream moves no other.
    """
    for stream in streams:
        first = zlib.crc32(stream.name.encode())
        for number in range(stream.partitions):
            if (first + number) % replicas == ordinal:
                yield stream.name, number


@frozen(kw_only=True)
class Tenure:
    """That a replica, of so many, keeps a partition."""

    ordinal: int
    replicas: int
    begin: Position | None = None
    """Where it was taken over; ``None`` for the oldest record."""
    end: Position | None = None
    """Where it is left to whoever comes; ``None`` as long as it was not."""

    def is_of(self, ordinal: int, replicas: int) -> bool:
        """Whether it is that replica's."""
        return (self.ordinal, self.replicas) == (ordinal, replicas)

    def packed(self) -> bytes:
        """For the bus."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def unpacked(cls, value: bytes) -> Tenure:
        """From the bus."""
        told = json.loads(value)
        begin, end = (None if told[name] is None else Position(**told[name]) for name in ("begin", "end"))
        return cls(ordinal=told["ordinal"], replicas=told["replicas"], begin=begin, end=end)


class Tenures:
    """Those of one replica. For one thread. Each method raises BusUnavailable, and has done nothing then."""

    def __init__(self, surroundings: StageSurroundings, partitions: Iterable[PartitionId]) -> None:
        self._surroundings = surroundings
        self._partitions = tuple(partitions)
        self._mine: dict[PartitionId, Tenure] = {}

    def prepare(self, *, chosen: Collection[PartitionId] = ()) -> Mapping[PartitionId, Position]:
        """Where partitions are to be begun at the earliest that others kept before.

        Raises UsageError for one that another keeps still, as far as anybody knows; but not for those of which somebody
        has chosen where to go on.
        """
        with self._worker() as worker:
            worker.rewind()
            self._mine = {each: self._taken_over(worker, each, is_chosen=each in chosen) for each in self._partitions}
        return {partition: each.begin for partition, each in self._mine.items() if each.begin is not None}

    def _taken_over(self, worker: Worker, partition: PartitionId, *, is_chosen: bool) -> Tenure:
        ordinal, replicas = self._surroundings.ordinal, self._surroundings.replicas
        value = worker.snapshot(_key(partition))
        last = None if value is None else Tenure.unpacked(value)
        if last is None:
            return Tenure(ordinal=ordinal, replicas=replicas)
        if last.is_of(ordinal, replicas):
            return evolve(last, end=None)
        if last.end is None and not is_chosen:
            raise UsageError(
                f"stage {self._surroundings.name}: replica {ordinal} of {replicas} is to go on with "
                f"{partition[0]}[{partition[1]}]",
                expected="whoever kept it before to have ended in good order, and so to have said where",
                found=f"replica {last.ordinal} of {last.replicas}, which has not",
                remedy="run that one as it was, and end it with SIGTERM or Ctrl-C; or, where its log is lost, give "
                "LogStage a position as resume_from",
            )
        return Tenure(ordinal=ordinal, replicas=replicas, begin=last.end)

    def begin(self) -> None:
        """From now on this replica keeps its partitions."""
        self._write(self._mine)

    def end(self, positions: Mapping[PartitionId, Position]) -> None:
        """All before these positions is kept, and this replica reads no more."""
        self._write({key: evolve(each, end=positions[key]) for key, each in self._mine.items()})

    def _write(self, tenures: Mapping[PartitionId, Tenure]) -> None:
        with self._worker() as worker:
            worker.commit(Step(snapshots={_key(key): each.packed() for key, each in tenures.items()}))

    def _worker(self) -> AbstractContextManager[Worker]:
        return self._surroundings.own_worker()


def _key(partition: PartitionId) -> StateKey:
    return "tenure", f"{partition[0]}[{partition[1]}]"
