"""What a stage is given by whoever runs it, and how it finds its streams."""

from __future__ import annotations

import logging
import time
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import field, frozen

from c2kit.bus import Record
from c2kit.bus.records import Event, Severity, pack
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.lanes import without_packet

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from c2kit.batches.kinds import Kind
    from c2kit.bus import StreamBus, Worker
    from c2kit.bus.records import JsonRecord
    from c2kit.pipeline.composition.description import MissionDescription, StageDescription, StreamDescription
    from c2kit.pipeline.composition.mission import Mission

__all__ = ["StageSurroundings"]

_LEVELS = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.ERROR: logging.ERROR,
    Severity.CRITICAL: logging.CRITICAL,
}
_log = logging.getLogger(__name__)


@frozen(kw_only=True, eq=False)
class StageSurroundings:
    """A stage's place in its mission: the bus, and the streams that it reads and writes there."""

    mission: Mission
    description: MissionDescription
    stage: StageDescription
    bus: StreamBus
    ordinal: int = 0
    replicas: int = 1
    """How many of this stage there are, of which this is the one of that ordinal."""
    now: Callable[[], int] = time.time_ns
    """The time: POSIX nanoseconds, UTC."""
    definitions: Definitions = field()
    """What all batches name; stages of one process share them."""
    _inputs: dict[str, StreamDescription] = field(init=False)
    _outputs: dict[tuple[str, str], str] = field(init=False)

    @definitions.default
    def _own_definitions(self) -> Definitions:
        return Definitions(self.bus, self.mission.name, self.mission.dictionary)

    @_inputs.default
    def _find_inputs(self) -> dict[str, StreamDescription]:
        read = [self.description.streams_by_name[name] for name in self.stage.reads]
        return {each.name: each for each in read if not each.compacted}

    @_outputs.default
    def _find_outputs(self) -> dict[tuple[str, str], str]:
        written = [self.description.streams_by_name[name] for name in self.stage.writes]
        return {
            (each.kind, without_packet(lane)): each.name
            for each in written
            for lane in (each.lanes if len(each.writers) == 1 else (self.stage.name,))
        }

    @cached_property
    def by_packet(self) -> frozenset[str]:
        """Those of the streams that it writes in which each packet of a target has a lane of its own."""
        written = (self.description.streams_by_name[name] for name in self.stage.writes)
        return frozenset(each.name for each in written if any(without_packet(lane) != lane for lane in each.lanes))

    @property
    def name(self) -> str:
        """The name of the stage."""
        return self.stage.name

    @property
    def inputs(self) -> dict[str, StreamDescription]:
        """The streams that it consumes, by name; those with definitions are only looked at."""
        return self._inputs

    @property
    def outputs(self) -> list[str]:
        """The names of the streams that it writes."""
        return list(self.stage.writes)

    def stream(self, kind: Kind, lane: str) -> str | None:
        """The name of the stream of that kind in which that lane is, or its packets are, where this stage writes it."""
        return self._outputs.get((str(kind), lane))

    def own_record(self, kind: Kind, record: JsonRecord) -> Record:
        """A record for the stage's own stream of events, dead letters or command status; events are logged, too."""
        if isinstance(record, Event):
            logger = _log.getChild(record.kind)  # so that many of one kind do not suppress one of another
            logger.log(_LEVELS[record.severity], "%s", record.message)
        return Record(self._outputs[str(kind), self.name], self.name, pack(record))

    def own_worker(self) -> Worker:
        """A worker that only writes, in a place beside that of the stage itself; to be closed soon."""
        return self.bus.worker(self.stage.identity, [], outputs=self.outputs, ordinal=~self.ordinal)

    def event(self, kind: str, severity: Severity, message: str, **facts: Any) -> Event:  # noqa: ANN401 - plain data
        """An event of this stage, now."""
        return Event(kind=kind, severity=severity, stage=self.name, message=message, facts=facts, time_ns=self.now())
