"""The streams of a mission on stdout: as a table for people, as JSON for programs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from c2kit.cli.cells import to_json
from c2kit.cli.terminal import show, table
from c2kit.pipeline.observing.times import utc_text

if TYPE_CHECKING:
    from c2kit.bus import StreamInfo
    from c2kit.cli.looking import Look

__all__ = ["print_streams"]

_NUMBERS = frozenset({"records", "retained", "records/s", "bytes"})


def print_streams(look: Look, *, as_json: bool, over_seconds: float) -> None:
    """A line for each stream, or one JSON array. How fast each grows is measured for so long; not at all for 0."""
    before = {each.spec.name: each for each in look.streams()} if over_seconds else {}
    began = time.monotonic()
    time.sleep(over_seconds)
    streams = look.streams()
    seconds = time.monotonic() - began
    facts = [_facts(look, each, _rate(before.get(each.spec.name), each, seconds)) for each in streams]
    if as_json:
        click.echo(to_json(facts))
        return
    numbers = ("records", "retained", "rate", "bytes")
    shown = table(
        "stream", "records", "retained", "records/s", "bytes", "lag", "writer", "oldest", "newest", right=_NUMBERS
    )
    for each in facts:
        most = dict.fromkeys(each["at_most"], "<= ")
        lag = ", ".join(f"{reader} {most.get(reader, '')}{count:,}" for reader, count in each["lag"].items())
        at_most = "" if each["exact"] else "<= "  # marks of steps take offsets, too
        counts = ("-" if each[name] is None else f"{at_most if each[name] else ''}{each[name]:,}" for name in numbers)
        times = (each[name] or "-" for name in ("oldest", "newest"))
        shown.add_row(each["stream"], *counts, lag or "-", each["writer"], *times)
    show(shown)


def _rate(before: StreamInfo | None, now: StreamInfo, seconds: float) -> float | None:
    """Records a second; ``None`` where nobody looked before, or the stream was not there or another one."""
    if before is None or before.uuid != now.uuid or not seconds:
        return None
    return round((sum(now.next_offsets) - sum(before.next_offsets)) / seconds, 1)


def _facts(look: Look, stream: StreamInfo, rate: float | None) -> dict[str, Any]:
    spec = stream.spec
    published = sum(stream.next_offsets)
    return {
        "stream": look.shown(spec.name),
        "partitions": spec.partitions,
        "records": published,
        "retained": None if spec.compacted else published - sum(stream.first_offsets),
        "rate": rate,
        "bytes": stream.size_bytes if stream.counts_records else None,
        "lag": {look.shown(reader): count for reader, count in stream.lag.items()},
        "at_most": [look.shown(reader) for reader in sorted(stream.estimated)],
        "exact": stream.counts_records,
        "writer": look.shown(spec.writer),
        "oldest": _time(stream.oldest_ns),
        "newest": _time(stream.newest_ns),
    }


def _time(time_ns: int | None) -> str | None:
    return None if time_ns is None else utc_text(time_ns, digits=3)
