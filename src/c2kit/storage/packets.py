"""The log of packets, by which telemetry is found again by time and by name."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from c2kit.dictionaries import Dictionary
from c2kit.errors import UnknownName, UsageError
from c2kit.storage.block import Source
from c2kit.storage.names import LogKind
from c2kit.storage.reader import LogReader, batch_of
from c2kit.storage.selection import By, TimeRange
from c2kit.storage.writer import LogWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from c2kit.batches import PacketBatch
    from c2kit.bus.base import Position
    from c2kit.storage.reader import OnDamage

__all__ = ["PacketLogReader", "PacketLogWriter", "refuse_unknown_packets"]


class PacketLogWriter(LogWriter):
    """Writes a log of packets, of one partition of one stream.

    ::

        with PacketLogWriter("var/log", "firefly.packets.FIREFLY") as log:
            log.define(target)  # once, before the first packets that name its hash
            bus.sink(stage, partitions, log.positions)
            ...
            log.append(batch, [position], now_ns=now)
            if log.due(now):
                log.sync()  # only now is it safe
    """

    kind = LogKind.PACKETS

    def append(self, batch: PacketBatch, positions: Iterable[Position] = (), *, now_ns: int) -> None:
        """Add the packets of a batch, and how far the bus was read with them, to the block that comes next.

        Raises UsageError where the log has no copy of the definitions that the batch names, for a position that goes
        back, and where the block would become too large; nothing was appended then.
        """
        source = Source(
            interface=batch.interface,
            origin=batch.origin,
            target=batch.target,
            dictionary_hash=batch.dictionary_hash,
        )
        self._add(batch, source, 0, positions, now_ns)


class PacketLogReader(LogReader):
    """Reads a log of packets; ``Decommutator(reader.dictionary_of(batch))`` decodes what it gives."""

    kind = LogKind.PACKETS

    @cached_property
    def _dictionaries(self) -> dict[str, Dictionary]:
        return {}

    def read(
        self,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        by: str = By.RECEIVED,
        packets: Iterable[str] | None = None,
        on_damage: OnDamage | None = None,
    ) -> Iterator[PacketBatch]:
        """Packets from ``start_ns`` up to, not including, ``end_ns`` (POSIX nanoseconds), in the order of writing.

        ``by`` says which time counts, ``received`` or ``generated``. ``packets`` are names of packets as the
        definitions have them that the packets were identified by; packets that were not identified have none. Batches
        have the origin ``stored``. The received time of packets in a rebuilt block is ``UNKNOWN_TIME``.

        Where a part is damaged, ``on_damage`` is called with the finding, and reading goes on behind it. Raises:
            LogDamaged: at the first damage, where there is no ``on_damage``.
            UnknownName: none of the definitions has a packet of that name.
            MessageError: packets are chosen by name, and the log has no copy of definitions that it needs.
        """
        times = TimeRange.of(start_ns, end_ns, by)
        names = None if packets is None else self._checked(packets)
        return self._read(times, names, on_damage)

    def _read(self, times: TimeRange, names: set[str] | None, on_damage: OnDamage | None) -> Iterator[PacketBatch]:
        for block in self._blocks(times, on_damage):
            held = times.holds(block.rows)
            for number, source in enumerate(block.header.sources):
                wanted = held & (block.rows.source == number)
                if names is not None:
                    wanted &= np.isin(block.rows.definition, self._indices(source, names))
                if wanted.any():
                    yield batch_of(block, source, wanted)

    @property
    def packet_names(self) -> set[str]:
        """The names of all packets that its definitions have."""
        return {name for target in self.targets for name in target.packets_by_name}

    def _checked(self, packets: Iterable[str]) -> set[str]:
        names = set(packets)
        refuse_unknown_packets([self], names)
        return names

    def _indices(self, source: Source, names: set[str]) -> list[int]:
        if source.dictionary_hash is None:
            return []
        target = self._definitions.target(source.dictionary_hash)
        return [index for index, packet in enumerate(target.packets) if packet.name in names]

    def dictionary_of(self, batch: PacketBatch) -> Dictionary:
        """The definitions that a batch of this log names, and nothing else.

        Raises UsageError where it names none, MessageError where the log has no copy of them.
        """
        if batch.dictionary_hash is None:
            raise UsageError("this batch was logged before it was identified", remedy="identify it first")
        if batch.dictionary_hash not in self._dictionaries:
            self._dictionaries[batch.dictionary_hash] = Dictionary((self._definitions.target(batch.dictionary_hash),))
        return self._dictionaries[batch.dictionary_hash]


def refuse_unknown_packets(logs: Sequence[PacketLogReader], names: Iterable[str]) -> None:
    """Raise UnknownName for a name that the definitions of none of these logs have."""
    known = sorted(set().union(*(log.packet_names for log in logs)))
    where = " or ".join(str(log.directory) for log in logs[:3]) or "any log here"
    for name in sorted(set(names).difference(known)):
        raise UnknownName(kind="packet", name=name, known=known, where=f"the definitions of {where}")
