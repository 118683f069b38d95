"""Issuing commands, from any program, and following what becomes of them."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, Fenced, Record, Step
from c2kit.bus.reading import records_of
from c2kit.bus.records import Command, CommandStatus, Fate, pack, unpack
from c2kit.errors import UnknownName, UsageError
from c2kit.pipeline.commands.fates import Fates
from c2kit.pipeline.commands.values import arguments_to_record, fingerprint_of
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.names import COMMAND_SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from c2kit.bus import StreamBus, Worker
    from c2kit.pipeline.composition.description import MissionDescription

__all__ = ["CommandSource", "StreamsMissing"]

_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.02
_MOST_SECONDS = 31_536_000
"""A year: what never expires could be sent when nobody remembers it."""


class StreamsMissing(UsageError):
    """The streams of a mission are not on the bus: it never ran there."""

    def __init__(self, mission: str, bus: str) -> None:
        super().__init__(
            f"mission {mission} has no streams on bus {bus}",
            remedy="start it there first, with c2kit run and its script",
        )


class CommandSource:
    """Issues commands to a mission, and tells what becomes of them.

    A command that was issued is sent at most once, and ends in exactly one fate. Other processes may issue commands to
    the same mission at the same time: each waits for its turn. For one thread; make another one for each thread.

    ::

        with CommandSource(bus, mission, caller="pass planner") as source:
            command_id = source.send("FIREFLY", "SET_MODE", {"MODE": "SAFE"})
            assert source.wait(command_id, 60).fate is Fate.SENT

    Args:
        bus: on which the mission runs.
        mission: or its description.
        caller: who it is that commands, for the record.
        now: the time, POSIX nanoseconds, UTC.

    Raises :class:`StreamsMissing` where the mission never ran on this bus.
    """

    def __init__(
        self,
        bus: StreamBus,
        mission: Mission | MissionDescription,
        *,
        caller: str = "",
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        description = mission.describe() if isinstance(mission, Mission) else mission
        self._bus, self._caller, self._now = bus, caller, now
        self._identity = description.stage(COMMAND_SOURCE).identity
        streams = {each.name: each for each in description.streams if each.kind == str(Kind.COMMAND_STATUS)}
        (self._status_stream,) = [name for name, each in streams.items() if each.scope == COMMAND_SOURCE]
        self._command_streams = {
            lane: each.name for each in description.streams if each.kind == str(Kind.COMMANDS) for lane in each.lanes
        }
        there = {info.spec.name for info in bus.streams(f"{description.name}.")}
        if not {*streams, *self._command_streams.values()} <= there:
            raise StreamsMissing(description.name, bus.url)
        self._fates = Fates(bus, list(streams))

    def send(
        self,
        target: str,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        command_id: str | None = None,
        expires_seconds: float = 30.0,
        confirms_hazard: bool = False,
        interface: str = "",
    ) -> str:
        """Issue a command. Returns its id as soon as it is on the bus; :meth:`wait` tells what became of it.

        The same ``command_id`` again is the same command, which is not issued again: so a caller that does not know
        whether it did may just do it once more. It is not sent when ``expires_seconds`` are over.

        Args:
            target: to whom.
            name: which command of the target's.
            arguments: engineering values, or text as a person types it.
            command_id: one that is chosen by the caller; a new one otherwise.
            expires_seconds: from now.
            confirms_hazard: a hazardous command is refused without it.
            interface: which way it is to go, where several lead to the target; the first by default.

        Raises:
            UsageError: no such target, what is no value of any argument, the id of another command. What else may be
                wrong with a command is told by its fate.
            BusUnavailable: the bus does not answer, or others would not let go of it; the command was not issued.
        """
        if target not in self._command_streams:
            raise UnknownName(kind="target", name=target, known=self._command_streams)
        if not 0 < expires_seconds <= _MOST_SECONDS:
            expected = f"seconds, more than 0 and at most {_MOST_SECONDS:,}"
            raise UsageError("the time until a command expires", expected=expected, found=expires_seconds)
        if command_id == "":
            raise UsageError("the id of a command", expected="any text that is not empty", found="''")
        now = self._now()
        command = Command(
            id=command_id or str(uuid.uuid4()),
            target=target,
            name=name,
            arguments=arguments_to_record(arguments or {}),
            caller=self._caller,
            interface=interface,
            confirms_hazard=confirms_hazard,
            issued_ns=now,
            expires_ns=now + round(expires_seconds * 1e9),
        )
        self._fates.watch(command.id, from_oldest=command_id is not None)
        self._issue(command, may_be_known=command_id is not None)
        return command.id

    def wait(self, command_id: str, timeout_seconds: float) -> CommandStatus:
        """The end of a command that was sent from here; or the last step that is known when the time is over.

        While the bus is unavailable it waits. Raises UsageError for a command that was not sent from here.
        """
        *_, last = self.follow(command_id, timeout_seconds)
        return last

    def follow(self, command_id: str, timeout_seconds: float) -> Iterator[CommandStatus]:
        """Each step of a command as it comes, up to its end or until the time is over. See :meth:`wait`."""
        return self._fates.follow(command_id, timeout_seconds)

    def _issue(self, command: Command, *, may_be_known: bool) -> None:
        """Let one source after the other look whether an id is known, and issue what is not."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                issued = self._issue_now(command, may_be_known=may_be_known)
            except Fenced as error:
                if time.monotonic() > deadline:
                    raise BusUnavailable(
                        f"others have been issuing commands for {_PATIENCE_SECONDS:.0f} s without a pause; "
                        f"{command.target} {command.name} was not issued: try again"
                    ) from error
                time.sleep(_PAUSE_SECONDS)
            else:
                self._fates.add(issued)
                return

    def _issue_now(self, command: Command, *, may_be_known: bool) -> CommandStatus:
        with self._worker() as worker:
            issued = self._issued_before(command) if may_be_known else None
            if issued is None:
                issued = self._status(command)
                worker.commit(self._step(command, issued))
            return issued

    def _worker(self) -> Worker:
        outputs = [*self._command_streams.values(), self._status_stream]
        return self._bus.worker(self._identity, [], outputs=outputs, exclusive=True)

    def _status(self, command: Command) -> CommandStatus:
        return CommandStatus(
            id=command.id,
            target=command.target,
            name=command.name,
            fate=Fate.ISSUED,
            stage=COMMAND_SOURCE,
            interface=command.interface,
            caller=command.caller,
            content=fingerprint_of(command),
            time_ns=command.issued_ns,
        )

    def _step(self, command: Command, status: CommandStatus) -> Step:
        return Step(
            publish=[
                Record(self._command_streams[command.target], command.target, pack(command)),
                Record(self._status_stream, COMMAND_SOURCE, pack(status)),
            ]
        )

    def _issued_before(self, command: Command) -> CommandStatus | None:
        """How this very command was issued before. Raises UsageError where another has its id."""
        for record in records_of(self._bus, [self._status_stream]):
            status = unpack(CommandStatus, record.value)
            if status.id == command.id:
                self._check_same(command, status)
                return status
        return None

    @staticmethod
    def _check_same(command: Command, issued: CommandStatus) -> None:
        if issued.content != fingerprint_of(command):
            raise UsageError(
                f"command id {command.id} is that of another command: {issued.target} {issued.name}, issued before "
                f"with other arguments or another confirmation; {command.target} {command.name} was not issued",
                remedy="choose another id",
            )

    def close(self) -> None:
        """Stop following. What was issued goes its way."""
        self._fates.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
