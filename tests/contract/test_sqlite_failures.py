"""What a bus in a file does when the disk, another program, or a rival gets in between."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest

from c2kit.bus.base import BusError, BusUnavailable, Fenced, Record, Step, StreamSpec
from c2kit.bus.sqlite import SqliteBus
from c2kit.bus.sqlite.committer import Committer
from c2kit.bus.sqlite.store import Store
from tests.links import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from c2kit.bus.sqlite.store import Changes

IN = StreamSpec(name="m.in", writer="source", consumers=("copy",))
ONE = Step(publish=[Record("m.in", "lane", b"1")])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with SqliteBus(tmp_path / "bus.db") as bus:
        bus.apply([IN])
    return tmp_path / "bus.db"


@pytest.fixture
def bus(path: Path) -> Iterator[SqliteBus]:
    with SqliteBus(path, take_over_seconds=2.0) as opened:
        yield opened


def records(bus: SqliteBus) -> int:
    (info,) = bus.streams()
    return info.next_offsets[0]


def fail_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every transaction do its work and then fail, as a disk does."""
    monkeypatch.setattr(Committer, "_retain_sometimes", _full)


def _full(_: Committer, __: Changes, *, is_idle: bool) -> None:
    raise BusUnavailable(f"disk full (idle: {is_idle})")


def test_a_step_that_shares_a_commit_with_one_that_fills_the_disk_is_not_half_done(tmp_path: Path) -> None:
    """SQLite rolls all of a transaction back when the disk is full; what comes after must not be committed alone."""
    store = Store(tmp_path / "bus.db")
    begun, both_wait = threading.Event(), threading.Event()
    committer = Committer(store, 1_000_000, lambda _: None)

    def hold(_: Store) -> None:
        begun.set()
        both_wait.wait(PATIENCE_SECONDS)

    def fill(at: Store) -> None:
        at._db.execute("ROLLBACK")  # as SQLite does by itself
        raise sqlite3.OperationalError("database or disk is full")

    outcomes: dict[str, type[BaseException]] = {}

    def run(name: str, work: Callable[[Store], object]) -> None:
        try:
            committer.run(work)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            outcomes[name] = type(error)

    works = {"hold": hold, "fill": fill, "after": lambda at: at.add_stream(IN)}
    threads = [threading.Thread(target=run, args=item) for item in works.items()]
    for waiting, thread in enumerate(threads):
        thread.start()
        assert begun.wait(PATIENCE_SECONDS)
        until(lambda: len(committer._waiting) == waiting)  # noqa: B023 - called at once
    both_wait.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert outcomes == {"fill": BusUnavailable, "after": BusUnavailable}
    with store.reading():
        assert store.streams() == {}
    committer.close()
    store.close()


def test_whatever_goes_wrong_in_the_committer_nobody_is_left_waiting(
    bus: SqliteBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = bus.worker("source", (), outputs=("m.in",))

    def broken(_: Committer, __: Changes, *, is_idle: bool) -> None:
        raise MemoryError(is_idle)

    with monkeypatch.context() as patch:
        patch.setattr(Committer, "_retain_sometimes", broken)
        with pytest.raises(MemoryError):
            source.commit(ONE)
    source.commit(ONE)
    assert records(bus) == 1


def test_changes_of_ownership_that_failed_to_commit_are_told_once_they_are_true(
    bus: SqliteBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bus.worker("copy", ("m.in",), ordinal=1)
    with monkeypatch.context() as patch:
        fail_commits(patch)
        with pytest.raises(BusUnavailable):
            one.receive(0.0)
        assert one.assigned == frozenset()
    assert one.receive(0.0).gained == {("m.in", 0)}
    two = bus.worker("copy", ("m.in",), ordinal=0)
    with monkeypatch.context() as patch:
        fail_commits(patch)
        with pytest.raises(BusUnavailable):
            one.receive(0.0)
    assert one.receive(0.0).lost == {("m.in", 0)}
    assert two.receive(0.0).gained == {("m.in", 0)}


def test_a_worker_that_could_not_enter_leaves_nothing_in_the_way(
    bus: SqliteBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_commits(patch)
        with pytest.raises(BusUnavailable):
            bus.worker("source", (), outputs=("m.in",))
    with bus.worker("source", (), outputs=("m.in",)) as source:
        source.commit(ONE)
    assert records(bus) == 1


def test_closing_gives_everything_up_though_the_file_cannot_be_written(path: Path) -> None:
    bus = SqliteBus(path)
    source = bus.worker("source", (), outputs=("m.in",), exclusive=True)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    source.close()
    other.execute("ROLLBACK")
    other.close()
    with SqliteBus(path) as second, second.worker("source", (), outputs=("m.in",), exclusive=True) as successor:
        successor.commit(ONE)
    bus.close()


@pytest.mark.parametrize("exclusive", [True, False])
def test_of_workers_that_enter_at_the_same_time_one_wins(path: Path, *, exclusive: bool) -> None:
    buses = [SqliteBus(path) for _ in range(4)]
    start = threading.Barrier(len(buses))
    outcomes: list[str] = []

    def enter(bus: SqliteBus) -> None:
        start.wait(PATIENCE_SECONDS)
        try:
            bus.worker("source", (), outputs=("m.in",), exclusive=exclusive)
            outcomes.append("in")
        except Fenced:
            outcomes.append("fenced")

    threads = [threading.Thread(target=enter, args=(bus,)) for bus in buses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert sorted(outcomes) == ["fenced", "fenced", "fenced", "in"]
    for bus in buses:
        bus.close()


def test_a_publisher_that_waits_for_room_does_not_spin(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteBus(path, max_stream_bytes=1) as bus:
        source = bus.worker("source", (), outputs=("m.in",))
        source.commit(ONE)
        begun = threading.Semaphore(0)
        right = Store.transaction

        def counted(store: Store) -> AbstractContextManager[None]:
            begun.release()
            return right(store)

        monkeypatch.setattr(Store, "transaction", counted)

        def wait() -> None:
            with pytest.raises(Fenced):
                source.commit(ONE)

        waiter = threading.Thread(target=wait)
        waiter.start()
        attempts = 0
        while begun.acquire(timeout=0.15):
            attempts += 1
            assert attempts < 20
        source.close()
        waiter.join(PATIENCE_SECONDS)
        assert not waiter.is_alive()


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE notes (text TEXT)")
    database.close()
    before = file.read_bytes()
    with pytest.raises(BusError, match="another program"):
        SqliteBus(file)
    assert file.read_bytes() == before


def test_a_new_file_may_be_opened_by_many_at_once(tmp_path: Path) -> None:
    start = threading.Barrier(8)
    failed: list[BaseException] = []

    def open_it() -> None:
        start.wait(PATIENCE_SECONDS)
        try:
            with SqliteBus(tmp_path / "bus.db") as bus:
                bus.apply([IN])
        except Exception as error:  # noqa: BLE001 - the test looks at it
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert failed == []
