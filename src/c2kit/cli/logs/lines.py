"""What is in logs, a line each: as text for people and as JSON for programs."""

from __future__ import annotations

import heapq
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from c2kit.cli.cells import to_json
from c2kit.cli.logs.decoding import LogDecoder
from c2kit.cli.showing import hex_dump, printable, value_words
from c2kit.cli.tables import JsonObjects
from c2kit.cli.words import size_words
from c2kit.pipeline.observing.times import utc_text
from c2kit.storage import UNKNOWN_TIME, CommandLogReader, RawLogReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.batches import PacketBatch, TelemetryBatch
    from c2kit.cli.cells import ItemCells
    from c2kit.cli.logs.source import Reading
    from c2kit.cli.tables import Selection
    from c2kit.model.target import Target
    from c2kit.storage import LoggedCommand, PacketLogReader

    Lines = Iterator[tuple[int, str]]
    """With the time of each: POSIX nanoseconds, UTC."""

__all__ = ["Style", "lines_of"]

_UNKNOWN = "time unknown".ljust(len(utc_text(0)))


@frozen(kw_only=True)
class Style:
    """How lines look."""

    is_json: bool
    selection: Selection | None = None
    """The items of packets that are shown; ``None`` for none."""
    is_hex: bool = False
    """Whether packets are shown as bytes."""


def lines_of(reading: Reading, style: Style) -> Iterator[str]:
    """The lines of all logs, by the time of receiving or, of commands, encoding; those of a log as it has them."""
    streams: list[Lines] = []
    for log in reading.logs:
        if isinstance(log, RawLogReader):
            streams.append(iter(()) if reading.choice.packets else _raw_lines(reading, log, style))
        elif isinstance(log, CommandLogReader):
            streams.append(iter(()) if reading.choice.packets else _command_lines(reading, log, style))
        else:
            streams.append(_packet_lines(reading, log, style))
    merged = heapq.merge(*map(_in_order, streams), key=itemgetter(0))
    return (line for _, line in islice(merged, reading.choice.limit))


def _in_order(lines: Lines) -> Lines:
    """Let time never go back in a log, nor be unknown, so that merging keeps its order."""
    latest = UNKNOWN_TIME
    for time, line in lines:
        latest = max(latest, time)
        yield latest, line


def _packet_lines(reading: Reading, log: PacketLogReader, style: Style) -> Lines:
    shown = _Packets(LogDecoder(log), style)
    for batch in reading.batches(log):
        for time, line in zip(batch.received.tolist(), shown.lines(batch), strict=True):
            if line is not None:
                yield time, line


def _command_lines(reading: Reading, log: CommandLogReader, style: Style) -> Lines:
    chosen = reading.choice
    commands = log.read(
        start_ns=chosen.start_ns, end_ns=chosen.end_ns, on_damage=lambda finding: reading.found(log, finding)
    )
    for command in commands:
        yield command.encoded_ns, _command_json(command) if style.is_json else _command_text(command)


def _command_text(command: LoggedCommand) -> str:
    who = printable(" ".join(filter(None, (command.target, command.name)))) or "command"
    return f"{_time(command.encoded_ns)}  up  {who}  {printable(command.id) or 'no id'}  {command.data.hex()}"


def _command_json(command: LoggedCommand) -> str:
    return _json(
        command.encoded_ns,
        target=command.target,
        command=command.name,
        id=command.id,
        interface=command.interface,
        hex=command.data.hex(),
    )


def _raw_lines(reading: Reading, log: RawLogReader, style: Style) -> Lines:
    chosen = reading.choice
    found = log.read(
        start_ns=chosen.start_ns, end_ns=chosen.end_ns, on_damage=lambda finding: reading.found(log, finding)
    )
    for direction, batch in found:
        for time, data in zip(batch.received.tolist(), batch, strict=True):
            if style.is_json:
                yield time, _json(time, direction=direction, interface=batch.interface, hex=data.hex())
            else:
                what = f"{_time(time)}  {direction:<4}  {batch.interface}  {size_words(len(data))}"
                yield time, f"{what}{hex_dump(data)}"


def _time(time_ns: int) -> str:
    return _UNKNOWN if time_ns == UNKNOWN_TIME else utc_text(time_ns)


def _json(time_ns: int, **facts: str | None) -> str:
    return to_json({"received": None if time_ns == UNKNOWN_TIME else utc_text(time_ns), **facts})


@define(eq=False)
class _Packets:
    """Packets of one log."""

    decoder: LogDecoder
    style: Style
    _width: int = field(init=False)
    _objects: dict[tuple[str, str], JsonObjects] = field(factory=dict, init=False)
    _cells: dict[tuple[str, str], list[ItemCells]] = field(factory=dict, init=False)

    @_width.default
    def _width_default(self) -> int:
        targets = self.decoder.log.targets
        return max((len(f"{target.name} {packet.name}") for target in targets for packet in target.packets), default=0)

    def lines(self, batch: PacketBatch) -> list[str | None]:
        """A line for each packet; ``None`` where nothing of it is wanted."""
        target = self.decoder.target_of(batch)
        selection = self.style.selection
        if target is None and selection is not None and selection.items is not None:
            return [None] * len(batch)
        if target is None or selection is None:
            return list(self._undecoded(batch, target))
        lines: list[str | None] = [None] * len(batch)
        for _, rows, telemetry in self.decoder.decode(batch, selection.wants):
            decoded = self._as_json if self.style.is_json else self._as_text
            for row, line in zip(rows, decoded(target, telemetry, selection), strict=True):
                lines[row] = line
        return lines

    def _undecoded(self, batch: PacketBatch, target: Target | None) -> Iterator[str]:
        names = [None] * len(batch)
        if target is not None and batch.definition is not None:
            names = [target.packets[place].name for place in batch.definition.tolist()]
        for time, name, data in zip(batch.received.tolist(), names, batch, strict=True):
            if self.style.is_json:
                yield _json(time, target=batch.target, packet=name, interface=batch.interface, hex=data.hex())
            else:
                dump = hex_dump(data) if self.style.is_hex else ""
                yield f"{_time(time)}  {self._name(batch.target, name)}  {size_words(len(data))}{dump}"

    def _as_json(self, target: Target, telemetry: TelemetryBatch, selection: Selection) -> Iterator[str]:
        key = (target.hash, telemetry.packet.name)
        if key not in self._objects:
            self._objects[key] = JsonObjects(target, telemetry.packet, selection)
        return (line for lines in self._objects[key].of(telemetry) for line in lines)

    def _as_text(self, target: Target, telemetry: TelemetryBatch, selection: Selection) -> Iterator[str]:
        key = (target.hash, telemetry.packet.name)
        if key not in self._cells:
            self._cells[key] = selection.cells_of(telemetry.packet)
        cells = self._cells[key]
        columns = [each.json(telemetry, 0, len(telemetry)) for each in cells]
        name = self._name(target.name, telemetry.packet.name)
        for place, time in enumerate(telemetry.received.tolist()):
            values = (
                f"{each.heading}={value_words(each.item, column[place])}"
                for each, column in zip(cells, columns, strict=True)
            )
            yield "  ".join((_time(time), name, *values))

    def _name(self, target: str | None, packet: str | None) -> str:
        name = f"{target} {packet}" if packet else f"{target or 'packet'} (not identified)"
        return name.ljust(self._width)
