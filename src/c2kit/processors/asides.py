"""What falls aside while packets are processed: everything that is not in a batch, said once for many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, frozen

if TYPE_CHECKING:
    from c2kit.batches import PacketBatch
    from c2kit.kernel.tally import Tallies

__all__ = ["Anomalies", "Aside", "Difference", "Likeness", "SequenceBreaks", "UnknownPackets"]


@frozen
class Difference:
    """Why a packet is not one that it nearly is: the first bits that differ, by the item that they belong to."""

    target: str
    packet: str
    differing_bits: int
    """How many bits differ in all; those that the packet is too short to have count."""
    item: str
    bit_offset: int
    """The first bit that differs, from the packet's first bit."""
    expected: int | bytes
    found: int | bytes | None
    """The item's raw value in the packet; ``None`` where the packet is too short to have it."""


@frozen
class Likeness:
    """Unknown packets that are alike in all bits by which any packet is known, and what they nearly are."""

    count: int
    example: bytes
    """The first of them, up to 64 bytes."""
    nearest: tuple[Difference, ...]
    """The definitions with the fewest differing bits, at most three, the nearest first."""


@define(frozen=True, slots=True, eq=False)
class UnknownPackets:
    """Packets that no definition matches, all of them, with a bounded number of words about what they nearly are."""

    packets: PacketBatch
    likenesses: tuple[Likeness, ...]
    """The first eight kinds."""

    def __str__(self) -> str:
        """A sentence for people."""
        text = f"{len(self.packets)} unknown packet{'s' * (len(self.packets) != 1)}"
        if not self.likenesses or not self.likenesses[0].nearest:
            return text
        near = self.likenesses[0].nearest[0]
        found = "too short" if near.found is None else _value(near.found)
        return (
            f"{text}; nearest to {near.target} {near.packet}, but for {near.item} "
            f"(bit {near.bit_offset}): expected {_value(near.expected)}, found {found}"
        )


@frozen
class SequenceBreaks:
    """Where the sequence counts of one APID did not go on by one, within one batch (CCSDS 133.0-B-2, 4.1.3.4.3)."""

    interface: str
    apid: int
    gaps: int
    """How often packets were missing."""
    missing: int
    """How many, at least: each gap is less than half round."""
    repeats: int
    """How often the same count came again."""
    resets: int
    """How often the count went back."""
    expected: int
    """What the first break should have been."""
    found: int
    received: int
    """When the packet of the first break was received: POSIX nanoseconds, UTC."""

    @property
    def breaks(self) -> int:
        """Gaps, repeats and resets together."""
        return self.gaps + self.repeats + self.resets

    def __str__(self) -> str:
        """A sentence for people."""
        parts = [f"{self.missing} missing in {self.gaps} gaps"] if self.gaps else []
        parts += [f"{self.repeats} repeated"] if self.repeats else []
        parts += [f"{self.resets} resets"] if self.resets else []
        return f"APID {self.apid}: {', '.join(parts)}; the first where {self.expected} was expected, {self.found} found"


@frozen
class Anomalies:
    """Values of one packet definition that could not be converted, and packets that are not as long as defined."""

    target: str
    packet: str
    tallies: Tallies

    def __str__(self) -> str:
        """A sentence for people."""
        counts = ", ".join(f"{count} {tally.replace('_', ' ')}" for tally, count in sorted(self.tallies.items()))
        return f"{self.target} {self.packet}: {counts}"


Aside = UnknownPackets | SequenceBreaks | Anomalies


def _value(value: int | bytes) -> str:
    return value.hex(" ") if isinstance(value, bytes) else f"{value} ({value:#x})"
