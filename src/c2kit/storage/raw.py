"""The raw log: bytes as they came from a device and went to it, in chunks, before anybody looked at them."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import TYPE_CHECKING

import numpy as np

from c2kit.errors import UsageError
from c2kit.storage.block import Source
from c2kit.storage.index import UPLINK
from c2kit.storage.names import LogKind
from c2kit.storage.reader import LogReader, batch_of
from c2kit.storage.selection import By, TimeRange
from c2kit.storage.writer import LogWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c2kit.batches import PacketBatch
    from c2kit.bus.base import Position
    from c2kit.storage.reader import OnDamage
    from c2kit.storage.segment_reader import Block

__all__ = ["Direction", "RawLogReader", "RawLogWriter"]


@unique
class Direction(StrEnum):
    """Which way bytes went."""

    DOWN = "down"
    UP = "up"


class RawLogWriter(LogWriter):
    """Writes a log of raw bytes, of one partition of one stream; a batch's "packets" are chunks as they came."""

    kind = LogKind.RAW

    def append(
        self,
        batch: PacketBatch,
        positions: Iterable[Position] = (),
        *,
        direction: str = Direction.DOWN,
        now_ns: int,
    ) -> None:
        """Add chunks, and how far the bus was read with them, to the block that comes next.

        Raises UsageError for a position that goes back, and where the block would become too large; nothing was
        appended then.
        """
        source = Source(interface=batch.interface, origin=batch.origin)
        flags = UPLINK if _direction(direction) is Direction.UP else 0
        self._add(batch, source, flags, positions, now_ns)


class RawLogReader(LogReader):
    """Reads a log of raw bytes."""

    kind = LogKind.RAW

    def read(
        self,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        direction: str | None = None,
        on_damage: OnDamage | None = None,
    ) -> Iterator[tuple[Direction, PacketBatch]]:
        """Chunks received from ``start_ns`` up to, not including, ``end_ns``, exactly in the order of writing.

        Only those of one direction, where it is given. What comes from one interface in one direction one after another
        is one batch. Damage is told as by :meth:`PacketLogReader.read`.
        """
        times = TimeRange.of(start_ns, end_ns, By.RECEIVED)
        wanted = tuple(Direction) if direction is None else (_direction(direction),)
        blocks = self._blocks(times, on_damage)
        return ((found, batch) for block in blocks for found, batch in _runs(block, times) if found in wanted)


def _direction(given: str) -> Direction:
    if given not in tuple(Direction):
        raise UsageError("the direction of raw bytes", expected=" or ".join(Direction), found=given)
    return Direction(given)


def _runs(block: Block, times: TimeRange) -> Iterator[tuple[Direction, PacketBatch]]:
    """What is alike and lies together."""
    rows = block.rows
    held = times.holds(rows)
    alike = rows.source.astype(np.int64) * 256 + rows.flags
    bounds = np.flatnonzero(alike[1:] != alike[:-1]) + 1
    for part in np.split(np.arange(len(rows)), bounds):
        chosen = part[held[part]]
        if len(chosen):
            direction = Direction.UP if rows.flags[chosen[0]] & UPLINK else Direction.DOWN
            source = block.header.sources[rows.source[chosen[0]]]
            yield direction, batch_of(block, source, chosen)
