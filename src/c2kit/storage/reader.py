"""Reading logs of any kind, block by block, each proved before anything of it is given away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from c2kit.batches import PacketBatch
from c2kit.errors import MessageError, UsageError
from c2kit.kernel.contract import Column
from c2kit.storage.block import widest
from c2kit.storage.definitions import Definitions
from c2kit.storage.errors import LogDamaged
from c2kit.storage.findings import Finding, FindingKind
from c2kit.storage.index import UNKNOWN_TIME
from c2kit.storage.names import LogKind, find_logs, segments_in
from c2kit.storage.scan import Entry
from c2kit.storage.segment_reader import SegmentReader, schema_in
from c2kit.storage.selection import By, TimeRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from os import PathLike

    import numpy as np
    import numpy.typing as npt

    from c2kit.model.target import Target
    from c2kit.storage.block import BlockHeader, Source, Span, Totals
    from c2kit.storage.index import IndexSchema
    from c2kit.storage.names import SegmentFiles
    from c2kit.storage.segment_reader import Block

    OnDamage = Callable[[Finding], object]
    OnBlock = Callable[[Path, BlockHeader, Finding | None], object]

__all__ = ["LogReader", "SegmentInfo", "batch_of"]


@frozen(kw_only=True)
class SegmentInfo:
    """A segment as it stands, for people: where it is and what it holds."""

    data: Path
    start: int
    """Bytes of the log before it."""
    size_bytes: int
    """Bytes of its packets that the index accounts for."""
    holds: Totals


class LogReader:
    """What the readers of packets, commands and raw bytes have in common.

    A log may be read while it is written: what is there when reading begins is read, up to the last whole block.
    Nothing is given away before its block was proved.
    """

    kind: ClassVar[LogKind]

    def __init__(self, directory: str | PathLike[str], *, targets: Iterable[Target] = ()) -> None:
        """Read the log in ``directory``, or the only one below it.

        ``targets`` are definitions by which packets are known beside those that the log has a copy of. Raises
        UsageError where there is no log, more than one, or one of another kind.
        """
        self.directory = _the_log_in(Path(directory))
        self._definitions = Definitions(self.directory)
        for target in targets:
            self._definitions.add_known(target)
        schema = schema_in(self.directory)
        if schema is not None and schema.kind is not self.kind:
            what = f"{self.directory} is another kind of log"
            raise UsageError(what, expected=self.kind.value, found=schema.kind.value, remedy="open_log() takes any")

    @property
    def schema(self) -> IndexSchema | None:
        """What the log says it is of, in the first of its indices that can be read; ``None`` where it has none."""
        return schema_in(self.directory)

    @property
    def targets(self) -> list[Target]:
        """The definitions that the log has sound copies of, and those that were given, sorted by name and hash."""
        return self._definitions.targets

    def segments(self) -> Iterator[SegmentInfo]:
        """The segments, oldest first."""
        for segment in self._segments():
            with segment:
                totals, size = segment.totals()
            files = segment.files
            yield SegmentInfo(data=files.data, start=files.start, size_bytes=size, holds=totals)

    def definitions_in(self, *, start_ns: int | None = None, end_ns: int | None = None) -> dict[str, Span | None]:
        """The hashes of the definitions that packets of these received times name, and when each was in use.

        Packets are not looked at, nor rows of blocks that name one definition only: these count as a whole.
        """
        times = TimeRange.of(start_ns, end_ns, By.RECEIVED)
        spans: dict[str, Span | None] = {}
        for segment in self._segments():
            with segment:
                entries = (found for found in segment.entries() if isinstance(found, Entry))
                for entry in (each for each in entries if times.may_hold(each.header.holds)):
                    for name, span in _definitions_of(segment, entry, times):
                        spans[name] = widest(spans.get(name), span)
        return spans

    def glance(self) -> Iterator[Finding]:
        """What shows to be wrong without reading the log: missing files and segments, and files that were cut."""
        ends: set[int] = set()
        for segment in self._segments():
            with segment:
                yield from _gap_before(segment, ends)
                if not segment.ends_whole:
                    yield from (found for found in segment.entries() if isinstance(found, Finding))
                    block = None if segment.last is None else segment.block(segment.last)
                    if isinstance(block, Finding):
                        yield block
                ends = _ends(segment)

    def verify(self, *, on_block: OnBlock | None = None) -> Iterator[Finding]:
        """Prove the whole log, every byte of it, and tell what is wrong; nothing, where all is as it was written.

        ``on_block`` is called with the data file and the header of each block, and with what is wrong with it, if
        anything.
        """
        ends: set[int] = set()
        unknown: set[str] = set()
        for segment in self._segments():
            with segment:
                yield from _gap_before(segment, ends)
                yield from self._verify_blocks(segment, unknown, on_block)
                ends = _ends(segment)
        for dictionary_hash in sorted(unknown):
            yield Finding(FindingKind.MISSING_DEFINITIONS, self._definitions.path(dictionary_hash))

    def _verify_blocks(self, segment: SegmentReader, unknown: set[str], on_block: OnBlock | None) -> Iterator[Finding]:
        for entry in segment.entries():
            block = entry if isinstance(entry, Finding) else segment.block(entry)
            if on_block is not None and isinstance(entry, Entry):
                on_block(segment.files.data, entry.header, block if isinstance(block, Finding) else None)
            if isinstance(block, Finding):
                yield block
                continue
            header = block.header
            if header.is_rebuilt:
                yield Finding(FindingKind.REBUILT, segment.files.data, header.offset, header.size_bytes)
            named = {source.dictionary_hash for source in header.sources if source.dictionary_hash is not None}
            unknown |= {each for each in named if each not in self._definitions}

    def _segments(self) -> Iterator[SegmentReader]:
        files: list[SegmentFiles] = segments_in(self.directory, self.kind.suffix)
        for each in files:
            yield SegmentReader(each, is_last=each is files[-1])

    def _blocks(self, times: TimeRange, on_damage: OnDamage | None) -> Iterator[Block]:
        """The blocks that may hold packets of these times, proved."""
        for segment in self._segments():
            with segment:
                last = segment.last
                if last is not None and not times.may_hold(last.header.segment):
                    continue
                for entry in segment.entries():
                    if isinstance(entry, Entry) and not times.may_hold(entry.header.holds):
                        continue
                    block = segment.block(entry) if isinstance(entry, Entry) else entry
                    if not isinstance(block, Finding):
                        yield block
                    elif block.is_damage:
                        _told(block, on_damage)


def _definitions_of(segment: SegmentReader, entry: Entry, times: TimeRange) -> Iterator[tuple[str, Span | None]]:
    """The definitions that a block names, and when it says that they were in use."""
    named = [source.dictionary_hash for source in entry.header.sources]
    known = {each for each in named if each is not None}
    if len(known) < 2:
        yield from ((each, entry.header.holds.received) for each in known)
        return
    try:
        rows = segment.rows(entry)
    except MessageError:  # whoever reads the packets is told
        return
    held = times.holds(rows)
    for number, name in enumerate(named):
        received = rows.received[held & (rows.source == number)]
        if name is not None and len(received):
            told = received[received != UNKNOWN_TIME]
            yield name, (int(told.min()), int(told.max())) if len(told) else None


def _ends(segment: SegmentReader) -> set[int]:
    """Where the next segment may begin: behind what the index tells of, or, where that is lost, behind the packets."""
    start, data = segment.files.start, segment.files.data
    return {start + segment.totals()[1], start + (data.stat().st_size if data.exists() else 0)}


def _gap_before(segment: SegmentReader, ends: set[int]) -> Iterator[Finding]:
    """What is missing between a segment and the one before it, which may have ended at any of these bytes."""
    start = segment.files.start
    if ends and start not in ends:
        detail = f"it begins at byte {start} of the log, and the one before ends at {max(ends)}"
        yield Finding(FindingKind.MISSING_SEGMENT, segment.files.data, detail=detail)


def _told(finding: Finding, on_damage: OnDamage | None) -> None:
    if on_damage is None:
        raise LogDamaged(finding, remedy="to read what is whole all the same, give on_damage")
    on_damage(finding)


def batch_of(block: Block, source: Source, wanted: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> PacketBatch:
    """Packets of one source of a block, over its bytes."""
    rows = block.rows
    generated = rows.generated
    definition = rows.definition[wanted]
    return PacketBatch(
        buffer=block.data,
        starts=(rows.ends - rows.lengths)[wanted],
        ends=rows.ends[wanted],
        received=rows.received[wanted],
        interface=source.interface,
        origin="stored",
        target=source.target,
        dictionary_hash=source.dictionary_hash,
        definition=definition if source.target is not None and definition.min() >= 0 else None,
        generated=Column(generated.values[wanted], None if generated.valid is None else generated.valid[wanted]),
    )


def _the_log_in(directory: Path) -> Path:
    if not directory.is_dir():
        raise UsageError("there is no log here", expected="a directory", found=str(directory))
    below = find_logs(directory)
    if len(below) > 1 and directory not in below:
        some = ", ".join(str(each) for each in below[:5])
        raise UsageError(f"there are {len(below)} logs below {directory}", expected="the directory of one", found=some)
    return directory if directory in below or not below else below[0]
