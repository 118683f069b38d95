"""What a bus in memory hands out: workers, sinks and views."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from c2kit.bus.base import Delivery, Fenced, Position, PositionLost, Sink, View, Worker
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from c2kit.bus.base import PartitionId, Received, StateKey, Step
    from c2kit.bus.memory.core import Core, Group
    from c2kit.bus.news import Bell

__all__ = ["Member", "MemorySink", "MemoryView", "MemoryWorker", "Reader"]

_NOTHING = Delivery()


class Reader:
    """Reads partitions from offsets that move on. Made, and changed, under the core's lock."""

    def __init__(self, core: Core, streams: Iterable[str], bell: Bell | None = None) -> None:
        self._core = core
        self._read_to: dict[PartitionId, int] = {}
        self.streams = frozenset(streams)
        self.changed = threading.Condition(core.lock)
        self.bell = bell
        self.is_closed = False
        core.add(self)

    def _has_records(self) -> bool:
        return any(self._core.partition(key).next != offset for key, offset in self._read_to.items())

    def _wait_and_read(self, timeout_seconds: float, max_bytes: int) -> list[Received]:
        with self._core.lock:
            self.changed.wait_for(lambda: self.is_closed or self._has_records(), timeout_seconds)
            self._check_open()
            return self._core.read(self._read_to, max_bytes)

    def _check_open(self) -> None:
        if self.is_closed:
            raise Fenced(f"this reader of {sorted(self.streams)} is closed; nothing of what it was asked was done")

    def close(self) -> None:
        """Tell this reader nothing more; a call of its bell that is in progress is waited for."""
        with self._core.changing():
            if not self.is_closed:
                self.is_closed = True
                self._leave()
        if self.bell is not None:
            self.bell.silence()

    def _leave(self) -> None:
        self._core.remove(self)


class Member(Reader):
    """A reader that is one of a stage's."""

    def __init__(
        self,
        core: Core,
        group: Group,
        ordinal: int,
        partitions: frozenset[PartitionId],
        *,
        is_exclusive: bool = False,
        bell: Bell | None = None,
    ) -> None:
        super().__init__(core, (name for name, _ in partitions), bell)
        self._group = group
        self.ordinal = ordinal
        self.partitions = partitions
        self.is_exclusive = is_exclusive
        self.wanted: frozenset[PartitionId] = frozenset()
        """Its share, whoever owns that now."""
        group.members.append(self)
        group.members.sort(key=lambda member: member.ordinal)
        self._share_out()

    def _share_out(self) -> None:
        self._group.share_out()
        self._core.tell(self._group.members)

    def _leave(self) -> None:
        super()._leave()
        self._group.members.remove(self)
        self._group.owners = {key: owner for key, owner in self._group.owners.items() if owner is not self}
        self._share_out()


class MemoryWorker(Member, Worker):
    """See :class:`c2kit.bus.base.Worker`."""

    def __init__(
        self,
        core: Core,
        group: Group,
        ordinal: int,
        partitions: frozenset[PartitionId],
        outputs: frozenset[str],
        *,
        is_exclusive: bool,
        bell: Bell | None,
    ) -> None:
        super().__init__(core, group, ordinal, partitions, is_exclusive=is_exclusive, bell=bell)
        self._outputs = outputs

    @property
    def assigned(self) -> frozenset[PartitionId]:
        """See :attr:`c2kit.bus.base.Worker.assigned`."""
        return frozenset(self._read_to)

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Delivery:
        """See :meth:`c2kit.bus.base.Worker.receive`."""
        with self._core.changing():
            self.changed.wait_for(self._has_news, timeout_seconds)
            self._check_open()
            gained, lost = self._take_share()
            try:
                records = self._core.read(self._read_to, max_bytes)
            except PositionLost:
                if not (gained or lost):
                    raise
                records = []  # changes of ownership are told once, so they are told now, and the error next time
            return Delivery(records=records, gained=gained, lost=lost) if records or gained or lost else _NOTHING

    def _has_news(self) -> bool:
        return self.is_closed or self._is_share_new() or self._has_records()

    def _is_share_new(self) -> bool:
        return self._read_to.keys() != self.wanted and (
            bool(self._read_to.keys() - self.wanted) or any(key not in self._group.owners for key in self.wanted)
        )

    def _take_share(self) -> tuple[frozenset[PartitionId], frozenset[PartitionId]]:
        if not self._is_share_new():
            return frozenset(), frozenset()
        owners = self._group.owners
        lost = frozenset(self._read_to) - self.wanted
        for key in lost:
            del self._read_to[key], owners[key]
        gained = frozenset(key for key in self.wanted if key not in owners)
        for key in gained:
            owners[key] = self
            self._read_to[key] = self._core.begin(self._group.name, key)
        if lost:
            self._core.tell(member for member in self._group.members if member is not self)
        return gained, lost

    def commit(self, step: Step) -> None:
        """See :meth:`c2kit.bus.base.Worker.commit`."""
        names = {record.stream for record in step.publish}
        if not names <= self._outputs:
            wrong = min(names - self._outputs)
            raise UsageError(f"stage {self._group.name} does not write {wrong}", expected=sorted(self._outputs))
        with self._core.changing():
            self._core.room.wait_for(lambda: self.is_closed or not any(map(self._core.is_full, names)))
            self._check_open()
            foreign = step.passed.keys() - self._read_to.keys()
            if foreign:
                raise Fenced(f"stage {self._group.name} passed {sorted(foreign)}, which this worker does not own")
            self._core.check_passed(step.passed)
            self._core.apply_step(self._group, step)

    def rewind(self) -> None:
        """See :meth:`c2kit.bus.base.Worker.rewind`."""
        with self._core.lock:
            self._check_open()
            for key in self._read_to:
                self._read_to[key] = self._core.begin(self._group.name, key)

    def snapshot(self, key: StateKey) -> bytes | None:
        """See :meth:`c2kit.bus.base.Worker.snapshot`."""
        with self._core.lock:
            self._check_open()
            return self._group.snapshots.get(key)


class MemorySink(Member, Sink):
    """See :class:`c2kit.bus.base.Sink`."""

    def __init__(self, core: Core, group: Group, ordinal: int, begin: Mapping[PartitionId, int]) -> None:
        super().__init__(core, group, ordinal, frozenset(begin))
        self._read_to = dict(begin)
        self._positions = {
            key: Position(key[0], core.streams[key[0]].uuid, key[1], offset) for key, offset in begin.items()
        }

    @property
    def positions(self) -> Mapping[PartitionId, Position]:
        """See :attr:`c2kit.bus.base.Sink.positions`."""
        return self._positions

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Sequence[Received]:
        """See :meth:`c2kit.bus.base.Sink.receive`."""
        return self._wait_and_read(timeout_seconds, max_bytes)

    def passed(self, positions: Mapping[PartitionId, int]) -> None:
        """See :meth:`c2kit.bus.base.Sink.passed`."""
        with self._core.lock:
            self._check_open()
            self._core.check_passed(positions)
            self._group.committed.update(positions)
            self._core.retain(positions)


class MemoryView(Reader, View):
    """See :class:`c2kit.bus.base.View`."""

    def __init__(self, core: Core, begin: Mapping[PartitionId, int]) -> None:
        super().__init__(core, (name for name, _ in begin))
        self._read_to = dict(begin)
        self._missed = 0

    @property
    def missed(self) -> int:
        """See :attr:`c2kit.bus.base.View.missed`."""
        return self._missed

    @property
    def reached(self) -> Mapping[PartitionId, int]:
        """See :attr:`c2kit.bus.base.View.reached`."""
        return dict(self._read_to)

    def receive(self, timeout_seconds: float, *, max_bytes: int = 8_000_000) -> Sequence[Received]:
        """See :meth:`c2kit.bus.base.View.receive`."""
        with self._core.lock:
            self.changed.wait_for(lambda: self.is_closed or self._has_records(), timeout_seconds)
            self._check_open()
            for key, offset in self._read_to.items():
                first = self._core.partition(key).first
                self._missed += max(first - offset, 0)
                self._read_to[key] = max(first, offset)
            return self._core.read(self._read_to, max_bytes)
