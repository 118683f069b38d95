"""How a packet tells the time at which it was generated. :mod:`c2kit.kernel.time` computes with it.

CCSDS 301.0-B-4 "Time Code Formats": 3.2 unsegmented (CUC), 3.3 day segmented (CDS).
"""

from __future__ import annotations

from enum import Enum, unique

from attrs import frozen

__all__ = ["Cds", "Cuc", "Epoch", "PacketTime", "Scale"]


@unique
class Scale(Enum):
    """Whether a clock counts leap seconds."""

    UTC = "utc"
    """Days of 86 400 s from the epoch, as POSIX time: leap seconds are not counted."""
    TAI = "tai"
    """Every SI second counts, leap seconds among them."""


@frozen
class Epoch:
    """The instant at which a clock reads zero.

    ``posix_ns`` is the epoch's own calendar reading taken as if it were POSIX time: nanoseconds from
    1970-01-01T00:00:00 to the reading *on the clock of its own scale* (UTC reading for ``Scale.UTC``, TAI reading
    for ``Scale.TAI``).
    """

    name: str
    posix_ns: int
    scale: Scale


@frozen
class Cuc:
    """Unsegmented time: seconds in field ``coarse``, binary fractions of a second in field ``fine``.

    ``coarse`` names an unsigned integer of up to 56 bits; ``fine`` one of any width, or a binary field (as many bits as
    it has; CUC allows 10 octets), or is ``None``.
    """

    coarse: str
    fine: str | None = None


@frozen
class Cds:
    """Day segmented time: fields ``days`` (16 or 24 bits) and ``milliseconds`` of the day (32 bits).

    Optionally ``submilliseconds``: 16 bits of microseconds of a millisecond, or 32 bits of picoseconds of a
    millisecond.
    """

    days: str
    milliseconds: str
    submilliseconds: str | None = None


@frozen
class PacketTime:
    """Which fields hold the time of a packet, in which code, from which epoch."""

    code: Cuc | Cds
    epoch: Epoch
