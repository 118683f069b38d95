"""Packets of one definition as one table: CSV, or an Arrow IPC stream."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from attrs import define, field

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.arrow import ArrowStream, PacketSchema, TelemetrySchema, Values
from c2kit.batches.kinds import Kind
from c2kit.cli.tables import CsvTable, Selection
from c2kit.cli.tailing.contents import BATCHES, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c2kit.bus import Received
    from c2kit.cli.tables import Table
    from c2kit.cli.tailing.contents import Choice, Contents
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target
    from c2kit.pipeline.definitions import BatchSchema
    from c2kit.pipeline.wire import Batch

__all__ = ["OneTable", "refuse_several"]


def refuse_several(form: str, streams: Sequence[str], packets: Sequence[tuple[Target, Packet]]) -> None:
    """Refuse, before anything is read, what is more than one table or none."""
    kinds = {kind_of(stream) for stream in streams}
    allowed = BATCHES if form == "arrow" else {Kind.TELEMETRY}
    if not kinds <= allowed:
        others = ", ".join(sorted(str(kind) for kind in kinds - allowed))
        raise click.UsageError(f"{form} holds values or packets in columns, and {others} are not: take --format jsonl.")
    names = sorted({f"{target.name} {packet.name}" for target, packet in packets})
    if kinds == {Kind.TELEMETRY}:
        if len(names) > 1:
            shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
            raise click.UsageError(
                f"{form} holds one table, and {len(names)} packets are defined ({shown}). Choose one with --packet, "
                "or take the format that holds all: --format jsonl."
            )
    elif len(streams) > 1:
        raise click.UsageError(f"{form} holds one table: give one stream, or take --format jsonl.")


@define(eq=False)
class OneTable:
    """Writes batches to stdout, all by the definition of the first.

    An Arrow stream has what the bus has, or of it the items that are chosen; CSV has engineering values.
    """

    form: str
    choice: Choice
    stream: str
    """Of which the packets are, or one of several that have the same definition."""
    packets: Sequence[tuple[Target, Packet]]
    """The definitions that are wanted, the newest last."""
    _table: Table | _ArrowTable | None = field(default=None, init=False)
    _of: tuple[str | None, bool] | None = field(default=None, init=False)
    """By which definition, and whether with limits."""

    def show(self, record: Received, contents: Contents, most: int) -> int:  # noqa: ARG002 - as others show records
        """Write at most so many rows of a batch; how many there were."""
        if not isinstance(contents, TelemetryBatch | PacketBatch):
            return 0
        batch: Batch = contents if len(contents) <= most else contents.select(np.arange(most))
        self._check_same(batch)
        if self._table is None:
            self._table = self._begin(batch)
        self._table.write(batch)  # type: ignore[arg-type]  # the first one told of which kind all are
        sys.stdout.flush()
        return len(batch)

    def end(self) -> None:
        """End the table; without any packet it has columns all the same."""
        if self._table is None:
            self._table = self._begin(None)
        self._table.end()
        sys.stdout.flush()

    def _check_same(self, batch: Batch) -> None:
        now = (batch.dictionary_hash, isinstance(batch, TelemetryBatch) and bool(batch.limits))
        if self._of not in (None, now):
            self.end()
            raise click.ClickException(
                "the definitions of what is followed have changed, and the table with the old ones has ended here: "
                "start c2kit tail again for what follows."
            )
        self._of = now

    def _begin(self, batch: Batch | None) -> Table | _ArrowTable:
        if self.form == "csv":
            packet = batch.packet if isinstance(batch, TelemetryBatch) else self.packets[-1][1]
            selection = Selection(Values.ENGINEERING, self.choice.items, with_received=True)
            return CsvTable(sys.stdout.buffer, packet, selection)
        return _ArrowTable(self._schema(batch))

    def _schema(self, batch: Batch | None) -> BatchSchema:
        if isinstance(batch, PacketBatch):
            return PacketSchema.of(batch)
        if batch is not None:
            return self._telemetry_schema(batch.target, batch.packet, batch.dictionary_hash, bool(batch.limits))
        if kind_of(self.stream) is Kind.TELEMETRY:
            target, packet = self.packets[-1]
            return self._telemetry_schema(target.name, packet, target.hash, with_limits=False)
        if not self.packets:
            return PacketSchema()
        target, _ = self.packets[-1]
        return PacketSchema(target=target.name, dictionary_hash=target.hash, packet_count=len(target.packets))

    def _telemetry_schema(
        self,
        target: str,
        packet: Packet,
        dictionary_hash: str,
        with_limits: bool,  # noqa: FBT001 - as a batch has it
    ) -> TelemetrySchema:
        return TelemetrySchema(
            target=target,
            packet=packet,
            dictionary_hash=dictionary_hash,
            with_limits=with_limits,
            items=self.choice.items,
        )


class _ArrowTable:
    """An Arrow IPC stream on stdout, of batches as they are on the bus."""

    def __init__(self, schema: BatchSchema) -> None:
        self._stream: ArrowStream[Any] = ArrowStream(sys.stdout.buffer, schema)

    def write(self, batch: Batch) -> None:
        self._stream.write(batch)

    def end(self) -> None:
        self._stream.close()
