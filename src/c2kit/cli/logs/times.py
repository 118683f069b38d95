"""Times as people give them to ``c2kit log``: UTC, to the nanosecond."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from enum import Enum, unique

import click
from attrs import frozen

from c2kit.errors import UsageError

__all__ = ["TIME", "Since", "Told", "span"]

_SECOND = 1_000_000_000
_DURATION = re.compile(r"([+-])(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})(?:\.(\d{1,9}))?s)?")
_FRACTION = re.compile(r"(.*:\d\d)\.(\d{1,9})(\D.*)?")


@unique
class Since(Enum):
    """From where a time counts."""

    EPOCH = "epoch"
    NOW = "now"
    START = "start"


@frozen
class Told:
    """A time as it was told, and what it means."""

    text: str
    since: Since
    nanoseconds: int


class _Time(click.ParamType[Told]):
    """An ISO time, or a duration with its sign."""

    name = "time"

    def convert(self, value: str | Told, param: click.Parameter | None, ctx: click.Context | None) -> Told:
        if isinstance(value, Told):
            return value
        meant = _duration(value) or _instant(value)
        if meant is None:
            expected = "a UTC time, such as 2026-03-01T12:00:00, nor a duration, such as -10m or +1h30m"
            self.fail(f"{value!r} is neither {expected}", param, ctx)
        return meant


TIME = _Time()


def _duration(text: str) -> Told | None:
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()[1:]):
        return None
    sign, days, hours, minutes, seconds, fraction = match.groups()
    whole = ((int(days or 0) * 24 + int(hours or 0)) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    nanoseconds = whole * _SECOND + _fraction(fraction)
    return Told(text, Since.NOW, -nanoseconds) if sign == "-" else Told(text, Since.START, nanoseconds)


def _instant(text: str) -> Told | None:
    """A fraction has up to nine digits, of which Python's own reader would drop three."""
    match = _FRACTION.fullmatch(text)
    whole, fraction = (match[1] + (match[3] or ""), match[2]) if match else (text, "")
    try:
        read = datetime.fromisoformat(whole)
    except ValueError:
        return None
    since_epoch = (read if read.tzinfo else read.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    seconds = since_epoch.days * 86_400 + since_epoch.seconds
    return Told(text, Since.EPOCH, seconds * _SECOND + since_epoch.microseconds * 1000 + _fraction(fraction))


def _fraction(digits: str | None) -> int:
    return int((digits or "").ljust(9, "0"))


def span(start: Told | None, end: Told | None, now_ns: int | None = None) -> tuple[int | None, int | None]:
    """From when up to, not including, when: POSIX nanoseconds, ``None`` for a side that is open.

    What counts back counts from ``now_ns``; an end that counts forward counts from the start.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    if start is not None and start.since is Since.START:
        raise UsageError(
            "--from", expected="a time, or how long ago", found=start.text, remedy="-10m is ten minutes ago"
        )
    if end is not None and end.since is Since.START and start is None:
        raise UsageError(f"--to {end.text} counts from --from", remedy="give --from too")
    start_ns = _since(start, now_ns, 0)
    end_ns = _since(end, now_ns, start_ns or 0)
    if start is not None and end is not None and start_ns is not None and end_ns is not None and end_ns <= start_ns:
        raise UsageError("nothing lies between these times", expected=f"--to after {start.text}", found=end.text)
    return start_ns, end_ns


def _since(given: Told | None, now_ns: int, start_ns: int) -> int | None:
    if given is None:
        return None
    return {Since.EPOCH: 0, Since.NOW: now_ns, Since.START: start_ns}[given.since] + given.nanoseconds
