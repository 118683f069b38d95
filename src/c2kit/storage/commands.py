"""The log of commands: what was encoded for a device, with the names and ids by which their fates are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import field, frozen

from c2kit.batches import PacketBatch
from c2kit.storage.block import Source
from c2kit.storage.index import UPLINK
from c2kit.storage.names import LogKind
from c2kit.storage.reader import LogReader
from c2kit.storage.selection import By, TimeRange
from c2kit.storage.writer import LogWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c2kit.bus.base import Position
    from c2kit.storage.reader import OnDamage
    from c2kit.storage.segment_reader import Block

__all__ = ["CommandLogReader", "CommandLogWriter", "LoggedCommand"]


@frozen(kw_only=True)
class LoggedCommand:
    """A command as it was encoded."""

    data: bytes = field(repr=False)
    encoded_ns: int
    """When it was encoded: POSIX nanoseconds, UTC."""
    target: str
    name: str
    id: str
    interface: str = ""
    dictionary_hash: str | None = None
    """The hash of the definitions by which it was encoded."""


class CommandLogWriter(LogWriter):
    """Writes a log of commands, of one partition of one stream."""

    kind = LogKind.COMMANDS

    def append(self, command: LoggedCommand, positions: Iterable[Position] = (), *, now_ns: int) -> None:
        """Add a command, and how far the bus was read with it, to the block that comes next.

        Raises UsageError where the log has no copy of the definitions that it names, and for a position that goes back;
        nothing was appended then.
        """
        source = Source(
            interface=command.interface,
            target=command.target,
            dictionary_hash=command.dictionary_hash,
            command=command.name,
            command_id=command.id,
        )
        batch = PacketBatch(
            buffer=command.data,
            starts=np.zeros(1, np.int64),
            ends=np.array([len(command.data)], np.int64),
            received=np.array([command.encoded_ns], np.int64),
        )
        self._add(batch, source, UPLINK, positions, now_ns)


class CommandLogReader(LogReader):
    """Reads a log of commands."""

    kind = LogKind.COMMANDS

    def read(
        self,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        on_damage: OnDamage | None = None,
    ) -> Iterator[LoggedCommand]:
        """Commands encoded from ``start_ns`` up to, not including, ``end_ns``, in the order of writing.

        Damage is told as by :meth:`PacketLogReader.read`.
        """
        times = TimeRange.of(start_ns, end_ns, By.RECEIVED)
        return (command for block in self._blocks(times, on_damage) for command in _commands(block, times))


def _commands(block: Block, times: TimeRange) -> Iterator[LoggedCommand]:
    rows = block.rows
    for index in np.flatnonzero(times.holds(rows)).tolist():
        source, end = block.header.sources[rows.source[index]], int(rows.ends[index])
        yield LoggedCommand(
            data=block.data[end - int(rows.lengths[index]) : end],
            encoded_ns=int(rows.received[index]),
            target=source.target or "",
            name=source.command or "",
            id=source.command_id or "",
            interface=source.interface,
            dictionary_hash=source.dictionary_hash,
        )
