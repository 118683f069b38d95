"""Batches as standard Arrow IPC messages, which any Arrow tool reads; ``docs/reference/arrow.md`` has the mapping.

A schema object stands for what all batches of one kind have in common. It is made once and kept; it writes the message
that begins a stream and turns batches into messages and back::

    schema = TelemetrySchema.of(batch)
    stream = schema.schema_message() + schema.to_message(batch) + END_OF_STREAM
    schema.from_message(message)

What is constant for a schema (target, packet, dictionary hash) is the schema's metadata. What varies from batch to
batch (interface, origin) is the message's ``custom_metadata``, beside the fingerprint of the schema that it needs,
so that a message is never read by another definition than it was written by.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from attrs import field, frozen

from c2kit.batches.arrow_body import BodyReader, BodyWriter
from c2kit.batches.arrow_columns import (
    ArrowColumn,
    Role,
    Values,
    packet_columns,
    telemetry_columns,
)
from c2kit.batches.arrow_message import END_OF_STREAM, custom_metadata, read_record_batch, record_batch_message
from c2kit.batches.arrow_schema import fingerprint, schema_message
from c2kit.batches.packets import PacketBatch
from c2kit.batches.telemetry import TelemetryBatch
from c2kit.errors import MessageError, UsageError
from c2kit.kernel.contract import Column
from c2kit.model.limits import LimitState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from c2kit.kernel.contract import Buffer
    from c2kit.model.packets import Packet

__all__ = ["END_OF_STREAM", "BatchSchema", "PacketSchema", "TelemetrySchema", "Values"]

FORMAT = "1"
"""The version of the mapping; a reader refuses another."""
UNTOLD_ORIGIN = "stored"
"""The origin of a batch in a message that another tool wrote: it must not move limits or staleness."""

Batch = TypeVar("Batch", PacketBatch, TelemetryBatch)


class BatchSchema(Protocol[Batch]):
    """What a stream of batches of one kind needs."""

    def schema_message(self) -> bytes:
        """The message that begins a stream."""
        ...

    def to_message(self, batch: Batch) -> bytes:
        """One batch as one message. Raises UsageError where it is not of this schema."""
        ...

    def from_message(self, message: Buffer) -> Batch:
        """A batch whose columns are views of the message. Raises MessageError where it is not of this schema."""
        ...


def as_values(values: Values | str) -> Values:
    """Take ``"raw"``, ``"engineering"`` or ``"both"`` as well."""
    try:
        return Values(values)
    except ValueError:
        expected = " or ".join(choice.value for choice in Values)
        raise UsageError("no such choice of values", expected=expected, found=repr(values)) from None


@frozen(kw_only=True, eq=False)
class TelemetrySchema:
    """The schema of all batches of one packet definition, with the values that were chosen to travel.

    ``with_limits`` adds a column of limit states for each item that has limits.
    """

    target: str
    packet: Packet
    dictionary_hash: str
    values: Values = field(default=Values.BOTH, converter=as_values)
    with_limits: bool = False

    @classmethod
    def of(
        cls, batch: TelemetryBatch, *, values: Values | str = Values.BOTH, with_limits: bool | None = None
    ) -> TelemetrySchema:
        """The schema of a batch; limit states travel if it has some, unless the caller says otherwise."""
        return cls(
            target=batch.target,
            packet=batch.packet,
            dictionary_hash=batch.dictionary_hash,
            values=values,
            with_limits=bool(batch.limits) if with_limits is None else with_limits,
        )

    @cached_property
    def columns(self) -> tuple[ArrowColumn, ...]:
        """The columns, in their order."""
        return telemetry_columns(self.packet, self.values, with_limits=self.with_limits)

    @cached_property
    def metadata(self) -> dict[str, str]:
        """What all batches have in common, as it stands in the schema message."""
        return {
            "c2kit.format": FORMAT,
            "c2kit.kind": "telemetry",
            "c2kit.target": self.target,
            "c2kit.packet": self.packet.name,
            "c2kit.dictionary": self.dictionary_hash,
            "c2kit.values": self.values.value,
            "c2kit.limits": "yes" if self.with_limits else "no",
        }

    @cached_property
    def fingerprint(self) -> str:
        """The content address of the schema: SHA-256, in hex, of its canonical form."""
        return fingerprint(self.columns, self.metadata)

    @cached_property
    def _message(self) -> bytes:
        return schema_message(self.columns, self.metadata)

    def schema_message(self) -> bytes:
        """The message that begins a stream of these batches."""
        return self._message

    def to_message(self, batch: TelemetryBatch) -> bytes:
        """A batch as one message. Raises UsageError where it is not of this schema or lacks one of its columns."""
        theirs = (batch.target, batch.packet.name, batch.dictionary_hash)
        ours = (self.target, self.packet.name, self.dictionary_hash)
        if theirs != ours:
            raise UsageError("the batch is of another definition than the schema", expected=ours, found=theirs)
        body = BodyWriter(len(batch))
        for spec in self.columns:
            body.put(spec, _telemetry_column(batch, spec))
        return _message_of(body, len(batch), self.fingerprint, batch.interface, batch.origin)

    def from_message(self, message: Buffer) -> TelemetryBatch:
        """A batch whose columns are views of the message, where NumPy can look at them, and cannot be written to.

        Raises MessageError where the message is not of this schema or is damaged.
        """
        columns, facts = _columns_of(message, self.columns, self.fingerprint)
        by_role: dict[Role, dict[str, Column]] = {role: {} for role in Role}
        for spec, column in zip(self.columns, columns, strict=True):
            if spec.role is Role.LIMITS:
                _check_limit_states(spec, column)
            by_role[spec.role][spec.item] = column
        return TelemetryBatch(
            target=self.target,
            packet=self.packet,
            dictionary_hash=self.dictionary_hash,
            received=_times(by_role[Role.RECEIVED][""]),
            generated=by_role[Role.GENERATED][""],
            raw=by_role[Role.RAW] | by_role[Role.VALUE],
            engineering=by_role[Role.ENGINEERING],
            limits=by_role[Role.LIMITS],
            interface=facts.get("c2kit.interface", ""),
            origin=facts.get("c2kit.origin", UNTOLD_ORIGIN),
        )


def _telemetry_column(batch: TelemetryBatch, spec: ArrowColumn) -> Column:
    if spec.role is Role.RECEIVED:
        return Column(batch.received)
    if spec.role is Role.GENERATED:
        return batch.generated
    if spec.role is Role.LIMITS:
        states = batch.limits.get(spec.item)
        return _no_states(spec, len(batch)) if states is None else states
    column = (batch.engineering if spec.role is Role.ENGINEERING else batch.raw).get(spec.item)
    if column is None:
        what = f"the batch has no {spec.role.value} column {spec.item} of packet {batch.packet.name}"
        raise UsageError(what, remedy="choose values that it has")
    return column


def _no_states(spec: ArrowColumn, rows: int) -> Column:
    """The column of an item whose limits were not checked."""
    offsets = np.zeros(rows + 1, np.int64) if spec.type.is_list else None
    values = np.zeros(0 if spec.type.is_list else (rows, *spec.type.shape), np.uint8)
    return Column(values, np.zeros(rows, np.bool_), offsets)


def _check_limit_states(spec: ArrowColumn, column: Column) -> None:
    if column.values.size and int(column.values.max()) > max(LimitState):
        expected = f"at most {max(LimitState):d}"
        raise MessageError(f"column {spec.name} has no limit states", expected=expected, found=column.values.max())


@frozen(kw_only=True, eq=False)
class PacketSchema:
    """The schema of batches of packets, of one target after identification and of none before.

    ``packet_count`` is how many packets the target defines, where the reader knows; an index above it is refused.
    ``is_large`` gives the packets 64-bit offsets, for batches above 2 GiB.
    """

    target: str | None = None
    dictionary_hash: str | None = None
    packet_count: int | None = None
    is_large: bool = False

    @classmethod
    def of(cls, batch: PacketBatch) -> PacketSchema:
        """The schema of a batch."""
        is_large = batch.size_bytes >= 2**31
        if batch.definition is None:
            return cls(is_large=is_large)
        return cls(target=batch.target, dictionary_hash=batch.dictionary_hash, is_large=is_large)

    def __attrs_post_init__(self) -> None:
        """Refuse a target without its definitions."""
        if (self.target is None) != (self.dictionary_hash is None):
            remedy = "give both or neither"
            raise UsageError("an identified packet has a target and the hash of its definitions", remedy=remedy)

    @cached_property
    def columns(self) -> tuple[ArrowColumn, ...]:
        """The columns, in their order."""
        return packet_columns(is_identified=self.target is not None, is_large=self.is_large)

    @cached_property
    def metadata(self) -> dict[str, str]:
        """What all batches have in common, as it stands in the schema message."""
        large = "yes" if self.is_large else "no"
        common = {"c2kit.format": FORMAT, "c2kit.kind": "packets", "c2kit.large": large}
        if self.target is None or self.dictionary_hash is None:
            return common
        return common | {"c2kit.target": self.target, "c2kit.dictionary": self.dictionary_hash}

    @cached_property
    def fingerprint(self) -> str:
        """The content address of the schema: SHA-256, in hex, of its canonical form."""
        return fingerprint(self.columns, self.metadata)

    @cached_property
    def _message(self) -> bytes:
        return schema_message(self.columns, self.metadata)

    def schema_message(self) -> bytes:
        """The message that begins a stream of these batches."""
        return self._message

    def to_message(self, batch: PacketBatch) -> bytes:
        """A batch as one message; ``spans`` do not travel. Raises UsageError where it is not of this schema."""
        if (batch.target, batch.dictionary_hash) != (self.target, self.dictionary_hash):
            expected, found = (self.target, self.dictionary_hash), (batch.target, batch.dictionary_hash)
            raise UsageError("the batch is of other definitions than the schema", expected=expected, found=found)
        body = BodyWriter(len(batch))
        for spec in self.columns:
            body.put(spec, _packet_column(batch, spec))
        return _message_of(body, len(batch), self.fingerprint, batch.interface, batch.origin)

    def from_message(self, message: Buffer) -> PacketBatch:
        """A batch whose buffer is a view of the message. Raises MessageError where it is not of this schema."""
        columns, facts = _columns_of(message, self.columns, self.fingerprint)
        packet, received, generated, *definition = columns
        assert packet.offsets is not None  # noqa: S101 - for the type checker
        return PacketBatch(
            buffer=packet.values.data,
            starts=packet.offsets[:-1],
            ends=packet.offsets[1:],
            received=_times(received),
            generated=generated,
            interface=facts.get("c2kit.interface", ""),
            origin=facts.get("c2kit.origin", UNTOLD_ORIGIN),
            target=self.target,
            dictionary_hash=self.dictionary_hash,
            definition=self._definition(definition[0]) if definition else None,
        )

    def _definition(self, column: Column) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
        indices = column.values.astype(np.int32, copy=False)
        count = 2**31 if self.packet_count is None else self.packet_count
        if len(indices) and not 0 <= indices.min() <= indices.max() < count:
            expected = f"0 to {count - 1}"
            raise MessageError("no such packet definition", expected=expected, found=(indices.min(), indices.max()))
        return indices


def _packet_column(batch: PacketBatch, spec: ArrowColumn) -> Column:
    match spec.role:
        case Role.PACKET:
            return _joined(batch)
        case Role.RECEIVED:
            return Column(batch.received)
        case Role.GENERATED:
            return batch.generated
    if batch.definition is None:
        raise UsageError("the batch does not tell which packet each one is", remedy="write it after identification")
    return Column(batch.definition)


def _joined(batch: PacketBatch) -> Column:
    """All packets back to back. Runs of packets that lie so already are taken in one piece, usually the whole batch."""
    lengths = batch.ends - batch.starts
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    breaks = np.flatnonzero(batch.starts[1:] != batch.ends[:-1]) + 1
    firsts = batch.starts[np.concatenate(([0], breaks))] if len(batch) else batch.starts
    lasts = batch.ends[np.concatenate((breaks - 1, [-1]))] if len(batch) else batch.ends
    view = memoryview(batch.buffer)
    pieces = [view[first:last] for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]
    joined = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    return Column(np.frombuffer(joined, np.uint8), offsets=offsets, is_bytes=True)


def _message_of(body: BodyWriter, rows: int, schema: str, interface: str, origin: str) -> bytes:
    custom = custom_metadata({"c2kit.schema": schema, "c2kit.interface": interface, "c2kit.origin": origin})
    return record_batch_message(rows, body.nodes, body.buffers, body.parts, body.size_bytes, custom)


def _columns_of(message: Buffer, specs: Iterable[ArrowColumn], schema: str) -> tuple[list[Column], Mapping[str, str]]:
    batch = read_record_batch(message)
    named = batch.custom.get("c2kit.schema", schema)
    if named != schema:
        remedy = "read it with the definition that it names"
        raise MessageError("the message is of another schema", expected=schema, found=named, remedy=remedy)
    reader = BodyReader(batch)
    columns = [reader.take(spec) for spec in specs]
    reader.finish()
    return columns, batch.custom


def _times(column: Column) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return column.values.astype(np.int64, copy=False)
