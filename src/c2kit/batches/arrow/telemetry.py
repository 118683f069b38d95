"""Batches of telemetry as Arrow messages."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, field, frozen

from c2kit.batches.arrow.columns import Role, Values, telemetry_columns
from c2kit.batches.arrow.form import FORMAT, Form
from c2kit.batches.telemetry import TelemetryBatch
from c2kit.errors import MessageError, UsageError
from c2kit.kernel.contract import Column
from c2kit.model.limits import LimitState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c2kit.batches.arrow.columns import ArrowColumn
    from c2kit.batches.packets import Origin
    from c2kit.kernel.contract import Buffer
    from c2kit.kernel.envelope import Head
    from c2kit.model.packets import Packet

__all__ = ["TelemetrySchema"]


def _as_values(values: Values | str) -> Values:
    """Take the words as well."""
    try:
        return Values(values)
    except ValueError:
        expected = " or ".join(choice.value for choice in Values)
        raise UsageError("no such choice of values", expected=expected, found=repr(values)) from None


def _each_once(names: Iterable[str] | None) -> tuple[str, ...] | None:
    """A column for each item, however often it was asked for."""
    return None if names is None else tuple(dict.fromkeys(names))


@frozen(kw_only=True, eq=False)
class TelemetrySchema:
    """The schema of all batches of one packet definition, with the values that were chosen to travel.

    ``values`` is ``"raw"``, ``"engineering"`` or ``"both"``; ``with_limits`` adds a column of limit states for each
    item that has limits; ``items`` are the only ones that travel, in their order. Raises UsageError for what is not to
    choose from. Made once a definition and kept: making one costs more than writing a batch.
    """

    target: str
    packet: Packet
    dictionary_hash: str
    values: Values = field(default=Values.BOTH, converter=_as_values)
    with_limits: bool = False
    items: tuple[str, ...] | None = field(default=None, converter=_each_once)

    def __attrs_post_init__(self) -> None:
        """Refuse items that the packet has not."""
        for name in self.items or ():
            self.packet.item(name)

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
    def form(self) -> Form:
        """The columns, in their order, and the metadata of the schema message."""
        metadata = {
            "c2kit.format": FORMAT,
            "c2kit.kind": "telemetry",
            "c2kit.target": self.target,
            "c2kit.packet": self.packet.name,
            "c2kit.dictionary": self.dictionary_hash,
            "c2kit.values": self.values.value,
            "c2kit.limits": "yes" if self.with_limits else "no",
        }
        if self.items is not None:
            metadata["c2kit.items"] = json.dumps(self.items)
        columns = telemetry_columns(self.packet, self.values, with_limits=self.with_limits, items=self.items)
        return Form(columns, metadata)

    def schema_message(self) -> bytes:
        """The message that begins a stream of these batches."""
        return self.form.message

    def to_message(self, batch: TelemetryBatch) -> bytes:
        """A batch as one message. Raises UsageError where it is not of this schema or lacks one of its columns.

        Limit states that a batch lacks are those of an item that nobody checked: no row has a value.
        """
        theirs = (batch.target, batch.packet.name, batch.dictionary_hash)
        ours = (self.target, self.packet.name, self.dictionary_hash)
        if theirs != ours:
            raise UsageError("the batch is of another definition than the schema", expected=ours, found=theirs)
        written = batch.written_as(self.form.fingerprint)
        if written is not None:
            return written.message
        written = None if self._unchecked is None else batch.written_as(self._unchecked.form.fingerprint)
        return self.form.write(batch, self._columns(batch, writes_all=written is None), written)

    def _columns(self, batch: TelemetryBatch, *, writes_all: bool) -> Iterator[Column | None]:
        """The columns of a batch in their order; ``None`` for those that are not to be written once more."""
        for spec in self.form.columns:
            yield _column(batch, spec) if writes_all or spec.role is Role.LIMITS else None

    @cached_property
    def _unchecked(self) -> TelemetrySchema | None:
        """The schema of the same batches before their limits were checked."""
        return evolve(self, with_limits=False) if self.with_limits else None

    def from_message(self, message: Buffer) -> TelemetryBatch:
        """A batch whose columns are read-only views of the message where NumPy can look at them, else copies.

        Raises MessageError where the message is not of this schema or is damaged.
        """
        received = self.form.read(message)
        by_role: dict[Role, dict[str, Column]] = {role: {} for role in Role}
        for spec, column in zip(self.form.columns, received.columns, strict=True):
            if spec.role is Role.LIMITS:
                _check_states(spec, column)
            by_role[spec.role][spec.item] = column
        return TelemetryBatch(
            target=self.target,
            packet=self.packet,
            dictionary_hash=self.dictionary_hash,
            received=by_role[Role.RECEIVED][""].values.view(np.int64),
            generated=by_role[Role.GENERATED][""],
            raw=by_role[Role.RAW] | by_role[Role.VALUE],
            engineering=by_role[Role.ENGINEERING],
            limits=by_role[Role.LIMITS],
            interface=received.interface,
            origin=received.origin,
        )

    def head(self, interface: str, origin: Origin) -> Head:
        """What stands before the body of a batch's message, for kernels that write columns right behind it."""
        return self.form.head(interface, origin)

    def c_stream(self, batch: TelemetryBatch) -> object:
        """A batch as a PyCapsule of Arrow's C stream interface."""
        return self.form.c_stream([self.to_message(batch)])


def _column(batch: TelemetryBatch, spec: ArrowColumn) -> Column:
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
    offsets = np.zeros(rows + 1, np.int64) if spec.type.is_list else None
    values = np.zeros(0 if spec.type.is_list else (rows, *spec.type.shape), np.uint8)
    return Column(values, np.zeros(rows, np.bool_), offsets)


def _check_states(spec: ArrowColumn, column: Column) -> None:
    codes = column.values.view(np.uint8)
    if codes.size and codes.max() > max(LimitState):
        expected = f"codes up to {max(LimitState):d}"
        raise MessageError(f"column {spec.name} has no limit states", expected=expected, found=codes.max())
