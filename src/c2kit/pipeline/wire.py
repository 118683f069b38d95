"""Batches as records of the bus, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define, field, frozen

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.arrow import PacketSchema, TelemetrySchema, fingerprint_of

if TYPE_CHECKING:
    from c2kit.pipeline.definitions import Definitions

__all__ = ["JOINED_BYTES", "Batch", "Wire", "Written", "lane_of"]

Batch = PacketBatch | TelemetryBatch
JOINED_BYTES = 500_000
"""Small batches become one of at most so many bytes: with what is said of each packet, few are more than a megabyte."""


def lane_of(batch: Batch) -> str:
    """Within which order is kept: the interface before identification, interface and target after."""
    return batch.interface if batch.target is None else f"{batch.interface}/{batch.target}"


@frozen(eq=False)
class Written:
    """A batch as values of records, in its order, without the packets that are too large for any."""

    values: list[bytes]
    too_large: list[Batch]
    """Of one packet each."""


@define(eq=False)
class Wire:
    """Writes batches as record-batch messages that name their schema, and reads them by it. For one thread."""

    definitions: Definitions
    largest_bytes: int | None = None
    """What a value may have at most, where the bus has a bound."""
    _packets: dict[tuple[str | None, str | None, bool], PacketSchema] = field(factory=dict, init=False)
    _telemetry: dict[tuple[str, str, bool], TelemetrySchema] = field(factory=dict, init=False)

    def write(self, batch: Batch) -> bytes:
        """A batch as the value of a record. Raises UsageError where it lacks a column."""
        if isinstance(batch, TelemetryBatch):
            return self._telemetry_schema(batch).to_message(batch)
        return self._packet_schema(batch).to_message(batch)

    def written(self, batch: Batch) -> Written:
        """A batch as one value or, where that is larger than the bus takes, as several with some of its packets each.

        Raises as :meth:`write`.
        """
        written = Written([], [])
        self._write_parts(batch, written)
        return written

    def _write_parts(self, batch: Batch, written: Written) -> None:
        value = self.write(batch)
        if self.largest_bytes is None or len(value) <= self.largest_bytes:
            written.values.append(value)
        elif len(batch) == 1:
            written.too_large.append(batch)
        else:
            for half in np.array_split(np.arange(len(batch)), 2):
                self._write_parts(batch.select(half), written)

    def read(self, value: bytes) -> Batch:
        """The batch in a record. Raises MessageError for what is none, DefinitionsMissing."""
        return self.definitions.schema(fingerprint_of(value)).from_message(value)

    def _packet_schema(self, batch: PacketBatch) -> PacketSchema:
        key = (batch.target, batch.dictionary_hash, batch.size_bytes >= 2**31)
        if key not in self._packets:
            self._packets[key] = PacketSchema.of(batch)
        return self._packets[key]

    def _telemetry_schema(self, batch: TelemetryBatch) -> TelemetrySchema:
        key = (batch.dictionary_hash, batch.packet.name, bool(batch.limits))
        if key not in self._telemetry:
            self._telemetry[key] = TelemetrySchema.of(batch)
        return self._telemetry[key]
