"""What a schema comes to: columns and facts, of which its message is made and by which batches are written and read."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol, TypeVar

from attrs import frozen

from c2kit.batches.arrow.body import BodyReader, BodyWriter
from c2kit.batches.arrow.message import (
    END_OF_STREAM,
    blank_head,
    custom_metadata,
    read_record_batch,
    record_batch_message,
)
from c2kit.batches.arrow.schema import c_stream, fingerprint, schema_message
from c2kit.batches.packets import PacketBatch
from c2kit.batches.telemetry import TelemetryBatch
from c2kit.errors import MessageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from c2kit.batches.arrow.columns import ArrowColumn
    from c2kit.batches.packets import Origin
    from c2kit.kernel.contract import Buffer, Column
    from c2kit.kernel.envelope import Head, Written

__all__ = ["FORMAT", "Batch", "BatchSchema", "Form", "Received"]

FORMAT = "1"
"""The version of the mapping; a reader refuses another."""
UNTOLD_ORIGIN = "stored"
"""The origin of a batch in a message that another tool wrote: it must not move limits or staleness."""
_FLAGS = {"c2kit.space_packets": "space_packets", "c2kit.uplink": "is_uplink"}
"""What a message says of a batch of packets only where it holds, and the attribute of the batch."""

Batch = TypeVar("Batch", PacketBatch, TelemetryBatch)


class BatchSchema(Protocol[Batch]):
    """What all batches of one kind have in common, as a stream of them needs it."""

    def schema_message(self) -> bytes:
        """The message that begins a stream."""
        ...

    def to_message(self, batch: Batch) -> bytes:
        """One batch as one message. Raises UsageError where it is not of this schema."""
        ...

    def from_message(self, message: Buffer) -> Batch:
        """A batch whose columns are views of the message. Raises MessageError where it is not of this schema."""
        ...


@frozen(eq=False)
class Received:
    """The columns of a message in the order of its schema, and what it says of the batch."""

    columns: list[Column]
    interface: str
    origin: Origin
    space_packets: bool
    is_uplink: bool


@lru_cache(maxsize=256)
def _custom(facts: tuple[tuple[str, str], ...]) -> bytes:
    return custom_metadata(dict(facts))


@frozen(eq=False)
class Form:
    """The columns of a schema in their order, and what all its batches have in common."""

    columns: tuple[ArrowColumn, ...]
    metadata: dict[str, str]

    @cached_property
    def fingerprint(self) -> str:
        """The content address of the schema: SHA-256, in hex, of its canonical form."""
        return fingerprint(self.columns, self.metadata)

    @cached_property
    def message(self) -> bytes:
        """The schema message."""
        return schema_message(self.columns, self.metadata)

    def write(
        self, batch: PacketBatch | TelemetryBatch, columns: Iterable[Column | None], written: Written | None = None
    ) -> bytes:
        """A batch, of which these are the columns in the order of the schema, as a record-batch message.

        ``written`` is a message with some of the columns: where one is ``None``, it is the next of those. Raises
        UsageError where one is mistyped.
        """
        rows = len(batch)
        body = BodyWriter(rows, written)
        for spec, column in zip(self.columns, columns, strict=True):
            if column is None:
                body.put_written()
            else:
                body.put(spec, column)
        facts = self._facts(batch.interface, batch.origin)
        if isinstance(batch, PacketBatch):
            facts |= {name: "true" for name, attribute in _FLAGS.items() if getattr(batch, attribute)}
        custom = _custom(tuple(facts.items()))
        return record_batch_message(rows, body.nodes, body.buffers, body.parts, body.size_bytes, custom)

    def head(self, interface: str, origin: Origin) -> Head:
        """What stands before the body of messages whose columns are of numbers alone."""
        return blank_head(len(self.columns), custom_metadata(self._facts(interface, origin)))

    def _facts(self, interface: str, origin: Origin) -> dict[str, str]:
        return {"c2kit.schema": self.fingerprint, "c2kit.interface": interface, "c2kit.origin": origin}

    def read(self, message: Buffer) -> Received:
        """A record-batch message as columns. Raises MessageError where it is damaged or names another schema."""
        batch = read_record_batch(message)
        named = batch.custom.get("c2kit.schema", self.fingerprint)
        if named != self.fingerprint:
            remedy = "read it with the definition that it was written with"
            raise MessageError(
                "the message is of another schema", expected=self.fingerprint, found=named, remedy=remedy
            )
        reader = BodyReader(batch)
        columns = [reader.take(spec) for spec in self.columns]
        reader.finish()
        interface, origin = batch.custom.get("c2kit.interface", ""), batch.custom.get("c2kit.origin", UNTOLD_ORIGIN)
        flags = {attribute: batch.custom.get(name) == "true" for name, attribute in _FLAGS.items()}
        return Received(columns, interface, origin, **flags)

    def c_stream(self, messages: Sequence[bytes]) -> object:
        """Messages as a PyCapsule of Arrow's C stream interface."""
        return c_stream(b"".join((self.message, *messages, END_OF_STREAM)))
