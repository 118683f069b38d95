"""How a worker enters the file: at most one live worker in a place, whoever tries at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from c2kit.bus.base import Fenced

if TYPE_CHECKING:
    from c2kit.bus.base import PartitionId
    from c2kit.bus.sqlite.bus import Shared
    from c2kit.bus.sqlite.locks import WorkerLock
    from c2kit.bus.sqlite.store import Store

__all__ = ["Entry"]


@frozen
class Entry:
    """One attempt of a worker to enter a stage. ``alone``: as its only worker; ``owns``: with these partitions."""

    shared: Shared
    stage: str
    ordinal: int
    partitions: frozenset[PartitionId]
    alone: bool = field(kw_only=True)
    owns: bool = field(kw_only=True)

    def make(self) -> tuple[int, WorkerLock]:
        """Strike out who is in the way and dead or hanging, and enter. Raises Fenced where one of them lives."""
        locks: dict[int, WorkerLock] = {}
        while True:
            for other, ordinal in self.shared.run(self._in_the_way):
                self._strike_out(other, ordinal)
            try:
                is_entered = self.shared.run(lambda store: self._add(store, locks))
            except BaseException:
                self._give_up(locks)
                raise
            if is_entered:
                return locks.popitem()

    def _in_the_way(self, store: Store) -> list[tuple[int, int]]:
        """Id and ordinal of the workers whose place this one would take."""
        return [
            (other.id, other.ordinal)
            for other in store.workers(self.stage)
            if self.alone
            or other.is_exclusive
            or other.ordinal == self.ordinal
            or (self.owns and self.partitions & other.inputs)
        ]

    def _strike_out(self, other: int, ordinal: int) -> None:
        if not self.shared.is_dead(other) and self.shared.answers(other):
            raise Fenced(
                f"stage {self.stage} already has a live worker {ordinal} on {self.shared.path}; "
                "stop that one first, or give this replica an ordinal and partitions of its own"
            )
        self.shared.strike_out(other)

    def _add(self, store: Store, locks: dict[int, WorkerLock]) -> bool:
        """Enter, unless somebody was quicker; the lock is held, and answered for, before anybody can see the entry."""
        if self._in_the_way(store):
            return False
        key = store.add_worker(self.stage, self.ordinal, self.partitions, exclusive=self.alone)
        if self.owns:
            streams = store.streams({name for name, _ in self.partitions})
            for name, number in self.partitions:
                store.set_owner(self.stage, streams[name], number, key)
        locks[key] = self.shared.lock(key)
        locks[key].take()
        self.shared.keep_alive(key)
        return True

    def _give_up(self, locks: dict[int, WorkerLock]) -> None:
        for key, lock in locks.items():
            self.shared.let_go(key)
            lock.release(is_removed=False)
