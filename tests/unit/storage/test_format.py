"""What a log's files hold, read by the reference page, pyarrow, ccsdspy and space_packet_parser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from c2kit.model.packets import Packet
from c2kit.model.target import Target
from c2kit.storage import PacketLogReader, PacketLogWriter
from tests.logs import (
    STREAM,
    UUID,
    Logged,
    batch_of,
    position,
    read_all,
    read_by_the_page,
    space_packets,
    write_blocks,
    write_by_the_page,
)

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target(name="FIREFLY", packets=(Packet(name="A", items=()), Packet(name="B", items=())))


def test_a_packet_file_holds_the_packets_back_to_back_and_nothing_else(tmp_path: Path) -> None:
    packets = space_packets(1, 20)
    directory = write_blocks(tmp_path, [packets[:7], packets[7:8], packets[8:]])
    assert directory == tmp_path / STREAM / "0"
    assert [path.name for path in sorted(directory.iterdir())] == [f"{0:020}.idx", f"{0:020}.pkts"]
    assert (directory / f"{0:020}.pkts").read_bytes() == b"".join(packet.data for packet in packets)


def test_the_index_tells_what_the_page_says(tmp_path: Path) -> None:
    packets = space_packets(2, 20)
    directory = write_blocks(tmp_path, [packets[:7], packets[7:8], packets[8:]])
    facts, blocks = read_by_the_page(directory / f"{0:020}.idx")
    assert facts == {
        "c2kit.format": "1",
        "c2kit.kind": "packet-log",
        "c2kit.stream": STREAM,
        "c2kit.partition": "0",
        "c2kit.start": "0",
        "c2kit.opened": "0",
    }
    assert [block.packets for block in blocks] == [packets[:7], packets[7:8], packets[8:]]
    assert [block.told["positions"] for block in blocks] == [
        [{"stream": STREAM, "uuid": UUID, "partition": 0, "offset": offset}] for offset in (1, 2, 3)
    ]
    received = [packet.received for packet in packets]
    generated = [packet.generated for packet in packets if packet.generated]
    assert blocks[-1].told["segment"] == {
        "packets": 20,
        "received": [min(received), max(received)],
        "generated": [min(generated), max(generated)],
    }
    assert set(blocks[0].flags) == {0}


def test_one_block_holds_packets_of_many_sources(tmp_path: Path) -> None:
    packets = space_packets(3, 12)
    parts = [
        [
            each._replace(interface="fep", target="FIREFLY", dictionary=TARGET.hash, definition=1)
            for each in packets[:4]
        ],
        [each._replace(interface="antenna", origin="replay:7") for each in packets[4:8]],
        [
            each._replace(interface="fep", target="FIREFLY", dictionary=TARGET.hash, definition=0)
            for each in packets[8:]
        ],
    ]
    with PacketLogWriter(tmp_path, STREAM) as log:
        assert log.define(TARGET) == TARGET.hash
        for part in parts:
            log.append(batch_of(part), now_ns=0)
        log.sync()
        directory = log.directory
    (block,) = read_by_the_page(directory / f"{0:020}.idx")[1]
    assert block.packets == [packet for part in parts for packet in part]
    assert len(block.told["sources"]) == 2
    # Read back, what is of one source is together, in its order.
    expected = [*parts[0], *parts[2], *(each._replace(origin="realtime") for each in parts[1])]
    assert read_all(directory) == expected
    assert (directory / "definitions" / f"{TARGET.hash}.json").is_file()


def test_a_position_without_packets_is_a_block_too(tmp_path: Path) -> None:
    packets = space_packets(4, 3)
    with PacketLogWriter(tmp_path, STREAM) as log:
        log.passed([position(1)], now_ns=0)
        log.sync()
        log.append(batch_of(packets), [position(2)], now_ns=0)
        log.sync()
        log.append(batch_of(packets).select(np.zeros(3, np.bool_)), [position(3)], now_ns=0)
        log.sync()
        directory = log.directory
    _, blocks = read_by_the_page(directory / f"{0:020}.idx")
    assert [len(block.packets) for block in blocks] == [0, 3, 0]
    assert [block.told["positions"][0]["offset"] for block in blocks] == [1, 2, 3]
    assert read_all(directory) == packets
    with PacketLogWriter(tmp_path, STREAM) as log:
        assert log.positions == (position(3),)


def test_empty_packets_and_large_ones_are_packets(tmp_path: Path) -> None:
    packets = [Logged(b"", 1), Logged(b"x" * 3_000_000, 2), Logged(b"", 3), Logged(b"y", 4)]
    directory = write_blocks(tmp_path, [packets])
    assert read_by_the_page(directory / f"{0:020}.idx")[1][0].packets == packets
    assert read_all(directory) == packets


def test_pyarrow_reads_the_index_of_a_log_as_one_table(tmp_path: Path) -> None:
    packets = space_packets(5, 30)
    directory = write_blocks(tmp_path, [packets[:15], packets[15:]])
    with pa.memory_map(str(directory / f"{0:020}.idx")) as file:
        table = pa.ipc.open_stream(file).read_all()
    table.validate(full=True)
    assert table.schema.names == ["offset", "length", "definition", "source", "flags", "received", "generated"]
    assert table["length"].to_pylist() == [len(packet.data) for packet in packets]
    assert table["received"].cast(pa.int64()).to_pylist() == [packet.received for packet in packets]


def test_ccsdspy_opens_a_packet_file(tmp_path: Path) -> None:
    ccsdspy = pytest.importorskip("ccsdspy", reason="ccsdspy is not installed")
    packets = space_packets(6, 25)
    path = write_blocks(tmp_path, [packets[:9], packets[9:]]) / f"{0:020}.pkts"
    found = ccsdspy.utils.split_packet_bytes(str(path))
    assert found == [packet.data for packet in packets]
    headers = ccsdspy.utils.read_primary_headers(str(path))
    assert headers["CCSDS_SEQUENCE_COUNT"].tolist() == list(range(25))


def test_space_packet_parser_opens_a_packet_file(tmp_path: Path) -> None:
    parser = pytest.importorskip("space_packet_parser", reason="space_packet_parser is not installed")
    packets = space_packets(7, 25)
    path = write_blocks(tmp_path, [packets[:9], packets[9:]]) / f"{0:020}.pkts"
    with path.open("rb") as file:
        found = [bytes(each) for each in parser.ccsds_generator(file)]
    assert found == [packet.data for packet in packets]


def test_a_log_that_another_program_wrote_by_the_page_is_read_and_written_further(tmp_path: Path) -> None:
    packets = space_packets(8, 40)
    directory = write_by_the_page(tmp_path, STREAM, [packets[:13], packets[13:20], packets[20:30]])
    assert read_by_the_page(directory / f"{0:020}.idx")[1][1].packets == packets[13:20]
    assert read_all(directory) == packets[:30]
    assert list(PacketLogReader(directory).verify()) == []
    with PacketLogWriter(tmp_path, STREAM) as log:
        assert log.positions == (position(3),)
        assert log.recovered == ()
        log.append(batch_of(packets[30:]), [position(4)], now_ns=0)
        log.sync()
    assert [path.name for path in sorted(directory.iterdir())] == [f"{0:020}.idx", f"{0:020}.pkts"]
    assert read_all(directory, start_ns=packets[5].received) == packets[5:]
    assert [block.packets for block in read_by_the_page(directory / f"{0:020}.idx")[1]][-1] == packets[30:]
