"""``c2kit log ls``: which logs there are, and what is in them, without reading them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from c2kit.cli.logs.source import kind_of
from c2kit.cli.terminal import show, table
from c2kit.pipeline.observing.times import utc_text
from c2kit.storage import Totals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c2kit.cli.logs.source import Log
    from c2kit.storage import Finding

__all__ = ["print_logs"]

_HASH_DIGITS = 8


@frozen(kw_only=True)
class _Listed:
    """A log, as its files show it."""

    log: Log
    segments: int
    size_bytes: int
    holds: Totals
    hashes: tuple[str, ...]
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, log: Log) -> _Listed:
        segments, size_bytes, holds = 0, 0, Totals()
        for segment in log.segments():
            segments += 1
            size_bytes += segment.size_bytes
            holds = holds.plus(segment.holds)
        findings = tuple(finding for finding in log.glance() if finding.is_damage)
        hashes = tuple(target.hash for target in log.targets)
        return cls(log=log, segments=segments, size_bytes=size_bytes, holds=holds, hashes=hashes, findings=findings)

    def as_json(self) -> dict[str, Any]:
        schema = self.log.schema
        first, last = self.holds.received or (None, None)
        return {
            "directory": str(self.log.directory),
            "stream": None if schema is None else schema.stream,
            "partition": None if schema is None else schema.partition,
            "kind": kind_of(self.log),
            "segments": self.segments,
            "packets": self.holds.packets,
            "bytes": self.size_bytes,
            "first_received": None if first is None else utc_text(first),
            "last_received": None if last is None else utc_text(last),
            "definitions": list(self.hashes),
            "damage": [str(finding) for finding in self.findings],
        }

    def row(self) -> tuple[str, ...]:
        first, last = self.holds.received or (None, None)
        return (
            str(self.log.directory),
            kind_of(self.log),
            f"{self.segments:,}",
            f"{self.holds.packets:,}",
            f"{self.size_bytes:,}",
            "" if first is None else utc_text(first, digits=3),
            "" if last is None else utc_text(last, digits=3),
            " ".join(each[:_HASH_DIGITS] for each in self.hashes),
            ", ".join(dict.fromkeys(finding.kind.value for finding in self.findings)),
        )


def print_logs(logs: Sequence[Log], *, as_json: bool) -> None:
    """A line for each log."""
    listed = [_Listed.of(log) for log in logs]
    if as_json:
        click.echo(json.dumps([each.as_json() for each in listed], indent=2, ensure_ascii=False))
        return
    is_damaged = any(each.findings for each in listed)
    headings = ["log", "kind", "segments", "packets", "bytes", "first received", "last received", "definitions"]
    made = table(*headings, *["damage"] * is_damaged, right=frozenset({"segments", "packets", "bytes"}))
    for each in listed:
        made.add_row(*each.row()[: len(made.columns)])
    show(made)
