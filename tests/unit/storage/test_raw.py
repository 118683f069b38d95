"""A raw log holds bytes as they came and went, and tells one from the other."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from c2kit.errors import UsageError
from c2kit.storage import (
    Direction,
    LogDamaged,
    LogSettings,
    PacketLogReader,
    RawLogReader,
    RawLogWriter,
    open_log,
    rebuild_index,
)
from tests.logs import Logged, batch_of, position, read_by_the_page

if TYPE_CHECKING:
    from pathlib import Path

CHOSEN = random.Random(1)
CHUNKS = [
    (CHOSEN.choice(["down", "down", "up"]), Logged(CHOSEN.randbytes(CHOSEN.randint(0, 40)), received=number))
    for number in range(50)
]


def write(root: Path, settings: LogSettings | None = None) -> Path:
    with RawLogWriter(root, "firefly.raw.fep", settings=settings) as log:
        for number, (direction, chunk) in enumerate(CHUNKS):
            log.append(batch_of([chunk]), [position(number + 1)], direction=direction, now_ns=0)
            if number % 7 == 6:
                log.sync()
        log.sync()
        return log.directory


def test_the_file_is_the_bytes_and_is_not_called_packets(tmp_path: Path) -> None:
    directory = write(tmp_path)
    assert sorted(path.suffix for path in directory.iterdir()) == [".idx", ".raw"]
    assert (directory / f"{0:020}.raw").read_bytes() == b"".join(chunk.data for _, chunk in CHUNKS)
    facts, blocks = read_by_the_page(directory / f"{0:020}.idx")
    assert facts["c2kit.kind"] == "raw-log"
    assert [chunk for block in blocks for chunk in block.packets] == [chunk for _, chunk in CHUNKS]
    assert [flag for block in blocks for flag in block.flags] == [int(way == "up") for way, _ in CHUNKS]


@pytest.mark.parametrize("settings", [None, LogSettings(segment_bytes=1)])
def test_chunks_are_read_in_the_order_in_which_they_came(tmp_path: Path, settings: LogSettings | None) -> None:
    directory = write(tmp_path, settings)
    reader = open_log(directory)
    assert isinstance(reader, RawLogReader)
    assert list(reader.verify()) == []
    found = [(direction, chunk) for direction, batch in reader.read() for chunk in batch]
    assert found == [(direction, chunk.data) for direction, chunk in CHUNKS]
    for direction in Direction:
        chosen = [
            (chunk, received)
            for way, batch in reader.read(direction=direction, start_ns=5, end_ns=40)
            for chunk, received in zip(batch, batch.received.tolist(), strict=True)
            if way is direction
        ]
        assert chosen == [
            (chunk.data, chunk.received) for way, chunk in CHUNKS if way == direction and 5 <= chunk.received < 40
        ]


def test_interfaces_are_kept_apart(tmp_path: Path) -> None:
    with RawLogWriter(tmp_path, "firefly.raw.group") as log:
        for number, (_, chunk) in enumerate(CHUNKS):
            log.append(batch_of([chunk._replace(interface="ab"[number % 2])]), now_ns=0)
        log.sync()
    found = [(batch.interface, chunk) for _, batch in RawLogReader(tmp_path).read() for chunk in batch]
    assert found == [("ab"[number % 2], chunk.data) for number, (_, chunk) in enumerate(CHUNKS)]


def test_a_direction_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    directory = write(tmp_path)
    with pytest.raises(UsageError, match="down or up"):
        RawLogReader(directory).read(direction="sideways")
    with RawLogWriter(tmp_path, "firefly.raw.fep") as log, pytest.raises(UsageError, match="down or up"):
        log.append(batch_of([CHUNKS[0][1]]), direction="sideways", now_ns=0)


def test_it_is_no_log_of_packets_and_its_chunks_cannot_be_found_again(tmp_path: Path) -> None:
    directory = write(tmp_path)
    with pytest.raises(UsageError, match="raw-log"):
        PacketLogReader(directory)
    with pytest.raises(UsageError, match="raw log"):
        rebuild_index(directory)
    (directory / f"{0:020}.idx").unlink()
    with pytest.raises(UsageError, match="no log of packets"):
        rebuild_index(directory)
    with pytest.raises(LogDamaged, match="missing file"):
        RawLogWriter(tmp_path, "firefly.raw.fep")
