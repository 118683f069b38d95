"""What comes from a link: frames and raw bytes as records, everything else as events, and all bytes in the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve, field

from c2kit.bus.records import Event, Severity
from c2kit.links import Counters, LinkDiscard, LinkState, State

if TYPE_CHECKING:
    from c2kit.batches import PacketBatch
    from c2kit.links import Interface
    from c2kit.pipeline.interfaces.draft import InterfaceDraft
    from c2kit.pipeline.interfaces.records import LinkRecords
    from c2kit.pipeline.observing.ledger import ByteRow
    from c2kit.pipeline.surroundings import StageSurroundings

__all__ = ["Downlink", "discard_held"]

_SHOWN_BYTES = 65_536
_NO_ROOM = "no room"
"""Why datagrams are discarded that find as much waiting as may wait."""


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
        self._seen = Counters()
        self._forgotten_events = 0

    def add_to(self, draft: InterfaceDraft) -> bool:
        """Take all that arrived. Returns whether the link came up since the last call."""
        arrivals, counters = self._interface.take(0), self._interface.counters
        frames: list[PacketBatch] = []
        changes: list[LinkState] = []
        discards: dict[str, _Discards] = {}
        for arrival in arrivals:
            frames += self._interface.frame(arrival)
            self._sort(changes, discards)
        self._sort(changes, discards)
        draft.publish += self._records.frames(frames)
        draft.publish += self._records.received(arrivals)
        for frame in self._records.take_too_large():
            draft.tell(self._too_large(frame))
        for reason, found in discards.items():
            self._tell_discards(reason, found, draft)
        self._tell_losses(counters, draft)
        for change in changes:
            draft.tell(_event_of(change, self._surroundings.name))
        self._tell_forgotten(draft)
        draft.kept.account = self._account(counters)
        self._seen = counters
        return any(change.state is State.CONNECTED and not change.peer for change in changes)

    def _sort(self, changes: list[LinkState], discards: dict[str, _Discards]) -> None:
        for event in self._interface.take_events():
            if isinstance(event, LinkDiscard):
                discarded = event.discarded
                discards.setdefault(discarded.reason.value, _Discards()).add(discarded.data, discarded.size_bytes)
            else:
                changes.append(event)

    def _account(self, counters: Counters) -> ByteRow:
        before, since = self._before, self._interface.account
        return evolve(
            before,
            received=before.received + since.received + counters.discarded_bytes,
            framed=before.framed + since.framed,
            discarded=before.discarded + since.discarded + counters.discarded_bytes,
            held=since.held,
        )

    def _too_large(self, frame: bytes) -> Event:
        return self._surroundings.event(
            "too-large",
            Severity.CRITICAL,
            f"a frame of {len(frame)} bytes is larger than the bus takes, and was given up; a raw log has its bytes",
            interface=self._surroundings.name,
            bytes=len(frame),
            data=frame[:_SHOWN_BYTES],
        )

    def _tell_discards(
        self, reason: str, found: _Discards, draft: InterfaceDraft, severity: Severity = Severity.WARNING
    ) -> None:
        pieces = f" in {found.count} pieces" if found.count > 1 else ""
        draft.tell(
            self._surroundings.event(
                "discarded",
                severity,
                f"{found.size_bytes} bytes were discarded{pieces}: {reason}",
                interface=self._surroundings.name,
                reason=reason,
                count=found.count,
                bytes=found.size_bytes,
                data=bytes(found.data),
            )
        )

    def _tell_losses(self, counters: Counters, draft: InterfaceDraft) -> None:
        """Datagrams that came while nothing was taken, since the bus took nothing."""
        seen = self._seen
        discarded = _Discards(
            count=counters.discarded_datagrams - seen.discarded_datagrams,
            size_bytes=counters.discarded_bytes - seen.discarded_bytes,
        )
        if discarded.count:
            self._tell_discards(_NO_ROOM, discarded, draft, Severity.ERROR)
        count = counters.lost_datagrams - seen.lost_datagrams
        if count:
            message = f"the operating system dropped {count} datagrams that were not taken in time"
            draft.tell(
                self._surroundings.event(
                    "lost-datagrams", Severity.ERROR, message, interface=self._surroundings.name, count=count
                )
            )

    def _tell_forgotten(self, draft: InterfaceDraft) -> None:
        forgotten = self._interface.forgotten_events
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
