"""What a link does to packets, on request: bit errors, lost bytes, packets twice and in the wrong order."""

from __future__ import annotations

import math
import random
from enum import Enum, unique
from typing import TYPE_CHECKING

from attrs import field, frozen

from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import attrs

__all__ = ["Fault", "FaultKind", "FaultRates", "FaultyLink"]

LONGEST_LOSS_BYTES = 16


@unique
class FaultKind(Enum):
    """What happened to a packet."""

    BIT_ERROR = "bit error"
    LOST_BYTES = "lost bytes"
    DUPLICATED = "duplicated"
    REORDERED = "reordered"


@frozen
class Fault:
    """One fault: packet number ``packet`` of those handed to the link, from 0."""

    kind: FaultKind
    packet: int
    where: int = 0
    """The bit that was turned, or the first byte that was lost."""
    size_bytes: int = 0
    """How many bytes were lost."""


def _rate(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not 0 <= value <= 1:
        raise UsageError(f"the rate of {attribute.name}", expected="0 to 1", found=value)


@frozen(kw_only=True)
class FaultRates:
    """How often: 0 to 1. Raises :class:`~c2kit.errors.UsageError` for anything else."""

    bit_errors: float = field(default=0.0, validator=_rate)
    """Of all bits, those that arrive turned."""
    lost_bytes: float = field(default=0.0, validator=_rate)
    """Of all packets, those that lose a run of bytes: 1 to 16, or all that they have."""
    duplicates: float = field(default=0.0, validator=_rate)
    """Of all packets, those that arrive twice, the second time right after the first."""
    reordered: float = field(default=0.0, validator=_rate)
    """Of all packets, those that arrive after the next one."""

    @property
    def is_none(self) -> bool:
        """Whether nothing ever happens."""
        return not (self.bit_errors or self.lost_bytes or self.duplicates or self.reordered)


class FaultyLink:
    """Passes packets on with faults, the same for the same seed; ``faults`` is what it did to which packet.

    What it damages it damages before it sends it twice, so that both copies are the same.
    """

    def __init__(self, rates: FaultRates, *, seed: int = 0) -> None:
        self.rates = rates
        self.faults: list[Fault] = []
        self._random = random.Random(f"faults {seed}")  # noqa: S311 - it must repeat, not be secure
        self._packets = 0
        self._held: list[bytes] = []
        self._until_bit_error = self._next_bit_error()

    def send(self, packets: Iterable[bytes]) -> list[bytes]:
        """What arrives now. One packet may be held until the next."""
        arriving: list[bytes] = []
        for packet in packets:
            copies = self._copies(self._damaged(packet))
            if not self._held and self._happens(self.rates.reordered, FaultKind.REORDERED):
                self._held = copies
            else:
                arriving += copies + self._held
                self._held = []
            self._packets += 1
        return arriving

    def end(self) -> list[bytes]:
        """What was held, when no next packet comes."""
        held, self._held = self._held, []
        return held

    def _copies(self, packet: bytes) -> list[bytes]:
        return [packet] * (2 if self._happens(self.rates.duplicates, FaultKind.DUPLICATED) else 1)

    def _happens(self, rate: float, kind: FaultKind) -> bool:
        if rate <= 0 or self._random.random() >= rate:
            return False
        self.faults.append(Fault(kind, self._packets))
        return True

    def _damaged(self, packet: bytes) -> bytes:
        packet = self._with_bit_errors(packet) if self.rates.bit_errors else packet
        if packet and self.rates.lost_bytes and self._random.random() < self.rates.lost_bytes:
            size = min(self._random.randint(1, LONGEST_LOSS_BYTES), len(packet))
            first = self._random.randint(0, len(packet) - size)
            self.faults.append(Fault(FaultKind.LOST_BYTES, self._packets, first, size))
            return packet[:first] + packet[first + size :]
        return packet

    def _with_bit_errors(self, packet: bytes) -> bytes:
        """Errors are as far apart as chance has it: a number for each, not one for each bit."""
        damaged = bytearray(packet)
        while self._until_bit_error < 8 * len(packet):
            bit = self._until_bit_error
            damaged[bit // 8] ^= 0x80 >> bit % 8
            self.faults.append(Fault(FaultKind.BIT_ERROR, self._packets, bit))
            self._until_bit_error += 1 + self._next_bit_error()
        self._until_bit_error -= 8 * len(packet)
        return bytes(damaged)

    def _next_bit_error(self) -> int:
        rate = self.rates.bit_errors
        if rate in {0, 1}:
            return 0
        return int(math.log(1 - self._random.random()) / math.log1p(-rate))
