"""The stage that gives commands their bytes: the one owner of their counts, and the one that says no.

Each command is encoded once, or ends here with a reason. What is published, how far was read, the counts, and the ids
of the commands that were seen become true together.
"""

from __future__ import annotations

import time
import traceback
from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.batches.kinds import Kind
from c2kit.bus import Record, Step
from c2kit.bus.records import (
    Command,
    CommandStatus,
    Fate,
    LaneState,
    Severity,
    UplinkCommand,
    pack,
    pack_state,
    unpack,
    unpack_state,
)
from c2kit.errors import C2kitError, MessageError, UnknownName, UsageError
from c2kit.pipeline.chain import StateRefused
from c2kit.pipeline.commands.lane import CommandLane
from c2kit.pipeline.commands.values import fingerprint_of
from c2kit.pipeline.dead_letters import letter_of_record
from c2kit.pipeline.observing.ledger import LedgerRow
from c2kit.pipeline.stage import Stage, consumed_key
from c2kit.processors import CommandEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from c2kit.bus import PartitionId, Received
    from c2kit.pipeline.surroundings import StageSurroundings
    from c2kit.processors import EncodedCommand

__all__ = ["EncodingStage"]


@define(eq=False)
class _Draft:
    """A step while it is made."""

    began: float = field(factory=time.monotonic)
    dead_letters: int = 0
    publish: list[Record] = field(factory=list)
    passed: dict[PartitionId, int] = field(factory=dict)
    tallies: dict[PartitionId, LaneState] = field(factory=dict)
    lanes: dict[str, CommandLane] = field(factory=dict)
    """By target: those that have something new to remember."""
    fates: Counter[Fate] = field(factory=Counter)
    """The steps of commands that it tells, by what they are."""

    @property
    def step(self) -> Step:
        snapshots = {consumed_key(partition): pack_state(tally) for partition, tally in self.tallies.items()}
        for lane in self.lanes.values():
            snapshots |= lane.snapshots
        return Step(publish=self.publish, passed=self.passed, snapshots=snapshots)


class EncodingStage(Stage):
    """A stage whose processor is a CommandEncoder. There is one of it at a time; a second live one is fenced.

    ``on_news`` is called when there may be something to do; see :meth:`~c2kit.bus.StreamBus.worker`.
    """

    def __init__(self, surroundings: StageSurroundings, *, on_news: Callable[[], None] | None = None) -> None:
        self._surroundings = surroundings
        self._draft: _Draft | None = None
        self._fates: Counter[Fate] = Counter()
        self._worker = surroundings.bus.worker(
            surroundings.stage.identity,
            list(surroundings.inputs),
            outputs=surroundings.outputs,
            ordinal=surroundings.ordinal,
            exclusive=True,
            on_news=on_news,
        )
        try:
            self._lanes = self._restored_lanes()
            self._tallies = self._restored_tallies()
        except BaseException:
            self._worker.close()
            raise

    @property
    def name(self) -> str:
        """See :attr:`Stage.name`."""
        return self._surroundings.name

    def turn(self, timeout_seconds: float) -> bool:
        """See :meth:`Stage.turn`."""
        if self._draft is None:
            records = self._worker.receive(timeout_seconds).records
            if not records:
                return False
            self._draft = self._drafted(records)
        draft = self._draft
        self._worker.commit(draft.step)
        self._draft = None
        self._tallies = self._tallies | draft.tallies
        self._fates = self._fates + draft.fates
        self.dead_letters += draft.dead_letters
        self.steps.add(time.monotonic() - draft.began)
        return True

    def _drafted(self, records: Sequence[Received]) -> _Draft:
        draft = _Draft()
        for record in records:
            partition = (record.stream, record.partition)
            tally = draft.tallies.get(partition, self._tallies[partition])
            is_given = self._take(record, draft)
            given, refused = (1, 0) if is_given else (0, 1)
            draft.tallies[partition] = LaneState(
                taken=tally.taken + 1, given=tally.given + given, refused=tally.refused + refused
            )
            draft.passed[partition] = record.offset + 1
        return draft

    # -- one command ----------------------------------------------------------------------------

    def _take(self, record: Received, draft: _Draft) -> bool:
        """Decide about a record. Returns whether it was given its bytes."""
        surroundings = self._surroundings
        try:
            command = unpack(Command, record.value)
        except MessageError as error:
            draft.publish += letter_of_record(surroundings, record, error)
            draft.dead_letters += 1
            return False
        if self._is_repeated(command, draft):
            return False
        now, interface = surroundings.now(), ""
        try:
            lane = self._lane(command, record.stream)
            lane.seen.add(command, fingerprint_of(command), now)
            draft.lanes[command.target] = lane
            if command.expires_ns <= now:
                late = (now - command.expires_ns) / 1e9
                self._tell(command, Fate.EXPIRED, draft, reason=f"it expired {late:.3f} s before it was encoded")
                return False
            interface = self._way(command, record)
            encoded = lane.encode(command)
        except C2kitError as error:
            self._tell(command, Fate.REFUSED, draft, reason=str(error), interface=interface)
            return False
        except Exception as error:  # noqa: BLE001 - whatever a user's function raises, only this command suffers
            self._refuse_for_failure(command, error, draft)
            return False
        self._give(command, encoded, interface, draft)
        return True

    def _is_repeated(self, command: Command, draft: _Draft) -> bool:
        """Whether that command was seen already; an event says so."""
        found = ((name, lane.seen.find(command.id)) for name, lane in self._lanes.items())
        target, seen = next(((name, seen) for name, seen in found if seen is not None), ("", None))
        if seen is None:
            return False
        if seen.content == fingerprint_of(command):
            severity, what = Severity.INFO, "was issued again; it is the same command, and is not sent again"
        else:
            severity = Severity.ERROR
            what = (
                f"is the id of another command, {target} {seen.name}; this {command.target} {command.name} is not sent"
            )
        self._event(command, severity, f"command {command.id} {what}", draft)
        return True

    def _lane(self, command: Command, stream: str) -> CommandLane:
        """The lane of the command. Raises UsageError for a target that is not for this stage, or for this stream."""
        source = self._surroundings.inputs[stream]
        if command.target not in self._lanes:
            raise UnknownName(kind="target", name=command.target, known=self._lanes, where=f"stage {self.name}")
        if source.kind == str(Kind.COMMANDS) and command.target not in source.lanes:
            raise UsageError(f"commands on the stream of {source.scope}", expected="its own", found=command.target)
        return self._lanes[command.target]

    def _way(self, command: Command, record: Received) -> str:
        """The interface to send it by: the one that is asked for, or from which it comes, or the first. Raises."""
        interfaces = self._surroundings.mission.interfaces
        ways = [name for name, spec in interfaces.items() if command.target in spec.targets]
        own = record.lane if self._surroundings.inputs[record.stream].kind == str(Kind.AUTO_COMMANDS) else ""
        wanted = command.interface or own or ways[0]
        if wanted not in ways:
            raise UnknownName(kind="interface", name=wanted, known=ways, where=f"what leads to {command.target}")
        return wanted

    def _give(self, command: Command, encoded: EncodedCommand, interface: str, draft: _Draft) -> None:
        surroundings = self._surroundings
        stream = surroundings.stream(Kind.UPLINK, interface)
        assert stream is not None  # noqa: S101 - composition gives this stage the uplinks of all its targets
        uplink = UplinkCommand(
            id=command.id,
            target=command.target,
            name=command.name,
            interface=interface,
            data=encoded.data,
            dictionary_hash=encoded.dictionary_hash,
            caller=command.caller,
            encoded_ns=surroundings.now(),
            expires_ns=command.expires_ns,
        )
        draft.publish.append(Record(stream, interface, pack(uplink)))
        self._tell(command, Fate.ENCODED, draft, interface=interface)

    def _refuse_for_failure(self, command: Command, error: Exception, draft: _Draft) -> None:
        reason = f"encoding it failed: {type(error).__name__}: {error}"
        self._tell(command, Fate.REFUSED, draft, reason=reason)
        trace = "".join(traceback.format_exception(error))
        what = f"command {command.id} ({command.target} {command.name}) was refused: {reason}"
        self._event(command, Severity.ERROR, what, draft, traceback=trace)

    def _tell(self, command: Command, fate: Fate, draft: _Draft, *, reason: str = "", interface: str = "") -> None:
        status = CommandStatus(
            id=command.id,
            target=command.target,
            name=command.name,
            fate=fate,
            reason=reason,
            stage=self.name,
            interface=interface,
            caller=command.caller,
            time_ns=self._surroundings.now(),
        )
        draft.publish.append(self._surroundings.own_record(Kind.COMMAND_STATUS, status))
        draft.fates[fate] += 1

    def _event(self, command: Command, severity: Severity, message: str, draft: _Draft, **facts: str) -> None:
        event = self._surroundings.event(
            "command",
            severity,
            message,
            id=command.id,
            target=command.target,
            name=command.name,
            caller=command.caller,
            **facts,
        )
        draft.publish.append(self._surroundings.own_record(Kind.EVENTS, event))

    # -- what is remembered ---------------------------------------------------------------------

    def _restored_lanes(self) -> dict[str, CommandLane]:
        dictionary = self._surroundings.mission.dictionary
        lanes = {name: CommandLane(dictionary.target(name)) for name in self._surroundings.stage.targets}
        for lane in lanes.values():
            lane.restore(self._worker.snapshot)
        return lanes

    def _restored_tallies(self) -> dict[PartitionId, LaneState]:
        tallies = {}
        for stream, description in self._surroundings.inputs.items():
            for number in range(description.partitions):
                key = consumed_key((stream, number))
                value = self._worker.snapshot(key)
                try:
                    tallies[stream, number] = LaneState() if value is None else unpack_state(value)
                except MessageError as error:
                    raise StateRefused(*key, error) from error
        return tallies

    # -- looked at by others --------------------------------------------------------------------

    def ledger(self) -> Sequence[LedgerRow]:
        """See :meth:`Stage.ledger`."""
        return [
            LedgerRow(
                stage=self.name,
                processor=CommandEncoder.__name__,
                partition=f"{stream}[{number}]",
                taken=tally.taken,
                given=tally.given,
                refused=tally.refused,
            )
            for (stream, number), tally in sorted(self._tallies.items())
        ]

    def fates(self) -> Mapping[Fate, int]:
        """How many steps of commands were told since the start, by what they are. From any thread."""
        return dict(self._fates)

    def consumed(self) -> Mapping[PartitionId, int]:
        """See :meth:`Stage.consumed`."""
        return {partition: tally.taken for partition, tally in self._tallies.items()}

    def close(self) -> None:
        """See :meth:`Stage.close`."""
        self._worker.close()
