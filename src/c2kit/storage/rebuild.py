"""Putting a lost or damaged index back together: what is whole of it, and what the packets themselves tell.

Packets tell where each of them ends. They do not tell when they were received, nor how far the bus was read: those are
unknown afterwards, and are said to be. The CRC of a rebuilt block is of the bytes that are there now.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from c2kit.errors import MessageError, UsageError
from c2kit.storage import files
from c2kit.storage.block import Totals
from c2kit.storage.definitions import Definitions
from c2kit.storage.findings import Finding, FindingKind
from c2kit.storage.index import IndexSchema, block_message
from c2kit.storage.names import LogKind, segments_in
from c2kit.storage.packet_search import PacketSearch
from c2kit.storage.scan import Entry
from c2kit.storage.segment_reader import SegmentReader, schema_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from c2kit.dictionaries import Dictionary
    from c2kit.kernel.contract import LengthRule

__all__ = ["Rebuilt", "rebuild_index"]


@frozen(kw_only=True)
class Rebuilt:
    """An index that was written anew: how many packets it has from the old one, how many were found in the packets."""

    index: Path
    kept_packets: int
    found_packets: int
    knows_positions: bool = True
    """Whether a writer will find in it how far the bus was read; it looks into the last index of a log only."""
    not_indexed: tuple[Finding, ...] = ()
    """Bytes that still are of no block, since they are not packets one after another."""


def rebuild_index(
    directory: str | PathLike[str],
    *,
    rule: LengthRule | None = None,
    dictionary: Dictionary | None = None,
    dry_run: bool = False,
) -> list[Rebuilt]:
    """Rebuild those indices of a log that are missing or damaged; the others, and all packets, are left as they are.

    Whole blocks are kept. Bytes between them are taken for packets only where these fill them exactly. ``rule`` says
    how a packet tells its length, where it is no CCSDS packet; a ``dictionary`` identifies them again. What follows the
    last block of an index that is whole is left for a writer to cut off: the bus has it still. With ``dry_run`` nothing
    is written, and what would be is told.

    Raises:
        LogLocked: somebody writes the log.
        LogUnavailable: the disk does not do it.
        UsageError: it is no log, or one of raw bytes, which do not tell where a chunk ended.
    """
    path = Path(directory)
    search = PacketSearch(rule, dictionary)
    with files.disk("rebuilding", path):
        lock = files.open_locked(path)
        try:
            schema = _schema_for(path)
            if dictionary is not None and not dry_run:
                definitions = Definitions(path)
                for target in dictionary.targets:
                    definitions.add(target)
            return list(_rebuilt(path, schema, search, is_written=not dry_run))
        finally:
            os.close(lock)


def _schema_for(directory: Path) -> IndexSchema:
    """What the log is of: as one of its indices says, or else as its directory is called."""
    schema = schema_in(directory)
    if schema is None:
        whole = directory.resolve()
        if not segments_in(directory, LogKind.PACKETS.suffix) or not whole.name.isdecimal():
            raise UsageError("this is no log of packets", expected="<root>/<stream>/<partition>", found=str(directory))
        stream, partition = whole.parent.name, int(whole.name)
        return IndexSchema(kind=LogKind.PACKETS, stream=stream, partition=partition, start=0, opened_ns=0)
    if schema.kind is LogKind.RAW:
        raise UsageError(f"{directory} is a raw log: its bytes do not tell where a chunk ended")
    return evolve(schema, opened_ns=0)


def _rebuilt(directory: Path, schema: IndexSchema, search: PacketSearch, *, is_written: bool) -> Iterator[Rebuilt]:
    every = segments_in(directory, schema.kind.suffix)
    for where in every:
        if not where.data.exists():
            continue
        is_last = where is every[-1]
        with SegmentReader(where, is_last=is_last) as segment:
            parts = list(_parts(segment, is_last=is_last))
            if segment.schema is None or any(isinstance(part, _Gap) for part in parts):
                rebuilt, index = _rebuild(segment, evolve(segment.schema or schema, start=where.start), parts, search)
                if is_written:
                    files.replace(where.index, index)
                yield rebuilt if is_last else evolve(rebuilt, knows_positions=True)


@frozen
class _Gap:
    """Bytes of packets that no block has. Packets must fill it where the bytes behind it are known to begin one."""

    first_byte: int
    last_byte: int
    must_fill: bool


def _parts(segment: SegmentReader, *, is_last: bool) -> Iterator[Entry | _Gap]:
    """The blocks that are kept, and the gaps between them, in the order of their packets."""
    reached, is_damaged = 0, segment.schema is None
    for found in segment.entries():
        if isinstance(found, Finding):
            is_damaged |= found.kind is FindingKind.DAMAGED_INDEX
        elif not _proves(segment, found):
            is_damaged = True
        else:
            if found.header.offset > reached:
                yield _Gap(reached, found.header.offset, must_fill=True)
            yield found
            reached, is_damaged = found.header.end, False
    size = segment.files.data.stat().st_size
    if size > reached and (is_damaged or not is_last):
        yield _Gap(reached, size, must_fill=not is_last)


def _proves(segment: SegmentReader, entry: Entry) -> bool:
    try:
        segment.rows(entry)
    except MessageError:
        return False
    return True


def _rebuild(
    segment: SegmentReader, schema: IndexSchema, parts: list[Entry | _Gap], search: PacketSearch
) -> tuple[Rebuilt, bytes]:
    """What the index of a segment becomes, and its bytes."""
    where = segment.files
    totals, kept, knows_positions = Totals(), 0, True
    messages: list[bytes | memoryview] = [schema.message]
    not_indexed: list[Finding] = []
    for part in parts:
        if isinstance(part, Entry):
            kept += part.header.holds.packets
            header = evolve(part.header, schema_crc32=schema.crc32, segment=totals.plus(part.header.holds))
            blocks = iter([(header, segment.rows(part))])
        else:
            data = segment.data(part.first_byte, part.last_byte)
            bounds = search.bounds(data, must_fill=part.must_fill)
            rest = len(data) - int(bounds[-1])
            if rest:
                not_indexed.append(Finding(FindingKind.NOT_INDEXED, where.data, part.last_byte - rest, rest))
            blocks = search.blocks(data, bounds, part.first_byte, totals, schema.crc32)
        for header, rows in blocks:
            totals, knows_positions = header.segment, header.positions is not None
            messages += block_message(header, rows)
    rebuilt = Rebuilt(
        index=where.index,
        kept_packets=kept,
        found_packets=totals.packets - kept,
        knows_positions=knows_positions,
        not_indexed=tuple(not_indexed),
    )
    return rebuilt, b"".join(messages)
