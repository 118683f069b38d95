"""Times for people and log files."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["utc_text"]

_SECOND = 1_000_000_000


def utc_text(time_ns: int, *, digits: int = 9) -> str:
    """POSIX nanoseconds as ISO 8601 in UTC, with so many digits of a second, cut off: ``2026-02-03T04:05:06.789Z``."""
    seconds, fraction = divmod(time_ns, _SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:09d}"[: len(text) + (digits + 1 if digits else 0)] + "Z"
