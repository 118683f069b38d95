"""Sinks as stages: what comes is written to logs, and with it how far the bus was read.

The bus is told how far a sink got only after that is safe in its logs, and only so that it may delete it; where to go
on reading the logs alone decide. A sink that dies at any moment therefore neither loses anything nor writes it twice.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from c2kit.batches.kinds import Kind
from c2kit.bus import BusError, Fenced, Position, PositionLost, Step
from c2kit.bus.records import Severity
from c2kit.errors import MessageError, UsageError
from c2kit.pipeline.dead_letters import letter_of_record
from c2kit.pipeline.observing.ledger import LedgerRow
from c2kit.pipeline.sinks.keepers import KEEPERS, Keeper
from c2kit.pipeline.sinks.tenures import Tenures, share_of
from c2kit.pipeline.stage import Stage
from c2kit.pipeline.wire import Wire
from c2kit.storage import LogLocked, LogSettings, sync_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from c2kit.bus import PartitionId, Received, Record, Sink
    from c2kit.pipeline.surroundings import StageSurroundings
    from c2kit.storage import LogWriter

__all__ = ["LogPositionLost", "LogStage"]

_log = logging.getLogger(__name__)


class LogPositionLost(BusError):
    """What a log is to go on with is not on the bus any more, so that packets are missing from it for ever.

    ``lost_records`` is how many records that are, where it is known.
    """

    def __init__(self, stage: str, directory: Path, error: PositionLost) -> None:
        self.position = error.position
        self.lost_records = error.lost_records
        lost = "nobody can tell how many records" if error.lost_records is None else f"{error.lost_records} records"
        super().__init__(
            f"stage {stage} stops: log {directory} is to go on at {error.position}, but {error.reason}; {lost} are "
            f"lost to it. To begin a new log with the oldest record that is left, move {directory} away, which stays "
            "as readable as it is, and start again; to go on writing this one, give LogStage a position as resume_from"
        )


class LogStage(Stage):
    """Writes each partition that it reads to a log of its own: packets, commands or raw bytes, by the kind of stream.

    Packets are safe when a block of them was synced, at the latest when :class:`~c2kit.storage.LogSettings` say so;
    all logs of the stage are synced together. While the disk does not take them, nothing more is read.

    A record that cannot be read is set aside on the stage's ``dead-letter`` stream before its position is passed: where
    the process dies in between, it is set aside once more, and so may be told twice. Nothing that can be read is.

    Args:
        surroundings: of a stage that is a sink. Its replicas share the partitions by their ordinals.
        directory: the root of its logs, where it is not the mission's.
        settings: when a log commits, and when it begins a new segment.
        resume_from: where to go on reading, for the partitions whose logs cannot tell or are not to be believed.

    Raises:
        Fenced: another one writes these logs.
        UsageError: there are fewer replicas than that ordinal asks for; or there were more or fewer before, and the one
            that kept a partition then has not ended in good order.
        LogPositionLost: records that a log is to go on with are not on the bus.
        LogDamaged: a log cannot tell how far the bus was read.
        LogUnavailable, BusUnavailable: not now.
    """

    def __init__(
        self,
        surroundings: StageSurroundings,
        *,
        directory: Path | None = None,
        settings: LogSettings | None = None,
        resume_from: Iterable[Position] = (),
    ) -> None:
        self._surroundings = surroundings
        self._settings = settings or LogSettings()
        resume_from = tuple(resume_from)
        self._definitions = surroundings.definitions
        self._wire = Wire(self._definitions)
        self._root = directory or Path(surroundings.stage.directory or "")
        self._keepers: dict[PartitionId, Keeper[Any, Any]] = {}
        self._waiting: deque[Received] = deque()
        self._pending: dict[PartitionId, Keeper[Any, Any]] = {}
        self._untold: dict[PartitionId, int] = {}
        """How far the logs are, where the bus does not know it yet."""
        self._is_drained = False
        self._began: float | None = None
        """When the first of what is pending came: monotonic seconds."""
        partitions = self._partitions()
        self._tenures = Tenures(surroundings, partitions)
        begins = self._tenures.prepare(chosen={(each.stream, each.partition) for each in resume_from})
        with ExitStack() as opened:
            for partition in partitions:
                keeper = self._opened(partition, resume_from, begins.get(partition))
                self._keepers[partition] = opened.enter_context(closing(keeper))
            self._sink = opened.enter_context(self._entered())
            self._tenures.begin()
            self._tell_of_new_logs()
            self._open = opened.pop_all()
        self._records_before = self._sink.records_before
        self._untold.update({partition: position.offset for partition, position in self._sink.positions.items()})

    def _partitions(self) -> list[PartitionId]:
        """The share of this replica."""
        surroundings = self._surroundings
        ordinal, replicas = surroundings.ordinal, surroundings.replicas
        if ordinal >= replicas:
            expected = f"an ordinal below {replicas}, the number of replicas"
            raise UsageError(f"stage {self.name} has no work for this replica", expected=expected, found=ordinal)
        return list(share_of(surroundings.inputs.values(), ordinal, replicas))

    def _opened(
        self, partition: PartitionId, resume_from: Sequence[Position], begin: Position | None
    ) -> Keeper[Any, Any]:
        """The log of a partition, which goes on where it ended, or where another replica did later."""
        keeper = KEEPERS[self._surroundings.inputs[partition[0]].kind]
        chosen = [each for each in resume_from if (each.stream, each.partition) == partition]
        log = self._log(keeper, partition, chosen)
        if begin is not None and not chosen and _is_before(log.positions, begin):
            log.close()
            log = self._log(keeper, partition, [begin])
        return keeper(log, self._wire, self._definitions)

    def _log(self, keeper: type[Keeper[Any, Any]], partition: PartitionId, resume_from: list[Position]) -> LogWriter:
        try:
            log = keeper.writes(self._root, *partition, settings=self._settings, resume_from=resume_from or None)
        except LogLocked as error:
            raise Fenced(f"stage {self.name} has a live worker already: {error}") from error
        for finding in log.recovered:
            _log.info("the end of a log was cut off, which was never acknowledged: %s", finding)
        return log

    def _entered(self) -> Sink:
        surroundings = self._surroundings
        positions = [position for keeper in self._keepers.values() for position in keeper.log.positions]
        try:
            return surroundings.bus.sink(
                surroundings.stage.identity, self._keepers, positions, ordinal=surroundings.ordinal
            )
        except PositionLost as error:
            raise self._lost(error) from error

    def _tell_of_new_logs(self) -> None:
        """A log may begin late because it was not wanted before, or because it was lost: whoever looks has to know."""
        for partition, position in self._sink.positions.items():
            log = self._keepers[partition].log
            if position.offset and not log.positions:
                _log.warning("log %s is new, and begins at %s: what came before is not in it", log.directory, position)

    @property
    def name(self) -> str:
        """See :attr:`~c2kit.pipeline.stage.Stage.name`."""
        return self._surroundings.name

    def turn(self, timeout_seconds: float) -> bool:
        """See :meth:`~c2kit.pipeline.stage.Stage.turn`. Waits no longer than until what is pending is due."""
        self._tell_bus()
        if self._commit_if_due():
            return True
        due_seconds = self.due_seconds()
        self._receive(timeout_seconds if due_seconds is None else min(timeout_seconds, due_seconds))
        has_come = bool(self._waiting)
        while self._waiting:
            self._take(self._waiting[0])
            self._waiting.popleft()
        return self._commit_if_due() or has_come

    def due_seconds(self) -> float | None:
        """See :meth:`~c2kit.pipeline.stage.Stage.due_seconds`."""
        due = [keeper.log.due_at_ns for keeper in self._pending.values()]
        return max(0.0, (min(due) - self._surroundings.now()) / 1e9) if due else None

    def _receive(self, timeout_seconds: float) -> None:
        if self._waiting or self._is_drained:
            return
        try:
            self._waiting.extend(self._sink.receive(timeout_seconds))
        except PositionLost as error:
            self._commit()
            raise self._lost(error) from error

    def _take(self, record: Received) -> None:
        """Append a record, and do nothing else where that raises: it is tried again then."""
        partition = (record.stream, record.partition)
        keeper, now_ns = self._keepers[partition], self._surroundings.now()
        uuid = self._sink.positions[partition].stream_uuid
        position = Position(record.stream, uuid, record.partition, record.offset + 1)
        try:
            content = keeper.read(record.value)
        except MessageError as error:
            self._publish(letter_of_record(self._surroundings, record, error))
            self.dead_letters += 1
            keeper.skip(record.value, position, now_ns)
        else:
            keeper.append(content, record.value, position, now_ns)
        self._began = self._began or time.monotonic()
        self._pending[partition] = keeper

    def _commit_if_due(self) -> bool:
        now_ns = self._surroundings.now()
        is_much = sum(keeper.pending_bytes for keeper in self._pending.values()) >= self._settings.block_bytes
        is_due = is_much or any(keeper.log.due(now_ns) for keeper in self._pending.values())
        if is_due:
            self._commit()
        return is_due

    def _commit(self) -> None:
        """Have all that is pending in the logs, and then tell the bus; what a disk did not take stays pending."""
        try:
            sync_all(keeper.log for keeper in self._pending.values())
        finally:
            for partition, keeper in list(self._pending.items()):
                if keeper.settle():
                    del self._pending[partition]
                    self._untold[partition] = keeper.reached(partition)
        if self._began is not None:
            self.steps.add(time.monotonic() - self._began)
            self._began = None
        self._tell_bus()

    def _tell_bus(self) -> None:
        if self._untold:
            self._sink.passed(self._untold)
            self._untold = {}

    def _lost(self, error: PositionLost) -> LogPositionLost:
        """What to stop with; the loss is told on the bus too, where programs count it."""
        position = error.position
        directory = self._keepers[position.stream, position.partition].log.directory
        lost = LogPositionLost(self.name, directory, error)
        event = self._surroundings.event(
            "lost",
            Severity.CRITICAL,
            str(lost),
            stream=position.stream,
            partition=position.partition,
            offset=position.offset,
            lost_records=error.lost_records,
        )
        self._publish([self._surroundings.own_record(Kind.EVENTS, event)])
        return lost

    def _publish(self, records: Sequence[Record]) -> None:
        """Write to the stage's own streams."""
        with self._surroundings.own_worker() as worker:
            worker.commit(Step(publish=records))

    def ledger(self) -> Sequence[LedgerRow]:
        """See :meth:`~c2kit.pipeline.stage.Stage.ledger`. Counts from when the stage was started."""
        rows = []
        for (stream, number), keeper in self._keepers.items():
            tally = keeper.tally
            row = LedgerRow(
                stage=self.name,
                processor=self._surroundings.stage.processors[-1].name,
                partition=f"{stream}[{number}]",
                taken=tally.taken,
                given=tally.given,
                refused=tally.refused,
                held=tally.held,
            )
            rows.append(row)
        return rows

    def consumed(self) -> Mapping[PartitionId, int]:
        """See :meth:`~c2kit.pipeline.stage.Stage.consumed`."""
        return {
            partition: count + self._keepers[partition].tally.records
            for partition, count in self._records_before.items()
        }

    def drain(self) -> None:
        """Commit all that is pending, due or not, and say where other replicas may go on. Raises as :meth:`turn` does.

        Nothing more is read after it.
        """
        self._commit()
        self._is_drained = True
        self._waiting.clear()
        logs = {partition: keeper.log.positions for partition, keeper in self._keepers.items()}
        self._tenures.end(
            {partition: next(iter(logs[partition]), begun) for partition, begun in self._sink.positions.items()}
        )

    def close(self) -> None:
        """Give up the logs and the partitions; what is pending is forgotten, as if the process had died."""
        self._open.close()


def _is_before(positions: Sequence[Position], begin: Position) -> bool:
    """Whether a log that got so far ends before another replica's did. One of another stream is not compared."""
    return not any(each.stream_uuid != begin.stream_uuid or each.offset >= begin.offset for each in positions)
