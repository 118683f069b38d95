"""When an interface sends commands of its own: whenever its link comes up, and periodically while it is up."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from c2kit.batches.kinds import Kind
from c2kit.bus import Record
from c2kit.bus.records import Command, Fate, pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from c2kit.pipeline.composition.own_commands import OwnCommand
    from c2kit.pipeline.interfaces.draft import InterfaceDraft
    from c2kit.pipeline.surroundings import StageSurroundings

__all__ = ["AutoCommands"]

_LONGEST_SECONDS = 30.0
"""After so long a command that was not sent is not wanted any more."""
_SHORTEST_SECONDS = 1.0


class AutoCommands:
    """One interface's. They take the way of all commands: over the encoder, which gives them their counts.

    A periodic command is due a period after the link came up, then a period after it was due before, however late it
    was issued; one that is due while another should have been issued already is left out. It expires when the next one
    is due, so that none pile up on the way either.
    """

    def __init__(
        self,
        surroundings: StageSurroundings,
        commands: Iterable[OwnCommand],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._surroundings = surroundings
        self._commands = tuple(commands)
        self._monotonic = monotonic
        self._due: dict[int, float] = {}
        """By the place of the command among all."""
        self._started_ns = surroundings.now()
        self._count = 0
        self._has_come_up = False

    def add_to(self, draft: InterfaceDraft, *, has_come_up: bool, is_up: bool) -> None:
        """Issue what is due."""
        self._has_come_up = (self._has_come_up or has_come_up) and is_up
        now = self._monotonic()
        if not is_up:
            self._due = {}
        elif self._has_come_up:
            self._has_come_up = False
            self._due = {
                place: now + command.period_seconds
                for place, command in enumerate(self._commands)
                if command.period_seconds is not None
            }
            for command in self._commands:
                if command.period_seconds is None:
                    self._issue(command, draft)
        for place, due in self._due.items():
            command = self._commands[place]
            if due <= now and command.period_seconds is not None:
                self._due[place] = _next(due, command.period_seconds, now)
                self._issue(command, draft)

    def due_seconds(self) -> float | None:
        """When the next one is due."""
        return max(0.0, min(self._due.values()) - self._monotonic()) if self._due else None

    def _issue(self, own: OwnCommand, draft: InterfaceDraft) -> None:
        surroundings = self._surroundings
        stream = surroundings.stream(Kind.AUTO_COMMANDS, surroundings.name)
        assert stream is not None  # noqa: S101 - composition gives it to whoever has commands of its own
        self._count += 1
        issued_ns = surroundings.now()
        period = own.period_seconds or _LONGEST_SECONDS
        lives_seconds = min(max(period, _SHORTEST_SECONDS), _LONGEST_SECONDS)
        command = Command(
            id=f"{surroundings.name}-{self._started_ns}-{self._count}",
            target=own.target,
            name=own.name,
            arguments=dict(own.arguments),
            caller=surroundings.name,
            interface=surroundings.name,
            issued_ns=issued_ns,
            expires_ns=issued_ns + int(lives_seconds * 1e9),
        )
        draft.publish.append(Record(stream, surroundings.name, pack(command)))
        draft.step_of(command, Fate.ISSUED)


def _next(due: float, period: float, now: float) -> float:
    """The first time after now, whole periods after it was due."""
    return due + period * (math.floor((now - due) / period) + 1)
