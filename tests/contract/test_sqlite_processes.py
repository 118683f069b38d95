"""What belongs to a bus in a file: several processes, any of which may die or hang; a disk that is full or damaged."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2kit.bus.base import BusError, BusUnavailable, Fenced, Record, Step, StreamSpec
from c2kit.bus.sqlite import SqliteBus
from c2kit.errors import UsageError
from tests.links import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGE = Path(__file__).with_name("stage_process.py")
STREAMS = [
    StreamSpec(name="m.in", writer="source", partitions=2, lanes=("a", "b"), consumers=("copy",)),
    StreamSpec(name="m.out", writer="copy", partitions=2, lanes=("a", "b")),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with SqliteBus(tmp_path / "bus.db") as bus:
        bus.apply(STREAMS)
    return tmp_path / "bus.db"


@contextmanager
def stage(
    path: Path, *, ordinal: int = 0, what: str = "copy", take_over: float = 10.0
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(STAGE), f"sqlite:{path}", str(ordinal), what, str(take_over)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def said(process: subprocess.Popen[str], word: str) -> str:
    """The next line that begins with a word."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word):
            return line
    raise AssertionError(f"it ended without saying {word!r}")


def stop_between_commits(process: subprocess.Popen[str], path: Path) -> None:
    """Stop a process where it holds no lock of SQLite's: one that does stops everybody, as the bus's docstring says."""
    for _ in range(50):
        process.send_signal(signal.SIGSTOP)
        probe = sqlite3.connect(path, timeout=0.2, isolation_level=None)
        try:
            probe.execute("BEGIN IMMEDIATE")
            probe.execute("ROLLBACK")
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
            time.sleep(0.003)
        else:
            return
        finally:
            probe.close()
    raise AssertionError("it was never found without the lock")


def feed(path: Path, numbers: range) -> None:
    with SqliteBus(path) as bus, bus.worker("source", (), outputs=("m.in",)) as source:
        for number in numbers:
            source.commit(Step(publish=[Record("m.in", lane, b"%d" % number) for lane in ("a", "b")]))


def output(path: Path, lane: str) -> list[bytes]:
    with SqliteBus(path) as bus, bus.view(["m.out"], from_oldest=True) as view:
        return [record.value for record in view.receive(0.0) if record.lane == lane]


def wait_for_output(path: Path, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while min(len(output(path, "a")), len(output(path, "b"))) < count and time.monotonic() < deadline:
        time.sleep(0.05)


def test_a_stage_that_is_killed_at_any_time_loses_and_repeats_nothing(path: Path) -> None:
    seed = 20261124
    chance = random.Random(seed)
    for round_number in range(6):
        feed(path, range(10 * round_number, 10 * round_number + 10))
        with stage(path) as process:
            for _ in range(chance.randrange(1, 15)):
                said(process, "step")
            time.sleep(chance.random() * 0.01)
            process.send_signal(signal.SIGKILL)
    with stage(path):
        wait_for_output(path, 60)
    expected = [b"%d:%d" % (number + 1, number) for number in range(60)]
    assert output(path, "a") == expected
    assert output(path, "b") == expected


def test_two_replicas_in_two_processes_share_the_work(path: Path) -> None:
    with stage(path) as one, stage(path, ordinal=1) as two:
        said(one, "ready")
        said(two, "ready")
        feed(path, range(20))
        wait_for_output(path, 20)
        assert output(path, "a") == output(path, "b") == [b"%d:%d" % (number + 1, number) for number in range(20)]
        said(one, "step")
        said(two, "step")


def test_what_a_killed_replica_owned_is_taken_over_by_the_other(path: Path) -> None:
    with stage(path) as one, stage(path, ordinal=1) as two:
        said(one, "ready")
        said(two, "ready")
        feed(path, range(5))
        wait_for_output(path, 5)
        two.send_signal(signal.SIGKILL)
        feed(path, range(5, 10))
        wait_for_output(path, 10)
        assert output(path, "a") == output(path, "b") == [b"%d:%d" % (number + 1, number) for number in range(10)]


def test_a_stage_that_hangs_is_replaced_and_fenced_when_it_wakes(path: Path) -> None:
    with stage(path, what="own") as old:
        said(old, "step")
        stop_between_commits(old, path)
        with stage(path, what="own", take_over=0.5) as new:
            said(new, "step")
            before = len(output(path, "a")) + len(output(path, "b"))
            old.send_signal(signal.SIGCONT)
            assert "fenced" in said(old, "fenced")
            assert old.wait(PATIENCE_SECONDS) == 4
            said(new, "step")
            assert len(output(path, "a")) + len(output(path, "b")) >= before


def test_a_replica_that_hangs_with_work_waiting_is_relieved_of_it(path: Path) -> None:
    # The one that is to hang is patient: on a slow machine it must not take the other for the one that hangs.
    with stage(path, take_over=0.5) as one, stage(path, ordinal=1, take_over=600.0) as two:
        said(one, "ready")
        said(two, "ready")
        feed(path, range(5))
        wait_for_output(path, 5)
        stop_between_commits(two, path)
        feed(path, range(5, 10))
        wait_for_output(path, 10)
        two.send_signal(signal.SIGCONT)
        assert two.wait(PATIENCE_SECONDS) == 4
        assert output(path, "a") == output(path, "b") == [b"%d:%d" % (number + 1, number) for number in range(10)]


def test_a_second_live_instance_is_fenced_and_the_first_goes_on(path: Path) -> None:
    with stage(path, what="own") as first:
        said(first, "step")
        with stage(path, what="own") as second:
            assert "already has a live worker" in said(second, "fenced")
            assert second.wait(PATIENCE_SECONDS) == 4
        said(first, "step")
    with SqliteBus(path) as bus:
        bus.worker("copy", (), outputs=("m.out",), exclusive=True).close()


def test_a_reader_sees_whole_steps_only_while_another_process_writes(path: Path) -> None:
    with stage(path), SqliteBus(path) as bus, bus.view(["m.out"], from_oldest=True) as view:
        feed(path, range(30))
        seen = {"a": 0, "b": 0}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while min(seen.values()) < 30 and time.monotonic() < deadline:
            for record in view.receive(0.5):
                assert record.value == b"%d:%d" % (seen[record.lane] + 1, seen[record.lane])
                seen[record.lane] += 1
        assert seen == {"a": 30, "b": 30}


def test_a_worker_is_called_for_what_another_bus_on_the_file_does(path: Path) -> None:
    rung = threading.Event()
    with SqliteBus(path) as bus, bus.worker("copy", ("m.in",), exclusive=True, on_news=rung.set) as worker:
        assert len(worker.receive(0.0).gained) == 2
        for number in range(5):
            rung.clear()
            feed(path, range(number, number + 1))
            values: list[bytes] = []
            while len(values) < 2:
                assert rung.wait(PATIENCE_SECONDS)
                rung.clear()
                values += [record.value for record in worker.receive(0.0).records]
            assert values == [b"%d" % number] * 2


def test_a_full_disk_is_told_and_nothing_is_half_done(path: Path) -> None:
    script = """
        import resource, sys
        from c2kit.bus.base import BusUnavailable, Record, Step
        from c2kit.bus.sqlite import SqliteBus
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
        bus = SqliteBus(sys.argv[1])
        source = bus.worker("source", (), outputs=("m.in",))
        done = 0
        try:
            while done < 100:
                source.commit(Step(publish=[Record("m.in", lane, bytes(20_000)) for lane in ("a", "b")]))
                done += 1
        except BusUnavailable as error:
            print(done, "cannot be used now" in str(error))
            sys.stdout.flush()
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    done, told = run.stdout.split()
    assert told == "True"
    assert 1 <= int(done) < 100
    with SqliteBus(path) as bus, bus.view(["m.in"], from_oldest=True) as view:
        lanes = [record.lane for record in view.receive(0.0)]
        assert lanes.count("a") == lanes.count("b") == int(done)
        with bus.worker("source", (), outputs=("m.in",)) as source:
            source.commit(Step(publish=[Record("m.in", "a", b"goes on")]))
        assert [record.value for record in view.receive(PATIENCE_SECONDS)] == [b"goes on"]


def test_a_file_that_another_program_locks_is_waited_for_and_then_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("c2kit.bus.sqlite.store._PATIENCE_SECONDS", 1.0)
    with SqliteBus(path) as bus, bus.worker("source", (), outputs=("m.in",)) as source:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusUnavailable, match="locked"):
            source.commit(Step(publish=[Record("m.in", "a", b"1")]))
        other.execute("ROLLBACK")
        other.close()
        source.commit(Step(publish=[Record("m.in", "a", b"2")]))
        with bus.view(["m.in"], from_oldest=True) as view:
            assert [record.value for record in view.receive(PATIENCE_SECONDS)] == [b"2"]


def test_a_file_that_is_no_bus_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("this is no database, and somebody needs it" * 100)
    with pytest.raises(BusError, match="damaged or is no bus file"):
        SqliteBus(file)
    assert file.read_text().startswith("this is no database")


def test_a_file_of_another_format_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(BusError, match="format 99"):
        SqliteBus(path)


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c2kit.bus.sqlite.locks._file_system_of", lambda _: "nfs4")
    with pytest.raises(UsageError, match="network file system"):
        SqliteBus(tmp_path / "bus.db")


def test_a_closed_worker_is_fenced(path: Path) -> None:
    with SqliteBus(path) as bus:
        worker = bus.worker("source", (), outputs=("m.in",))
        worker.close()
        with pytest.raises(Fenced):
            worker.commit(Step(publish=[Record("m.in", "a", b"1")]))
