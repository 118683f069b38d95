"""Logs for a person or for a machine, set up once by a program and never by the library.

Modules of c2kit log to ``logging.getLogger(__name__)`` and configure nothing. Facts go beside the text, as ``extra=``.
Which stage is at work is said by :func:`at_stage`, which holds for what is called within it, in its thread.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
from contextvars import ContextVar
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any, TextIO

from c2kit.pipeline.observing.ratelimit import RateLimit
from c2kit.pipeline.observing.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["LogFormat", "at_stage", "configure_logging"]

_LOGGER = "c2kit"
_SECOND = 1_000_000_000
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "stage"}
"""What every record has; the rest of it are facts."""
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {10: "\\n", 13: "\\r", 9: "\t"}
"""So that what came over a link can neither begin a line of its own nor colour a terminal."""

_stage: ContextVar[str] = ContextVar("c2kit_stage", default="")


@unique
class LogFormat(StrEnum):
    """Who reads the log."""

    TEXT = "text"
    JSON = "json"


@contextlib.contextmanager
def at_stage(name: str) -> Iterator[None]:
    """Say that what is logged in this thread meanwhile has to do with this stage."""
    token = _stage.set(name)
    try:
        yield
    finally:
        _stage.reset(token)


def configure_logging(
    log_format: LogFormat,
    stream: TextIO,
    *,
    stages: Sequence[str] = (),
    level: int = logging.INFO,
    limit: RateLimit | None = None,
) -> logging.Handler:
    """Let all that c2kit logs go to a stream: one line each, and no more of the same than the limit allows.

    ``stages`` are those that run in this process; where it is one, whatever is logged has to do with it. Only programs
    call this. A second call takes the place of the first. Closing the handler, which Python does at its end, tells what
    was suppressed.
    """
    handler = _Handler(stream, stages[0] if len(stages) == 1 else "", limit or RateLimit())
    handler.setFormatter(_JsonLines() if log_format is LogFormat.JSON else _Text())
    logger = logging.getLogger(_LOGGER)
    for earlier in [known for known in logger.handlers if isinstance(known, _Handler)]:
        logger.removeHandler(earlier)
        earlier.close()
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
    return handler


class _Handler(logging.StreamHandler[TextIO]):
    """Writes records, rate-limited, with the stage that each has to do with."""

    def __init__(self, stream: TextIO, only_stage: str, limit: RateLimit) -> None:
        super().__init__(stream)
        self._only_stage = only_stage
        self._limit = limit

    def emit(self, record: logging.LogRecord) -> None:
        if not hasattr(record, "stage"):
            record.stage = _stage.get() or self._only_stage
        for each in self._limit.take(record):
            super().emit(each)

    def close(self) -> None:
        with self.lock or contextlib.nullcontext():
            for record in self._limit.end():
                super().emit(record)
        super().close()


def _facts(record: logging.LogRecord) -> dict[str, str | int | float | bool | None]:
    return {name: _plain(value) for name, value in vars(record).items() if name not in _STANDARD}


def _plain(value: object) -> str | int | float | bool | None:
    """A value that JSON can express; everything else as text."""
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


class _JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": utc_text(int(record.created * _SECOND)),
            "level": record.levelname,
            "logger": record.name,
            "stage": str(vars(record).get("stage", "")),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({**_facts(record), **line})


class _Text(logging.Formatter):
    """Time, level, stage, message and facts in one line, and a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        stage = vars(record).get("stage", "")
        words = [utc_text(int(record.created * _SECOND), digits=3), f"{record.levelname:8}"]
        words += [f"{stage}:"] if stage else []
        words += [record.getMessage(), *(f"{name}={value}" for name, value in _facts(record).items())]
        lines = [" ".join(words).translate(_CONTROLS)]
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            lines += [f"    {line.translate(_CONTROLS)}" for line in trace]
        return "\n".join(lines)
