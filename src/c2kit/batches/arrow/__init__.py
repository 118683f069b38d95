"""Batches as standard Arrow IPC messages, which any Arrow tool reads; ``docs/reference/arrow.md`` has the mapping.

A schema object stands for what all batches of one kind have in common. It is made once and kept; it writes the message
that begins a stream, and turns batches into messages and back::

    schema = TelemetrySchema.of(batch)
    stream = schema.schema_message() + schema.to_message(batch) + END_OF_STREAM
    same = schema.from_message(schema.to_message(batch))

What is constant for a schema (target, packet, dictionary hash) is the schema's metadata. What varies from batch to
batch (interface, origin) is the message's ``custom_metadata``, beside the fingerprint of the schema that it needs, so
that a message is never read by another definition than it was written by.
"""

from __future__ import annotations

from c2kit.batches.arrow.columns import Values
from c2kit.batches.arrow.form import BatchSchema
from c2kit.batches.arrow.message import END_OF_STREAM
from c2kit.batches.arrow.packets import PacketSchema
from c2kit.batches.arrow.stream import ArrowStream, fingerprint_of, named_by, read_stream, schema_of
from c2kit.batches.arrow.telemetry import TelemetrySchema

__all__ = [
    "END_OF_STREAM",
    "ArrowStream",
    "BatchSchema",
    "PacketSchema",
    "TelemetrySchema",
    "Values",
    "fingerprint_of",
    "named_by",
    "read_stream",
    "schema_of",
]
