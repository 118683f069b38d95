"""The loop of ``c2kit tail``."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

from c2kit.bus import BusUnavailable
from c2kit.cli.options import tell
from c2kit.cli.tailing.printing import Printer
from c2kit.errors import MessageError
from c2kit.pipeline.definitions import DefinitionsMissing

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Sequence

    from c2kit.bus import Received
    from c2kit.cli.tailing.contents import Contents, Reader
    from c2kit.cli.tailing.printing import Line
    from c2kit.cli.tailing.watch import Watch

__all__ = ["Display", "Follower", "PrintedLines"]

_WAIT_SECONDS = 0.1
_MANY = 2**63 - 1


class _Lines(Protocol):
    """Makes lines of records."""

    def of(self, record: Received, contents: Contents) -> Iterable[Line]:
        """The lines of a record."""
        ...


class Display(Protocol):
    """Where records are shown."""

    def show(self, record: Received, contents: Contents, most: int) -> int:
        """Show a record, of its packets at most so many; how many it showed."""
        ...

    def end(self) -> None:
        """Write what stands at the end."""
        ...


@define(eq=False)
class PrintedLines:
    """Records as lines on stdout."""

    lines: _Lines
    _printer: Printer = field(factory=Printer, init=False)

    def show(self, record: Received, contents: Contents, most: int) -> int:
        """See :meth:`Display.show`."""
        lines = list(islice(self.lines.of(record, contents), most))
        self._printer.print(lines)
        return len(lines)

    def end(self) -> None:
        """Lines have no end."""


@define(eq=False)
class Follower:
    """Shows what comes, until somebody has seen enough; on stderr it says what cannot be shown, and why."""

    watch: Watch
    reader: Reader
    display: Display
    limit: int | None = None
    records: int = field(default=0, init=False)
    shown: int = field(default=0, init=False)
    unreadable: int = field(default=0, init=False)
    _missed: int = field(default=0, init=False)
    _trouble: str = field(default="", init=False)
    """What was told last, which is told once."""

    def run(self, stop: threading.Event, seconds: float | None) -> None:
        """Follow until it is told to stop, has shown enough, or so much time is over."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not stop.is_set() and self._left:
            remaining = _WAIT_SECONDS if deadline is None else deadline - time.monotonic()
            for record in self._receive(min(max(remaining, 0.0), _WAIT_SECONDS)):
                if stop.is_set() or self._left == 0:
                    break
                self._show(record)
            self._tell_missed()
            if remaining <= 0:
                break
        self.display.end()

    def summary(self) -> str:
        """What was seen, and what was not."""
        parts = [f"{self.shown:,} shown of {_count(self.records)}"]
        if self.unreadable:
            parts.append(f"{self.unreadable:,} not readable")
        parts.append(f"{self._missed:,} missed")
        return ", ".join(parts)

    @property
    def _left(self) -> int:
        return _MANY if self.limit is None else self.limit - self.shown

    def _receive(self, seconds: float) -> Sequence[Received]:
        """What came; nothing where the bus cannot be read now, which is no reason to end."""
        try:
            return self.watch.receive(seconds)
        except BusUnavailable as error:
            self._tell_once(f"waiting: {error}")
            time.sleep(seconds)
            return ()

    def _show(self, record: Received) -> None:
        self.records += 1
        try:
            contents = self.reader.read(record)
        except (MessageError, DefinitionsMissing) as error:
            self.unreadable += 1
            self._tell_once(f"not readable: {record.stream}[{record.partition}]@{record.offset}: {error}")
            return
        if contents is not None:
            self.shown += self.display.show(record, contents, self._left)

    def _tell_missed(self) -> None:
        missed = self.watch.missed + self.watch.deleted
        if missed > self._missed:
            tell(f"missed: {_count(missed - self._missed)} deleted before they could be looked at")
            self._missed = missed

    def _tell_once(self, trouble: str) -> None:
        if trouble != self._trouble:
            tell(trouble)
            self._trouble = trouble


def _count(records: int) -> str:
    return f"{records:,} record{'' if records == 1 else 's'}"
