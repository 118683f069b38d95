"""Streams of Arrow messages in files: a schema, batches of it, and the end of the stream."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, BinaryIO, Generic, Protocol

from c2kit.batches.arrow.foreign import read_schema
from c2kit.batches.arrow.form import FORMAT, Batch, BatchSchema
from c2kit.batches.arrow.message import END_OF_STREAM, PREFIX_BYTES, Header, read_header, read_prefix
from c2kit.batches.arrow.packets import PacketSchema
from c2kit.batches.arrow.schema import foreign_form
from c2kit.batches.arrow.telemetry import TelemetrySchema
from c2kit.errors import MessageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from c2kit.batches.packets import PacketBatch
    from c2kit.batches.telemetry import TelemetryBatch
    from c2kit.kernel.contract import Buffer
    from c2kit.model.target import Target

__all__ = ["ArrowStream", "fingerprint_of", "named_by", "read_stream", "schema_of"]

_READ_BYTES = 2**20


class ArrowStream(Generic[Batch]):
    """Writes one Arrow IPC stream to ``sink``, which stays the caller's to close.

    The schema is written at once, so that a stream without a batch is a valid, empty table. Leaving the ``with`` block
    ends the stream.
    """

    def __init__(self, sink: BinaryIO, schema: BatchSchema[Batch]) -> None:
        self._sink = sink
        self._schema: BatchSchema[Batch] = schema
        self._is_open = True
        sink.write(schema.schema_message())

    def write(self, batch: Batch) -> None:
        """Add a batch. Raises UsageError where it is not of the stream's schema, or the stream has ended."""
        if not self._is_open:
            raise UsageError("the Arrow stream has ended", remedy="write before close()")
        self._sink.write(self._schema.to_message(batch))

    def close(self) -> None:
        """End the stream; once more does nothing."""
        if self._is_open:
            self._is_open = False
            self._sink.write(END_OF_STREAM)

    def __enter__(self) -> ArrowStream[Batch]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:  # after an error the sink may be what is broken, and readers do without the end
            self.close()


def read_stream(source: Buffer | BinaryIO, targets: Iterable[Target]) -> Iterator[TelemetryBatch | PacketBatch]:
    """The batches of a stream, or of several one after another, as they are asked for.

    ``targets`` hold the definitions that the streams name. Batches read from bytes are views of them; of a file, no
    more than one batch is held. A stream may lack its end, as that of a process that died does. Raises MessageError at
    the first message that is cut off, damaged, or of a schema that is not c2kit's or that ``targets`` do not define.
    """
    known = {(target.name, target.hash): target for target in targets}
    schema: TelemetrySchema | PacketSchema | None = None
    messages = _Bytes(source) if isinstance(source, bytes | bytearray | memoryview) else _File(source)
    for header, message in _messages(messages):
        if header is None:
            schema = None
        elif header.is_schema:
            schema = schema_of(message, known)
        elif schema is None:
            raise MessageError("a batch stands before the schema of its stream")
        else:
            yield schema.from_message(message)


def fingerprint_of(message: Buffer) -> str:
    """The fingerprint of the schema that a record-batch message needs, or "" where it tells none.

    Raises MessageError for what is no Arrow message.
    """
    view = memoryview(message).cast("B")
    metadata_end = PREFIX_BYTES + read_prefix(view[:PREFIX_BYTES])
    return read_header(view[PREFIX_BYTES:metadata_end]).custom.get("c2kit.schema", "")


def named_by(message: Buffer) -> tuple[str, str] | None:
    """The target and the hash of its definitions that a schema message names; ``None`` where it names none."""
    facts = read_schema(message).metadata
    return (facts["c2kit.target"], facts["c2kit.dictionary"]) if "c2kit.target" in facts else None


def schema_of(message: Buffer, known: Mapping[tuple[str, str], Target]) -> TelemetrySchema | PacketSchema:
    """Our own schema of the definitions that a schema message names, if its columns are those of the message.

    ``known`` has targets by their names and hashes. Raises MessageError.
    """
    found = read_schema(message)
    facts = found.metadata
    if facts.get("c2kit.format") != FORMAT:
        raise MessageError("the stream was not written by this c2kit", expected=f"format {FORMAT}", found=facts)
    try:
        schema = _named_schema(facts, known)
    except (KeyError, UsageError) as error:
        raise MessageError("the metadata of the stream's schema is damaged", found=error) from None
    for expected, column in itertools.zip_longest(foreign_form(schema.form.columns), found.columns):
        if column != expected:
            raise MessageError("the stream has other columns than its definition", expected=expected, found=column)
    return schema


def _named_schema(facts: Mapping[str, str], known: Mapping[tuple[str, str], Target]) -> TelemetrySchema | PacketSchema:
    is_packets = facts["c2kit.kind"] == "packets"
    if is_packets and "c2kit.target" not in facts:
        return PacketSchema(is_large=facts["c2kit.large"] == "yes")
    name, wanted = facts["c2kit.target"], facts["c2kit.dictionary"]
    target = known.get((name, wanted))
    if target is None:
        others = ", ".join(f"{other} {has[:12]}" for other, has in known) or "none"
        remedy = "give the dictionary that the stream was written with"
        what = "the stream is of definitions that are not here"
        raise MessageError(what, expected=f"{name} {wanted[:12]}", found=others, remedy=remedy)
    if is_packets:
        is_large = facts["c2kit.large"] == "yes"
        count = len(target.packets)
        return PacketSchema(target=name, dictionary_hash=wanted, packet_count=count, is_large=is_large)
    return TelemetrySchema(
        target=name,
        packet=target.packet(facts["c2kit.packet"]),
        dictionary_hash=wanted,
        values=facts["c2kit.values"],
        with_limits=facts["c2kit.limits"] == "yes",
        items=_named_items(facts.get("c2kit.items")),
    )


def _named_items(told: str | None) -> list[str] | None:
    """The items that travel; ``None`` where all do. Raises UsageError for what names none."""
    if told is None:
        return None
    try:
        names = json.loads(told)
    except (ValueError, RecursionError):
        names = told
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError("c2kit.items", expected="a JSON list of names", found=repr(told))
    return names


def _messages(source: _Source) -> Iterator[tuple[Header | None, Buffer]]:
    """Each message with its header; ``None`` for the end of a stream."""
    while prefix := source.upto(PREFIX_BYTES):
        metadata_end = PREFIX_BYTES + read_prefix(prefix)
        if metadata_end == PREFIX_BYTES:
            yield None, prefix
        else:
            metadata = source.upto(metadata_end)
            if len(metadata) < metadata_end:
                raise MessageError("the stream ends in a message", expected=metadata_end, found=len(metadata))
            header = read_header(metadata[PREFIX_BYTES:])
            yield header, source.upto(metadata_end + header.body_bytes)
        source.next()


class _Source(Protocol):
    """Where messages lie one after another."""

    def upto(self, size: int) -> memoryview:
        """The first ``size`` bytes of the message, fewer where the source ends before."""
        ...

    def next(self) -> None:
        """Go on behind the bytes that were given last."""
        ...


class _Bytes:
    """Messages in memory, not copied."""

    def __init__(self, buffer: Buffer) -> None:
        self._rest = memoryview(buffer).cast("B")
        self._size = 0

    def upto(self, size: int) -> memoryview:
        self._size = size
        return self._rest[:size]

    def next(self) -> None:
        self._rest = self._rest[self._size :]


class _File:
    """Messages in a file, read as far as they are asked for: a damaged size takes no more memory than there is file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._message = b""

    def upto(self, size: int) -> memoryview:
        pieces, missing = [self._message], size - len(self._message)
        while missing and (piece := self._file.read(min(missing, _READ_BYTES))):
            pieces.append(piece)
            missing -= len(piece)
        self._message = b"".join(pieces)
        return memoryview(self._message)

    def next(self) -> None:
        self._message = b""
