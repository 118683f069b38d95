"""A step of an interface while it is made: what came, what became of commands, and what is kept of both."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.batches.kinds import Kind
from c2kit.bus import Record, Step
from c2kit.bus.records import (
    CommandStatus,
    Fate,
    InterfaceState,
    LaneState,
    Severity,
    pack_state,
    unpack_interface_state,
    unpack_state,
)
from c2kit.pipeline.observing.ledger import ByteRow
from c2kit.pipeline.stage import consumed_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from c2kit.bus import PartitionId, Received, StateKey, Worker
    from c2kit.bus.records import Command, Event, UplinkCommand
    from c2kit.pipeline.surroundings import StageSurroundings

__all__ = ["InterfaceDraft", "Kept"]

_SHOWN_BYTES = 65_536


@define(eq=False)
class Kept:
    """What an interface keeps, as of its last commit."""

    account: ByteRow
    is_enabled: bool = True
    sending: CommandStatus | None = None
    """The step of the command that may be on its way to the link."""
    consumed: dict[PartitionId, int] = field(factory=dict)
    """How many records of each partition were passed since the stream began."""

    @classmethod
    def read(cls, worker: Worker, interface: str, partitions: Iterable[PartitionId]) -> Kept:
        """What was committed last, by whoever it was. Raises BusUnavailable, and MessageError for what is not ours."""
        value = worker.snapshot(_key(interface))
        state = InterfaceState() if value is None else unpack_interface_state(value)
        counts = {partition: worker.snapshot(consumed_key(partition)) for partition in partitions}
        return cls(
            account=ByteRow(
                interface=interface,
                received=state.received,
                framed=state.framed,
                discarded=state.discarded,
                held=state.held,
            ),
            is_enabled=state.is_enabled,
            sending=state.sending,
            consumed={each: 0 if count is None else unpack_state(count).taken for each, count in counts.items()},
        )

    @property
    def snapshots(self) -> dict[StateKey, bytes]:
        """The same, as a step keeps it."""
        account = self.account
        state = InterfaceState(
            received=account.received,
            framed=account.framed,
            discarded=account.discarded,
            held=account.held,
            is_enabled=self.is_enabled,
            sending=self.sending,
        )
        counts = {consumed_key(each): pack_state(LaneState(taken=count)) for each, count in self.consumed.items()}
        return {_key(account.interface): pack_state(state)} | counts


def _key(interface: str) -> StateKey:
    return "interface", interface


@define(eq=False)
class InterfaceDraft:
    """What is to become true together, and what is to be done once it is."""

    surroundings: StageSurroundings
    kept: Kept
    """As it is to be after the step: its own copy."""
    publish: list[Record] = field(factory=list)
    passed: dict[PartitionId, int] = field(factory=dict)
    fates: Counter[Fate] = field(factory=Counter)
    """The steps of commands that it tells, by what they are."""
    then: list[Callable[[], None]] = field(factory=list)
    """Done in this order after the commit."""
    began: float = field(factory=time.monotonic)

    @property
    def step(self) -> Step:
        """For the bus."""
        return Step(publish=self.publish, passed=self.passed, snapshots=self.kept.snapshots)

    def pass_by(self, record: Received) -> None:
        """The record is done with."""
        partition = (record.stream, record.partition)
        self.passed[partition] = record.offset + 1
        self.kept.consumed[partition] = self.kept.consumed.get(partition, 0) + 1

    def tell(self, event: Event) -> None:
        """Something happened."""
        self.publish.append(self.surroundings.own_record(Kind.EVENTS, event))

    def refuse_record(self, record: Received, error: Exception) -> None:
        """The record is none of those that belong on its stream; it is done with."""
        self.pass_by(record)
        self.tell(
            self.surroundings.event(
                "refused",
                Severity.ERROR,
                f"a record was passed over: {error}",
                stream=record.stream,
                partition=record.partition,
                offset=record.offset,
                value=record.value[:_SHOWN_BYTES],
            )
        )

    def step_of(self, command: Command | UplinkCommand | CommandStatus, fate: Fate, reason: str = "") -> CommandStatus:
        """A command got so far: the step is told, and returned."""
        status = CommandStatus(
            id=command.id,
            target=command.target,
            name=command.name,
            fate=fate,
            reason=reason,
            stage=self.surroundings.name,
            interface=self.surroundings.name,
            caller=command.caller,
            time_ns=self.surroundings.now(),
        )
        self.publish.append(self.surroundings.own_record(Kind.COMMAND_STATUS, status))
        self.fates[fate] += 1
        return status

    def tell_of_command(self, status: CommandStatus, severity: Severity, message: str, **facts: Any) -> None:  # noqa: ANN401 - plain data
        """Something about a command that its step alone does not say."""
        named = {"id": status.id, "target": status.target, "name": status.name, "fate": str(status.fate)}
        self.tell(
            self.surroundings.event(
                "command", severity, f"{status.target} {status.name} ({status.id}) {message}", **named, **facts
            )
        )
