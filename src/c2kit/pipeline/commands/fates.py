"""What becomes of commands, as all stages of a mission tell it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.bus import BusUnavailable
from c2kit.bus.records import CommandStatus, Fate, unpack
from c2kit.errors import MessageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c2kit.bus import StreamBus, View

__all__ = ["Fates"]

_MOST_WATCHED = 10_000
_PAUSE_SECONDS = 0.1

_Step = tuple[str, Fate, int]
"""Stage, fate and time: a step that is read again is the same step."""


@define(eq=False)
class Fates:
    """Follows commands that are watched since before they were issued, so that no step is missed. For one thread."""

    _bus: StreamBus
    _streams: Sequence[str]
    """All those with the status of commands."""
    _view: View = field(init=False)
    _steps: dict[str, dict[_Step, CommandStatus]] = field(factory=dict, init=False)
    """By the ids that are watched."""

    @_view.default
    def _look(self) -> View:
        return self._bus.view(self._streams)

    def watch(self, command_id: str, *, from_oldest: bool = False) -> None:
        """Keep what is told of a command from now on, or whatever was told of it since the oldest record.

        Of commands that nobody follows, 10 000 are watched.
        """
        if from_oldest:
            self._view.close()
            self._view = self._bus.view(self._streams, from_oldest=True)
        self._steps.setdefault(command_id, {})
        while len(self._steps) > _MOST_WATCHED:
            del self._steps[next(iter(self._steps))]

    def add(self, status: CommandStatus) -> None:
        """Keep what is known of a command that is watched, from wherever."""
        self._steps[status.id].setdefault((status.stage, status.fate, status.time_ns), status)

    def follow(self, command_id: str, timeout_seconds: float) -> Iterator[CommandStatus]:
        """Each step of a command as it comes, up to its end or until the time is over.

        While the bus is unavailable it waits. Raises UsageError for a command that is not watched.
        """
        deadline = time.monotonic() + timeout_seconds
        told = 0
        self._read(0.0)
        while True:
            for status in self._steps_of(command_id)[told:]:
                told += 1
                yield status
                if status.fate.is_end:
                    return
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return
            self._read(remaining)

    def _steps_of(self, command_id: str) -> list[CommandStatus]:
        if command_id not in self._steps:
            raise UsageError(f"command {command_id} was not sent from here", remedy="send it first, with that id")
        return list(self._steps[command_id].values())

    def _read(self, timeout_seconds: float) -> None:
        try:
            records = self._view.receive(timeout_seconds)
        except BusUnavailable:
            time.sleep(min(_PAUSE_SECONDS, timeout_seconds))
            return
        told: list[CommandStatus] = []
        for record in records:
            # What cannot be read tells nothing of our commands.
            with suppress(MessageError):
                told.append(unpack(CommandStatus, record.value))
        for status in sorted(told, key=lambda each: each.time_ns):
            if status.id in self._steps:
                self.add(status)

    def close(self) -> None:
        """Stop looking."""
        self._view.close()
