"""What comes from a link: frames and raw bytes as records, everything else as events, and all bytes in the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve, field

from c2kit.bus.records import Event, Severity
from c2kit.links import LinkDiscard, LinkState, State

if TYPE_CHECKING:
    from c2kit.batches import PacketBatch
    from c2kit.links import Interface
    from c2kit.pipeline.interfaces.draft import InterfaceDraft
    from c2kit.pipeline.interfaces.records import LinkRecords
    from c2kit.pipeline.observing.ledger import ByteRow
    from c2kit.pipeline.surroundings import StageSurroundings

__all__ = ["Downlink", "discard_held"]

_SHOWN_BYTES = 65_536


@define(eq=False)
class _Discards:
    """Bytes that were discarded for one reason."""

    count: int = 0
    size_bytes: int = 0
    data: bytearray = field(factory=bytearray)
    """The first of them."""

    def add(self, data: bytes, size_bytes: int) -> None:
        self.count += 1
        self.size_bytes += size_bytes
        self.data += data[: _SHOWN_BYTES - len(self.data)]


class Downlink:
    """One interface's. ``before`` is the account of all that was taken before this process. For the stage's thread."""

    def __init__(
        self, surroundings: StageSurroundings, interface: Interface, records: LinkRecords, before: ByteRow
    ) -> None:
        self._surroundings = surroundings
        self._interface = interface
        self._records = records
        self._before = before
        self._lost_datagrams = 0
        self._forgotten_events = 0

    def add_to(self, draft: InterfaceDraft) -> bool:
        """Take all that arrived. Returns whether the link came up since the last call."""
        arrivals = self._interface.take(0)
        frames: list[PacketBatch] = []
        changes: list[LinkState] = []
        discards: dict[str, _Discards] = {}
        for arrival in arrivals:
            frames += self._interface.frame(arrival)
            self._sort(changes, discards)
        self._sort(changes, discards)
        draft.publish += self._records.frames(frames)
        draft.publish += self._records.received(arrivals)
        for reason, found in discards.items():
            self._tell_discards(reason, found, draft)
        for change in changes:
            draft.tell(_event_of(change, self._surroundings.name))
        self._tell_losses(draft)
        draft.kept.account = self._account()
        return any(change.state is State.CONNECTED and not change.peer for change in changes)

    def _sort(self, changes: list[LinkState], discards: dict[str, _Discards]) -> None:
        for event in self._interface.take_events():
            if isinstance(event, LinkDiscard):
                discarded = event.discarded
                discards.setdefault(discarded.reason.value, _Discards()).add(discarded.data, discarded.size_bytes)
            else:
                changes.append(event)

    def _account(self) -> ByteRow:
        before, since = self._before, self._interface.account
        return evolve(
            before,
            received=before.received + since.received,
            framed=before.framed + since.framed,
            discarded=before.discarded + since.discarded,
            held=since.held,
        )

    def _tell_discards(self, reason: str, found: _Discards, draft: InterfaceDraft) -> None:
        pieces = f" in {found.count} pieces" if found.count > 1 else ""
        draft.tell(
            self._surroundings.event(
                "discarded",
                Severity.WARNING,
                f"{found.size_bytes} bytes were discarded{pieces}: {reason}",
                interface=self._surroundings.name,
                reason=reason,
                count=found.count,
                bytes=found.size_bytes,
                data=bytes(found.data),
            )
        )

    def _tell_losses(self, draft: InterfaceDraft) -> None:
        lost, forgotten = self._interface.counters.lost_datagrams, self._interface.forgotten_events
        if lost > self._lost_datagrams:
            count, self._lost_datagrams = lost - self._lost_datagrams, lost
            message = f"the operating system dropped {count} datagrams that were not taken in time"
            draft.tell(
                self._surroundings.event(
                    "lost-datagrams", Severity.ERROR, message, interface=self._surroundings.name, count=count
                )
            )
        if forgotten > self._forgotten_events:
            count, self._forgotten_events = forgotten - self._forgotten_events, forgotten
            message = f"{count} events of the link were given up while the bus was not available"
            draft.tell(
                self._surroundings.event(
                    "forgotten", Severity.ERROR, message, interface=self._surroundings.name, count=count
                )
            )


def _event_of(change: LinkState, interface: str) -> Event:
    what = f"the connection of {change.peer}" if change.peer else f"the link of {interface}"
    return Event(
        kind="link",
        severity=Severity.WARNING if change.state is State.DOWN and not change.peer else Severity.INFO,
        stage=interface,
        message=f"{what} is {change.state}: {change.reason}",
        facts={
            "interface": interface,
            "state": str(change.state),
            "reason": change.reason,
            "peer": change.peer,
            "connections": change.connections,
        },
        time_ns=change.time,
    )


def discard_held(draft: InterfaceDraft) -> None:
    """Bytes that an earlier process held, waiting for the rest of their frame, are gone: say so, and count them."""
    account = draft.kept.account
    if account.held:
        draft.kept.account = evolve(account, held=0, discarded=account.discarded + account.held)
        draft.tell(
            draft.surroundings.event(
                "discarded",
                Severity.WARNING,
                f"{account.held} bytes were discarded: the interface ended before their frame was complete",
                interface=account.interface,
                reason="truncated",
                count=1,
                bytes=account.held,
            )
        )
