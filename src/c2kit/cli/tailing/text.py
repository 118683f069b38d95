"""Records in lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import astuple, define, field

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.arrow import Values
from c2kit.batches.kinds import Kind
from c2kit.bus.records import Command, CommandStatus, DeadLetter, Event, Fate, Severity, UplinkCommand
from c2kit.cli.showing import hex_dump, printable, value_words
from c2kit.cli.tables import Selection
from c2kit.cli.tailing.contents import kind_of, names_of
from c2kit.cli.words import size_words
from c2kit.model.limits import LimitState
from c2kit.pipeline.observing.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from c2kit.batches import Column
    from c2kit.bus import Received
    from c2kit.bus.records import JsonRecord
    from c2kit.cli.cells import ItemCells
    from c2kit.cli.tailing.contents import Contents, Reader
    from c2kit.cli.tailing.printing import Line
    from c2kit.model.packets import Packet

__all__ = ["TextLines"]

_LIMITS: Mapping[LimitState, tuple[str, str]] = {
    LimitState.GREEN: ("", "green"),
    LimitState.YELLOW_LOW: (" yellow low", "yellow"),
    LimitState.YELLOW_HIGH: (" yellow high", "yellow"),
    LimitState.RED_LOW: (" RED LOW", "bold red"),
    LimitState.RED_HIGH: (" RED HIGH", "bold red"),
}
"""What is said of a value, also where there are no colours, and its style."""
_SEVERITIES = {Severity.INFO: "", Severity.WARNING: "yellow", Severity.ERROR: "red", Severity.CRITICAL: "bold red"}
_FATES = {Fate.SENT: "green", Fate.REFUSED: "red", Fate.EXPIRED: "red", Fate.UNKNOWN: "bold red"}


@define(eq=False)
class TextLines:
    """A line for each packet and each record."""

    reader: Reader
    is_hex: bool = False
    """Whether bytes are dumped below the lines."""
    _cells: dict[tuple[str, str], list[ItemCells]] = field(factory=dict, init=False)

    def of(self, record: Received, contents: Contents) -> Iterator[Line]:
        """The lines of a record, without line breaks at their ends."""
        match contents:
            case TelemetryBatch():
                yield from self._telemetry(contents)
            case PacketBatch():
                yield from self._packets(record, contents)
            case bytes():
                yield self._opaque(record, contents)
            case _:
                yield self._record(record, contents)

    # -- batches --------------------------------------------------------------------------------

    def _telemetry(self, batch: TelemetryBatch) -> Iterator[Line]:
        key = (batch.dictionary_hash, batch.packet.name)
        if key not in self._cells:
            items = self.reader.choice.items or _telling_items(batch.packet)
            self._cells[key] = Selection(Values.ENGINEERING, items).cells_of(batch.packet)
        cells = self._cells[key]
        columns = [each.json(batch, 0, len(batch)) for each in cells]
        states = [_worst(batch.limits.get(each.heading), len(batch)) for each in cells]
        name = f"{batch.target} {batch.packet.name}{_origin(batch.origin)}"
        for row, time in enumerate(batch.time.tolist()):
            values = (
                _value(each, column[row], state[row])
                for each, column, state in zip(cells, columns, states, strict=True)
            )
            yield (*_head(time, name), *(piece for pieces in values for piece in pieces))

    def _packets(self, record: Received, batch: PacketBatch) -> Iterator[Line]:
        stream = self.reader.look.shown(record.stream)
        way = ("up" if batch.is_uplink else "down") if kind_of(record.stream) is Kind.RAW else ""
        names = names_of(batch, self.reader.target_of(batch))
        for time, name, data in zip(batch.received.tolist(), names, batch, strict=True):
            what = "  ".join(filter(None, (name, way, batch.interface, size_words(len(data)))))
            yield (*_head(time, f"{stream}{_origin(batch.origin)}"), (f"  {what}", ""), *self._dump(data))

    def _dump(self, data: bytes) -> Line:
        return ((hex_dump(data), ""),) if self.is_hex else ()

    # -- records --------------------------------------------------------------------------------

    def _opaque(self, record: Received, value: bytes) -> Line:
        """A kind that has no words here, for instance one of a later c2kit."""
        stream = self.reader.look.shown(record.stream)
        if value.startswith(b"{"):
            return (*_head(record.published_ns, stream), (f"  {printable(value.decode(errors='replace'))}", ""))
        what = f"  {record.lane}  {size_words(len(value))}"
        return (*_head(record.published_ns, stream), (what, ""), *self._dump(value))

    def _record(self, record: Received, told: JsonRecord) -> Line:
        stream = self.reader.look.shown(record.stream)
        match told:
            case Event():
                time, said, style = told.time_ns, f"{told.severity:<8}  {told.kind}: {told.message}", told.severity
                return _line(time, stream, said, _SEVERITIES[style])
            case CommandStatus():
                return _line(told.time_ns, stream, _status_words(told), _FATES.get(told.fate, ""))
            case Command():
                return _line(told.issued_ns, stream, _command_words(told))
            case UplinkCommand():
                what = f"{told.target} {told.name}  {told.interface}  {size_words(len(told.data))}  {told.id}"
                return (*_line(told.encoded_ns, stream, what), *self._dump(told.data))
            case DeadLetter():
                where = f"{told.stream}[{told.partition}]@{told.offset}"
                what = f"{told.processor or 'not readable'}  {where}  {told.error}"
                return _line(told.time_ns, stream, what, "red")
            case _:
                return self._opaque(record, record.value)


def _telling_items(packet: Packet) -> tuple[str, ...]:
    """All items but those that only say again which packet it is, of when, and how long."""
    said = {match.item for match in packet.identification}
    if packet.length is not None:
        said.add(packet.length.item)
    if packet.time is not None:
        said.update(name for name in astuple(packet.time.code) if name is not None)
    return tuple(name for name in packet.items_by_name if name not in said)


def _worst(states: Column | None, rows: int) -> Sequence[LimitState | None]:
    """The limit state of each row; of an array, the worst of its elements."""
    if states is None:
        return [None] * rows
    return [_worst_of(each) for each in states.to_list()]


def _worst_of(codes: Any) -> LimitState | None:  # noqa: ANN401 - a code, a list of codes, or None
    if not isinstance(codes, list):
        return None if codes in (None, LimitState.NO_VALUE) else LimitState(codes)
    return max((state for each in codes if (state := _worst_of(each)) is not None), default=None)


def _value(cells: ItemCells, value: Any, state: LimitState | None) -> Line:  # noqa: ANN401 - as an item has it
    said, style = ("", "") if state is None else _LIMITS[state]
    return (f"  {cells.heading}=", "dim"), (f"{value_words(cells.item, value)}{said}", style)


def _origin(origin: str) -> str:
    """Nobody shall take for live what is not."""
    return "" if origin == "realtime" else f" ({origin})"


def _head(time_ns: int, what: str) -> Line:
    return (utc_text(time_ns, digits=3), "dim"), (f"  {what}", "bold")


def _line(time_ns: int, stream: str, said: str, style: str = "") -> Line:
    return (*_head(time_ns, stream), (f"  {printable(said)}", style))


def _status_words(status: CommandStatus) -> str:
    because = f": {status.reason}" if status.reason else ""
    return f"{status.fate:<8}  {status.target} {status.name}  {status.id}{because}"


def _command_words(command: Command) -> str:
    arguments = "".join(f" {name}={value}" for name, value in command.arguments.items())
    words = (
        f"{command.target} {command.name}{arguments}",
        command.id,
        f"by {command.caller}" if command.caller else "",
        f"until {utc_text(command.expires_ns, digits=3)}",
    )
    return "  ".join(filter(None, words))
