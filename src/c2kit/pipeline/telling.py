"""What falls aside in processors, as events for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.bus.records import Severity
from c2kit.processors import Anomalies, Merged, Refused, SequenceBreaks, UnknownPackets

if TYPE_CHECKING:
    from c2kit.bus.records import Event
    from c2kit.pipeline.surroundings import StageSurroundings
    from c2kit.processors import Aside

__all__ = ["event_of"]


def event_of(aside: Aside, surroundings: StageSurroundings) -> Event | None:
    """The event that tells of it; ``None`` for what is only counted."""
    match aside:
        case UnknownPackets():
            nearest = [str(each) for likeness in aside.likenesses for each in likeness.nearest[:1]]
            return surroundings.event(
                "unknown",
                Severity.WARNING,
                str(aside),
                interface=aside.packets.interface,
                count=len(aside.packets),
                nearest=nearest,
            )
        case SequenceBreaks():
            return surroundings.event(
                "sequence",
                Severity.WARNING,
                str(aside),
                interface=aside.interface,
                origin=aside.origin,
                apid=aside.apid,
                gaps=aside.gaps,
                missing=aside.missing,
                repeats=aside.repeats,
                resets=aside.resets,
                expected=aside.expected,
                found=aside.found,
            )
        case Anomalies():
            return surroundings.event(
                "anomalies",
                Severity.WARNING,
                str(aside),
                interface=aside.interface,
                target=aside.target,
                packet=aside.packet,
                counts={str(tally): count for tally, count in aside.tallies.items()},
            )
        case Refused():
            return surroundings.event("refused", Severity.INFO, str(aside), reason=aside.reason, count=aside.count)
        case Merged():
            return None
