"""``c2kit log repair``: lost and damaged indices, put back together; packets are never touched."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from c2kit.cli.logs.source import kind_of
from c2kit.cli.words import size_words
from c2kit.dictionaries import Dictionary
from c2kit.storage import PacketLogReader, RawLogReader, rebuild_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from c2kit.cli.logs.source import Log
    from c2kit.storage import Rebuilt

    Plan = list[tuple[Log, Dictionary | None, list[Rebuilt]]]

__all__ = ["carry_out", "plan", "tell_plan"]


def plan(logs: Sequence[Log], dictionary: Dictionary | None) -> Plan:
    """What is to be written anew of which logs; nothing is written. Raises LogLocked where somebody writes one."""
    planned: Plan = []
    for log in logs:
        if isinstance(log, RawLogReader):
            continue
        known = _known_by(log, dictionary)
        indices = rebuild_index(log.directory, dictionary=known, dry_run=True)
        if indices:
            planned.append((log, known, indices))
    return planned


def _known_by(log: Log, dictionary: Dictionary | None) -> Dictionary | None:
    """The definitions that identify packets again: the log's own, where it has one version of each target."""
    if not isinstance(log, PacketLogReader):
        return None
    if dictionary is not None:
        return dictionary
    targets = log.targets
    is_clear = targets and len({target.name for target in targets}) == len(targets)
    return Dictionary(tuple(targets)) if is_clear else None


def tell_plan(logs: Sequence[Log], planned: Plan) -> Iterator[str]:
    """The plan in words, and what it cannot do."""
    for log in logs:
        if isinstance(log, RawLogReader) and any(finding.is_damage for finding in log.glance()):
            yield f"{log.directory}: left as it is: bytes of a raw log do not tell where a chunk ended"
    for log, known, indices in planned:
        for each in indices:
            yield f"{each.index}: will be written anew"
            yield from _consequences(log, known, each)


def _consequences(log: Log, known: Dictionary | None, rebuilt: Rebuilt) -> Iterator[str]:
    is_there = rebuilt.index.exists()
    yield f"  {_packets(rebuilt.kept_packets)} kept, of which it still tells" if is_there else "  it is missing"
    if rebuilt.found_packets:
        yield f"  {_packets(rebuilt.found_packets)} found in the data file, {_identified(log, known)}"
        yield "  nobody knows any more when those were received, nor whether they are as they were"
    for finding in rebuilt.not_indexed:
        place = f"{size_words(finding.size_bytes)} from byte {finding.first_byte} on"
        yield f"  {place} are not packets one after another: they stay in the data file, and out of the index"
    if not rebuilt.knows_positions:
        yield "  nobody knows any more how far the bus was read: a writer will ask from where to go on (resume_from)"


def _identified(log: Log, known: Dictionary | None) -> str:
    if known is not None:
        return "identified by the definitions of " + ", ".join(f"{each.name} {each.hash[:8]}" for each in known.targets)
    if not isinstance(log, PacketLogReader):
        return "without their names and ids"
    return "not identified: give the definitions with --dictionary"


def carry_out(planned: Plan) -> Iterator[str]:
    """Rebuild, and tell what was done; of what was there before, a copy is kept."""
    for log, known, indices in planned:
        for each in indices:
            if each.index.exists():
                shutil.copy2(each.index, _free(each.index))
        for rebuilt in rebuild_index(log.directory, dictionary=known):
            found = f"{_packets(rebuilt.kept_packets)} kept, {rebuilt.found_packets:,} found"
            yield f"{rebuilt.index}: written anew ({kind_of(log)}: {found})"


def _free(index: Path) -> Path:
    """A name for the copy of an index that no other copy has."""
    number = 1
    while (copy := index.with_name(f"{index.name}.before-{number}")).exists():
        number += 1
    return copy


def _packets(count: int) -> str:
    return f"{count:,} packet{'' if count == 1 else 's'}"
