"""The streams of a mission on stdout: as a table for people, as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from c2kit.cli.cells import to_json
from c2kit.cli.terminal import show, table
from c2kit.pipeline.times import utc_text

if TYPE_CHECKING:
    from c2kit.bus import StreamInfo
    from c2kit.cli.looking import Look

__all__ = ["print_streams"]


def print_streams(look: Look, *, as_json: bool) -> None:
    """A line for each stream, or one JSON array."""
    facts = [_facts(look, stream) for stream in look.streams()]
    if as_json:
        click.echo(to_json(facts))
        return
    numbers = ("records", "retained", "bytes")
    shown = table("stream", *numbers, "lag", "writer", "newest", right=frozenset(numbers))
    for each in facts:
        lag = ", ".join(f"{reader} {count:,}" for reader, count in each["lag"].items())
        counts = ("-" if each[name] is None else f"{each[name]:,}" for name in numbers)
        newest = each["newest"] or "-"
        shown.add_row(each["stream"], *counts, lag or "-", each["writer"], newest)
    show(shown)


def _facts(look: Look, stream: StreamInfo) -> dict[str, Any]:
    spec = stream.spec
    published = sum(stream.next_offsets)
    return {
        "stream": look.shown(spec.name),
        "partitions": spec.partitions,
        "records": published,
        "retained": None if spec.compacted else published - sum(stream.first_offsets),
        "bytes": stream.size_bytes,
        "lag": {look.shown(reader): count for reader, count in stream.lag.items()},
        "writer": look.shown(spec.writer),
        "newest": None if stream.newest_ns is None else utc_text(stream.newest_ns, digits=3),
    }
