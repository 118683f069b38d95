"""How a packet tells the time at which it was generated. :mod:`c2kit.kernel.time` computes with it.

CCSDS 301.0-B-4 "Time Code Formats": 3.2 unsegmented (CUC), 3.3 day segmented (CDS).
"""

from __future__ import annotations

from enum import Enum, unique

from attrs import frozen

__all__ = ["EPOCHS", "GPS", "J2000", "TAI1958", "UNIX", "UTC1958", "Cds", "Cuc", "Epoch", "PacketTime", "Scale"]


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


UNIX = Epoch("unix", 0, Scale.UTC)
"""1970-01-01T00:00:00 UTC, leap seconds not counted: the clock of computers."""
GPS = Epoch("gps", 315_964_819_000_000_000, Scale.TAI)
"""1980-01-06T00:00:00 UTC, which is 00:00:19 TAI; every second counts."""
TAI1958 = Epoch("tai", -378_691_200_000_000_000, Scale.TAI)
"""1958-01-01T00:00:00 TAI: the epoch of CCSDS for CUC (CCSDS 301.0-B-4, 3.2.1)."""
UTC1958 = Epoch("utc-1958", -378_691_200_000_000_000, Scale.UTC)
"""1958-01-01T00:00:00 UTC, in days of 86 400 s: the epoch of CCSDS for CDS, whose days are those of UTC (3.3.1)."""
J2000 = Epoch("j2000", 946_727_967_816_000_000, Scale.TAI)
"""2000-01-01T12:00:00 TT, which is 11:59:27.816 TAI and 11:58:55.816 UTC; every second counts."""

EPOCHS = {epoch.name: epoch for epoch in (UNIX, GPS, TAI1958, UTC1958, J2000)}
"""The epochs that a definition may name, by name."""


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
