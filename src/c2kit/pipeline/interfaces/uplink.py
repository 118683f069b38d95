"""Commands on their way to the link, one a step, each at most once, and each with an end on record.

(a) What cannot be sent is refused. (b) That a command is about to be sent is committed, with its position. (c) It is
written. (d) What became of it is committed. Nothing after (b) is ever done again: where a process ends between (b) and
(d), the next one says that nobody can tell.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.bus.records import Fate, Severity, UplinkCommand, unpack
from c2kit.errors import MessageError, UsageError
from c2kit.links import Outcome, SendResult, State

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from c2kit.bus import Received
    from c2kit.bus.records import CommandStatus
    from c2kit.links import Interface
    from c2kit.pipeline.interfaces.draft import InterfaceDraft
    from c2kit.pipeline.interfaces.records import LinkRecords
    from c2kit.pipeline.surroundings import StageSurroundings

__all__ = ["Uplink", "end_unfinished"]

_SEND_SECONDS = 10.0
"""How long a link that is up may take to take a command."""
_GAP = "its sequence count, if it has one, is left out"


@frozen
class _Sending:
    """A command that was given to the link."""

    command: UplinkCommand
    data: bytes
    result: Future[SendResult]


class Uplink:
    """The commands of one interface, in their order. For the thread of its stage.

    ``sender`` is where writes wait; without it each has a thread of its own while it lasts. ``on_finished`` is called
    in such a thread once it is known what became of a command.
    """

    def __init__(
        self,
        surroundings: StageSurroundings,
        interface: Interface,
        records: LinkRecords,
        sender: Executor | None,
        on_finished: Callable[[], None],
    ) -> None:
        self._surroundings = surroundings
        self._interface = interface
        self._records = records
        self._sender = sender
        self._on_finished = on_finished
        self._waiting: deque[Received] = deque()
        self._sending: _Sending | None = None
        self._is_stopped = False

    def add(self, record: Received) -> None:
        """Keep a record until it is its turn."""
        self._waiting.append(record)

    @property
    def waiting(self) -> int:
        """How many records are kept."""
        return len(self._waiting)

    def add_to(self, draft: InterfaceDraft) -> None:
        """Tell what became of a command that was sent, or else go on to the next one."""
        if self._sending is not None:
            if self._sending.result.done():
                sent, self._sending = self._sending, None
                self._end(sent, draft)
        elif self._waiting and not self._is_stopped:
            self._begin(self._waiting.popleft(), draft)

    def stop(self) -> None:
        """Begin with no other command, and wait for the one that is being sent. Close the link before."""
        self._is_stopped = True
        if self._sending is not None and not self._sending.result.cancel():
            wait([self._sending.result], _SEND_SECONDS)

    # -- (a) and (b) ----------------------------------------------------------------------------

    def _begin(self, record: Received, draft: InterfaceDraft) -> None:
        try:
            command = unpack(UplinkCommand, record.value)
        except MessageError as error:
            draft.refuse_record(record, error)
            return
        draft.pass_by(record)
        state = self._interface.state
        if self._surroundings.now() >= command.expires_ns:
            self._not_sent(draft, command, Fate.EXPIRED, "it expired before it could be sent")
        elif state.state is not State.CONNECTED:
            self._not_sent(draft, command, Fate.REFUSED, f"the link is {state.state}: {state.reason}")
        else:
            self._prepare(command, draft)

    def _prepare(self, command: UplinkCommand, draft: InterfaceDraft) -> None:
        try:
            data = self._interface.encode(command.data)
        except UsageError as error:
            self._not_sent(draft, command, Fate.REFUSED, str(error))
            return
        draft.kept.sending = draft.step_of(command, Fate.SENDING)
        draft.then.append(lambda: self._write(command, data))

    # -- (c) ------------------------------------------------------------------------------------

    def _write(self, command: UplinkCommand, data: bytes) -> None:
        def send() -> SendResult:
            return self._interface.link.send(data, timeout_seconds=_SEND_SECONDS, expires_at=command.expires_ns)

        result = self._submitted(send)
        self._sending = _Sending(command, data, result)
        result.add_done_callback(lambda _: self._on_finished())

    def _submitted(self, send: Callable[[], SendResult]) -> Future[SendResult]:
        sender = self._sender or ThreadPoolExecutor(1, f"c2kit-send-{self._surroundings.name}")
        try:
            return sender.submit(send)
        except RuntimeError as error:  # it was shut down, or there is no thread now: it may have it all the same
            failed: Future[SendResult] = Future()
            failed.set_exception(error)
            return failed
        finally:
            if sender is not self._sender:
                sender.shutdown(wait=False)

    # -- (d) ------------------------------------------------------------------------------------

    def _end(self, sent: _Sending, draft: InterfaceDraft) -> None:
        draft.kept.sending = None
        if sent.result.cancelled():
            self._not_sent(draft, sent.command, Fate.REFUSED, "the interface was stopped before it was written")
            return
        try:
            result = sent.result.result()
        except Exception as error:  # noqa: BLE001 - whatever a link raises: what it wrote before, nobody can tell
            _tell_unknown(draft, sent.command, f"writing it failed: {type(error).__name__}: {error}")
            return
        draft.publish += self._records.sent(_written(sent.data, result.written_bytes), self._surroundings.now())
        match result.outcome:
            case Outcome.SENT:
                draft.step_of(sent.command, Fate.SENT)
            case Outcome.PARTIAL:
                how_far = f"{result.written_bytes} bytes of {len(sent.data)} were written"
                _tell_unknown(draft, sent.command, f"{how_far}: {result.reason}")
            case Outcome.NOT_SENT:
                is_late = self._surroundings.now() >= sent.command.expires_ns
                self._not_sent(draft, sent.command, Fate.EXPIRED if is_late else Fate.REFUSED, result.reason)

    def _not_sent(self, draft: InterfaceDraft, command: UplinkCommand, fate: Fate, reason: str) -> None:
        status = draft.step_of(command, fate, reason)
        draft.tell_of_command(status, Severity.WARNING, f"was not sent ({reason}); {_GAP}", reason=reason)


def end_unfinished(draft: InterfaceDraft) -> None:
    """Say of a command that an earlier process was sending that nobody can tell; to be committed before a link opens.

    Only then can nobody take the end of the command for something that happened on the new link.
    """
    status, draft.kept.sending = draft.kept.sending, None
    if status is not None:
        _tell_unknown(draft, status, "the interface ended while it was being sent")


def _tell_unknown(draft: InterfaceDraft, command: UplinkCommand | CommandStatus, reason: str) -> None:
    status = draft.step_of(command, Fate.UNKNOWN, reason)
    message = f"may have been sent, once at most ({reason}); it is not sent again"
    draft.tell_of_command(status, Severity.ERROR, message, reason=reason)


def _written(data: bytes, written_bytes: int) -> list[bytes]:
    """What left, given how many bytes left over all connections: all of it to each, and some to the last, if that."""
    copies, rest = divmod(written_bytes, len(data)) if data else (0, 0)
    return [data] * copies + ([data[:rest]] if rest else [])
