"""Logs made from plain Python values, and read by nothing but the reference page and pyarrow."""

from __future__ import annotations

import json
import random
import struct
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from attrs import frozen

from c2kit.batches import PacketBatch
from c2kit.bus.base import Position
from c2kit.kernel.contract import Column
from c2kit.storage import PacketLogReader, PacketLogWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from c2kit.storage import LogSettings

STREAM = "firefly.packets.FIREFLY"
NOBODY_KNOWS = -(2**63)
UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


class Logged(NamedTuple):
    """A packet as it was given to a log, and what must come out again."""

    data: bytes
    received: int
    generated: int | None = None
    definition: int | None = None
    interface: str = "fep"
    target: str | None = None
    dictionary: str | None = None
    origin: str = "realtime"


def position(offset: int, uuid: str = UUID, partition: int = 0) -> Position:
    """How far the stream of the log was read."""
    return Position(STREAM, uuid, partition, offset)


def space_packet(apid: int, count: int, data: bytes) -> bytes:
    """A CCSDS telemetry packet, unsegmented (133.0-B-2, 4.1.3)."""
    return struct.pack(">HHH", apid, 0xC000 | count % 2**14, len(data) - 1) + data


def space_packets(seed: int, count: int, largest: int = 30) -> list[Logged]:
    """Telemetry that differs in every packet, some of it with a time."""
    chosen = random.Random(seed)
    return [
        Logged(
            space_packet(chosen.randrange(2047), number, chosen.randbytes(chosen.randint(1, largest))),
            received=1_700_000_000_000_000_000 + 1_000_000 * number + chosen.randrange(1000),
            generated=1_600_000_000_000_000_000 + number if number % 3 else None,
        )
        for number in range(count)
    ]


def batch_of(packets: Sequence[Logged]) -> PacketBatch:
    """A batch in whose buffer bytes stand before, between and after the packets; all of one source."""
    buffer, starts, ends = b"before", [], []
    for number, packet in enumerate(packets):
        starts.append(len(buffer))
        buffer += packet.data
        ends.append(len(buffer))
        buffer += b"between" if number % 4 == 3 else b""
    first = packets[0]
    assert all(each[4:] == first[4:] for each in packets)
    generated = np.array([each.generated or 0 for each in packets], np.int64)
    valid = np.array([each.generated is not None for each in packets])
    definition = None
    if first.definition is not None:
        definition = np.array([each.definition for each in packets], np.int32)
    return PacketBatch(
        buffer=bytearray(buffer + b"after"),
        starts=np.array(starts, np.int64),
        ends=np.array(ends, np.int64),
        received=np.array([each.received for each in packets], np.int64),
        interface=first.interface,
        origin=first.origin,
        target=first.target,
        dictionary_hash=first.dictionary,
        definition=definition,
        generated=Column(generated, None if valid.all() else valid),
    )


def write_blocks(
    root: Path, blocks: Iterable[Sequence[Logged]], settings: LogSettings | None = None, first_offset: int = 0
) -> Path:
    """Write each sequence as a block, one record of the bus each; gives the directory of the log."""
    with PacketLogWriter(root, STREAM, settings=settings) as log:
        for number, packets in enumerate(blocks):
            log.append(batch_of(packets), [position(first_offset + number + 1)], now_ns=number)
            log.sync()
        return log.directory


def logged_of(batch: PacketBatch) -> Iterator[Logged]:
    """The packets of a batch as plain values."""
    times = batch.generated.to_list()
    definitions = [None] * len(batch) if batch.definition is None else batch.definition.tolist()
    for data, received, generated, definition in zip(batch, batch.received.tolist(), times, definitions, strict=True):
        yield Logged(
            data, received, generated, definition, batch.interface, batch.target, batch.dictionary_hash, batch.origin
        )


def read_all(directory: Path, **chosen: Any) -> list[Logged]:  # noqa: ANN401 - as the reader takes them
    """All packets of a log, with the origin that they had before it became ``stored``."""
    batches = PacketLogReader(directory).read(**chosen)
    found = [each for batch in batches for each in logged_of(batch)]
    assert all(each.origin == "stored" for each in found)
    return [each._replace(origin="realtime") for each in found]


@frozen
class PageBlock:
    """A block as the reference page says that it is to be read."""

    first_byte: int
    end: int
    told: dict[str, Any]
    packets: list[Logged]
    flags: list[int]


def read_by_the_page(index: Path) -> tuple[dict[str, str], list[PageBlock]]:
    """The metadata of an index and its blocks, by the reference page alone; what does not prove fails the test."""
    whole, data = index.read_bytes(), index.with_suffix(_suffix(index)).read_bytes()
    stream = pa.BufferReader(whole)
    messages = pa.ipc.MessageReader.open_stream(stream)
    position = 8 + len(messages.read_next_message().metadata)
    schema_crc32 = zlib.crc32(whole[:position])
    batches = pa.ipc.open_stream(pa.BufferReader(whole))
    facts = {key.decode(): value.decode() for key, value in batches.schema.metadata.items()}
    blocks, end = [], 0
    while position < len(whole):
        message = messages.read_next_message()
        size = 8 + len(message.metadata) + len(message.body)
        _check_trailer(whole[position : position + size], len(message.body))
        rows, custom = batches.read_next_batch_with_custom_metadata()
        rows.validate(full=True)
        told = json.loads(custom[b"c2kit.block"])
        assert told["schema_crc32"] == schema_crc32
        assert told["offset"] == end
        end += told["size"]
        assert zlib.crc32(data[told["offset"] : end]) == told["crc32"]
        packets = list(_packets_by_the_page(rows, told, data))
        blocks.append(PageBlock(position, position + size, told, packets, rows["flags"].to_pylist()))
        position += size
    assert end == len(data)
    return facts, blocks


def _suffix(index: Path) -> str:
    return ".raw" if index.with_suffix(".raw").exists() else ".pkts"


def _check_trailer(message: bytes, body_bytes: int) -> None:
    metadata_crc, body_crc, size, mark = struct.unpack("<III4s", message[-16:])
    assert mark == b"c2k1"
    assert size == len(message)
    assert size % 8 == 0
    assert metadata_crc == zlib.crc32(message[: size - body_bytes])
    assert body_crc == zlib.crc32(message[size - body_bytes : -16])


def _packets_by_the_page(rows: pa.RecordBatch, told: dict[str, Any], data: bytes) -> Iterator[Logged]:
    assert told["packets"] == rows.num_rows
    times: dict[str, list[Any]] = {
        name: [None if each is None else each.value for each in rows[name]] if rows.num_rows else []
        for name in ("received", "generated")
    }
    for name, values in times.items():
        known = [value for value in values if value is not None]
        assert told[name] == ([min(known), max(known)] if known else None)
    reached = told["offset"]
    for index in range(rows.num_rows):
        offset, length = rows["offset"][index].as_py(), rows["length"][index].as_py()
        assert offset == reached
        reached += length
        source = told["sources"][rows["source"][index].as_py()]
        yield Logged(
            data[offset:reached],
            times["received"][index],
            times["generated"][index],
            rows["definition"][index].as_py(),
            source["interface"],
            source.get("target"),
            source.get("dictionary"),
            source["origin"],
        )
    assert reached == told["offset"] + told["size"]


def write_by_the_page(root: Path, stream: str, blocks: Sequence[Sequence[Logged]], first_offset: int = 1) -> Path:
    """A log of one segment as the reference page says that it is to be written, by pyarrow and ``struct`` alone."""
    directory = root / stream / "0"
    directory.mkdir(parents=True)
    times = pa.timestamp("ns", "UTC")
    schema = pa.schema(
        [
            pa.field("offset", pa.int64(), nullable=False),
            pa.field("length", pa.uint32(), nullable=False),
            pa.field("definition", pa.int32()),
            pa.field("source", pa.uint16(), nullable=False),
            pa.field("flags", pa.uint8(), nullable=False),
            pa.field("received", times),
            pa.field("generated", times),
        ],
        {
            "c2kit.format": "1",
            "c2kit.kind": "packet-log",
            "c2kit.stream": stream,
            "c2kit.partition": "0",
            "c2kit.start": "0",
            "c2kit.opened": "0",
        },
    )
    index, data = schema.serialize().to_pybytes(), b""
    before: list[Logged] = []
    schema_crc32 = zlib.crc32(index)
    for number, packets in enumerate(blocks):
        rows = pa.record_batch(
            [
                [len(data) + sum(len(each.data) for each in packets[:place]) for place in range(len(packets))],
                [len(each.data) for each in packets],
                [None] * len(packets),
                [0] * len(packets),
                [0] * len(packets),
                pa.array([each.received for each in packets], pa.int64()).cast(times),
                pa.array([each.generated for each in packets], pa.int64()).cast(times),
            ],
            schema=schema,
        )
        content = b"".join(each.data for each in packets)
        before += packets
        header = {
            "offset": len(data),
            "size": len(content),
            "crc32": zlib.crc32(content),
            "schema_crc32": schema_crc32,
            **_totals_by_the_page(packets),
            "segment": _totals_by_the_page(before),
            "positions": [{"stream": stream, "uuid": UUID, "partition": 0, "offset": first_offset + number}],
            "sources": [{"interface": "fep", "origin": "realtime"}],
        }
        index += _message_by_the_page(rows, header)
        data += content
    (directory / f"{0:020}.pkts").write_bytes(data)
    (directory / f"{0:020}.idx").write_bytes(index)
    return directory


def _totals_by_the_page(packets: Sequence[Logged]) -> dict[str, Any]:
    received = [each.received for each in packets]
    generated = [each.generated for each in packets if each.generated is not None]
    return {
        "packets": len(packets),
        "received": [min(received), max(received)] if received else None,
        "generated": [min(generated), max(generated)] if generated else None,
    }


def _message_by_the_page(rows: pa.RecordBatch, header: dict[str, Any]) -> bytes:
    """The message that pyarrow makes, with a trailer at the end of its body, which is that much longer."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_batch(rows, custom_metadata={"c2kit.block": json.dumps(header)})
    message: bytes = sink.getvalue().to_pybytes()[rows.schema.serialize().size : -8]  # without schema and end of stream
    head_bytes = 8 + int.from_bytes(message[4:8], "little")
    head, body = bytearray(message[:head_bytes]), message[head_bytes:]
    # The table Message of Arrow's Message.fbs has its bodyLength in slot 3.
    table = 8 + struct.unpack_from("<I", head, 8)[0]
    vtable = table - struct.unpack_from("<i", head, table)[0]
    slot = struct.unpack_from("<H", head, vtable + 4 + 2 * 3)[0]
    assert slot, "pyarrow leaves out a length of 0"
    assert struct.unpack_from("<q", head, table + slot)[0] == len(body)
    struct.pack_into("<q", head, table + slot, len(body) + 16)
    return bytes(head) + body + struct.pack("<III4s", zlib.crc32(head), zlib.crc32(body), len(message) + 16, b"c2k1")
