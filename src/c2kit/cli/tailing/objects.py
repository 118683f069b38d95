"""Records as JSON objects, one a line, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.arrow import Values
from c2kit.batches.kinds import Kind
from c2kit.cli.cells import to_json
from c2kit.cli.tables import JsonObjects, Selection
from c2kit.cli.tailing.contents import kind_of, names_of
from c2kit.pipeline.observing.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.bus import Received
    from c2kit.cli.tailing.contents import Contents, Reader
    from c2kit.cli.tailing.printing import Line

__all__ = ["JsonTexts"]


@define(eq=False)
class JsonTexts:
    """An object for each packet; what is JSON on the bus as it is there."""

    reader: Reader
    _objects: dict[tuple[str, str], JsonObjects] = field(factory=dict, init=False)

    def of(self, record: Received, contents: Contents) -> Iterator[Line]:
        """The lines of a record."""
        match contents:
            case TelemetryBatch():
                texts = self._telemetry(contents)
            case PacketBatch():
                texts = self._packets(record, contents)
            case _:
                texts = iter([self._as_it_is(record)])
        return (((text, ""),) for text in texts)

    def _telemetry(self, batch: TelemetryBatch) -> Iterator[str]:
        key = (batch.dictionary_hash, batch.packet.name)
        if key not in self._objects:
            target = self.reader.target_of(batch)
            assert target is not None  # noqa: S101 - telemetry names its definitions
            selection = Selection(Values.ENGINEERING, self.reader.choice.items, with_received=True)
            self._objects[key] = JsonObjects(target, batch.packet, selection)
        return (text for texts in self._objects[key].of(batch) for text in texts)

    def _packets(self, record: Received, batch: PacketBatch) -> Iterator[str]:
        way = ("up" if batch.is_uplink else "down") if kind_of(record.stream) is Kind.RAW else None
        facts = {
            "stream": self.reader.look.shown(record.stream),
            "interface": batch.interface,
            "origin": batch.origin,
            "direction": way,
            "target": batch.target,
        }
        names = names_of(batch, self.reader.target_of(batch))
        for time, name, data in zip(batch.received.tolist(), names, batch, strict=True):
            of_packet = {**facts, "packet": name, "size": len(data), "hex": data.hex()}
            told = {key: value for key, value in of_packet.items() if value is not None}
            yield to_json({"received": utc_text(time), **told})

    def _as_it_is(self, record: Received) -> str:
        if record.value.startswith(b"{"):
            return record.value.decode(errors="replace").replace("\n", " ")
        facts = {"stream": self.reader.look.shown(record.stream), "lane": record.lane, "hex": record.value.hex()}
        return to_json({"published": utc_text(record.published_ns), **facts})
