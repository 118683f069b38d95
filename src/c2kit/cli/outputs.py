"""Where decoded packets go: stdout, a file, or a directory with a file for each packet."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

import click
from attrs import define, field, frozen

from c2kit.cli.tables import ArrowTable, CsvTable, JsonLines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from c2kit.batches import TelemetryBatch
    from c2kit.cli.tables import Selection, Table
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target

__all__ = ["FORMATS", "SUFFIXES", "Output", "Wanted", "format_of"]

FORMATS = ("csv", "jsonl", "arrow")
SUFFIXES: Mapping[str, str] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".arrow": "arrow",
    ".arrows": "arrow",
}


def _is_directory(destination: str) -> bool:
    return destination.endswith(("/", "\\")) or Path(destination).is_dir()


def format_of(chosen: str | None, destination: str | None, suffixes: Mapping[str, str] = SUFFIXES) -> str:
    """The format: as it was chosen, or as the file is named; CSV on stdout and in a directory.

    A name that tells no format is refused: nobody should find CSV in a file that is called ``.parquet``.
    """
    if chosen is not None:
        return chosen
    if destination is None or _is_directory(destination):
        return "csv"
    form = suffixes.get(Path(destination).suffix.lower())
    if form is None:
        known = ", ".join(suffixes)
        raise click.UsageError(
            f"The name {destination} tells no format: choose it with --format, or end it in {known}."
        )
    return form


@frozen
class Wanted:
    """What is wanted of which packets, in which format, and where to."""

    packets: tuple[tuple[Target, Packet], ...]
    selection: Selection
    form: str
    destination: str | None
    """``None`` is stdout; a directory gets a file for each packet."""

    def refuse_several_in_one(self) -> None:
        """Refuse, before anything is decoded, what would only show once a second packet is there."""
        in_directory = self.destination is not None and _is_directory(self.destination)
        if len(self.packets) == 1 or self.form == "jsonl" or in_directory:
            return
        names = ", ".join(packet.name for _, packet in self.packets[:6])
        more = ", ..." if len(self.packets) > 6 else ""
        raise click.UsageError(
            f"{self.form} holds one table, and {len(self.packets)} packets are defined ({names}{more}). Choose one: "
            "--packet NAME; or have a file for each: -o DIRECTORY/; or take the format that holds all: --format jsonl."
        )


@define(eq=False)
class Output:
    """Writes batches, each to the table of its packet. Leaving the ``with`` block ends them."""

    wanted: Wanted
    files: list[Path] = field(factory=list)
    """Those that were made."""
    _tables: dict[tuple[str, str], Table] = field(factory=dict, init=False)
    """By the hash of the target's definitions and the name of the packet."""
    _stack: ExitStack = field(factory=ExitStack, init=False)
    _sink: BinaryIO | None = field(default=None, init=False)
    """What all packets share, if they do."""

    def __enter__(self) -> Self:
        destination = self.wanted.destination
        if destination is not None and _is_directory(destination):
            Path(destination).mkdir(parents=True, exist_ok=True)
            return self
        self._sink = sys.stdout.buffer if destination is None else self._open(Path(destination))
        if self.wanted.form != "jsonl":  # the headings are there, though no packet may come
            self._begin(*self.wanted.packets[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            for table in self._tables.values():
                table.end()
            self.flush()
        self._stack.close()

    def write(self, target: Target, batch: TelemetryBatch) -> None:
        """Add a batch."""
        table = self._tables.get((target.hash, batch.packet.name))
        (table or self._begin(target, batch.packet)).write(batch)

    def flush(self) -> None:
        """Pass on to who reads stdout what there is so far."""
        if self._sink is not None:
            self._sink.flush()

    def _begin(self, target: Target, packet: Packet) -> Table:
        sink = self._sink or self._open(self._path_for(target, packet))
        table = self._tables[target.hash, packet.name] = self._table(sink, target, packet)
        return table

    def _table(self, sink: BinaryIO, target: Target, packet: Packet) -> Table:
        match self.wanted.form:
            case "arrow":
                return ArrowTable(sink, target, packet, self.wanted.selection)
            case "jsonl":
                return JsonLines(sink, target, packet, self.wanted.selection)
        return CsvTable(sink, packet, self.wanted.selection)

    def _open(self, path: Path) -> BinaryIO:
        self.files.append(path)
        return self._stack.enter_context(path.open("wb"))

    def _path_for(self, target: Target, packet: Packet) -> Path:
        """A file of its own: names that differ in what no file name can hold, or in case only, get a number."""
        several = len({target.name for target, _ in self.wanted.packets}) > 1
        name = re.sub(r"[^\w.-]", "_", f"{target.name}.{packet.name}" if several else packet.name)
        taken = {path.name.lower() for path in self.files}
        candidates = (f"{name}{number}.{self.wanted.form}" for number in ("", *(f"-{n}" for n in range(2, 1_000_000))))
        return Path(self.wanted.destination or "") / next(each for each in candidates if each.lower() not in taken)
