"""Who commits what when several threads of a process have work at the same time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from c2kit.bus import BusUnavailable, Fenced, StreamSpec
from c2kit.bus.sqlite.committer import Committer
from c2kit.bus.sqlite.store import Changes, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

SPECS = {name: StreamSpec(name=name, writer="source") for name in ("one", "two", "three")}


class Bench:
    """A committer whose first piece of work is held until the others wait."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.reader = Store(path)
        self.told: list[Changes] = []
        self.committer = Committer(self.store, 1_000_000, self.told.append)
        self.outcomes: dict[str, BaseException | object] = {}

    def together(self, **works: Callable[[Store], object]) -> None:
        """Let all of these wait for a commit at once, in this order."""
        held, go_on = threading.Event(), threading.Event()

        def hold(_: Store) -> None:
            held.set()
            go_on.wait(30)

        def run(name: str, work: Callable[[Store], object]) -> None:
            try:
                self.outcomes[name] = self.committer.run(work)
            except BaseException as error:  # noqa: BLE001 - the test looks at it
                self.outcomes[name] = error

        threads = [threading.Thread(target=run, args=("hold", hold))]
        threads[0].start()
        assert held.wait(30)
        for number, item in enumerate(works.items(), 1):
            threads.append(threading.Thread(target=run, args=item))
            threads[-1].start()
            while len(self.committer._waiting) < number:
                time.sleep(0.001)
        go_on.set()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()

    def streams(self) -> set[str]:
        with self.reader.reading():
            return set(self.reader.streams())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "bus.db")
    yield made
    made.committer.close()
    made.reader.close()


def add(name: str) -> Callable[[Store], object]:
    def work(store: Store) -> str:
        store.add_stream(SPECS[name])
        return name

    return work


def fail(_: Store) -> None:
    raise ValueError("not this one")


def interrupt(_: Store) -> None:
    raise KeyboardInterrupt


def test_what_waits_is_committed_together_and_each_gets_its_own_result(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    right = Store.transaction

    def counted(store: Store) -> AbstractContextManager[None]:
        begun.append(1)
        return right(store)

    monkeypatch.setattr(Store, "transaction", counted)
    bench.together(one=add("one"), two=add("two"), three=add("three"))
    assert {name: bench.outcomes[name] for name in SPECS} == {name: name for name in SPECS}
    assert bench.streams() == set(SPECS)
    assert len(begun) == 2


def test_work_that_fails_leaves_what_shares_its_commit_alone(bench: Bench) -> None:
    bench.together(one=add("one"), two=fail, three=add("three"))
    assert isinstance(bench.outcomes["two"], ValueError)
    assert bench.streams() == {"one", "three"}


def test_work_that_fails_alone_changes_nothing(bench: Bench) -> None:
    def half(store: Store) -> None:
        store.add_stream(SPECS["one"])
        fail(store)

    with pytest.raises(ValueError, match="not this one"):
        bench.committer.run(half)
    assert bench.streams() == set()


def test_who_shares_a_commit_that_was_interrupted_must_not_try_again(bench: Bench) -> None:
    """Whether it was made is not known in general, so that trying again could do it twice."""
    bench.together(one=interrupt, two=add("two"))
    assert isinstance(bench.outcomes["one"], (KeyboardInterrupt, Fenced))
    assert isinstance(bench.outcomes["two"], Fenced)
    assert bench.streams() == set()
    assert bench.committer.run(add("three")) == "three"


def test_a_hint_is_written_with_the_next_commit_and_only_the_last_one(bench: Bench) -> None:
    calls: list[str] = []
    bench.committer.hint("key", lambda _: calls.append("first"))
    bench.committer.hint("key", lambda _: calls.append("second"))
    bench.committer.run(add("one"))
    assert calls == ["second"]


def test_a_hint_is_written_though_nobody_commits_and_after_failures(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, failed = threading.Event(), threading.Event()
    right = Committer._retain_sometimes

    def broken(committer: Committer, changes: Changes, *, is_idle: bool) -> None:
        if not failed.is_set():
            failed.set()
            raise BusUnavailable("disk full")
        right(committer, changes, is_idle=is_idle)
        written.set()

    monkeypatch.setattr(Committer, "_retain_sometimes", broken)
    bench.committer.hint("key", add("one"))
    assert written.wait(30)
    bench.committer.close()
    assert bench.streams() == {"one"}


def test_nothing_is_told_of_a_commit_that_failed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Committer, __: Changes, *, is_idle: bool) -> None:
        raise BusUnavailable(f"disk full {is_idle}")

    def enter(store: Store) -> None:
        store.add_worker("stage", 0, (), exclusive=False)

    with monkeypatch.context() as patch:
        patch.setattr(Committer, "_retain_sometimes", broken)
        with pytest.raises(BusUnavailable):
            bench.committer.run(enter)
    assert bench.told == []
    bench.committer.run(enter)
    assert [changes.stages for changes in bench.told] == [{"stage": 1}]
