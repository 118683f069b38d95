"""Tables of decoded packets, as CSV, JSON Lines and Arrow: each is written batch by batch, and remembers none."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, BinaryIO, Protocol

import numpy as np
from attrs import frozen

from c2kit.batches import Column
from c2kit.batches.arrow import TelemetrySchema
from c2kit.batches.arrow.columns import Values
from c2kit.batches.arrow.stream import ArrowStream
from c2kit.cli.cells import ItemCells, time_cells, to_json
from c2kit.kernel.conversions import has_own_engineering
from c2kit.model.conversions import States
from c2kit.model.packets import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from c2kit.batches import TelemetryBatch
    from c2kit.model.packets import DerivedItem, Packet
    from c2kit.model.target import Target

__all__ = ["ArrowTable", "CsvTable", "JsonLines", "JsonObjects", "Selection", "Table"]

_CELLS_AT_ONCE = 100_000
"""Cells are Python objects of dozens of bytes: so many of them are made before they are written."""


@frozen
class Selection:
    """What of a packet is wanted."""

    values: Values
    items: tuple[str, ...] | None = None
    """In the order in which they are wanted; ``None`` for all, in the order of their definition."""
    with_received: bool = False
    """Whether it is known, and wanted, when packets were received."""

    def wants(self, packet: Packet) -> bool:
        """Whether there is anything in it that is wanted."""
        return self.items is None or not packet.items_by_name.keys().isdisjoint(self.items)

    def items_of(self, packet: Packet) -> list[Item | DerivedItem]:
        """The items that are wanted; derived ones have no raw values."""
        names = packet.items_by_name if self.items is None else self.items
        items = [packet.items_by_name[name] for name in names if name in packet.items_by_name]
        return [item for item in items if self.values is not Values.RAW or isinstance(item, Item)]

    def cells_of(self, packet: Packet) -> list[ItemCells]:
        """What stands in the columns of a text file."""
        return [cells for item in self.items_of(packet) for cells in self._cells(item, packet)]

    def _cells(self, item: Item | DerivedItem, packet: Packet) -> Iterator[ItemCells]:
        is_converted = has_own_engineering(item) or (isinstance(item, Item) and isinstance(item.conversion, States))
        if self.values is not Values.RAW:
            yield ItemCells(item.name, item, is_raw=False)
            if self.values is Values.BOTH and is_converted and isinstance(item, Item):
                yield ItemCells(free_name(f"{item.name}.raw", packet), item, is_raw=True)
        else:
            yield ItemCells(item.name, item, is_raw=True)


def free_name(name: str, packet: Packet) -> str:
    """A heading for what is no item: ``_`` is appended until no item has it."""
    while name in packet.items_by_name:
        name += "_"
    return name


def _times(selection: Selection) -> dict[str, Callable[[TelemetryBatch], Column]]:
    """The columns of times, by their headings."""
    times: dict[str, Callable[[TelemetryBatch], Column]] = {"time": lambda batch: batch.generated}
    return times | {"received": _received} if selection.with_received else times


def _received(batch: TelemetryBatch) -> Column:
    """When packets were received; none where a log does not know any more (``UNKNOWN_TIME``, which is ``NaT``)."""
    return Column(batch.received, ~np.isnat(batch.received.view("datetime64[ns]")))


class Table(Protocol):
    """Where batches of one packet are written to."""

    def write(self, batch: TelemetryBatch) -> None:
        """Add a batch."""
        ...

    def end(self) -> None:
        """Write what stands at the end."""
        ...


def _slices(batch: TelemetryBatch, columns: int) -> Iterator[tuple[int, int]]:
    rows = max(1, _CELLS_AT_ONCE // (columns + 1))
    for start in range(0, len(batch), rows):
        yield start, min(start + rows, len(batch))


class CsvTable:
    """One packet's values, a line a packet, under a line of headings; the first column is the time."""

    def __init__(self, sink: BinaryIO, packet: Packet, selection: Selection) -> None:
        self._sink = sink
        self._cells = selection.cells_of(packet)
        headings = [heading for cells in self._cells for heading in cells.csv_headings()]
        self._times = _times(selection)
        self._width = len(headings)
        self._write([[*(free_name(name, packet) for name in self._times), *headings]])

    def write(self, batch: TelemetryBatch) -> None:
        """Add a line for each packet."""
        for start, stop in _slices(batch, self._width):
            columns = [time_cells(time(batch), start, stop) for time in self._times.values()]
            for cells in self._cells:
                columns += cells.csv(batch, start, stop)
            self._write(zip(*columns, strict=True))

    def _write(self, rows: Iterable[Sequence[object]]) -> None:
        lines = io.StringIO(newline="")
        csv.writer(lines, lineterminator="\n").writerows(rows)
        self._sink.write(lines.getvalue().encode())

    def end(self) -> None:
        """Write nothing: a CSV file has no end."""


class JsonObjects:
    """One packet's values as JSON objects: target, packet, time, and the items by name."""

    def __init__(self, target: Target, packet: Packet, selection: Selection) -> None:
        self._constant = {free_name("target", packet): target.name, free_name("packet", packet): packet.name}
        self._cells = selection.cells_of(packet)
        self._times = _times(selection)
        self._keys = [*(free_name(name, packet) for name in self._times), *(cells.heading for cells in self._cells)]

    def of(self, batch: TelemetryBatch) -> Iterator[list[str]]:
        """An object for each packet of a batch, without line breaks; some at a time."""
        for start, stop in _slices(batch, len(self._keys)):
            times = [time_cells(time(batch), start, stop) for time in self._times.values()]
            rows = zip(*times, *(cells.json(batch, start, stop) for cells in self._cells), strict=True)
            yield [to_json(self._constant | dict(zip(self._keys, row, strict=True))) for row in rows]


class JsonLines:
    """One packet's values, an object a line."""

    def __init__(self, sink: BinaryIO, target: Target, packet: Packet, selection: Selection) -> None:
        self._sink = sink
        self._objects = JsonObjects(target, packet, selection)

    def write(self, batch: TelemetryBatch) -> None:
        """Add a line for each packet."""
        for lines in self._objects.of(batch):
            self._sink.write("\n".join([*lines, ""]).encode())

    def end(self) -> None:
        """Write nothing: JSON Lines have no end."""


class ArrowTable:
    """One packet's values as an Arrow IPC stream, a record batch a batch."""

    def __init__(self, sink: BinaryIO, target: Target, packet: Packet, selection: Selection) -> None:
        schema = TelemetrySchema(
            target=target.name,
            packet=packet,
            dictionary_hash=target.hash,
            values=selection.values,
            items=selection.items,
        )
        self._stream = ArrowStream(sink, schema)

    def write(self, batch: TelemetryBatch) -> None:
        """Add a record batch."""
        self._stream.write(batch)

    def end(self) -> None:
        """End the stream."""
        self._stream.close()
