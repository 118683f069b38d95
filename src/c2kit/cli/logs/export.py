"""``c2kit log export``: packets of logs in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from c2kit.cli.logs.lines import Style, lines_of
from c2kit.cli.logs.source import Reading, kind_of
from c2kit.cli.logs.tables import write_packets, write_tables
from c2kit.cli.options import tell
from c2kit.cli.outputs import SUFFIXES, format_of
from c2kit.cli.words import size_words
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from c2kit.cli.tables import Selection

__all__ = ["export"]


def export(reading: Reading, selection: Selection, form: str | None, output: str) -> str:
    """Write the packets that are wanted; gives what was written, in words."""
    logs = reading.packet_logs
    if not logs:
        held = ", ".join(sorted({kind_of(log) for log in reading.logs}))
        raise UsageError("there are no packets here", found=held, remedy="c2kit log cat shows other logs")
    for log in reading.logs:
        if log not in logs:
            tell(f"left out: {log.directory}: no packets, but {kind_of(log)}")
    _refuse_writing_into(reading, Path(output))
    form = format_of(form, output, {**SUFFIXES, ".tlm": "tlm"})
    if form in ("tlm", "jsonl") and (output.endswith("/") or Path(output).is_dir()):
        raise click.UsageError(f"{form} is one file: name it, instead of the directory {output}.")
    if form in ("csv", "arrow"):
        paths, count = write_tables(reading, selection, form, output)
        return f"wrote {_packets(count)} to {', '.join(map(str, paths))}"
    if form == "tlm":
        if selection.items is not None:
            raise click.UsageError("Packets are written whole: --items is for csv, jsonl and arrow.")
        with Path(output).open("wb") as sink:
            count, size_bytes = write_packets(reading, sink)
        return f"wrote {_packets(count)}, {size_words(size_bytes)}, to {output}"
    count = 0
    with Path(output).open("wb") as sink:
        for line in lines_of(Reading(logs, reading.choice, reading.damaged), Style(is_json=True, selection=selection)):
            sink.write(f"{line}\n".encode())
            count += 1
    return f"wrote {_packets(count)} to {output}"


def _refuse_writing_into(reading: Reading, output: Path) -> None:
    """A log that is written over is gone."""
    places = {output.resolve(), output.resolve().parent}
    for log in reading.logs:
        if log.directory.resolve() in places:
            raise UsageError(f"{output} would lie in the log {log.directory}", remedy="write to another directory")


def _packets(count: int) -> str:
    return f"{count:,} packet{'' if count == 1 else 's'}"
