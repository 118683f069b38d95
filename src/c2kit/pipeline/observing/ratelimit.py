"""A limit to how often the same is logged: a link that flaps, or a stream of rubbish, must not fill a disk."""

from __future__ import annotations

import logging

from attrs import define, field

__all__ = ["RateLimit"]

_Kind = tuple[str, str, str, int]
"""Logger, template, stage and level."""


@define
class _Window:
    """When the first of a kind came, and how many since."""

    began: float
    count: int = 0
    last: str = ""
    """The newest of those that were suppressed."""


@define
class RateLimit:
    """Lets ``most`` records of a kind through within ``seconds``, and counts the others.

    Of one kind are those of the same logger, template (the text before its arguments are put in), stage and level. How
    many were suppressed is told once their time is over, with the last of them: with the next record of whatever kind,
    or at the end. Time is that of the records. Where there are more than ``max_kinds`` kinds, the oldest are told and
    given up early.
    """

    most: int = 10
    seconds: float = 10.0
    max_kinds: int = 1_000
    _windows: dict[_Kind, _Window] = field(factory=dict, init=False)
    """Oldest first: they last equally long."""

    def take(self, record: logging.LogRecord) -> list[logging.LogRecord]:
        """What is to be written now: how many were suppressed earlier, and the record itself if it may be."""
        written = self._ended(record.created)
        kind = (record.name, str(record.msg), str(vars(record).get("stage", "")), record.levelno)
        window = self._windows.setdefault(kind, _Window(record.created))
        window.count += 1
        if window.count <= self.most:
            return [*written, record]
        window.last = record.getMessage()
        return written

    def end(self) -> list[logging.LogRecord]:
        """What was suppressed and not told yet; everything begins anew."""
        return self._taken(len(self._windows))

    def _ended(self, now: float) -> list[logging.LogRecord]:
        """Of the windows whose time is over, or before which the clock was set back."""
        count = 0
        for window in self._windows.values():
            is_within = 0 <= now - window.began < self.seconds
            if is_within and len(self._windows) - count < self.max_kinds:
                break
            count += 1
        return self._taken(count)

    def _taken(self, count: int) -> list[logging.LogRecord]:
        kinds = list(self._windows)[:count] if count else []
        ended = [(kind, self._windows.pop(kind)) for kind in kinds]
        return [_summary(kind, window, window.count - self.most) for kind, window in ended if window.count > self.most]


def _summary(kind: _Kind, window: _Window, suppressed: int) -> logging.LogRecord:
    name, _, stage, level = kind
    facts = {
        "name": name,
        "levelno": level,
        "levelname": logging.getLevelName(level),
        "msg": "%d more like this were suppressed: %s",
        "args": (suppressed, window.last),
        "stage": stage,
        "suppressed": suppressed,
    }
    return logging.makeLogRecord(facts)
