"""Writing a log: blocks, each committed whole or not at all.

A commit writes the packets and has them on the disk, then their block of the index and has that on the disk; only then
is anything acknowledged. A process may die between any two bytes of it: what it leaves behind the last whole block is
cut off when the log is opened next, and the bus is read again from the positions in that block.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from c2kit.errors import UsageError
from c2kit.storage import files
from c2kit.storage.definitions import Definitions
from c2kit.storage.errors import LogDamaged, LogUnavailable
from c2kit.storage.findings import Finding, FindingKind
from c2kit.storage.index import IndexSchema, block_message
from c2kit.storage.names import log_directory
from c2kit.storage.pending import Pending, block_header
from c2kit.storage.recovery import recover
from c2kit.storage.segment import OpenSegment
from c2kit.storage.settings import LogSettings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from os import PathLike
    from types import TracebackType
    from typing import Self

    from c2kit.batches import PacketBatch
    from c2kit.bus.base import PartitionId, Position
    from c2kit.model.target import Target
    from c2kit.storage.block import BlockHeader, Source
    from c2kit.storage.names import LogKind
    from c2kit.storage.recovery import Recovered

__all__ = ["LogWriter", "sync_all"]

_MAX_POSITIONS = 10_000
"""Each block has all of them, and a log is of one partition."""


class LogWriter:
    """What the writers of packets, commands and raw bytes have in common. For one thread; knows no clock and no bus.

    What is appended is held until :meth:`sync`, which makes one block of it. ``now_ns`` is the time of
    appending (POSIX nanoseconds) by the caller's clock: it decides when a block is due and a segment old, nothing else.

    Attributes:
        directory: where the log lies: ``<root>/<stream>/<partition>``.
        recovered: what was cut off when it was opened.
    """

    kind: ClassVar[LogKind]

    def __init__(
        self,
        root: str | PathLike[str],
        stream: str,
        partition: int = 0,
        *,
        settings: LogSettings | None = None,
        resume_from: Iterable[Position] | None = None,
    ) -> None:
        """Open a log or begin one, lock it, and cut it back to its last whole block.

        ``resume_from`` is how far the bus was read, where a person must decide it because the log cannot tell.

        Raises:
            LogLocked: it has another writer.
            LogDamaged: packets lie there that no index accounts for, or it cannot tell how far the bus was read.
            LogUnavailable: the disk does not do it.
            UsageError: a name that cannot be, or a directory that holds another log.
        """
        self.directory = log_directory(root, stream, partition)
        self._stream, self._partition = stream, partition
        self._settings = settings or LogSettings()
        self._definitions = Definitions(self.directory)
        self._segment: OpenSegment | None = None
        self._pending = Pending()
        self._since_ns: int | None = None
        self._now_ns = 0
        self._must_roll_back = False
        self._is_open = True
        with files.disk("opening", self.directory):
            files.make_directory(self.directory)
            self._lock = files.open_locked(self.directory)
        try:
            self._recover(None if resume_from is None else tuple(resume_from))
        except BaseException:
            self.close()
            raise

    def _recover(self, resume_from: tuple[Position, ...] | None) -> None:
        with files.disk("recovering", self.directory):
            found = recover(self.directory, self.kind.suffix)
            self._check_identity(found.schema)
            self._segment = OpenSegment.reopen(found)
        self.recovered: tuple[Finding, ...] = found.cut
        positions = _positions_of(found) if resume_from is None else resume_from
        self._positions: dict[PartitionId, Position] = {(each.stream, each.partition): each for each in positions}
        self._next_positions = dict(self._positions)

    def _check_identity(self, schema: IndexSchema | None) -> None:
        ours = (self.kind, self._stream, self._partition)
        if schema is not None and (schema.kind, schema.stream, schema.partition) != ours:
            expected = f"{self._stream}[{self._partition}], a {self.kind.value}"
            found = f"{schema.stream}[{schema.partition}], a {schema.kind.value}"
            raise UsageError(f"{self.directory} holds another log", expected=expected, found=found)

    @property
    def positions(self) -> tuple[Position, ...]:
        """How far the bus was read for what is committed: where to go on reading."""
        return tuple(self._positions.values())

    @property
    def pending_bytes(self) -> int:
        """The bytes that were appended and are not committed."""
        return self._pending.size_bytes

    @property
    def pending_packets(self) -> int:
        """The packets that were appended and are not committed."""
        return self._pending.count

    @property
    def due_at_ns(self) -> int | None:
        """When what is pending has waited long enough; ``None`` where nothing is."""
        return None if self._since_ns is None else self._since_ns + self._settings.block_age_ns

    def due(self, now_ns: int) -> bool:
        """Whether it is time for :meth:`sync`. A clock that was set back makes it time."""
        if self._since_ns is None:
            return False
        waited_ns = now_ns - self._since_ns
        is_old = waited_ns < 0 or waited_ns >= self._settings.block_age_ns
        return is_old or self.pending_bytes >= self._settings.block_bytes

    def define(self, target: Target | bytes) -> str:
        """Keep a copy of definitions, or of their canonical form, with the log; gives their hash.

        Raises LogUnavailable, and MessageError for bytes that are no canonical form.
        """
        with files.disk("writing definitions of", self.directory):
            return self._definitions.add(target)

    def passed(self, positions: Iterable[Position], *, now_ns: int) -> None:
        """The bus was read up to here, and what was read is appended, or is none of this log's business.

        Raises UsageError for a position before one that was passed: its packets would come twice.
        """
        self._check_open()
        self._next_positions.update(self._checked(positions))
        self._touched(now_ns)

    def sync(self) -> None:
        """Commit all that was appended, as one block; nothing where there is nothing.

        Raises:
            LogUnavailable: then no trace of the block is left, and it may be tried again.
            LogDamaged: somebody removed the files that are written to, and with them what they had.
        """
        sync_all([self])

    def discard(self) -> None:
        """Forget what was appended and is not committed; the bus is to be read again from :attr:`positions`."""
        self._pending.clear()
        self._next_positions = dict(self._positions)
        self._since_ns = None

    def close(self) -> None:
        """Give up the log. What is not committed is forgotten, as if the process had died."""
        if not self._is_open:
            return
        self._is_open = False
        if self._segment is not None:
            self._segment.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if not self._is_open:
            raise UsageError(f"log {self.directory} was closed", remedy="open it again")

    def _checked(self, positions: Iterable[Position]) -> dict[PartitionId, Position]:
        wanted = {(each.stream, each.partition): each for each in positions}
        for key, position in wanted.items():
            last = self._next_positions.get(key)
            if last is not None and last.stream_uuid == position.stream_uuid and last.offset > position.offset:
                raise UsageError(f"log {self.directory} is past position {position}", expected=f"{last} or later")
        if len(self._next_positions.keys() | wanted.keys()) > _MAX_POSITIONS:
            raise UsageError(f"log {self.directory} tells of too many partitions", expected=f"at most {_MAX_POSITIONS}")
        return wanted

    def _touched(self, now_ns: int) -> None:
        self._now_ns = now_ns
        if self._since_ns is None:
            self._since_ns = now_ns

    def _add(self, batch: PacketBatch, source: Source, flags: int, positions: Iterable[Position], now_ns: int) -> None:
        """Append all of it or, where it raises UsageError, nothing."""
        self._check_open()
        if source.dictionary_hash is not None:
            self._definitions.require(source.dictionary_hash)
        wanted = self._checked(positions)
        if len(batch):
            self._pending.add(batch, source, flags)
        self._next_positions.update(wanted)
        self._touched(now_ns)

    def commit(self) -> Generator[None]:
        """The steps of a commit, for :func:`sync_all`, which takes each step of all logs before the next.

        It is done when the iteration ends; where it fails or is given up, nothing of it is left in the files.
        """
        self._check_open()
        if self._since_ns is None:
            return
        if self._must_roll_back:
            self._roll_back()
        try:
            segment = self._segment_to_write()
            segment.write_packets(self._pending.pieces)
            yield
            header, message = self._block(segment)  # while the disk is busy with the packets
            if header.size_bytes:
                segment.sync_packets()
            yield
            segment.write_index(message)
            yield
            segment.sync_index()
            _check_there(segment)
            yield
        except BaseException:
            self._must_roll_back = True  # if it cannot be done now, it is done before the next block
            with suppress(OSError):
                self._roll_back()
            raise
        segment.committed(header, message)
        self._positions = dict(self._next_positions)
        self.discard()

    def _block(self, segment: OpenSegment) -> tuple[BlockHeader, list[bytes | memoryview]]:
        rows = self._pending.rows()
        header = block_header(
            rows,
            self._pending.pieces,
            self._pending.sources,
            schema_crc32=segment.schema_crc32,
            offset=segment.data_bytes,
            before=segment.totals,
            positions=tuple(self._next_positions.values()),
        )
        return header, block_message(header, rows)

    def _roll_back(self) -> None:
        if self._segment is not None:
            self._segment.roll_back()
        self._must_roll_back = False

    def _segment_to_write(self) -> OpenSegment:
        """The segment, or a new one where there is none or it has had enough."""
        old = self._segment
        if old is not None and not self._is_full(old):
            return old
        schema = IndexSchema(
            kind=self.kind,
            stream=self._stream,
            partition=self._partition,
            start=0 if old is None else old.where.start + old.data_bytes,
            opened_ns=self._now_ns,
        )
        self._segment = OpenSegment.create(self.directory, self._lock, schema)
        if old is not None:
            old.close()
        return self._segment

    def _is_full(self, segment: OpenSegment) -> bool:
        """One without packets is never full: the next would have its name. One with a damaged schema always is."""
        if not segment.data_bytes:
            return False
        age_ns = self._settings.segment_age_ns if segment.opened_ns is None else self._now_ns - segment.opened_ns
        return segment.data_bytes >= self._settings.segment_bytes or age_ns >= self._settings.segment_age_ns


def sync_all(writers: Iterable[LogWriter]) -> None:
    """Commit several logs at once: first the packets of all are on the disk, then their indices.

    Raises:
        LogUnavailable: the disk did not do it for at least one, which is as it was before; the others are committed.
        LogDamaged: somebody removed the files of one; of the others, some are committed.
        UsageError: one was closed; none is committed.
    """
    going = [(writer, writer.commit()) for writer in writers]
    failed: list[LogUnavailable] = []
    try:
        while going:
            going = [(writer, steps) for writer, steps in going if _goes_on(writer, steps, failed)]
    finally:
        for _, steps in going:
            steps.close()
    for other in failed[1:]:
        failed[0].add_note(str(other))
    if failed:
        raise failed[0]


def _goes_on(writer: LogWriter, steps: Generator[None], failed: list[LogUnavailable]) -> bool:
    try:
        next(steps)
    except StopIteration:
        return False
    except OSError as error:
        failed.append(LogUnavailable("writing to", writer.directory, error))
        return False
    return True


def _check_there(segment: OpenSegment) -> None:
    """What was written to a file that has no name any more is not kept, though every call succeeded."""
    removed = segment.removed_file()
    if removed is not None:
        finding = Finding(FindingKind.MISSING_FILE, removed, detail="it was removed while it was written")
        remedy = "what it had is gone, unless there is a copy; start again, and a new log begins where it can"
        raise LogDamaged(finding, remedy=remedy)


def _positions_of(found: Recovered) -> tuple[Position, ...]:
    if found.segment is None or found.last is None:
        return ()
    positions = found.last.header.positions
    if positions is None:
        finding = Finding(
            FindingKind.REBUILT, found.segment.index, found.last.position, detail="no positions are known"
        )
        raise LogDamaged(finding, remedy="choose where to go on reading the bus, and give it as resume_from")
    return positions
