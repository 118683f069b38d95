"""A writer commits blocks whole or not at all, and says when it is time to."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from attrs import evolve

from c2kit.errors import MessageError, UsageError
from c2kit.model.canonical import canonical_json
from c2kit.model.packets import Packet
from c2kit.model.target import Target
from c2kit.storage import (
    CommandLogWriter,
    LogDamaged,
    LogLocked,
    LogSettings,
    LogUnavailable,
    PacketLogReader,
    PacketLogWriter,
    RawLogWriter,
    find_logs,
    pending,
    sync_all,
)
from c2kit.storage import files as storage_files
from tests.logs import STREAM, batch_of, position, read_all, read_by_the_page, space_packets

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = Target(name="FIREFLY", packets=(Packet(name="A", items=()),))
PACKETS = space_packets(1, 40)
MS = 1_000_000


def path_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[PacketLogWriter]:
    with PacketLogWriter(tmp_path, STREAM) as opened:
        yield opened


def segments(directory: Path) -> list[int]:
    return sorted(int(path.stem) for path in directory.glob("*.idx"))


class TestDue:
    def test_nothing_is_due_where_nothing_came(self, log: PacketLogWriter) -> None:
        assert not log.due(10**20)
        assert log.due_at_ns is None

    def test_a_block_is_due_when_its_first_packet_has_waited_long_enough(self, log: PacketLogWriter) -> None:
        log.append(batch_of(PACKETS[:1]), now_ns=1000 * MS)
        log.append(batch_of(PACKETS[1:2]), now_ns=1150 * MS)
        assert log.due_at_ns == 1200 * MS
        assert not log.due(1200 * MS - 1)
        assert log.due(1200 * MS)
        log.sync()
        assert not log.due(10**20)

    def test_a_block_is_due_when_it_is_large_enough(self, tmp_path: Path) -> None:
        with PacketLogWriter(tmp_path, STREAM, settings=LogSettings(block_bytes=100)) as log:
            log.append(batch_of([PACKETS[0]._replace(data=b"x" * 99)]), now_ns=0)
            assert not log.due(0)
            log.append(batch_of([PACKETS[0]._replace(data=b"x")]), now_ns=0)
            assert log.pending_bytes == 100
            assert log.due(0)

    def test_a_position_alone_is_due_some_time_too(self, log: PacketLogWriter) -> None:
        log.passed([position(1)], now_ns=0)
        assert not log.due(0)
        assert log.due(200 * MS)

    def test_a_clock_that_was_set_back_makes_it_due(self, log: PacketLogWriter) -> None:
        log.append(batch_of(PACKETS), now_ns=10**18)
        assert log.due(10**18 - 1)

    def test_settings_that_would_never_end_are_refused(self) -> None:
        with pytest.raises(UsageError, match="segment_bytes"):
            LogSettings(segment_bytes=0)


class TestPositions:
    def test_they_move_when_what_they_stand_for_is_committed(self, log: PacketLogWriter) -> None:
        log.append(batch_of(PACKETS), [position(7)], now_ns=0)
        assert [each.offset for each in log.positions] == []
        log.sync()
        assert log.positions == (position(7),)

    def test_one_that_goes_back_is_refused_with_its_packets(self, log: PacketLogWriter) -> None:
        log.append(batch_of(PACKETS[:5]), [position(7)], now_ns=0)
        with pytest.raises(UsageError, match="past position"):
            log.append(batch_of(PACKETS[5:]), [position(6)], now_ns=0)
        log.append(batch_of(PACKETS[5:7]), [position(7)], now_ns=0)
        log.sync()
        assert log.positions == (position(7),)
        assert read_all(log.directory) == PACKETS[:7]

    def test_that_of_a_stream_that_was_made_anew_may_begin_again(self, log: PacketLogWriter) -> None:
        log.passed([position(7)], now_ns=0)
        log.passed([position(0, uuid="another")], now_ns=0)
        log.sync()
        assert log.positions == (position(0, uuid="another"),)

    def test_each_partition_has_its_own_and_every_block_has_all(self, tmp_path: Path) -> None:
        with PacketLogWriter(tmp_path, STREAM) as log:
            log.passed([position(7), position(3, partition=1)], now_ns=0)
            log.sync()
            log.passed([position(8)], now_ns=0)
            log.sync()
        with PacketLogWriter(tmp_path, STREAM) as log:
            assert set(log.positions) == {position(8), position(3, partition=1)}

    def test_a_person_may_choose_others(self, tmp_path: Path) -> None:
        with PacketLogWriter(tmp_path, STREAM) as log:
            log.passed([position(7)], now_ns=0)
            log.sync()
        with PacketLogWriter(tmp_path, STREAM, resume_from=[position(3)]) as log:
            assert log.positions == (position(3),)
            log.append(batch_of(PACKETS), [position(4)], now_ns=0)
            log.sync()
        with PacketLogWriter(tmp_path, STREAM) as log:
            assert log.positions == (position(4),)


class TestAppending:
    def test_what_can_be_changed_is_copied(self, log: PacketLogWriter) -> None:
        batch = batch_of(PACKETS)
        assert isinstance(batch.buffer, bytearray)
        log.append(batch, now_ns=0)
        batch.buffer[:] = bytes(len(batch.buffer))
        batch.received[:] = 0
        log.sync()
        assert read_all(log.directory) == PACKETS

    def test_what_was_discarded_is_not_committed(self, log: PacketLogWriter) -> None:
        log.append(batch_of(PACKETS[:5]), [position(1)], now_ns=0)
        log.discard()
        assert log.pending_bytes == 0
        assert not log.due(10**20)
        log.append(batch_of(PACKETS[5:]), [position(1)], now_ns=0)
        log.sync()
        assert read_all(log.directory) == PACKETS[5:]

    def test_what_was_not_committed_is_gone_when_the_log_is_closed(self, tmp_path: Path) -> None:
        with PacketLogWriter(tmp_path, STREAM) as log:
            log.append(batch_of(PACKETS[:5]), [position(1)], now_ns=0)
            log.sync()
            log.append(batch_of(PACKETS[5:]), [position(2)], now_ns=0)
        with PacketLogWriter(tmp_path, STREAM) as log:
            assert log.positions == (position(1),)
            assert log.recovered == ()
            assert read_all(log.directory) == PACKETS[:5]

    def test_syncing_nothing_writes_nothing(self, log: PacketLogWriter) -> None:
        log.sync()
        assert list(log.directory.iterdir()) == []

    def test_packets_outside_of_their_buffer_are_refused(self, log: PacketLogWriter) -> None:
        batch = batch_of(PACKETS)
        with pytest.raises(UsageError, match="not in the buffer"):
            log.append(evolve(batch, ends=batch.ends + 10**6), now_ns=0)
        assert log.due_at_ns is None

    def test_a_block_does_not_grow_beyond_what_an_index_can_tell(
        self, log: PacketLogWriter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pending, "_MAX_PACKETS", 50)
        monkeypatch.setattr(pending, "_MAX_SOURCES", 2)
        log.append(batch_of(PACKETS), [position(1)], now_ns=0)
        with pytest.raises(UsageError, match="sync"):
            log.append(batch_of(PACKETS), [position(2)], now_ns=0)
        one = [PACKETS[0]]
        log.append(batch_of([PACKETS[0]._replace(interface="b")]), now_ns=0)
        with pytest.raises(UsageError, match="found 3 in"):
            log.append(batch_of([PACKETS[0]._replace(interface="c")]), now_ns=0)
        log.sync()
        assert log.positions == (position(1),)
        assert read_all(log.directory) == [*PACKETS, one[0]._replace(interface="b")]

    def test_what_a_header_tells_stays_within_what_readers_hold_it_to(self, log: PacketLogWriter) -> None:
        first = PACKETS[0]
        long = [first._replace(interface="\N{SNOWMAN}" * 500_000 + str(number)) for number in range(3)]
        for number in range(2):
            log.append(batch_of([long[number]]), [position(1)], now_ns=0)
        with pytest.raises(UsageError, match="sources"):
            log.append(batch_of([long[2]]), [position(2)], now_ns=0)
        log.sync()
        assert read_all(log.directory) == long[:2]
        with pytest.raises(UsageError, match="too many partitions"):
            log.passed([position(1, partition=number) for number in range(10_001)], now_ns=0)
        for _ in range(2):
            log.passed([position(5, partition=number) for number in range(10_000)], now_ns=0)
            log.sync()
        assert len(log.positions) == 10_000
        log.close()
        with PacketLogWriter(log.directory.parents[1], STREAM) as again:
            assert again.positions == log.positions

    def test_a_closed_log_takes_nothing(self, log: PacketLogWriter) -> None:
        log.close()
        log.close()
        for use in (log.sync, lambda: log.append(batch_of(PACKETS), now_ns=0), lambda: log.passed([], now_ns=0)):
            with pytest.raises(UsageError, match="was closed"):
                use()


class TestDefinitions:
    def test_packets_are_refused_whose_definitions_the_log_does_not_have(self, log: PacketLogWriter) -> None:
        packets = [each._replace(target="FIREFLY", dictionary=TARGET.hash, definition=0) for each in PACKETS]
        with pytest.raises(UsageError, match="define"):
            log.append(batch_of(packets), [position(1)], now_ns=0)
        log.define(TARGET)
        log.append(batch_of(packets), [position(1)], now_ns=0)
        log.sync()
        assert read_all(log.directory) == packets

    def test_they_may_be_given_in_canonical_form_and_are_kept_as_that(self, log: PacketLogWriter) -> None:
        canonical = canonical_json(TARGET)
        assert log.define(canonical) == TARGET.hash
        assert (log.directory / "definitions" / f"{TARGET.hash}.json").read_bytes() == canonical

    def test_a_damaged_copy_is_replaced(self, tmp_path: Path) -> None:
        with PacketLogWriter(tmp_path, STREAM) as log:
            log.define(TARGET)
            copy = log.directory / "definitions" / f"{TARGET.hash}.json"
        copy.write_bytes(b"{}")
        with PacketLogWriter(tmp_path, STREAM) as log:
            log.define(TARGET)
        assert copy.read_bytes() == canonical_json(TARGET)

    def test_what_is_no_definition_is_refused(self, log: PacketLogWriter) -> None:
        with pytest.raises(MessageError):
            log.define(b"{}")
        assert list(log.directory.iterdir()) == []


class TestSegments:
    def test_a_new_one_begins_when_the_last_has_its_size(self, tmp_path: Path) -> None:
        sizes = [sum(len(packet.data) for packet in PACKETS[first : first + 10]) for first in range(0, 40, 10)]
        with PacketLogWriter(tmp_path, STREAM, settings=LogSettings(segment_bytes=sizes[0] + 1)) as log:
            for first in range(0, 40, 10):
                log.append(batch_of(PACKETS[first : first + 10]), [position(first)], now_ns=0)
                log.sync()
            directory = log.directory
        assert segments(directory) == [0, sizes[0] + sizes[1]]
        assert read_all(directory) == PACKETS
        for start in segments(directory):
            facts, _ = read_by_the_page(directory / f"{start:020}.idx")
            assert facts["c2kit.start"] == str(start)

    def test_a_new_one_begins_when_the_last_is_old_even_if_another_process_began_it(self, tmp_path: Path) -> None:
        settings = LogSettings(segment_age_ns=1000)
        for now_ns, expected in ((10, 1), (1009, 1), (1010, 2), (2009, 2), (2010, 3)):
            with PacketLogWriter(tmp_path, STREAM, settings=settings) as log:
                log.append(batch_of(PACKETS), now_ns=now_ns)
                log.sync()
            assert len(segments(tmp_path / STREAM / "0")) == expected
        assert read_all(tmp_path / STREAM / "0") == PACKETS * 5

    def test_one_without_packets_is_never_left(self, tmp_path: Path) -> None:
        with PacketLogWriter(tmp_path, STREAM, settings=LogSettings(segment_age_ns=1)) as log:
            for number in range(3):
                log.passed([position(number)], now_ns=number)
                log.sync()
            assert segments(log.directory) == [0]

    def test_writing_goes_on_in_the_last_one(self, tmp_path: Path) -> None:
        settings = LogSettings(segment_bytes=1)
        for first in range(0, 40, 10):
            with PacketLogWriter(tmp_path, STREAM, settings=settings) as log:
                assert log.recovered == ()
                log.append(batch_of(PACKETS[first : first + 10]), now_ns=0)
                log.sync()
        directory = tmp_path / STREAM / "0"
        assert len(segments(directory)) == 4
        assert read_all(directory) == PACKETS
        assert list(PacketLogReader(directory).verify()) == []


class TestOwnership:
    def test_a_log_has_one_writer(self, tmp_path: Path, log: PacketLogWriter) -> None:
        with pytest.raises(LogLocked, match="another writer"):
            PacketLogWriter(tmp_path, STREAM)
        with PacketLogWriter(tmp_path, STREAM, 1):
            pass
        log.close()
        with PacketLogWriter(tmp_path, STREAM):
            pass

    def test_a_directory_of_another_log_is_refused(self, tmp_path: Path) -> None:
        with PacketLogWriter(tmp_path, STREAM) as log:
            log.append(batch_of(PACKETS), now_ns=0)
            log.sync()
        (tmp_path / "other").mkdir()
        (tmp_path / STREAM / "0").rename(tmp_path / "other" / "0")
        with pytest.raises(UsageError, match="another log"):
            PacketLogWriter(tmp_path, "other")
        (tmp_path / "other").rename(tmp_path / STREAM.replace("x", ""))
        with pytest.raises(UsageError, match="another log"):
            CommandLogWriter(tmp_path, STREAM)
        with RawLogWriter(tmp_path, "raw.fep"):
            pass

    @pytest.mark.parametrize("stream", ["", ".", "..", "a/b", "../a", ".hidden", "a b", "é"])
    def test_a_stream_whose_name_is_no_directory_is_refused(self, tmp_path: Path, stream: str) -> None:
        with pytest.raises(UsageError, match="no directory"):
            PacketLogWriter(tmp_path, stream)
        assert list(tmp_path.iterdir()) == []

    def test_all_logs_below_a_directory_are_found(self, tmp_path: Path) -> None:
        for stream, partition in (("b", 0), ("a", 1), ("a", 0)):
            with PacketLogWriter(tmp_path, stream, partition) as log:
                log.append(batch_of(PACKETS), now_ns=0)
                log.sync()
        (tmp_path / "notes.idx").touch()
        assert find_logs(tmp_path) == [tmp_path / "a" / "0", tmp_path / "a" / "1", tmp_path / "b" / "0"]


class Disk:
    """A disk that is full from a byte on: what is written up to there is on it, as a real one does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self.fails_to_cut = False
        self._pwrite, self._ftruncate = os.pwrite, os.ftruncate
        monkeypatch.setattr(os, "pwritev", self.pwritev)
        monkeypatch.setattr(os, "ftruncate", self.ftruncate)

    def pwritev(self, descriptor: int, pieces: list[memoryview], position: int) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._pwrite(descriptor, b"".join(pieces)[: self.room], position)
        self.room -= written
        return written

    def ftruncate(self, descriptor: int, size: int) -> None:
        if self.fails_to_cut:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._ftruncate(descriptor, size)


class TestFullDisk:
    def test_at_no_byte_does_it_leave_a_trace_and_it_can_be_tried_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        disk = Disk(monkeypatch, 10**9)
        with PacketLogWriter(tmp_path, STREAM, settings=LogSettings(segment_bytes=1)) as log:
            log.append(batch_of(PACKETS[:5]), [position(1)], now_ns=0)
            log.sync()
            before = {path: path.read_bytes() for path in log.directory.iterdir()}
            log.append(batch_of(PACKETS[5:10]), [position(2)], now_ns=0)
            disk.room, needed = 10**9, 0
            for room in range(0, 10**5, 7):
                disk.room = room
                try:
                    log.sync()
                except LogUnavailable as error:
                    assert "No space left" in str(error)  # noqa: PT017 - it is raised for all but one
                    assert log.positions == (position(1),)
                    kept = {path: path.read_bytes() for path in log.directory.iterdir() if path in before}
                    assert kept == before
                    assert read_all(log.directory) == PACKETS[:5]
                    needed = room
                else:
                    break
            assert needed > sum(len(packet.data) for packet in PACKETS[5:10]) + 1000
            disk.room = 10**9
            log.append(batch_of(PACKETS[10:]), [position(3)], now_ns=0)
            log.sync()
            assert read_all(log.directory) == PACKETS
            assert log.positions == (position(3),)
        assert list(PacketLogReader(log.directory).verify()) == []

    def test_a_real_one_does_the_same(self, log: PacketLogWriter) -> None:
        log.append(batch_of(PACKETS[:5]), [position(1)], now_ns=0)
        log.sync()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = (log.directory / f"{0:020}.pkts").stat().st_size
        log.append(batch_of(PACKETS[5:10]), [position(2)], now_ns=0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, limits[1]))
        try:
            with pytest.raises(LogUnavailable, match="File too large"):
                log.sync()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert (log.directory / f"{0:020}.pkts").stat().st_size == size
        log.append(batch_of(PACKETS[10:]), [position(3)], now_ns=0)
        log.sync()
        assert read_all(log.directory) == PACKETS

    def test_what_cannot_be_cut_off_is_cut_off_later(
        self, log: PacketLogWriter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        disk = Disk(monkeypatch, 10**9)
        log.append(batch_of(PACKETS[:5]), [position(1)], now_ns=0)
        log.sync()
        log.append(batch_of(PACKETS[5:]), [position(2)], now_ns=0)
        disk.room, disk.fails_to_cut = 20, True
        for _ in range(2):
            with pytest.raises(LogUnavailable):
                log.sync()
        disk.room = 10**9
        with pytest.raises(LogUnavailable):
            log.sync()
        disk.fails_to_cut = False
        log.discard()
        log.append(batch_of(PACKETS[5:7]), [position(2)], now_ns=0)
        log.sync()
        assert read_all(log.directory) == PACKETS[:7]
        assert list(PacketLogReader(log.directory).verify()) == []

    def test_a_disk_that_fails_to_sync_leaves_no_trace_either(
        self, log: PacketLogWriter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log.append(batch_of(PACKETS[:5]), [position(1)], now_ns=0)
        log.sync()
        log.append(batch_of(PACKETS[5:]), [position(2)], now_ns=0)
        real = storage_files._datasync
        for failing in (1, 2):
            calls = 0

            def datasync(descriptor: int, failing: int = failing) -> None:
                nonlocal calls
                calls += 1
                if calls == failing:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                real(descriptor)

            monkeypatch.setattr(storage_files, "_datasync", datasync)
            with pytest.raises(LogUnavailable, match="Input/output"):
                log.sync()
            assert log.positions == (position(1),)
            assert read_all(log.directory) == PACKETS[:5]
            assert list(PacketLogReader(log.directory).verify()) == []
        monkeypatch.setattr(storage_files, "_datasync", real)
        log.sync()
        assert read_all(log.directory) == PACKETS

    def test_a_log_that_cannot_even_be_opened_says_so(self, tmp_path: Path) -> None:
        (tmp_path / STREAM).write_text("a file where a directory should be")
        with pytest.raises(LogUnavailable, match="opening"):
            PacketLogWriter(tmp_path, STREAM)


class TestRemovedFiles:
    @pytest.mark.parametrize("pattern", ["*.pkts", "*.idx"])
    def test_are_not_written_to_as_if_they_were_there(self, tmp_path: Path, pattern: str) -> None:
        with PacketLogWriter(tmp_path, STREAM) as log:
            log.append(batch_of(PACKETS[:5]), [position(1)], now_ns=0)
            log.sync()
            (removed,) = log.directory.glob(pattern)
            removed.unlink()
            log.append(batch_of(PACKETS[5:]), [position(2)], now_ns=0)
            for _ in range(2):
                with pytest.raises(LogDamaged, match=rf"{removed.name}: missing file \(it was removed while"):
                    log.sync()
            assert log.positions == (position(1),)

    def test_a_log_whose_directory_is_moved_goes_with_it(self, tmp_path: Path) -> None:
        with PacketLogWriter(tmp_path / "here", STREAM) as log:
            log.append(batch_of(PACKETS[:5]), now_ns=0)
            log.sync()
            (tmp_path / "here").rename(tmp_path / "there")
            log.append(batch_of(PACKETS[5:]), now_ns=0)
            log.sync()
        assert read_all(tmp_path / "there" / STREAM / "0") == PACKETS


class TestSyncAll:
    def test_first_the_packets_of_all_are_synced_then_the_indices(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        logs = [PacketLogWriter(tmp_path, STREAM, number) for number in range(3)]
        for log in logs:  # so that no segment is begun while it is watched
            log.append(batch_of(PACKETS[:5]), now_ns=0)
        sync_all(logs)
        synced: list[str] = []
        real = storage_files._datasync

        def datasync(descriptor: int) -> None:
            synced.append(path_of(descriptor).suffix)
            real(descriptor)

        monkeypatch.setattr(storage_files, "_datasync", datasync)
        for log in logs:
            log.append(batch_of(PACKETS[5:]), now_ns=0)
        sync_all(logs)
        assert synced == [".pkts"] * 3 + [".idx"] * 3
        for log in logs:
            assert read_all(log.directory) == PACKETS
            log.close()

    def test_a_log_that_has_nothing_is_left_alone(self, tmp_path: Path) -> None:
        with PacketLogWriter(tmp_path, STREAM, 0) as one, PacketLogWriter(tmp_path, STREAM, 1) as other:
            one.append(batch_of(PACKETS), now_ns=0)
            sync_all([one, other])
            assert read_all(one.directory) == PACKETS
            assert list(other.directory.iterdir()) == []
        sync_all([])

    def test_where_one_fails_the_others_are_committed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        logs = [PacketLogWriter(tmp_path, STREAM, number) for number in range(3)]
        for number, log in enumerate(logs):
            log.append(batch_of(PACKETS[:5]), [position(1, partition=number)], now_ns=0)
        sync_all(logs)
        for number, log in enumerate(logs):
            log.append(batch_of(PACKETS[5:]), [position(2, partition=number)], now_ns=0)
        real = os.pwritev

        def pwritev(descriptor: int, pieces: list[memoryview], place: int) -> int:
            if path_of(descriptor).is_relative_to(logs[1].directory):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(descriptor, pieces, place)

        monkeypatch.setattr(os, "pwritev", pwritev)
        with pytest.raises(LogUnavailable, match=f"{STREAM}/1"):
            sync_all(logs)
        assert [log.positions[0].offset for log in logs] == [2, 1, 2]
        monkeypatch.setattr(os, "pwritev", real)
        sync_all(logs)
        assert [log.positions[0].offset for log in logs] == [2, 2, 2]
        for log in logs:
            assert read_all(log.directory) == PACKETS
            log.close()

    def test_what_interrupts_a_commit_leaves_no_trace_in_any(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        logs = [PacketLogWriter(tmp_path, STREAM, number) for number in range(2)]
        for log in logs:
            log.append(batch_of(PACKETS[:5]), now_ns=0)
        sync_all(logs)
        for log in logs:
            log.append(batch_of(PACKETS[5:]), now_ns=0)
        real = storage_files._datasync
        for last in range(4):
            calls = 0

            def datasync(descriptor: int, last: int = last) -> None:
                nonlocal calls
                calls += 1
                if calls > last:
                    raise KeyboardInterrupt
                real(descriptor)

            monkeypatch.setattr(storage_files, "_datasync", datasync)
            with pytest.raises(KeyboardInterrupt):
                sync_all(logs)
            for log in logs:
                assert read_all(log.directory) == PACKETS[:5]
                assert list(PacketLogReader(log.directory).verify()) == []
        monkeypatch.setattr(storage_files, "_datasync", real)
        sync_all(logs)
        for log in logs:
            assert read_all(log.directory) == PACKETS
            log.close()

    def test_a_closed_log_stops_all(self, tmp_path: Path) -> None:
        with PacketLogWriter(tmp_path, STREAM, 0) as one, PacketLogWriter(tmp_path, STREAM, 1) as other:
            one.append(batch_of(PACKETS), [position(1)], now_ns=0)
            other.close()
            with pytest.raises(UsageError, match="was closed"):
                sync_all([one, other])
            assert one.positions == ()
            one.sync()
            assert read_all(one.directory) == PACKETS


def test_received_times_that_nobody_knows_stay_unknown(tmp_path: Path) -> None:
    batch = evolve(batch_of(PACKETS), received=np.full(len(PACKETS), -(2**63)))
    with PacketLogWriter(tmp_path, STREAM) as log:
        log.append(batch, now_ns=0)
        log.sync()
        _, (block,) = read_by_the_page(log.directory / f"{0:020}.idx")
        assert block.told["received"] is None
        assert {packet.received for packet in read_all(log.directory)} == {-(2**63)}
