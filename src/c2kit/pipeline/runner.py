"""Runs a mission, or one of its stages: opens the bus, lets the stages take turns, and ends them in good order."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from c2kit.bus import BusUnavailable, Tally, open_bus
from c2kit.errors import C2kitError, UnknownName, UsageError
from c2kit.links import SelectorLoop
from c2kit.links.backoff import Backoff
from c2kit.pipeline.composition.names import COMMAND_SOURCE, PROVISIONER, REPLAY
from c2kit.pipeline.composition.streams import check_applied, specs_of
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.driving import TRANSIENT, Driver, Pool, StageThread
from c2kit.pipeline.interfaces.stage import InterfaceStage
from c2kit.pipeline.observing.health import Health
from c2kit.pipeline.observing.ledger import EdgeRow
from c2kit.pipeline.observing.metrics import Metrics
from c2kit.pipeline.observing.server import HealthServer
from c2kit.pipeline.observing.table import BusErrorRow, TallyRow
from c2kit.pipeline.settings import Settings
from c2kit.pipeline.sources import sources_of
from c2kit.pipeline.stages import make_stage
from c2kit.pipeline.surroundings import StageSurroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from c2kit.bus import PartitionId, StreamBus, StreamInfo
    from c2kit.pipeline.composition.description import MissionDescription, StageDescription
    from c2kit.pipeline.composition.mission import Mission
    from c2kit.pipeline.observing.ledger import ByteRow, LedgerRow
    from c2kit.pipeline.stage import Stage

__all__ = ["Runner"]

_NOT_RUN = (COMMAND_SOURCE, PROVISIONER, REPLAY)
"""Roles of what has an identity and is no stage."""
_MOST_INTERFACE_THREADS = 8
_MOST_WRITERS = 8
"""So many links can be written to at once; threads are there only once they are needed."""
_BEAT_SECONDS = 0.5
_SILENT_SECONDS = 30.0
_WORK_SECONDS = 30.0
"""Processors that take longer for one step hang, for all that can be told."""
_LOOKS = 5
_LOOK_SECONDS = 0.1
"""So often, and after so long, what does not add up is looked at again."""
_log = logging.getLogger(__name__)


class Runner:
    """A mission while it runs.

    ::

        with Runner(mission) as runner:
            runner.wait()  # until something fails, or request_stop() is called
        print(ledger_text(runner.rows(), runner.edges(), runner.byte_rows()))

    Leaving the ``with`` block ends it: links are closed first, what was taken from them is processed and committed, and
    sinks write what they hold, within the settings' ``drain_seconds``. What is not finished by then is on the bus, and
    a durable bus gives it to whoever runs next.

    Args:
        mission: as the script composed it.
        stage: the one to run; without it, all of them.
        replay: the id of a replay, which is run instead of what is live.
        settings: what the environment says.
        bus: one that is open already, for programs that share it; it stays the caller's to close.

    Raises UsageError for a mission that does not fit together, UnknownName for a stage that it does not have.
    """

    def __init__(
        self,
        mission: Mission,
        *,
        stage: str | None = None,
        replay: str | None = None,
        settings: Settings | None = None,
        bus: StreamBus | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.mission = self.settings.applied_to(mission)
        self.description: MissionDescription = self.mission.describe(replay=replay)
        self.stages = _chosen(self.description, stage)
        self.health = Health()
        self.error: Exception | None = None
        self._is_whole = stage is None
        self._given_bus = bus
        self._bus: StreamBus | None = None
        self._definitions: Definitions | None = None
        self._stopping = threading.Event()
        self._drivers: dict[str, Driver] = {}
        self._threads: list[StageThread] = []
        self._pool: Pool | None = None
        self._loop = SelectorLoop()
        self._sender = ThreadPoolExecutor(_MOST_WRITERS, thread_name_prefix="c2kit-sender")
        self._server: HealthServer | None = None
        self._ended = threading.Event()
        self._final: tuple[Sequence[LedgerRow], Sequence[EdgeRow], Sequence[ByteRow]] | None = None

    # -- from the beginning to the end ----------------------------------------------------------

    def start(self) -> None:
        """Open the bus, and let all stages begin. Returns as soon as they were started, or :meth:`request_stop` called.

        Waits for a bus that is not available. Raises UsageError, BusError where it cannot be what is wanted.
        """
        for stage in self.stages:
            self.health.watch(stage.name, within_seconds=_SILENT_SECONDS)
        if self.settings.http is not None:
            metrics = Metrics(sources_of(self), self.description, self.stages)
            self._server = HealthServer(*self.settings.http, health=self.health, exposition=metrics.exposition).start()
        definitions = self._patiently(self._opened)
        if definitions is None:
            return
        interfaces = [stage for stage in self.stages if stage.role == "interface"]
        if interfaces:
            self._pool = Pool(min(len(interfaces), _MOST_INTERFACE_THREADS))
        for stage in self.stages:
            self._start(stage, definitions)
        threading.Thread(target=self._beat, name="c2kit-beats", daemon=True).start()

    def request_stop(self) -> None:
        """Let :meth:`wait` return. May be called from a signal handler, and from any thread."""
        self._stopping.set()

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until somebody asks for the end or a stage cannot go on, see :attr:`error`. Whether that is so."""
        return self._stopping.wait(timeout_seconds)

    def close(self) -> None:
        """End everything in good order; a second time does nothing."""
        if self._final is not None:
            return
        self._stopping.set()
        until = time.monotonic() + self.settings.drain_seconds
        self._stop_turns(until)
        if self.error is None:
            self._drain(until)
        self._final = (self.rows(), self._last_edges(), self.byte_rows())
        self._ended.set()
        for driver in self._drivers.values():
            driver.close()
        self._sender.shutdown(wait=False)
        self._loop.close()
        if self._server is not None:
            self._server.close()
        if self._bus is not None and self._given_bus is None:
            self._bus.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _opened(self) -> Definitions:
        if self._bus is None:
            self._bus = self._given_bus or open_bus(self.description.bus, secrets=self.settings.kafka_secrets)
        if self._definitions is None:
            self._definitions = Definitions(self._bus, self.description.name, self.mission.dictionary)
        if self._bus.is_embedded:
            self._bus.apply(specs_of(self.description))
            self._definitions.publish()
        else:
            check_applied(self._bus, self.description, self.stages)
            self._definitions.check_published()
        return self._definitions

    def _patiently(self, call: Callable[[], Definitions]) -> Definitions | None:
        """What a call gives, tried until the bus has what it takes; ``None`` where the end comes first."""
        backoff = Backoff(0.1, 10.0)
        while True:
            try:
                return call()
            except TRANSIENT as error:
                _log.warning("%s; trying again until it is", error)
                for stage in self.stages:
                    self.health.not_ready(stage.name, str(error))
            if self._stopping.wait(backoff.failed()):
                return None

    def _start(self, stage: StageDescription, definitions: Definitions) -> None:
        surroundings = StageSurroundings(
            mission=self.mission,
            description=self.description,
            stage=stage,
            bus=self.bus,
            definitions=definitions,
            ordinal=self.settings.ordinal,
            replicas=1 if self._is_whole else stage.scale.max,
        )
        rebuilds = len(self.stages) > 1 and not self.bus.is_embedded
        if self._pool is not None and stage.role == "interface":
            pool = self._pool
            driver = Driver(
                stage.name,
                lambda: make_stage(
                    surroundings, loop=self._loop, sender=self._sender, on_news=lambda: pool.notify(driver)
                ),
                self,
                rebuilds,
            )
            self._drivers[stage.name] = driver
            pool.add(driver)
        else:
            driver = self._drivers[stage.name] = Driver(stage.name, lambda: make_stage(surroundings), self, rebuilds)
            self._threads.append(StageThread(driver))

    def _stop_turns(self, until: float) -> None:
        """Begin no more turns, and wait for those that are going on."""
        for ending in (self._pool, *self._threads):
            if ending is not None:
                ending.stop()
        for ending in (self._pool, *self._threads):
            if ending is not None and not ending.join(max(0.0, until - time.monotonic())):
                _log.warning("a step did not end within %g s; it was not committed", self.settings.drain_seconds)

    def _drain(self, until: float) -> None:
        """Let links end, what they gave be processed as far as there is time for it, and sinks write what they hold."""
        drivers = list(self._drivers.values())
        for driver in drivers:
            if isinstance(driver.stage, InterfaceStage):
                driver.finish()
        while self._is_whole and sum(driver.drain(until) for driver in drivers):
            pass
        for driver in drivers:
            driver.finish()

    def _last_edges(self) -> Sequence[EdgeRow]:
        try:
            return self.edges()
        except BusUnavailable as error:
            _log.warning("%s; so the ledger cannot tell what waits between the stages", error)
            return []

    def _beat(self) -> None:
        """Say which stages are alive. A stage may wait for room on the bus for ever: that is no reason to kill it.

        One whose processors do not come to an end is.
        """
        told: set[str] = set()
        while not self._ended.wait(_BEAT_SECONDS):
            is_ending = self._stopping.is_set()
            alive = {thread.driver.name for thread in self._threads if thread.is_alive or is_ending}
            if self._pool is not None and (self._pool.is_alive or is_ending):
                alive |= {stage.name for stage in self.stages if stage.role == "interface"}
            for name in alive - self._stuck(told):
                self.health.beat(name)
            for driver in self._drivers.values():
                driver.look(self.bus.trouble())

    def _stuck(self, told: set[str]) -> set[str]:
        """The stages whose processors have been at work for too long; each is told once while it is so."""
        since = {name: stage.working_since for name, stage in self.running.items()}
        now = time.monotonic()
        stuck = {name for name, began in since.items() if began is not None and now - began > _WORK_SECONDS}
        for name in stuck - told:
            _log.error("the processors of stage %s have not come to an end for %g s", name, _WORK_SECONDS)
        told &= stuck
        told |= stuck
        return stuck

    # -- what drivers tell ----------------------------------------------------------------------

    def ready(self, name: str) -> None:
        """A stage can go on."""
        self.health.ready(name)

    def not_ready(self, name: str, reason: str) -> None:
        """A stage cannot go on now."""
        self.health.not_ready(name, reason)

    def failed(self, name: str, error: Exception) -> None:
        """A stage will never go on: all others end, and so does the process."""
        trace = None if isinstance(error, C2kitError) else error  # what c2kit raises on purpose explains itself
        _log.error("stage %s cannot go on: %s", name, error, exc_info=trace)
        self.health.not_ready(name, str(error))
        if self.error is None:
            self.error = error
        self._stopping.set()

    # -- looked at by others --------------------------------------------------------------------

    @property
    def bus(self) -> StreamBus:
        """The bus. Raises UsageError before it is open."""
        if self._bus is None:
            raise UsageError("the bus of a runner", expected="to be open", found="not started", remedy="start() it")
        return self._bus

    @property
    def http_address(self) -> tuple[str, int] | None:
        """Where health and metrics are served; ``None`` where they are not."""
        return None if self._server is None else self._server.address

    @property
    def running(self) -> dict[str, Stage]:
        """The stages that could be built so far, by name."""
        return {name: driver.stage for name, driver in self._drivers.items() if driver.stage is not None}

    def rows(self) -> Sequence[LedgerRow]:
        """What became of all packets, by stage, processor and partition, as of the last commits."""
        if self._final is not None:
            return self._final[0]
        return [row for stage in self.running.values() for row in stage.ledger()]

    def edges(self) -> Sequence[EdgeRow]:
        """What waits between stages, by stream and consumer, as far as its writers' counts may be known here.

        A cluster may tell what a step has done some moments after it has told that it is done, and not all at once: so
        what does not add up there is looked at again. Raises BusUnavailable, until it has ended.
        """
        if self._final is not None:
            return self._final[1]
        edges = self._look()
        for _ in range(0 if self._bus is None or self._bus.is_embedded else _LOOKS):
            if not any(edge.unaccounted for edge in edges):
                break
            self._ended.wait(_LOOK_SECONDS)
            edges = self._look()
        return edges

    def _look(self) -> Sequence[EdgeRow]:
        if self._bus is None:
            return []
        running = self.running
        reads = {stream for name in running for stream in self.description.stage(name).reads}
        before = {name: stage.consumed() for name, stage in running.items()}
        written = self._bus.published(reads)
        infos = {info.spec.name: info for info in self.stream_infos()}
        written_after = self._bus.published(reads)
        after = {name: stage.consumed() for name, stage in running.items()}
        published = {name: (count, written_after[name]) for name, count in written.items() if name in written_after}
        published |= {name: (sum(each.next_offsets),) * 2 for name, each in infos.items() if each.counts_records}
        readers = [
            (infos[stream], name, self.description.stage(name).identity)
            for name in running
            for stream in self.description.stage(name).reads
            if stream in infos and stream in published
        ]
        return [
            _edge(info, name, identity, published[info.spec.name], before[name], after[name])
            for info, name, identity in readers
            if identity in info.lag and _partitions(info) <= after[name].keys() & before[name].keys()
        ]

    def tallies(self) -> Sequence[TallyRow]:
        """What befell the stages of this process on the bus since it was opened."""
        tallies = {} if self._bus is None else self._bus.tallies()
        return [
            TallyRow(stage=stage.name, tally=tallies.get(stage.identity, Tally()), rebuilt=driver.rebuilt)
            for stage in self.stages
            if (driver := self._drivers.get(stage.name)) is not None
        ]

    def bus_errors(self) -> Sequence[BusErrorRow]:
        """What clients of the bus were told since it was opened."""
        errors = {} if self._bus is None else self._bus.errors()
        return [BusErrorRow(error=error, count=count) for error, count in errors.items()]

    def byte_rows(self) -> Sequence[ByteRow]:
        """Where all bytes are that came over links."""
        if self._final is not None:
            return self._final[2]
        return [stage.bytes() for stage in self.running.values() if isinstance(stage, InterfaceStage)]

    def stream_infos(self) -> Sequence[StreamInfo]:
        """The mission's streams as they stand."""
        return [] if self._bus is None else self._bus.streams(f"{self.description.name}.")


def _chosen(description: MissionDescription, name: str | None) -> tuple[StageDescription, ...]:
    stages = tuple(stage for stage in description.stages if stage.role not in _NOT_RUN)
    if name is None:
        return stages
    chosen = tuple(stage for stage in stages if stage.name == name)
    if not chosen:
        raise UnknownName(
            kind="stage", name=name, known=[stage.name for stage in stages], where=f"mission {description.name}"
        )
    return chosen


def _partitions(info: StreamInfo) -> set[PartitionId]:
    return {(info.spec.name, number) for number in range(info.spec.partitions)}


def _edge(
    info: StreamInfo,
    consumer: str,
    identity: str,
    bounds: tuple[int, int],
    before: Mapping[PartitionId, int],
    after: Mapping[PartitionId, int],
) -> EdgeRow:
    """An edge while records move: what both sides counted before and after the bus was asked for the lag are bounds."""
    least, most = (sum(counted[each] for each in _partitions(info)) for counted in (before, after))
    lag = info.lag[identity]
    if identity in info.estimated:
        lag = max(0, min(lag, bounds[0] - most))
    published = min(max(least + lag, bounds[0]), bounds[1])
    consumed = min(max(published - lag, least), most)
    return EdgeRow(stream=info.spec.name, consumer=consumer, published=published, consumed=consumed, lag=lag)
