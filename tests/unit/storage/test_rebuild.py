"""An index that was lost is put back together from what is whole of it and from the packets themselves."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from c2kit.dictionaries import Dictionary
from c2kit.errors import UsageError
from c2kit.kernel.contract import LengthRule
from c2kit.model.fields import Encoding
from c2kit.model.packets import Item, Match, Packet
from c2kit.model.target import Target
from c2kit.model.time import UNIX, Cuc, PacketTime
from c2kit.storage import (
    UNKNOWN_TIME,
    FindingKind,
    LogDamaged,
    LogLocked,
    LogSettings,
    PacketLogReader,
    PacketLogWriter,
    packet_search,
    rebuild_index,
)
from tests.logs import (
    STREAM,
    Logged,
    batch_of,
    position,
    read_all,
    read_by_the_page,
    space_packet,
    space_packets,
    write_blocks,
)

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.storage import Finding

PACKETS = space_packets(1, 40)
BLOCKS = [PACKETS[:10], PACKETS[10:20], PACKETS[20:30], PACKETS[30:]]


def found_again(packets: list[Logged]) -> list[Logged]:
    """What the packets themselves tell."""
    return [Logged(each.data, UNKNOWN_TIME, interface="") for each in packets]


def index_of(directory: Path) -> Path:
    return directory / f"{0:020}.idx"


def test_an_index_that_is_whole_is_left_as_it_is(tmp_path: Path) -> None:
    directory = write_blocks(tmp_path, BLOCKS)
    _, blocks = read_by_the_page(index_of(directory))
    begun = index_of(directory).read_bytes()[blocks[-1].first_byte : -8]
    with index_of(directory).open("ab") as file:
        file.write(begun)
    with index_of(directory).with_suffix(".pkts").open("ab") as file:
        file.write(space_packet(1, 2, b"unfinished, and the bus has it still"))
    before = index_of(directory).read_bytes()
    assert rebuild_index(directory) == []
    assert index_of(directory).read_bytes() == before


@pytest.mark.parametrize("lost", ["missing", "empty", "overwritten"])
@pytest.mark.parametrize("settings", [None, LogSettings(segment_bytes=1)])
def test_a_lost_index_is_rebuilt_from_the_packets(tmp_path: Path, lost: str, settings: LogSettings | None) -> None:
    directory = write_blocks(tmp_path, BLOCKS, settings)
    for index in directory.glob("*.idx"):
        size = index.stat().st_size
        index.unlink()
        if lost != "missing":
            index.write_bytes(b"" if lost == "empty" else bytes(size))
    rebuilt = rebuild_index(directory)
    assert sum(each.found_packets for each in rebuilt) == 40
    assert [each.kept_packets for each in rebuilt] == [0] * len(rebuilt)
    assert read_all(directory) == [each._replace(origin="realtime") for each in found_again(PACKETS)]
    assert {each.kind for each in PacketLogReader(directory).verify()} == {FindingKind.REBUILT}
    for index in directory.glob("*.idx"):
        facts, _ = read_by_the_page(index)
        assert (facts["c2kit.stream"], facts["c2kit.partition"]) == (STREAM, "0")
        assert facts["c2kit.start"] == str(int(index.stem))


def test_whole_blocks_are_kept_and_the_gaps_between_them_filled(tmp_path: Path) -> None:
    directory = write_blocks(tmp_path, BLOCKS)
    _, blocks = read_by_the_page(index_of(directory))
    damaged = bytearray(index_of(directory).read_bytes())
    damaged[blocks[1].end - 100] ^= 1  # in the rows
    damaged[blocks[2].first_byte + 100] ^= 1  # in the metadata
    damaged[40] ^= 1  # in the schema
    index_of(directory).write_bytes(damaged)
    (rebuilt,) = rebuild_index(directory)
    assert (rebuilt.kept_packets, rebuilt.found_packets, rebuilt.not_indexed) == (20, 20, ())
    assert read_all(directory) == [*BLOCKS[0], *found_again(PACKETS[10:30]), *BLOCKS[3]]
    _, blocks = read_by_the_page(index_of(directory))
    assert [block.told.get("rebuilt", False) for block in blocks] == [False, True, False]
    assert blocks[-1].told["segment"]["packets"] == 40
    with PacketLogWriter(tmp_path, STREAM) as log:
        assert log.positions == (position(4),)


def test_damaged_packets_stay_damaged(tmp_path: Path) -> None:
    directory = write_blocks(tmp_path, BLOCKS)
    data = bytearray(index_of(directory).with_suffix(".pkts").read_bytes())
    data[9] ^= 1
    index_of(directory).with_suffix(".pkts").write_bytes(data)
    damaged = bytearray(index_of(directory).read_bytes())
    damaged[-50] ^= 1
    index_of(directory).write_bytes(damaged)
    (rebuilt,) = rebuild_index(directory)
    assert (rebuilt.kept_packets, rebuilt.found_packets) == (30, 10)
    kinds = [each.kind for each in PacketLogReader(directory).verify()]
    assert kinds == [FindingKind.DAMAGED_PACKETS, FindingKind.REBUILT]


def test_a_gap_that_packets_do_not_fill_is_not_taken_for_packets(tmp_path: Path) -> None:
    others = [Logged(b"\x08\x00not packets of CCSDS, which tell their length", 1)]
    directory = write_blocks(tmp_path, [BLOCKS[0], others, BLOCKS[2]])
    _, blocks = read_by_the_page(index_of(directory))
    damaged = bytearray(index_of(directory).read_bytes())
    damaged[blocks[1].first_byte + 100] ^= 1
    index_of(directory).write_bytes(damaged)
    (rebuilt,) = rebuild_index(directory)
    (finding,) = rebuilt.not_indexed
    assert (finding.kind, finding.first_byte, finding.size_bytes) == (
        FindingKind.NOT_INDEXED,
        sum(len(each.data) for each in BLOCKS[0]),
        len(others[0].data),
    )
    findings: list[Finding] = []
    assert read_all(directory, on_damage=findings.append) == [*BLOCKS[0], *BLOCKS[2]]
    assert findings == [finding] == list(PacketLogReader(directory).verify())


def test_packets_of_another_version_are_not_taken_for_space_packets(tmp_path: Path) -> None:
    packet = bytearray(space_packet(1, 2, b"abc"))
    packet[0] |= 0x20
    directory = write_blocks(tmp_path, [[Logged(bytes(packet), 1)]])
    index_of(directory).unlink()
    (rebuilt,) = rebuild_index(directory)
    assert (rebuilt.found_packets, len(rebuilt.not_indexed)) == (0, 1)


def test_a_packet_that_was_being_written_is_left_out(tmp_path: Path) -> None:
    directory = write_blocks(tmp_path, BLOCKS)
    data = index_of(directory).with_suffix(".pkts").read_bytes()
    index_of(directory).with_suffix(".pkts").write_bytes(data[:-3])
    index_of(directory).unlink()
    (rebuilt,) = rebuild_index(directory)
    assert rebuilt.found_packets == 39
    assert [each.size_bytes for each in rebuilt.not_indexed] == [len(PACKETS[-1].data) - 3]
    assert read_all(directory) == found_again(PACKETS[:39])


def test_other_packets_are_found_by_a_rule_of_their_own(tmp_path: Path) -> None:
    packets = [Logged(struct.pack("<H", 5 + number) + bytes(3 + number), number) for number in range(9)]
    directory = write_blocks(tmp_path, [packets])
    index_of(directory).unlink()
    (rebuilt,) = rebuild_index(directory, rule=LengthRule(0, 16, little_endian=True))
    assert (rebuilt.found_packets, rebuilt.not_indexed) == (9, ())
    assert read_all(directory) == found_again(packets)


def test_many_packets_are_rebuilt_in_blocks_that_can_be_read_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packet_search, "_BLOCK_BYTES", 100)
    directory = write_blocks(tmp_path, BLOCKS)
    index_of(directory).unlink()
    rebuild_index(directory)
    _, blocks = read_by_the_page(index_of(directory))
    assert all(block.told["size"] <= 100 for block in blocks)
    assert all(len(one.packets) and one.told["size"] + len(two.packets[0].data) > 100 for one, two in pairwise(blocks))
    assert read_all(directory) == found_again(PACKETS)


def test_a_dictionary_tells_again_what_packets_are_and_when_they_were_made(tmp_path: Path) -> None:
    items = (
        Item(name="APID", bit_offset=5, bit_length=11),
        Item(name="SECONDS", bit_offset=48, bit_length=32, encoding=Encoding.UNSIGNED),
    )
    known = Packet(name="KNOWN", items=items, identification=(Match("APID", 1),), time=PacketTime(Cuc("SECONDS"), UNIX))
    other = Packet(name="AAA", items=items, identification=(Match("APID", 2),))
    target = Target(name="FIREFLY", packets=(known, other))
    packets = [
        Logged(space_packet(apid, number, (1_000 + number).to_bytes(4, "big")), number)
        for number, apid in enumerate([1, 2, 3, 1, 1, 2])
    ]
    directory = write_blocks(tmp_path, [packets])
    index_of(directory).unlink()
    rebuild_index(directory, dictionary=Dictionary((target,)))
    reader = PacketLogReader(directory)
    assert [each for batch in reader.read(packets=["KNOWN"]) for each in batch] == [packets[i].data for i in (0, 3, 4)]
    _, (block,) = read_by_the_page(index_of(directory))
    assert [each.definition for each in block.packets] == [1, 0, None, 1, 1, 0]
    assert [each.target for each in block.packets] == ["FIREFLY", "FIREFLY", None, "FIREFLY", "FIREFLY", "FIREFLY"]
    assert [each.generated for each in block.packets] == [
        (1_000 + number) * 10**9 if apid == 1 else None for number, apid in enumerate([1, 2, 3, 1, 1, 2])
    ]
    assert {each.kind for each in reader.verify()} == {FindingKind.REBUILT}


def test_packets_whose_received_time_nobody_knows_are_in_no_range_of_received_times(tmp_path: Path) -> None:
    directory = write_blocks(tmp_path, BLOCKS)
    index_of(directory).unlink()
    rebuild_index(directory)
    assert read_all(directory, start_ns=UNKNOWN_TIME) == []
    assert read_all(directory, end_ns=2**62) == []


def test_a_writer_does_not_guess_how_far_the_bus_was_read(tmp_path: Path) -> None:
    directory = write_blocks(tmp_path, BLOCKS)
    index_of(directory).unlink()
    rebuild_index(directory)
    with pytest.raises(LogDamaged, match="resume_from"):
        PacketLogWriter(tmp_path, STREAM)
    with PacketLogWriter(tmp_path, STREAM, resume_from=[position(4)]) as log:
        log.append(batch_of(PACKETS), [position(5)], now_ns=0)
        log.sync()
    with PacketLogWriter(tmp_path, STREAM) as log:
        assert log.positions == (position(5),)
    assert read_all(directory) == [*found_again(PACKETS), *PACKETS]


def test_a_log_that_is_written_is_not_rebuilt(tmp_path: Path) -> None:
    with PacketLogWriter(tmp_path, STREAM) as log, pytest.raises(LogLocked):
        rebuild_index(log.directory)


def test_what_is_no_log_is_not_rebuilt(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no log of packets"):
        rebuild_index(tmp_path)
    # A copy may lie anywhere as long as one of its indices is whole, and otherwise must lie where it lay.
    directory = write_blocks(tmp_path, BLOCKS)
    index_of(directory).unlink()
    elsewhere = tmp_path / "elsewhere"
    directory.rename(elsewhere)
    with pytest.raises(UsageError, match="<stream>/<partition>"):
        rebuild_index(elsewhere)


def test_times_that_were_known_stay_known(tmp_path: Path) -> None:
    directory = write_blocks(tmp_path, BLOCKS)
    damaged = bytearray(index_of(directory).read_bytes())
    damaged[-1] ^= 1
    index_of(directory).write_bytes(damaged)
    rebuild_index(directory)
    first, *_, last = PacketLogReader(directory).read()
    assert first.received.tolist() == [each.received for each in BLOCKS[0]]
    assert set(last.received.tolist()) == {UNKNOWN_TIME}


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_a_dry_run_writes_nothing_and_tells_what_would_be(tmp_path: Path, lost: int) -> None:
    directory = write_blocks(tmp_path, BLOCKS, LogSettings(segment_bytes=1))
    sorted(directory.glob("*.idx"))[lost].unlink()
    before = {path: path.read_bytes() for path in directory.iterdir()}
    told = rebuild_index(directory, dry_run=True)
    assert {path: path.read_bytes() for path in directory.iterdir()} == before
    (rebuilt,) = told
    assert (rebuilt.kept_packets, rebuilt.found_packets) == (0, 10)
    assert rebuilt.knows_positions is (lost != 3)  # a writer looks into the last index only
    assert rebuild_index(directory) == told
    assert rebuild_index(directory, dry_run=True) == []


def test_a_block_that_is_kept_at_the_end_still_tells_how_far_the_bus_was_read(tmp_path: Path) -> None:
    directory = write_blocks(tmp_path, BLOCKS)
    _, blocks = read_by_the_page(index_of(directory))
    index = bytearray(index_of(directory).read_bytes())
    index[blocks[1].first_byte + 100] ^= 1
    index_of(directory).write_bytes(index)
    (rebuilt,) = rebuild_index(directory)
    assert rebuilt.knows_positions
    with PacketLogWriter(tmp_path, STREAM) as log:
        assert log.positions == (position(4),)
