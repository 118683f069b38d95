"""A block that proves and yet tells what cannot be is not believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from attrs import evolve

from c2kit.errors import MessageError
from c2kit.kernel.contract import Column
from c2kit.storage import FindingKind, PacketLogReader, PacketLogWriter
from c2kit.storage.block import Source, Totals
from c2kit.storage.index import IndexSchema, Rows, Trailer, block_message, read_rows
from c2kit.storage.names import LogKind
from c2kit.storage.pending import block_header
from tests.logs import STREAM, batch_of, read_all, read_by_the_page, space_packets, write_blocks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.logs import Logged

ROWS = Rows(
    lengths=np.array([2, 0, 3], np.uint32),
    definition=np.array([0, -1, 5], np.int32),
    source=np.array([0, 1, 0], np.uint16),
    flags=np.array([0, 1, 0], np.uint8),
    received=np.array([7, -(2**63), 9]),
    generated=Column(np.array([0, 5, 6]), np.array([False, True, True])),
)
HEADER = block_header(
    ROWS, [b"ab", b"cde"], (Source(), Source(interface="b")), schema_crc32=1, offset=100, before=Totals(), positions=()
)


def message_of(rows: Rows = ROWS) -> bytes:
    return b"".join(block_message(HEADER, rows))


def test_rows_are_read_back() -> None:
    rows = read_rows(message_of(), HEADER)
    for name in ("lengths", "definition", "source", "flags", "received"):
        assert getattr(rows, name).tolist() == getattr(ROWS, name).tolist()
        assert getattr(rows, name).dtype == getattr(ROWS, name).dtype
    assert rows.generated.to_list() == [None, 5, 6]
    assert rows.offsets(100).tolist() == [100, 102, 102]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (evolve(ROWS, lengths=np.array([2, 1, 3], np.uint32)), "not those of their block"),
        (evolve(ROWS, source=np.array([0, 2, 0], np.uint16)), "source"),
    ],
)
def test_rows_that_are_not_their_block_s_are_refused(changed: Rows, told: str) -> None:
    with pytest.raises(MessageError, match=told):
        read_rows(message_of(changed), HEADER)


def test_packets_that_do_not_lie_back_to_back_are_refused() -> None:
    with pytest.raises(MessageError, match="back to back"):
        read_rows(message_of(), evolve(HEADER, offset=101))


def test_a_message_without_its_trailer_is_refused() -> None:
    for message in (message_of()[:-16], message_of()[:-1], message_of()[:-4] + b"c2k9"):
        with pytest.raises(MessageError):
            read_rows(message, HEADER)
    assert Trailer.of(b"short") is None


def test_a_schema_message_that_is_no_index_is_refused(tmp_path: Path) -> None:
    schema = IndexSchema(kind=LogKind.RAW, stream="s", partition=3, start=4, opened_ns=5)
    assert IndexSchema.from_message(schema.message) == schema
    for found, replaced in ((b"raw-log", b"row-log"), (b"c2kit.format", b"c2kit.farmat"), (b"lengthhh"[:6], b"longth")):
        assert found in schema.message
        with pytest.raises(MessageError):
            IndexSchema.from_message(schema.message.replace(found, replaced))
    assert not list(tmp_path.iterdir())


def test_a_block_of_packets_that_another_one_has_is_not_read(tmp_path: Path) -> None:
    packets = space_packets(1, 10)
    directory = write_blocks(tmp_path, [packets[:5], packets[5:]])
    index = directory / f"{0:020}.idx"
    first, second = read_by_the_page(index)[1]
    whole = index.read_bytes()
    index.write_bytes(whole[: second.end] + whole[first.first_byte : first.end])
    findings = list(PacketLogReader(directory).verify())
    assert [each.kind for each in findings] == [FindingKind.DAMAGED_INDEX]
    assert read_all(directory, on_damage=findings.append) == packets


def test_blocks_of_any_size_are_written_one_after_another(tmp_path: Path) -> None:
    packets = space_packets(1, 2)
    expected: list[Logged] = []
    with PacketLogWriter(tmp_path, STREAM) as log:
        for size in (1, 1500, 3, 0, 100_000, 2):
            which = np.arange(size) % 2
            for _ in range(2):
                log.append(batch_of(packets).select(which), now_ns=0)
                expected += [packets[number] for number in which.tolist()]
            log.sync()
    assert read_all(tmp_path) == expected
    assert list(PacketLogReader(tmp_path).verify()) == []
