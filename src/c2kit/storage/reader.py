"""Reading logs of any kind, block by block, each proved before anything of it is given away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from c2kit.batches import PacketBatch
from c2kit.errors import UsageError
from c2kit.kernel.contract import Column
from c2kit.storage.definitions import Definitions
from c2kit.storage.errors import LogDamaged
from c2kit.storage.findings import Finding, FindingKind
from c2kit.storage.names import LogKind, find_logs, segments_in
from c2kit.storage.scan import Entry
from c2kit.storage.segment_reader import SegmentReader, schema_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from os import PathLike

    import numpy as np
    import numpy.typing as npt

    from c2kit.model.target import Target
    from c2kit.storage.block import Source, Totals
    from c2kit.storage.index import IndexSchema
    from c2kit.storage.names import SegmentFiles
    from c2kit.storage.segment_reader import Block
    from c2kit.storage.selection import TimeRange

    OnDamage = Callable[[Finding], object]

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

    def segments(self) -> Iterator[SegmentInfo]:
        """The segments, oldest first."""
        for segment in self._segments():
            with segment:
                totals, size = segment.totals()
            files = segment.files
            yield SegmentInfo(data=files.data, start=files.start, size_bytes=size, holds=totals)

    def verify(self) -> Iterator[Finding]:
        """Prove the whole log, every byte of it, and tell what is wrong; nothing, where all is as it was written."""
        end: int | None = None
        unknown: set[str] = set()
        for segment in self._segments():
            with segment:
                files = segment.files
                if end is not None and files.start != end:
                    detail = f"it begins at byte {files.start} of the log, and the one before ends at {end}"
                    yield Finding(FindingKind.MISSING_SEGMENT, files.data, detail=detail)
                yield from self._verify_blocks(segment, unknown)
                end = files.start + segment.totals()[1]
        for dictionary_hash in sorted(unknown):
            yield Finding(FindingKind.MISSING_DEFINITIONS, self._definitions.path(dictionary_hash))

    def _verify_blocks(self, segment: SegmentReader, unknown: set[str]) -> Iterator[Finding]:
        for entry in segment.entries():
            block = entry if isinstance(entry, Finding) else segment.block(entry)
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
