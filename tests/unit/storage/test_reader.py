"""A reader finds packets by time and by name, over segments, while the log is written, and tells what is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from c2kit.batches import PacketBatch
from c2kit.dictionaries import Dictionary
from c2kit.errors import MessageError, UnknownName, UsageError
from c2kit.model.packets import Item, Match, Packet
from c2kit.model.target import Target
from c2kit.processors import Decommutator, Identifier
from c2kit.storage import (
    CommandLogReader,
    FindingKind,
    LogDamaged,
    LogSettings,
    PacketLogReader,
    PacketLogWriter,
    RawLogReader,
    open_log,
    segment_reader,
)
from tests.logs import STREAM, Logged, batch_of, read_all, space_packet, space_packets, write_blocks

if TYPE_CHECKING:
    from c2kit.storage import Finding
    from c2kit.storage.scan import Entry

PACKETS = space_packets(1, 60)
EACH_ITS_SEGMENT = LogSettings(segment_bytes=1)


def packet(name: str, apid: int) -> Packet:
    items = (
        Item(name="APID", bit_offset=5, bit_length=11),
        Item(name="VALUE", bit_offset=48, bit_length=16),
    )
    return Packet(name=name, items=items, identification=(Match("APID", apid),))


FIREFLY = Target(name="FIREFLY", packets=(packet("HEALTH", 1), packet("MODE", 2)))
# The same packets with one more before them: what an index means depends on the definitions that it is of.
LATER = Target(name="FIREFLY", packets=(*FIREFLY.packets, packet("BEACON", 3)))


def telemetry(apid: int, value: int) -> bytes:
    return space_packet(apid, value, value.to_bytes(2, "big"))


def identified(target: Target, packets: list[bytes], first_ns: int) -> PacketBatch:
    ends = np.cumsum([len(each) for each in packets])
    frames = PacketBatch(
        buffer=b"".join(packets),
        starts=np.concatenate(([0], ends[:-1])),
        ends=ends,
        received=first_ns + np.arange(len(packets)),
    )
    (batch,) = Identifier(Dictionary((target,))).process(frames)
    return batch


@pytest.fixture
def two_dictionaries(tmp_path: Path) -> Path:
    """A log in which the definitions changed: HEALTH 10 to 13 and MODE 20 by the first, HEALTH 14 by the second."""
    with PacketLogWriter(tmp_path, STREAM) as log:
        log.define(FIREFLY)
        log.define(LATER)
        log.append(identified(FIREFLY, [telemetry(1, 10), telemetry(2, 20), telemetry(1, 11)], 100), now_ns=0)
        log.append(identified(LATER, [telemetry(3, 30), telemetry(1, 14)], 200), now_ns=0)
        log.append(identified(FIREFLY, [telemetry(1, 12), telemetry(1, 13)], 300), now_ns=0)
        log.sync()
        return log.directory


class TestTimes:
    @pytest.mark.parametrize("settings", [None, EACH_ITS_SEGMENT])
    @pytest.mark.parametrize("by", ["received", "generated"])
    def test_packets_are_from_the_start_up_to_before_the_end(
        self, tmp_path: Path, by: str, settings: LogSettings | None
    ) -> None:
        # Times go up and down, as clocks and links have it.
        packets = [each._replace(received=each.received ^ 3 << 21) for each in PACKETS]
        directory = write_blocks(tmp_path, [packets[first : first + 7] for first in range(0, 60, 7)], settings)
        times = sorted({getattr(each, by) for each in packets} - {None})
        for start_ns in (None, times[0], times[9], times[20] + 1, times[-1], times[-1] + 1):
            for end_ns in (None, times[0], times[15], times[20] - 1, times[-1], times[-1] + 1):
                if start_ns is not None and end_ns is not None and start_ns >= end_ns:
                    continue
                expected = [
                    each
                    for each in packets
                    if (start_ns is None and end_ns is None)
                    or (
                        getattr(each, by) is not None
                        and (start_ns is None or getattr(each, by) >= start_ns)
                        and (end_ns is None or getattr(each, by) < end_ns)
                    )
                ]
                assert read_all(directory, start_ns=start_ns, end_ns=end_ns, by=by) == expected

    def test_blocks_of_other_times_are_not_even_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        directory = write_blocks(tmp_path, [PACKETS[:20], PACKETS[20:40], PACKETS[40:]])
        proved = 0
        real = segment_reader.SegmentReader.block

        def block(self: segment_reader.SegmentReader, entry: Entry) -> object:
            nonlocal proved
            proved += 1
            return real(self, entry)

        monkeypatch.setattr(segment_reader.SegmentReader, "block", block)
        assert read_all(directory, start_ns=PACKETS[25].received, end_ns=PACKETS[30].received) == PACKETS[25:30]
        assert proved == 1

    def test_a_range_that_holds_nothing_is_refused(self, tmp_path: Path) -> None:
        reader = PacketLogReader(write_blocks(tmp_path, [PACKETS]))
        with pytest.raises(UsageError, match="an end after 5"):
            reader.read(start_ns=5, end_ns=5)
        with pytest.raises(UsageError, match="received or generated"):
            reader.read(by="sent")


class TestNames:
    def test_packets_are_found_by_the_definitions_that_they_name(self, two_dictionaries: Path) -> None:
        reader = PacketLogReader(two_dictionaries)
        found = [each for batch in reader.read(packets=["HEALTH"]) for each in batch]
        assert found == [telemetry(1, value) for value in (10, 11, 12, 13, 14)]
        assert [each for batch in reader.read(packets=["BEACON"]) for each in batch] == [telemetry(3, 30)]
        chosen = reader.read(packets=["MODE", "BEACON"], start_ns=101, end_ns=201)
        assert [each for batch in chosen for each in batch] == [telemetry(2, 20), telemetry(3, 30)]

    def test_what_is_read_is_decoded_by_the_definitions_that_it_names(self, two_dictionaries: Path) -> None:
        reader = PacketLogReader(two_dictionaries)
        values = [
            (telemetry.packet.name, telemetry.dictionary_hash, telemetry["VALUE"].values.tolist())
            for batch in reader.read()
            for telemetry in Decommutator(reader.dictionary_of(batch)).process(batch)
        ]
        assert sorted(values) == sorted(
            [
                ("HEALTH", FIREFLY.hash, [10, 11, 12, 13]),
                ("MODE", FIREFLY.hash, [20]),
                ("BEACON", LATER.hash, [30]),
                ("HEALTH", LATER.hash, [14]),
            ]
        )

    def test_a_name_that_nobody_defined_is_refused(self, two_dictionaries: Path) -> None:
        with pytest.raises(UnknownName, match="HEALTH"):
            PacketLogReader(two_dictionaries).read(packets=["HEALT"])

    def test_lost_definitions_are_missed_where_they_are_needed_and_can_be_given(self, two_dictionaries: Path) -> None:
        (two_dictionaries / "definitions" / f"{LATER.hash}.json").unlink()
        reader = PacketLogReader(two_dictionaries)
        assert sum(len(batch) for batch in reader.read()) == 7
        with pytest.raises(MessageError, match="missing"):
            list(reader.read(packets=["HEALTH"]))
        assert [each.kind for each in reader.verify()] == [FindingKind.MISSING_DEFINITIONS]
        reader = PacketLogReader(two_dictionaries, targets=[LATER])
        assert sum(len(batch) for batch in reader.read(packets=["HEALTH"])) == 5

    def test_damaged_definitions_are_not_believed(self, two_dictionaries: Path) -> None:
        copy = two_dictionaries / "definitions" / f"{FIREFLY.hash}.json"
        copy.write_bytes(copy.read_bytes().replace(b"HEALTH", b"HEALTY"))
        reader = PacketLogReader(two_dictionaries)
        batch = next(reader.read())
        with pytest.raises(MessageError, match="damaged"):
            reader.dictionary_of(batch)

    def test_packets_that_were_not_identified_have_no_name_and_no_definitions(self, tmp_path: Path) -> None:
        reader = PacketLogReader(write_blocks(tmp_path, [PACKETS]), targets=[FIREFLY])
        (batch,) = reader.read()
        assert batch.target is None
        assert batch.definition is None
        with pytest.raises(UsageError, match="identif"):
            reader.dictionary_of(batch)


class TestWhileItIsWritten:
    def test_each_reading_gives_what_is_committed(self, tmp_path: Path) -> None:
        with PacketLogWriter(tmp_path, STREAM, settings=EACH_ITS_SEGMENT) as log:
            reader = PacketLogReader(log.directory)
            assert list(reader.read()) == []
            for count in range(0, 60, 10):
                log.append(batch_of(PACKETS[count : count + 10]), now_ns=0)
                assert read_all(log.directory) == PACKETS[:count]
                log.sync()
                assert read_all(log.directory) == PACKETS[: count + 10]
            assert list(reader.verify()) == []

    def test_a_commit_that_is_going_on_is_neither_read_nor_damage(self, tmp_path: Path) -> None:
        with PacketLogWriter(tmp_path, STREAM) as log:
            log.append(batch_of(PACKETS[:10]), now_ns=0)
            log.sync()
            log.append(batch_of(PACKETS[10:]), now_ns=0)
            expected = [PACKETS[:10], PACKETS[:10], PACKETS, PACKETS]  # the block is whole once its index is written
            for step, _ in enumerate(log.commit()):
                assert read_all(log.directory) == expected[step]
                assert not any(each.is_damage for each in PacketLogReader(log.directory).verify())
            assert read_all(log.directory) == PACKETS


class TestDamage:
    def test_it_stops_reading_unless_somebody_wants_to_hear_of_it(self, tmp_path: Path) -> None:
        directory = write_blocks(tmp_path, [PACKETS[:20], PACKETS[20:40], PACKETS[40:]])
        path = directory / f"{0:020}.pkts"
        data = bytearray(path.read_bytes())
        data[sum(len(each.data) for each in PACKETS[:25])] ^= 1
        path.write_bytes(data)
        batches = PacketLogReader(directory).read()
        assert len(next(batches)) == 20
        with pytest.raises(LogDamaged, match="on_damage") as raised:
            next(batches)
        findings: list[Finding] = []
        assert read_all(directory, on_damage=findings.append) == [*PACKETS[:20], *PACKETS[40:]]
        assert findings == [raised.value.finding] == list(PacketLogReader(directory).verify())
        assert findings[0].path == path
        assert findings[0].first_byte == sum(len(each.data) for each in PACKETS[:20])
        assert findings[0].size_bytes == sum(len(each.data) for each in PACKETS[20:40])
        assert str(path) in str(findings[0])
        assert "damaged packets" in str(findings[0])

    def test_bytes_at_the_end_of_a_segment_that_is_not_the_last_are_damage(self, tmp_path: Path) -> None:
        directory = write_blocks(tmp_path, [PACKETS[:20], PACKETS[20:]], EACH_ITS_SEGMENT)
        for suffix, kind in ((".pkts", FindingKind.NOT_INDEXED), (".idx", FindingKind.DAMAGED_INDEX)):
            path = directory / f"{0:020}{suffix}"
            whole = path.read_bytes()
            path.write_bytes(whole + b"\xff" * 3)
            assert [each.kind for each in PacketLogReader(directory).verify()] == [kind]
            findings: list[Finding] = []
            assert read_all(directory, on_damage=findings.append) == PACKETS
            assert [(each.kind, each.size_bytes) for each in findings] == [(kind, 3)]
            path.write_bytes(whole)

    def test_what_is_not_asked_for_is_not_looked_at(self, tmp_path: Path) -> None:
        directory = write_blocks(tmp_path, [PACKETS[:20], PACKETS[20:]], EACH_ITS_SEGMENT)
        path = directory / f"{0:020}.pkts"
        path.write_bytes(bytes(path.stat().st_size))
        assert read_all(directory, start_ns=PACKETS[20].received) == PACKETS[20:]


class TestOpening:
    def test_the_only_log_below_a_directory_is_found(self, tmp_path: Path) -> None:
        directory = write_blocks(tmp_path, [PACKETS])
        for place in (tmp_path, str(directory.parent), directory):
            assert PacketLogReader(place).directory == directory
        write_blocks(tmp_path / "other", [PACKETS])
        with pytest.raises(UsageError, match="2 logs"):
            PacketLogReader(tmp_path)

    def test_where_there_is_no_log_the_reader_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no log here"):
            PacketLogReader(tmp_path / "nowhere")
        assert list(PacketLogReader(tmp_path).read()) == []
        with pytest.raises(UsageError, match="no log"):
            open_log(tmp_path)

    def test_a_log_of_another_kind_is_refused(self, tmp_path: Path) -> None:
        directory = write_blocks(tmp_path, [PACKETS])
        assert isinstance(open_log(directory), PacketLogReader)
        for reader in (RawLogReader, CommandLogReader):
            with pytest.raises(UsageError, match="packet-log"):
                reader(directory)

    def test_what_the_log_is_of_is_told(self, tmp_path: Path) -> None:
        schema = PacketLogReader(write_blocks(tmp_path, [PACKETS])).schema
        assert schema is not None
        assert (schema.stream, schema.partition, schema.start) == (STREAM, 0, 0)

    @pytest.mark.parametrize("is_damaged", [False, True])
    def test_segments_are_summed_up(self, tmp_path: Path, *, is_damaged: bool) -> None:
        blocks = [PACKETS[:20], PACKETS[20:30], PACKETS[30:]]
        sizes = [sum(len(each.data) for each in block) for block in blocks]
        directory = write_blocks(tmp_path, blocks, LogSettings(segment_bytes=sizes[0] + 1))
        if is_damaged:  # the last block of the first segment cannot tell: then the others are asked
            path = directory / f"{0:020}.idx"
            path.write_bytes(path.read_bytes()[:-1])
        first, second = PacketLogReader(directory).segments()
        count = 20 if is_damaged else 30
        assert (first.start, first.holds.packets) == (0, count)
        assert first.size_bytes == sum(sizes[:1] if is_damaged else sizes[:2])
        assert first.holds.received == (PACKETS[0].received, PACKETS[count - 1].received)
        assert (second.start, second.size_bytes, second.holds.packets) == (sum(sizes[:2]), sizes[2], 30)
        assert second.data == directory / f"{sum(sizes[:2]):020}.pkts"


def test_packets_of_several_interfaces_come_in_batches_of_their_own(tmp_path: Path) -> None:
    with PacketLogWriter(tmp_path, STREAM) as log:
        for number, each in enumerate(PACKETS):
            log.append(batch_of([each._replace(interface="ab"[number % 2])]), now_ns=0)
        log.sync()
    batches = list(PacketLogReader(tmp_path).read())
    assert [batch.interface for batch in batches] == ["a", "b"]
    for index, batch in enumerate(batches):
        assert list(batch) == [each.data for each in PACKETS[index::2]]


def test_a_directory_given_with_a_relative_path_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_blocks(tmp_path, [PACKETS])
    monkeypatch.chdir(tmp_path)
    assert read_all(Path()) == PACKETS
    assert isinstance(read_all(Path())[0], Logged)


class TestALookFromOutside:
    BLOCKS = (space_packets(1, 10), space_packets(2, 10), space_packets(3, 10))

    @pytest.fixture
    def directory(self, tmp_path: Path) -> Path:
        return write_blocks(tmp_path, self.BLOCKS, LogSettings(segment_bytes=1))

    def test_there_is_nothing_to_see_where_all_is_whole(self, directory: Path) -> None:
        assert list(PacketLogReader(directory).glance()) == []

    @pytest.mark.parametrize("suffix", [".idx", ".pkts"])
    @pytest.mark.parametrize("number", [0, 1, 2])
    @pytest.mark.parametrize("is_cut", [False, True])
    def test_a_file_that_is_lost_or_cut_shows(self, directory: Path, suffix: str, number: int, *, is_cut: bool) -> None:
        file = sorted(directory.glob(f"*{suffix}"))[number]
        whole = file.read_bytes()
        file.unlink()
        if is_cut:
            file.write_bytes(whole[:-1])
        found = list(PacketLogReader(directory).glance())
        assert file.stem in {finding.path.stem for finding in found}
        # The tail of the last index is what a crash leaves, and so is not damage.
        assert any(finding.is_damage for finding in found) is not (is_cut and number == 2 and suffix == ".idx")

    def test_packets_that_lost_their_index_are_no_missing_segment(self, directory: Path) -> None:
        sorted(directory.glob("*.idx"))[1].unlink()
        kinds = [finding.kind for finding in PacketLogReader(directory).verify()]
        assert kinds == [FindingKind.MISSING_FILE]


def test_each_block_is_told_with_what_is_wrong_with_it(tmp_path: Path) -> None:
    directory = write_blocks(tmp_path, [space_packets(1, 10), space_packets(2, 7), space_packets(3, 5)])
    (data,) = directory.glob("*.pkts")
    sizes = [sum(len(each.data) for each in space_packets(seed, count)) for seed, count in ((1, 10), (2, 7), (3, 5))]
    damaged = bytearray(data.read_bytes())
    damaged[sizes[0]] ^= 1
    data.write_bytes(damaged)
    told: list[tuple[Path, int, int, bool]] = []
    findings = list(
        PacketLogReader(directory).verify(
            on_block=lambda path, header, found: told.append(
                (path, header.size_bytes, header.holds.packets, found is None)
            )
        )
    )
    assert told == [(data, sizes[0], 10, True), (data, sizes[1], 7, False), (data, sizes[2], 5, True)]
    assert [finding.kind for finding in findings] == [FindingKind.DAMAGED_PACKETS]


def test_definitions_are_told_with_the_times_of_their_blocks(two_dictionaries: Path) -> None:
    reader = PacketLogReader(two_dictionaries)
    spans: dict[str, list[int]] = {}
    for batch in reader.read():
        if batch.dictionary_hash is not None:
            spans.setdefault(batch.dictionary_hash, []).extend(batch.received.tolist())
    assert len(spans) == 2
    assert reader.definitions_in() == {each: (min(times), max(times)) for each, times in spans.items()}
    assert [target.hash for target in reader.targets] == sorted(spans)
    first, second = sorted(spans, key=lambda each: min(spans[each]))
    assert list(reader.definitions_in(end_ns=min(spans[second]))) == [first]
