"""TAI to UTC and back, with a table of the leap seconds.

UTC is told as POSIX time, which has no place for a leap second: 23:59:60 folds onto 00:00:00 of the next day, and a
flag tells the two apart. Before 1972, when UTC had no leap seconds but seconds of varying length, the first offset of
the table (10 s) is held; true UTC differs from that by up to 10 s.

Leap seconds come at whole seconds, and so everything here counts whole seconds; fractions pass through unchanged.
"""

from __future__ import annotations

import hashlib
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np
from attrs import define

from c2kit.errors import DefinitionError
from c2kit.model.source import Source

if TYPE_CHECKING:
    import numpy.typing as npt

    Seconds = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["LeapSeconds", "leap_seconds"]

_POSIX_FROM_NTP = -2_208_988_800
"""Seconds from 1970-01-01 back to 1900-01-01, where the time stamps of a leap-seconds.list begin."""


@define(frozen=True, slots=True)
class LeapSeconds:
    """What TAI - UTC was since 1972, and until when that is known.

    ``entries`` are pairs, rising: the POSIX second at which an offset began, and the offset in seconds.
    ``expires_ns`` is POSIX time, UTC. Times past it are still converted, as if no leap second followed.
    """

    entries: tuple[tuple[int, int], ...]
    expires_ns: int

    @classmethod
    def read(cls, text: str, *, file: str = "leap-seconds.list") -> LeapSeconds:
        """The table in the text of a ``leap-seconds.list`` as IERS and NIST publish it.

        Raises :class:`~c2kit.errors.DefinitionError`, with ``file`` and line, for anything else, and for a file whose
        own checksum does not hold.
        """
        return _read(text, file)

    @property
    def expires(self) -> int:
        """The POSIX second from which a leap second may be missing here."""
        return self.expires_ns // 1_000_000_000

    @cached_property
    def _starts(self) -> Seconds:
        return np.array([start for start, _ in self.entries], np.int64)

    @cached_property
    def _offsets(self) -> Seconds:
        return np.array([offset for _, offset in self.entries], np.int64)

    @cached_property
    def _tai_starts(self) -> Seconds:
        return self._starts + self._offsets

    @cached_property
    def _ends(self) -> Seconds:
        return np.append(self._starts[1:], np.iinfo(np.int64).max)

    @cached_property
    def _inserted(self) -> Seconds:
        """The seconds that leap seconds fold onto, and one more that no clock shows."""
        return np.append(self._starts[1:][np.diff(self._offsets) > 0], np.iinfo(np.int64).max)

    def tai_entries(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The table in one row of numbers, and the POSIX seconds that leap seconds fold onto.

        Of each entry: the second of TAI at which it begins, its offset, and the POSIX second at which it ends.
        """
        entries = np.stack([self._tai_starts, self._offsets, self._ends], axis=1)
        return tuple(entries.reshape(-1).tolist()), tuple(self._inserted.tolist())

    def posix_from_tai(self, tai: Seconds) -> tuple[Seconds, Flags]:
        """Seconds of TAI to seconds of POSIX time, and which of them are leap seconds.

        Both count from 1970-01-01T00:00:00 on their own clock.
        """
        entry = np.maximum(np.searchsorted(self._tai_starts, tai, "right") - 1, 0)
        posix = tai - self._offsets[entry]
        return posix, posix >= self._ends[entry]

    def tai_from_posix(self, posix: Seconds, is_leap: Flags | None = None) -> Seconds:
        """Seconds of POSIX time to seconds of TAI; a flag that does not stand at a leap second has no effect."""
        entry = np.maximum(np.searchsorted(self._starts, posix, "right") - 1, 0)
        tai: Seconds = posix + self._offsets[entry]
        return tai if is_leap is None else tai - (is_leap & self.follows_leap(posix))

    def follows_leap(self, posix: Seconds) -> Flags:
        """Whether each second of POSIX time is one that a leap second folds onto."""
        follows: Flags = self._inserted[np.searchsorted(self._inserted, posix)] == posix
        return follows


@cache
def leap_seconds() -> LeapSeconds:
    """The table that c2kit brings along: that of IERS Bulletin C 72 of July 2026, which is valid until 2027-06-28."""
    return LeapSeconds.read(_TABLE, file=__name__)


def _read(text: str, file: str) -> LeapSeconds:
    expires: int | None = None
    entries: list[tuple[int, int]] = []
    digits = ""
    for number, line in enumerate(text.splitlines(), start=1):
        source = Source(file, number)
        if line.startswith(("#$", "#@")):
            stamp = _integer(line[2:].strip(), source)
            expires = stamp if line[1] == "@" else expires
            digits += str(stamp)
        elif line.startswith("#h"):
            _check_hash(line[2:].split(), digits, source)
        elif content := line.partition("#")[0].split():
            entries.append(_entry(content, entries, source))
            digits += "".join(content[:2])
    if expires is None or not entries:
        missing = "expiry (a line #@)" if expires is None else "offsets"
        raise DefinitionError(f"the table of leap seconds has no {missing}", source=Source(file))
    return LeapSeconds(tuple(entries), (expires + _POSIX_FROM_NTP) * 1_000_000_000)


def _integer(text: str, source: Source) -> int:
    try:
        return int(text)
    except ValueError:
        raise DefinitionError("not a leap-seconds.list", source=source, expected="a number", found=repr(text)) from None


def _entry(content: list[str], earlier: list[tuple[int, int]], source: Source) -> tuple[int, int]:
    if len(content) != 2:
        found = " ".join(content)
        raise DefinitionError("not a leap-seconds.list", source=source, expected="a time and an offset", found=found)
    start, offset = (_integer(word, source) for word in content)
    start += _POSIX_FROM_NTP
    if earlier and (start <= earlier[-1][0] or abs(offset - earlier[-1][1]) != 1):
        raise DefinitionError(
            "the table of leap seconds jumps",
            source=source,
            expected="later times, and offsets that change by one second",
            found=" ".join(content),
        )
    return start, offset


def _check_hash(words: list[str], digits: str, source: Source) -> None:
    """The file's own SHA-1: over the digits of its dates and offsets, as five words that may lack leading zeros."""
    actual = hashlib.sha1(digits.encode(), usedforsecurity=False).hexdigest()
    if "".join(word.zfill(8) for word in words) != actual:
        raise DefinitionError(
            "the table of leap seconds is damaged",
            source=source,
            expected=f"checksum {' '.join(words)}",
            found=actual,
            remedy="fetch it again",
        )


# The dates at which the offset changed, from IERS Bulletin C. Bulletin C 72 says that none follows before 2027.
_TABLE = """\
#$ 3992312697
#@ 4023129600
2272060800 10 # 1972-01-01
2287785600 11 # 1972-07-01
2303683200 12 # 1973-01-01
2335219200 13 # 1974-01-01
2366755200 14 # 1975-01-01
2398291200 15 # 1976-01-01
2429913600 16 # 1977-01-01
2461449600 17 # 1978-01-01
2492985600 18 # 1979-01-01
2524521600 19 # 1980-01-01
2571782400 20 # 1981-07-01
2603318400 21 # 1982-07-01
2634854400 22 # 1983-07-01
2698012800 23 # 1985-07-01
2776982400 24 # 1988-01-01
2840140800 25 # 1990-01-01
2871676800 26 # 1991-01-01
2918937600 27 # 1992-07-01
2950473600 28 # 1993-07-01
2982009600 29 # 1994-07-01
3029443200 30 # 1996-01-01
3076704000 31 # 1997-07-01
3124137600 32 # 1999-01-01
3345062400 33 # 2006-01-01
3439756800 34 # 2009-01-01
3550089600 35 # 2012-07-01
3644697600 36 # 2015-07-01
3692217600 37 # 2017-01-01
"""
