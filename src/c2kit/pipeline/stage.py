"""A stage that processes batches: what it publishes, how far it read and what it remembers become true together.

One turn is one step: all that waits is taken, goes through the processors of its lane, and is committed. What cannot be
committed now is kept and committed by a later turn; what is never committed has not happened.
"""

from __future__ import annotations

import abc
import logging
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from attrs import define, field

from c2kit.batches import PacketBatch
from c2kit.batches.kinds import Kind
from c2kit.batches.packets import joined
from c2kit.bus import PartitionsLost, Record, Step
from c2kit.bus.records import LaneState, Severity, pack_state, unpack_state
from c2kit.dictionaries import Dictionary
from c2kit.errors import MessageError
from c2kit.pipeline.chain import Chain, ProcessorFailed, StateRefused, keys_of
from c2kit.pipeline.dead_letters import TooLarge, letter_of_packet, letter_of_record
from c2kit.pipeline.lanes import packet_lanes
from c2kit.pipeline.observing.ledger import LedgerRow
from c2kit.pipeline.observing.steps import StepMeter
from c2kit.pipeline.telling import event_of
from c2kit.pipeline.wire import JOINED_BYTES, Wire, lane_of
from c2kit.processors import Processor, UnknownPackets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from c2kit.bus import Delivery, PartitionId, Received, StateKey
    from c2kit.pipeline.surroundings import StageSurroundings
    from c2kit.pipeline.wire import Batch
    from c2kit.processors import Aside

__all__ = ["ProcessingStage", "Stage", "consumed_key"]

_log = logging.getLogger(__name__)


class Stage(abc.ABC):
    """Something that runs as long as its mission does, a turn at a time, in one thread at a time.

    A turn raises BusUnavailable or LogUnavailable where it cannot go on *now*, and DefinitionsMissing where it waits
    for definitions: nothing is lost then, and the next turn tries again. Fenced means that another does its work: it is
    to be closed at once. Whatever else it raises, it cannot go on.
    """

    working_since: float | None = None
    """Since when processors have been at work in this turn (monotonic seconds); ``None`` while they are not.

    Waiting for input, or for room on the bus, is no work. May be looked at by any thread.
    """
    dead_letters = 0
    """How many packets and records it has set aside since it began, as of the last commit."""

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The name of the stage in its mission."""

    @cached_property
    def steps(self) -> StepMeter:
        """How long its steps took since it began. May be looked at by any thread."""
        return StepMeter(self.name)

    @abc.abstractmethod
    def turn(self, timeout_seconds: float) -> bool:
        """Do at most one step, after waiting so long for something to do. Returns whether something was done."""

    def due_seconds(self) -> float | None:
        """After how many seconds there is something to do without any news; ``None`` where there is not."""
        return None

    def drain(self) -> None:  # noqa: B027 - most keep nothing back
        """Commit what is pending, before :meth:`close`. Raises as :meth:`turn` does."""

    @abc.abstractmethod
    def ledger(self) -> Sequence[LedgerRow]:
        """What became of all packets that it took, as of the last commit. May be called from any thread."""

    def consumed(self) -> Mapping[PartitionId, int]:
        """How many records of each partition it has consumed since the stream began, as of the last commit.

        By its own count, not by that of the bus. May be called from any thread.
        """
        return {}

    @abc.abstractmethod
    def close(self) -> None:
        """Give up what is held, so that another can go on at once. Commits nothing."""


def consumed_key(partition: PartitionId) -> StateKey:
    """By what the count of consumed records of a partition is kept as state."""
    return "consumed", f"{partition[0]}[{partition[1]}]"


@define(eq=False)
class _Draft:
    """A step while it is made."""

    began: float = field(factory=time.monotonic)
    dead_letters: int = 0
    publish: list[Record] = field(factory=list)
    passed: dict[PartitionId, int] = field(factory=dict)
    lanes: dict[tuple[PartitionId, str], Chain] = field(factory=dict)
    states: dict[tuple[PartitionId, str, str], LaneState] = field(factory=dict)
    """By partition, lane and processor."""
    consumed: dict[PartitionId, int] = field(factory=dict)

    def set_aside(self, letter: Sequence[Record]) -> None:
        self.dead_letters += 1
        self.publish += letter

    @property
    def step(self) -> Step:
        snapshots = {(key, lane): pack_state(state) for (_, lane, key), state in self.states.items()}
        snapshots |= {consumed_key(each): pack_state(LaneState(taken=count)) for each, count in self.consumed.items()}
        return Step(publish=self.publish, passed=self.passed, snapshots=snapshots)


class ProcessingStage(Stage):
    """A chain of processors on the bus. The partitions of its inputs are shared among its replicas.

    ``on_news`` is called when there may be something to do; see :meth:`~c2kit.bus.StreamBus.worker`.
    """

    def __init__(self, surroundings: StageSurroundings, *, on_news: Callable[[], None] | None = None) -> None:
        self._surroundings = surroundings
        mission, stage = surroundings.mission, surroundings.stage
        self._specs = cast("tuple[Processor[Any, Any], ...]", mission.stages[stage.name].processors)
        self._definitions = surroundings.definitions
        self._wire = Wire(self._definitions, surroundings.bus.largest_value_bytes)
        Chain(self._specs, mission.dictionary, stage.targets)  # raises now for what cannot be bound
        self._chains: dict[tuple[PartitionId, str], Chain] = {}
        self._waiting: Sequence[Received] = ()
        self._draft: _Draft | None = None
        self._committed: dict[tuple[PartitionId, str, str], LaneState] = {}
        self._consumed: dict[PartitionId, int] = {}
        self._news: list[Record] = []
        """What its next step tells of partitions that came and went."""
        self._worker = surroundings.bus.worker(
            stage.identity,
            list(surroundings.inputs),
            outputs=surroundings.outputs,
            ordinal=surroundings.ordinal,
            on_news=on_news,
        )

    @property
    def name(self) -> str:
        """See :attr:`Stage.name`."""
        return self._surroundings.name

    def turn(self, timeout_seconds: float) -> bool:
        """See :meth:`Stage.turn`."""
        if self._draft is None:
            self._waiting = self._waiting or self._receive(timeout_seconds)
            if not self._waiting:
                return False
            self._draft = self._drafted(self._waiting)
            self._draft.publish += self._news
            self._waiting = ()
        try:
            self._worker.commit(self._draft.step)
        except PartitionsLost as error:
            self._forget(error)
            return True
        self.steps.add(time.monotonic() - self._draft.began)
        self.dead_letters += self._draft.dead_letters
        self._committed |= self._draft.states
        self._consumed |= self._draft.consumed
        self._draft, self._news = None, []
        return True

    def _forget(self, error: PartitionsLost) -> None:
        """Drop a step of which other replicas do a part, and begin once more after the last commit."""
        _log.info("a step is done anew, without what other replicas do now: %s", error)
        self._draft = None
        self._chains.clear()
        self._worker.rewind()

    def _receive(self, timeout_seconds: float) -> Sequence[Received]:
        delivery = self._worker.receive(timeout_seconds)
        if delivery.lost or (delivery.gained and self._consumed):
            self._tell_of_others(delivery)
        changed = delivery.lost | delivery.gained  # what comes back was another's meanwhile
        for key in [key for key in self._chains if key[0] in changed]:
            del self._chains[key]
        for row in [row for row in self._committed if row[0] in delivery.lost]:
            del self._committed[row]
        for partition in delivery.lost:
            self._consumed.pop(partition, None)
        for partition in delivery.gained:
            value = self._worker.snapshot(consumed_key(partition))
            self._consumed[partition] = 0 if value is None else unpack_state(value).taken
        return delivery.records

    def _tell_of_others(self, delivery: Delivery) -> None:
        """Tell of partitions that came from other replicas, or went to them."""
        gained, lost = (
            sorted(f"{stream}[{number}]" for stream, number in some) for some in (delivery.gained, delivery.lost)
        )
        what = [f"{word} {', '.join(some)}" for word, some in (("gained", gained), ("lost", lost)) if some]
        event = self._surroundings.event(
            "rebalance",
            Severity.INFO,
            f"replica {self._surroundings.ordinal} {' and '.join(what)}",
            gained=gained,
            lost=lost,
        )
        self._news.append(self._surroundings.own_record(Kind.EVENTS, event))

    def _drafted(self, records: Sequence[Received]) -> _Draft:
        self.working_since = time.monotonic()
        try:
            return self._attempt(records, isolates=False)
        except (ProcessorFailed, MessageError, TooLarge):
            # Somewhere in there is what must be set aside: once more from the last commit, this time looking for it.
            self._chains.clear()
            return self._attempt(records, isolates=True)
        except BaseException:
            self._chains.clear()
            raise
        finally:
            self.working_since = None

    def _attempt(self, records: Sequence[Received], *, isolates: bool) -> _Draft:
        draft = _Draft()
        lanes: dict[tuple[PartitionId, str], list[Received]] = {}
        for record in records:
            partition = (record.stream, record.partition)
            draft.passed[partition] = record.offset + 1
            draft.consumed[partition] = draft.consumed.get(partition, self._consumed[partition]) + 1
            lanes.setdefault((partition, record.lane), []).append(record)
        for key, some in lanes.items():
            for record, batch in self._batches(some, draft, isolates=isolates):
                chain = draft.lanes[key] = self._chain(record, batch)
                for kind, given in chain.process(batch, isolates=isolates):
                    self._publish(kind, given, draft, record, isolates=isolates)
                for poison in chain.take_poison():
                    value = self._wire.write(poison.batch)
                    draft.set_aside(letter_of_packet(self._surroundings, record, poison, value))
        for (of, lane), chain in draft.lanes.items():
            for aside in chain.take_asides():
                self._tell(aside, draft, lanes[of, lane][-1], isolates=isolates)
            draft.states |= {(of, lane, key): state for key, state in chain.states().items()}
        return draft

    def _batches(self, records: Sequence[Received], draft: _Draft, *, isolates: bool) -> list[tuple[Received, Batch]]:
        """The batches of one lane, each with a record that it came in.

        Small ones become one: a batch costs about as much as hundreds of packets, and so a stage that falls behind
        works the faster, the more waits. With ``isolates`` they stay apart, so that each packet is with its own record.
        """
        read: list[tuple[Received, Batch]] = []
        for record in records:
            try:
                read.append((record, self._wire.read(record.value)))
            except MessageError as error:
                if not isolates:
                    raise
                draft.set_aside(letter_of_record(self._surroundings, record, error))
        packets = [batch for _, batch in read if isinstance(batch, PacketBatch)]
        if isolates or len(packets) < len(read):
            return read
        return [(records[-1], batch) for batch in joined(packets, max_bytes=JOINED_BYTES)]

    def _chain(self, record: Received, batch: Batch) -> Chain:
        partition, lane = (record.stream, record.partition), record.lane
        chain = self._chains.get((partition, lane))
        if chain is None:
            targets = self._targets_behind(batch.interface)
            chain = Chain(self._specs, self._surroundings.mission.dictionary, targets, lane)
            chain.restore(lambda key: self._state(partition, lane, key))
            self._chains[partition, lane] = chain
        self._let_use(chain, batch)
        return chain

    def _targets_behind(self, interface: str) -> Sequence[str]:
        """The targets that an interface's packets may be of: those of its link, which alone are told apart for sure.

        A satellite's twin on another link is defined as it is.
        """
        served = self._surroundings.stage.targets
        spec = self._surroundings.mission.interfaces.get(interface)
        return served if spec is None else [target for target in served if target in spec.targets]

    def _state(self, partition: PartitionId, lane: str, key: str) -> LaneState | None:
        value = self._worker.snapshot((key, lane))
        if value is None:
            return None
        try:
            state = self._committed[partition, lane, key] = unpack_state(value)
        except MessageError as error:
            raise StateRefused(key, lane, error) from error
        return state

    def _let_use(self, chain: Chain, batch: Batch) -> None:
        """Decode by the definitions that a batch names, also while old and new replicas run at once."""
        named = batch.dictionary_hash
        if named is None or named in chain.dictionary.hashes.values():
            return
        own = self._surroundings.mission.dictionary
        if named in own.hashes.values():
            chain.use(own, self._targets_behind(batch.interface))
        else:
            target = self._definitions.target(named)
            chain.use(Dictionary((target,)), [target.name])

    def _publish(self, kind: Kind, batch: Batch, draft: _Draft, record: Received, *, isolates: bool) -> None:
        """Publish what was made of a record. Raises TooLarge, or with ``isolates`` sets aside what is."""
        stream = self._surroundings.stream(kind, lane_of(batch))
        if stream is None:
            return
        for lane, part in self._in_lanes(stream, batch):
            written = self._wire.written(part)
            draft.publish += [Record(stream, lane, value) for value in written.values]
            for _ in written.too_large:
                error = TooLarge(kind, self._wire.largest_bytes)
                if not isolates:
                    raise error
                draft.set_aside(letter_of_record(self._surroundings, record, error))

    def _in_lanes(self, stream: str, batch: Batch) -> Iterable[tuple[str, Batch]]:
        if stream not in self._surroundings.by_packet:
            return [(lane_of(batch), batch)]
        return packet_lanes(batch, self._definitions)

    def _tell(self, aside: Aside, draft: _Draft, record: Received, *, isolates: bool) -> None:
        if isinstance(aside, UnknownPackets):
            self._publish(Kind.UNKNOWN, aside.packets, draft, record, isolates=isolates)
        event = event_of(aside, self._surroundings)
        if event is not None:
            draft.publish.append(self._surroundings.own_record(Kind.EVENTS, event))

    # -- looked at by others --------------------------------------------------------------------

    def ledger(self) -> Sequence[LedgerRow]:
        """See :meth:`Stage.ledger`."""
        rows: dict[tuple[str, str], list[LaneState]] = {}
        for ((stream, number), _, key), state in list(self._committed.items()):
            rows.setdefault((f"{stream}[{number}]", key), []).append(state)
        order = keys_of(self._specs)
        return [
            _row(self.name, key, partition, states)
            for (partition, key), states in sorted(rows.items(), key=lambda row: (row[0][0], order.index(row[0][1])))
        ]

    def consumed(self) -> Mapping[PartitionId, int]:
        """See :meth:`Stage.consumed`."""
        return dict(self._consumed)

    def close(self) -> None:
        """See :meth:`Stage.close`."""
        self._worker.close()


def _row(stage: str, processor: str, partition: str, states: Iterable[LaneState]) -> LedgerRow:
    lanes = list(states)
    return LedgerRow(
        stage=stage,
        processor=processor,
        partition=partition,
        taken=sum(state.taken for state in lanes),
        given=sum(state.given for state in lanes),
        refused=sum(state.refused for state in lanes),
        merged=sum(state.merged for state in lanes),
        held=sum(state.held for state in lanes),
    )
