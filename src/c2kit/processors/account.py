"""What became of every byte of a recording, counted while it is decoded; bounded, however much is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.kernel.tally import Tally
from c2kit.processors.asides import Anomalies, SequenceBreaks, UnknownPackets

if TYPE_CHECKING:
    from c2kit.processors.asides import Aside
    from c2kit.protocols import Discarded, Reason

__all__ = ["Account", "Amount", "Name"]

Name = tuple[str, str]
"""A target, and a packet of it."""

_MOST_KINDS = 8


@define(slots=True)
class Amount:
    """How many packets or pieces, and of how many bytes together."""

    count: int = 0
    size_bytes: int = 0

    def add(self, count: int, size_bytes: int) -> None:
        """Add some more."""
        self.count += count
        self.size_bytes += size_bytes


@define(slots=True, eq=False)
class Account:
    """Where each byte of the input went. All amounts together are the input."""

    input_bytes: int = 0
    packets: dict[Name, Amount] = field(factory=dict)
    """What was identified, by target and packet."""
    unknown: Amount = field(factory=Amount)
    """Packets that no definition matches."""
    around_bytes: int = 0
    """Bytes of frames that framing strips off, such as those that stand before each packet."""
    discarded: dict[Reason, Amount] = field(factory=dict)
    """What is part of no packet; a long run of it is several pieces."""
    held_bytes: int = 0
    """What framing has not decided yet; none once the input has ended."""
    breaks: dict[int, SequenceBreaks] = field(factory=dict)
    """Sequence breaks, by APID."""
    anomalies: dict[Name, Anomalies] = field(factory=dict)
    """Values that could not be converted and packets of wrong lengths, by target and packet."""
    unknown_kinds: dict[str, int] = field(factory=dict)
    """What the unknown packets nearly are, in words, and how many: the first eight kinds."""

    @property
    def accounted_bytes(self) -> int:
        """All amounts together."""
        amounts = (*self.packets.values(), self.unknown, *self.discarded.values())
        return sum(amount.size_bytes for amount in amounts) + self.around_bytes + self.held_bytes

    @property
    def unaccounted_bytes(self) -> int:
        """What does not add up: 0, or c2kit has an error."""
        return self.input_bytes - self.accounted_bytes

    @property
    def packet_count(self) -> int:
        """All packets that framing found, known or not."""
        return sum(amount.count for amount in self.packets.values()) + self.unknown.count

    @property
    def break_count(self) -> int:
        """Sequence breaks of all APIDs."""
        return sum(breaks.breaks for breaks in self.breaks.values())

    @property
    def is_flawless(self) -> bool:
        """Whether all that came were known and whole packets, and none was missing."""
        too_short = any(anomalies.tallies[Tally.PACKET_TOO_SHORT] for anomalies in self.anomalies.values())
        return not (self.unknown.count or self.discarded or self.break_count or too_short)

    def add_discarded(self, discarded: Discarded) -> None:
        """Take note of bytes that are part of no packet."""
        self.discarded.setdefault(discarded.reason, Amount()).add(1, discarded.size_bytes)

    def add_aside(self, aside: Aside) -> None:
        """Take note of what fell aside in a processor."""
        if isinstance(aside, SequenceBreaks):
            earlier = self.breaks.get(aside.apid)
            self.breaks[aside.apid] = aside if earlier is None else earlier.joined(aside)
        elif isinstance(aside, Anomalies):
            name = (aside.target, aside.packet)
            before = self.anomalies.get(name)
            self.anomalies[name] = aside if before is None else before.joined(aside)
        elif isinstance(aside, UnknownPackets):
            self._add_unknown(aside)

    def _add_unknown(self, unknown: UnknownPackets) -> None:
        self.unknown.add(len(unknown.packets), unknown.packets.size_bytes)
        for likeness in unknown.likenesses:
            if not likeness.nearest:
                continue
            kind = str(likeness.nearest[0])
            if kind in self.unknown_kinds or len(self.unknown_kinds) < _MOST_KINDS:
                self.unknown_kinds[kind] = self.unknown_kinds.get(kind, 0) + likeness.count
