"""Keepers: each writes what is read of one partition of the bus to a log, with how far the bus was read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from attrs import evolve, frozen

from c2kit.batches import PacketBatch
from c2kit.batches.kinds import Kind
from c2kit.bus.records import UplinkCommand, unpack
from c2kit.errors import MessageError
from c2kit.storage import CommandLogWriter, Direction, LoggedCommand, LogWriter, PacketLogWriter, RawLogWriter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c2kit.bus import PartitionId, Position
    from c2kit.pipeline.definitions import Definitions
    from c2kit.pipeline.wire import Wire

__all__ = ["KEEPERS", "Keeper", "Tally"]

Content = TypeVar("Content")
Writer = TypeVar("Writer", bound=LogWriter)


@frozen(kw_only=True)
class Tally:
    """What became of what was read, since the keeper was made: records that are committed or refused, then packets."""

    records: int = 0
    taken: int = 0
    given: int = 0
    """Committed, by the log's own count."""
    refused: int = 0
    held: int = 0
    """Appended and not committed, by the log's own count."""


class Keeper(ABC, Generic[Content, Writer]):
    """The log of one partition, and what became of what was read for it. For one thread.

    Attributes:
        tally: replaced as a whole, so that any thread may look at it.
        pending_bytes: of the records that were appended or skipped and are not committed.
    """

    writes: ClassVar[type[LogWriter]]

    log: Writer

    def __init__(self, log: Writer, wire: Wire, definitions: Definitions) -> None:
        self.log = log
        self.tally = Tally()
        self.pending_bytes = 0
        self._wire, self._definitions = wire, definitions
        self._pending_records = 0
        self._defined: set[str] = set()

    @abstractmethod
    def read(self, value: bytes) -> Content:
        """What a record holds. Raises MessageError for one that is no such record, DefinitionsMissing."""

    @abstractmethod
    def _append(self, content: Content, position: Position, now_ns: int) -> int:
        """Append it to the log; gives how many packets it has."""

    def append(self, content: Content, value: bytes, position: Position, now_ns: int) -> None:
        """Append what the record ``value`` holds, after which the bus was read up to ``position``.

        Raises DefinitionsMissing, LogUnavailable; nothing was appended then.
        """
        count = self._append(content, position, now_ns)
        self._count(value, taken=count)

    def skip(self, value: bytes, position: Position, now_ns: int) -> None:
        """Pass a record that was set aside as one packet that cannot be read."""
        self.log.passed([position], now_ns=now_ns)
        self._count(value, taken=1, refused=1)

    def _count(self, value: bytes, *, taken: int, refused: int = 0) -> None:
        self.pending_bytes += len(value)
        self._pending_records += 1
        tally = self.tally
        self.tally = evolve(
            tally, taken=tally.taken + taken, refused=tally.refused + refused, held=self.log.pending_packets
        )

    def reached(self, partition: PartitionId) -> int:
        """The offset of the first record of its partition that is not safe in the log yet."""
        return next(each.offset for each in self.log.positions if (each.stream, each.partition) == partition)

    def close(self) -> None:
        """Give up the log; what is not committed is forgotten."""
        self.log.close()

    def settle(self) -> bool:
        """Whether the log has committed all; it is counted then."""
        if self.log.due_at_ns is not None:
            return False
        tally = self.tally
        self.tally = evolve(
            tally,
            records=tally.records + self._pending_records,
            given=tally.given + tally.held,
            held=self.log.pending_packets,
        )
        self.pending_bytes = self._pending_records = 0
        return True

    def _define(self, dictionary_hash: str | None) -> None:
        """See to it that the log has a copy of the definitions. Raises DefinitionsMissing, LogUnavailable."""
        if dictionary_hash is not None and dictionary_hash not in self._defined:
            self.log.define(self._definitions.target(dictionary_hash))
            self._defined.add(dictionary_hash)

    def _read_packets(self, value: bytes) -> PacketBatch:
        batch = self._wire.read(value)
        if not isinstance(batch, PacketBatch):
            raise MessageError("a record on the bus is no batch of packets", found=batch)
        return batch


class _PacketKeeper(Keeper[PacketBatch, PacketLogWriter]):
    writes = PacketLogWriter

    def read(self, value: bytes) -> PacketBatch:
        return self._read_packets(value)

    def _append(self, content: PacketBatch, position: Position, now_ns: int) -> int:
        self._define(content.dictionary_hash)
        self.log.append(content, [position], now_ns=now_ns)
        return len(content)


class _RawKeeper(Keeper[PacketBatch, RawLogWriter]):
    writes = RawLogWriter

    def read(self, value: bytes) -> PacketBatch:
        return self._read_packets(value)

    def _append(self, content: PacketBatch, position: Position, now_ns: int) -> int:
        direction = Direction.UP if content.is_uplink else Direction.DOWN
        self.log.append(content, [position], direction=direction, now_ns=now_ns)
        return len(content)


class _CommandKeeper(Keeper[UplinkCommand, CommandLogWriter]):
    writes = CommandLogWriter

    def read(self, value: bytes) -> UplinkCommand:
        return unpack(UplinkCommand, value)

    def _append(self, content: UplinkCommand, position: Position, now_ns: int) -> int:
        dictionary_hash = content.dictionary_hash or None
        self._define(dictionary_hash)
        command = LoggedCommand(
            data=content.data,
            encoded_ns=content.encoded_ns,
            target=content.target,
            name=content.name,
            id=content.id,
            interface=content.interface,
            dictionary_hash=dictionary_hash,
        )
        self.log.append(command, [position], now_ns=now_ns)
        return 1


KEEPERS: Mapping[str, type[Keeper[Any, Any]]] = {
    str(Kind.PACKETS): _PacketKeeper,
    str(Kind.UPLINK): _CommandKeeper,
    str(Kind.RAW): _RawKeeper,
}
"""By the kind of stream."""
