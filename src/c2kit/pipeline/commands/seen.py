"""Which commands were seen already: the same id again is the same command, and is not sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field, frozen

from c2kit.errors import MessageError
from c2kit.processors.base import pack_snapshot, unpack_snapshot

if TYPE_CHECKING:
    from c2kit.bus.records import Command

__all__ = ["KEPT_NS", "MOST_KEPT", "SeenCommand", "SeenCommands"]

KEPT_NS = 24 * 3600 * 10**9
MOST_KEPT = 10_000
_NAME, _VERSION = "SeenCommands", 1


@frozen
class SeenCommand:
    """What is kept of a command."""

    name: str
    content: str
    """A fingerprint of what was asked for."""
    seen_ns: int


@define(eq=False)
class SeenCommands:
    """The commands of a target of the last 24 hours, at most 10 000, by their ids.

    Hours count from when a command was seen, so that one that waited for long is kept no shorter.
    """

    _by_id: dict[str, SeenCommand] = field(factory=dict, init=False)
    """In the order in which they were seen."""

    def find(self, command_id: str) -> SeenCommand | None:
        """What was seen with this id."""
        return self._by_id.get(command_id)

    def add(self, command: Command, content: str, now_ns: int) -> None:
        """Keep a command, and forget what is too old or too much."""
        self._by_id[command.id] = SeenCommand(command.name, content, now_ns)
        while len(self._by_id) > MOST_KEPT or now_ns - self._oldest.seen_ns > KEPT_NS:
            del self._by_id[next(iter(self._by_id))]

    @property
    def _oldest(self) -> SeenCommand:
        return next(iter(self._by_id.values()))

    def snapshot(self) -> bytes:
        """All of it, to be given to :meth:`restore`."""
        rows = [[key, seen.name, seen.content, seen.seen_ns] for key, seen in self._by_id.items()]
        return pack_snapshot(_NAME, _VERSION, (), {"seen": rows})

    def restore(self, snapshot: bytes) -> None:
        """Go on from there. Raises :class:`~c2kit.errors.MessageError` for what is no snapshot of this."""
        by_id: dict[str, SeenCommand] = {}
        for row in unpack_snapshot(snapshot, _NAME, _VERSION).get("seen", [None]):
            match row:
                case [str(key), str(name), str(content), int(seen_ns)]:
                    by_id[key] = SeenCommand(name, content, seen_ns)
                case _:
                    expected = "id, name, content and time"
                    raise MessageError("commands in a snapshot", expected=expected, found=row)
        self._by_id = by_id
