"""What falls aside while batches are processed: everything that is not in a batch, said once for many.

Unknown packets are all kept. What is only told (breaks, anomalies) is added up for each source until it is taken, so
that there are never more of them than there are sources, however bad the bytes and however small the batches.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.batches import PacketBatch
    from c2kit.kernel.tally import Tallies

__all__ = [
    "Anomalies",
    "Aside",
    "Asides",
    "Difference",
    "Likeness",
    "Merged",
    "Refused",
    "SequenceBreaks",
    "UnknownPackets",
]


@frozen(kw_only=True)
class Difference:
    """Why a packet is not one that it nearly is: the first item that differs, and where."""

    target: str
    packet: str
    differing_items: int
    """How many of the items by which that packet is known differ."""
    differing_bits: int
    """How many bits differ in all; those that the packet is too short to have count."""
    item: str
    bit_offset: int
    """The first bit that differs, counted from the packet's first bit, each byte from its most significant one."""
    expected: int | bytes
    found: int | bytes | None
    """The item's raw value in the packet; ``None`` where the packet is too short to have it."""

    def __str__(self) -> str:
        """Words for people."""
        found = "too short" if self.found is None else _value(self.found)
        place = f"{self.target} {self.packet}, but for {self.item} (bit {self.bit_offset})"
        return f"{place}: expected {_value(self.expected)}, found {found}"


@frozen(kw_only=True)
class Likeness:
    """Unknown packets that are alike in all bits by which any packet is known, and what they nearly are."""

    count: int
    example: bytes
    """The first of them, up to 64 bytes."""
    nearest: tuple[Difference, ...]
    """The definitions that come nearest, at most three, the nearest first.

    Those with the fewest items that differ; of these, those of which most bits agree before the first that differs; of
    these, those with the fewest bits that differ.
    """


@define(frozen=True, slots=True, eq=False)
class UnknownPackets:
    """Packets that no definition matches, all of them, with a bounded number of words about what they nearly are."""

    packets: PacketBatch
    likenesses: tuple[Likeness, ...]
    """The kinds that came first, at most eight."""

    def __str__(self) -> str:
        """Words for people."""
        text = f"{len(self.packets)} unknown packet{'s' * (len(self.packets) != 1)}"
        if not self.likenesses or not self.likenesses[0].nearest:
            return text
        return f"{text}; nearest to {self.likenesses[0].nearest[0]}"


@frozen(kw_only=True)
class SequenceBreaks:
    """Where the sequence counts of one APID did not go on by one (CCSDS 133.0-B-2, 4.1.3.4.3)."""

    interface: str
    origin: str
    apid: int
    gaps: int
    """How often packets were missing."""
    missing: int
    """How many, at least: whoever misses 16 384 packets sees no gap."""
    repeats: int
    """How often the same count came again."""
    resets: int
    """How often the count went back, or began again at 0."""
    expected: int
    """What the count of the first break should have been."""
    found: int
    """What it was."""
    received: int
    """When the packet of the first break was received: POSIX nanoseconds, UTC."""

    @property
    def breaks(self) -> int:
        """Gaps, repeats and resets together."""
        return self.gaps + self.repeats + self.resets

    def joined(self, later: SequenceBreaks) -> SequenceBreaks:
        """These breaks and later ones of the same source."""
        return evolve(
            self,
            gaps=self.gaps + later.gaps,
            missing=self.missing + later.missing,
            repeats=self.repeats + later.repeats,
            resets=self.resets + later.resets,
        )

    def __str__(self) -> str:
        """Words for people."""
        parts = [f"{self.missing} missing in {_counted(self.gaps, 'gap')}"] if self.gaps else []
        parts += [f"{self.repeats} repeated"] if self.repeats else []
        parts += [_counted(self.resets, "reset")] if self.resets else []
        return f"APID {self.apid}: {', '.join(parts)}; first expected {self.expected}, found {self.found}"


@frozen(kw_only=True)
class Anomalies:
    """Values of one packet that could not be converted, and packets that are not as long as they are defined to be."""

    interface: str
    target: str
    packet: str
    tallies: Tallies
    """How often each thing happened, in all items together."""
    items: Mapping[str, Tallies] = field(factory=dict)
    """How often it happened to the values of each item; what happened to packets as a whole is not in it."""

    def joined(self, later: Anomalies) -> Anomalies:
        """These anomalies and later ones of the same packet."""
        names = dict.fromkeys([*self.items, *later.items])
        items = {name: self.items.get(name, Counter()) + later.items.get(name, Counter()) for name in names}
        return evolve(self, tallies=self.tallies + later.tallies, items=items)

    def __str__(self) -> str:
        """Words for people."""
        whole = self.tallies - sum(self.items.values(), Counter())
        parts = [_tallied(whole)] if whole else []
        parts += [f"{name}: {_tallied(tallies)}" for name, tallies in self.items.items()]
        return f"{self.target} {self.packet}: {'; '.join(parts)}"


@frozen(kw_only=True)
class Refused:
    """Packets or samples that a processor was given and, on purpose, gave nothing for."""

    reason: str
    count: int

    def joined(self, later: Refused) -> Refused:
        """These and later ones for the same reason."""
        return evolve(self, count=self.count + later.count)

    def __str__(self) -> str:
        """Words for people."""
        return f"{self.count} refused: {self.reason}"


@frozen(kw_only=True)
class Merged:
    """How many packets fewer were given than taken, because several became one."""

    count: int

    def __str__(self) -> str:
        """Words for people."""
        return f"{self.count} merged into others"


Aside = UnknownPackets | SequenceBreaks | Anomalies | Refused | Merged


@define(eq=False)
class Asides:
    """Asides on their way to whoever takes them."""

    _unknown: list[Aside] = field(factory=list)
    _breaks: dict[tuple[str, str, int], SequenceBreaks] = field(factory=dict)
    _anomalies: dict[tuple[str, str, str], Anomalies] = field(factory=dict)
    _refused: dict[str, Refused] = field(factory=dict)
    _merged: int = 0

    def add_unknown(self, unknown: UnknownPackets) -> None:
        """Keep unknown packets."""
        self._unknown.append(unknown)

    def add_breaks(self, breaks: SequenceBreaks) -> None:
        """Add to what is told of the source."""
        key = (breaks.interface, breaks.origin, breaks.apid)
        self._breaks[key] = self._breaks[key].joined(breaks) if key in self._breaks else breaks

    def add_anomalies(self, anomalies: Anomalies) -> None:
        """Add to what is told of the packet."""
        key = (anomalies.interface, anomalies.target, anomalies.packet)
        self._anomalies[key] = self._anomalies[key].joined(anomalies) if key in self._anomalies else anomalies

    def add_refused(self, reason: str, count: int = 1) -> None:
        """Add to what is told of refusals for that reason."""
        refused = Refused(reason=reason, count=count)
        self._refused[reason] = self._refused[reason].joined(refused) if reason in self._refused else refused

    def add_merged(self, count: int) -> None:
        """Add to how many became part of others."""
        self._merged += count

    def take(self) -> list[Aside]:
        """All of them, once: unknown packets first, then breaks, then anomalies, in the order of their first ones."""
        taken = [*self._unknown, *self._breaks.values(), *self._anomalies.values(), *self._refused.values()]
        if self._merged:
            taken.append(Merged(count=self._merged))
        self._unknown, self._breaks, self._anomalies, self._refused, self._merged = [], {}, {}, {}, 0
        return taken


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _tallied(tallies: Tallies) -> str:
    return ", ".join(f"{count} {tally.replace('_', ' ')}" for tally, count in sorted(tallies.items()))


def _value(value: int | bytes) -> str:
    return value.hex(" ") if isinstance(value, bytes) else f"{value} ({value:#x})"
