"""Whatever a log's files were cut to or overwritten with: whole blocks are read, no others are, and writing resumes."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

from c2kit.storage import (
    FindingKind,
    LogDamaged,
    LogSettings,
    PacketLogReader,
    PacketLogWriter,
    files,
)
from tests.logs import STREAM, batch_of, position, read_all, read_by_the_page, space_packets, write_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from c2kit.storage import Finding
    from tests.logs import Logged

PACKETS = space_packets(1, 24)
BLOCKS = [PACKETS[0:6], PACKETS[6:7], PACKETS[7:12], PACKETS[12:24]]
MORE = space_packets(2, 5)
NAME = f"{0:020}"


@pytest.fixture(autouse=True)
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts and damage are made by hand here: there is no need to wait for the disk."""
    monkeypatch.setattr(files, "_datasync", lambda _: None)
    monkeypatch.setattr(files, "sync_directory", lambda _: None)


class Log:
    """A log of blocks that were acknowledged, to be damaged again and again."""

    def __init__(self, root: Path, blocks: Sequence[Sequence[Logged]], settings: LogSettings | None = None) -> None:
        self.root = root
        self.directory = write_blocks(root, blocks, settings)
        self.blocks = blocks
        self.whole = {path: path.read_bytes() for path in self.directory.iterdir()}
        _, told = read_by_the_page(max(self.directory.glob("*.idx")))
        self.index_ends = [block.end for block in told]
        self.data_ends = [block.told["offset"] + block.told["size"] for block in told]

    def restore(self, **changed: bytes) -> None:
        """Put all files back as they were, but those of the last segment that are given by their suffix."""
        shutil.rmtree(self.directory)
        self.directory.mkdir()
        last = max(path.stem for path in self.whole)
        for path, data in self.whole.items():
            path.write_bytes(changed.get(path.suffix[1:], data) if path.stem == last else data)

    def last(self, suffix: str) -> bytes:
        return max(((path, data) for path, data in self.whole.items() if path.suffix == suffix))[1]

    def flat(self, count: int) -> list[Logged]:
        return [packet for block in self.blocks[:count] for packet in block]


def readable(directory: Path) -> tuple[list[Logged], list[Finding]]:
    findings: list[Finding] = []
    return read_all(directory, on_damage=findings.append), findings


def resume(log: Log, expected_blocks: int) -> None:
    """A writer goes on behind the last whole block, and afterwards the log is sound."""
    with PacketLogWriter(log.root, STREAM) as writer:
        assert writer.positions == ((position(expected_blocks),) if expected_blocks else ())
        writer.append(batch_of(MORE), [position(expected_blocks + 1)], now_ns=0)
        writer.sync()
    assert read_all(log.directory) == [*log.flat(expected_blocks), *MORE]
    assert list(PacketLogReader(log.directory).verify()) == []
    assert (log.directory / f"{NAME}.pkts").read_bytes() == b"".join(
        packet.data for packet in [*log.flat(expected_blocks), *MORE]
    )


def whole_blocks(log: Log, index_size: int, data_size: int) -> int:
    """How many blocks lie wholly in files that were cut to these sizes."""
    return sum(
        index_end <= index_size and data_end <= data_size
        for index_end, data_end in zip(log.index_ends, log.data_ends, strict=True)
    )


@pytest.mark.slow
def test_cut_at_every_byte_of_the_last_two_blocks_of_the_index(tmp_path: Path) -> None:
    log = Log(tmp_path, BLOCKS)
    index = log.last(".idx")
    for size in range(log.index_ends[-3], len(index)):
        log.restore(idx=index[:size])
        expected = whole_blocks(log, size, 10**9)
        found, findings = readable(log.directory)
        assert found == log.flat(expected)
        assert findings == []
        if size % 5 == 0 or size in log.index_ends:
            assert {each.kind for each in PacketLogReader(log.directory).verify()} == {FindingKind.UNFINISHED}
            resume(log, expected)


@pytest.mark.slow
def test_cut_at_every_byte_of_the_last_two_blocks_of_packets(tmp_path: Path) -> None:
    log = Log(tmp_path, BLOCKS)
    data = log.last(".pkts")
    for size in range(log.data_ends[-3], len(data)):
        log.restore(pkts=data[:size])
        expected = whole_blocks(log, 10**9, size)
        found, findings = readable(log.directory)
        assert found == log.flat(expected)
        assert {each.kind for each in findings} == {FindingKind.DAMAGED_PACKETS}
        with pytest.raises(LogDamaged, match="damaged packets"):
            read_all(log.directory)
        resume(log, expected)


def test_cut_in_both_files_at_once(tmp_path: Path) -> None:
    log = Log(tmp_path, BLOCKS)
    index, data = log.last(".idx"), log.last(".pkts")
    chosen = random.Random(3)
    for _ in range(300):
        index_size = chosen.randint(log.index_ends[-3], len(index))
        data_size = chosen.randint(log.data_ends[-3], len(data))
        log.restore(idx=index[:index_size], pkts=data[:data_size])
        expected = whole_blocks(log, index_size, data_size)
        assert readable(log.directory)[0] == log.flat(expected)
        resume(log, expected)


def test_cut_in_the_only_block_and_in_the_schema(tmp_path: Path) -> None:
    log = Log(tmp_path, BLOCKS[:1])
    index = log.last(".idx")
    schema_end = len(index) - (log.index_ends[0] - min(read_by_the_page(log.directory / f"{NAME}.idx")[1]).first_byte)
    for size in range(0, len(index), 3):
        log.restore(idx=index[:size])
        if size < schema_end:
            # Packets are never written before the schema is on the disk: this is no crash, and nothing is cut off.
            with pytest.raises(LogDamaged, match="rebuild"):
                PacketLogWriter(tmp_path, STREAM)
            assert (log.directory / f"{NAME}.pkts").read_bytes() == log.last(".pkts")
            log.restore(idx=index[:size], pkts=b"")
        resume(log, 0)


def test_a_segment_that_was_just_begun_leaves_nothing_to_tell(tmp_path: Path) -> None:
    log = Log(tmp_path, BLOCKS, LogSettings(segment_bytes=1))
    start = max(path.stem for path in log.whole)
    size = sum(len(packet.data) for packet in PACKETS)
    assert int(start) < size
    for suffixes in ([".idx"], [".pkts"], [".idx", ".pkts"]):
        log.restore()
        for suffix in suffixes:
            (log.directory / f"{size:020}{suffix}").touch()
        found, findings = readable(log.directory)
        assert found == PACKETS
        assert findings == []
        with PacketLogWriter(tmp_path, STREAM, settings=LogSettings(segment_bytes=1)) as writer:
            assert writer.recovered == ()
            assert writer.positions == (position(len(BLOCKS)),)
            writer.append(batch_of(MORE), now_ns=0)
            writer.sync()
        assert read_all(log.directory) == [*PACKETS, *MORE]


def test_what_was_cut_off_is_told(tmp_path: Path) -> None:
    log = Log(tmp_path, BLOCKS)
    log.restore(idx=log.last(".idx") + b"abc", pkts=log.last(".pkts") + b"defgh")
    with PacketLogWriter(tmp_path, STREAM) as writer:
        told = [(each.kind, each.path.suffix, each.first_byte, each.size_bytes) for each in writer.recovered]
    assert told == [
        (FindingKind.UNFINISHED, ".idx", len(log.last(".idx")), 3),
        (FindingKind.UNFINISHED, ".pkts", len(log.last(".pkts")), 5),
    ]


@pytest.mark.slow
def test_any_byte_overwritten_costs_its_own_block_and_no_other(tmp_path: Path) -> None:
    log = Log(tmp_path, BLOCKS)
    chosen = random.Random(5)
    schema_end = read_by_the_page(log.directory / f"{NAME}.idx")[1][0].first_byte
    for suffix, ends in (("idx", log.index_ends), ("pkts", log.data_ends)):
        whole = log.last(f".{suffix}")
        for place in range(0, len(whole), 1 if suffix == "pkts" else 7):
            changed = bytearray(whole)
            changed[place] ^= chosen.randint(1, 255)
            log.restore(**{suffix: bytes(changed)})
            is_in_schema = suffix == "idx" and place < schema_end
            lost = next(number for number, end in enumerate(ends) if place < end)
            expected = [
                packet for number, block in enumerate(BLOCKS) for packet in block if number != lost or is_in_schema
            ]
            found, findings = readable(log.directory)
            assert found == expected
            damaged = [each for each in PacketLogReader(log.directory).verify() if each.is_damage]
            # One thing only looks like a commit that never ended: a last block that seems to go on after the file.
            assert damaged or (suffix == "idx" and lost == len(BLOCKS) - 1)
            assert bool(findings) == bool(damaged)


def test_overwritten_with_random_bytes_anywhere(tmp_path: Path) -> None:
    log = Log(tmp_path, BLOCKS)
    chosen = random.Random(6)
    for _ in range(150):
        changed = {}
        for suffix in ("idx", "pkts"):
            whole = bytearray(log.last(f".{suffix}"))
            for _ in range(chosen.randint(0, 2)):
                first = chosen.randrange(len(whole))
                size = min(chosen.choice([1, 8, 64, 700]), len(whole) - first)
                whole[first : first + size] = chosen.choice([bytes(size), b"\xff" * size, chosen.randbytes(size)])
            changed[suffix] = bytes(whole)
        log.restore(**changed)
        found, _ = readable(log.directory)
        spared = [
            block
            for number, block in enumerate(BLOCKS)
            if is_spared(log, changed["idx"], log.index_ends, ".idx", number)
            and is_spared(log, changed["pkts"], log.data_ends, ".pkts", number)
        ]
        assert found == [packet for block in spared for packet in block]
        try:
            writer = PacketLogWriter(tmp_path, STREAM)
        except LogDamaged:  # not a block is left, and not even the schema
            assert not spared
            continue
        with writer:
            last = max((number + 1 for number, block in enumerate(BLOCKS) if block in spared), default=0)
            assert writer.positions == ((position(last),) if last else ())
            writer.append(batch_of(MORE), [position(9)], now_ns=0)
            writer.sync()
        assert readable(log.directory)[0] == [*found, *MORE]


def is_spared(log: Log, changed: bytes, ends: list[int], suffix: str, number: int) -> bool:
    """Whether the bytes of a block are as they were."""
    if suffix == ".idx":
        first = read_first(log) if number == 0 else ends[number - 1]
    else:
        first = ends[number - 1] if number else 0
    return changed[first : ends[number]] == log.last(suffix)[first : ends[number]]


def read_first(log: Log) -> int:
    """Where the first block of the index begins: behind the schema, which is 8 bytes and what they tell."""
    return 8 + int.from_bytes(log.last(".idx")[4:8], "little")


def test_a_lost_file_stops_the_writer_and_nothing_is_cut_off(tmp_path: Path) -> None:
    log = Log(tmp_path, BLOCKS)
    for suffix in (".idx", ".pkts"):
        log.restore()
        (log.directory / f"{NAME}{suffix}").unlink()
        kept = {path: path.read_bytes() for path in log.directory.iterdir()}
        with pytest.raises(LogDamaged, match="missing file"):
            PacketLogWriter(tmp_path, STREAM)
        assert {path: path.read_bytes() for path in log.directory.iterdir()} == kept
        with pytest.raises(LogDamaged, match="missing file"):
            read_all(log.directory)


def test_a_damaged_schema_costs_no_block_and_a_new_segment_is_begun(tmp_path: Path) -> None:
    log = Log(tmp_path, BLOCKS)
    index = bytearray(log.last(".idx"))
    for place in (0, 5, 20, 100, 300):
        changed = bytearray(index)
        changed[place] ^= 0xFF
        log.restore(idx=bytes(changed))
        assert readable(log.directory)[0] == PACKETS
        with PacketLogWriter(tmp_path, STREAM) as writer:
            assert writer.positions == (position(len(BLOCKS)),)
            writer.append(batch_of(MORE), now_ns=0)
            writer.sync()
        assert len(list(log.directory.glob("*.idx"))) == 2
        assert readable(log.directory)[0] == [*PACKETS, *MORE]


def test_an_index_of_another_segment_is_not_believed(tmp_path: Path) -> None:
    log = Log(tmp_path, BLOCKS, LogSettings(segment_bytes=1))
    first, second, *_ = sorted(log.directory.glob("*.idx"))
    shutil.copy(second, first)
    found, findings = readable(log.directory)
    assert found == log.flat(4)[len(BLOCKS[0]) :]
    assert findings


def test_a_missing_segment_is_told(tmp_path: Path) -> None:
    log = Log(tmp_path, BLOCKS, LogSettings(segment_bytes=1))
    second = sorted(path.stem for path in log.whole if path.suffix == ".pkts")[1]
    (log.directory / f"{second}.idx").unlink()
    (log.directory / f"{second}.pkts").unlink()
    kinds = [each.kind for each in PacketLogReader(log.directory).verify()]
    assert kinds == [FindingKind.MISSING_SEGMENT]
    # Old segments may be taken away: where a log begins is nobody's loss.
    first = min(path.stem for path in log.whole)
    log.restore()
    (log.directory / f"{first}.idx").unlink()
    (log.directory / f"{first}.pkts").unlink()
    assert list(PacketLogReader(log.directory).verify()) == []
    with PacketLogWriter(tmp_path, STREAM) as writer:
        assert writer.positions == (position(len(BLOCKS)),)
