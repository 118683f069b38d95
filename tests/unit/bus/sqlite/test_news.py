"""Whom a commit wakes, and what it costs those whom it does not concern."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2kit.bus import Record, Step, StreamSpec
from c2kit.bus.sqlite import SqliteBus
from c2kit.bus.sqlite.news import News, NewsBoard
from c2kit.bus.sqlite.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

DESCRIPTORS = Path("/proc/self/fd")


def interface(number: int) -> StreamSpec:
    return StreamSpec(name=f"m.uplink.{number}", writer="encoder", consumers=(f"interface-{number}",))


def test_only_those_are_told_whose_partitions_grew_or_whose_stage_changed() -> None:
    board = NewsBoard()
    one, two, view = News("a", [1, 2]), News("b", [2, 3]), News(None, [3])
    for news in (one, two, view):
        board.add(news)
    board.tell({2: 5}, {})
    assert (one.count, two.count, view.count) == (1, 1, 0)
    board.tell({3: 1}, {"a": 1})
    assert (one.count, two.count, view.count) == (2, 2, 1)
    assert (one.regrouped, two.regrouped, view.regrouped) == (1, 0, 0)


def test_what_is_known_already_is_told_nobody() -> None:
    board, news = NewsBoard(), News("a", [1])
    board.add(news)
    board.tell({1: 5}, {"a": 2})
    before = news.count
    board.tell({1: 5}, {"a": 2})
    board.tell({1: 4}, {"a": 1})
    assert news.count == before
    assert board.next_offset(1) == 5


def test_who_was_removed_is_told_nothing_more_and_waits_no_longer() -> None:
    board, news = NewsBoard(), News("a", [1])
    board.add(news)
    waiter = threading.Thread(target=news.wait, args=(news.count, 60.0))
    waiter.start()
    board.remove(news)
    waiter.join(30)
    assert not waiter.is_alive()
    before = news.count
    board.tell({1: 1}, {"a": 1})
    board.tell_all()
    assert news.count == before


def test_only_those_who_may_have_colleagues_are_told_to_look_for_them() -> None:
    calls: list[str] = []
    board = NewsBoard()
    board.add(News("a", [1], on_news=lambda: calls.append("shared"), is_shared=True))
    board.add(News("b", [2], on_news=lambda: calls.append("alone")))
    board.tell_sharing()
    assert calls == ["shared"]


def open_files() -> int:
    return sum(1 for _ in DESCRIPTORS.iterdir())


@contextmanager
def idle_workers(bus: SqliteBus, count: int) -> Iterator[None]:
    with ExitStack() as stack:
        workers = [
            stack.enter_context(bus.worker(f"interface-{number}", (f"m.uplink.{number}",), exclusive=True))
            for number in range(count)
        ]
        for worker in workers:
            while worker.receive(0.0).gained:
                pass
        yield


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="this system does not list open files")
def test_an_idle_worker_costs_one_open_file_and_no_thread(tmp_path: Path) -> None:
    with SqliteBus(tmp_path / "bus.db") as bus:
        bus.apply([interface(number) for number in range(40)])
        with idle_workers(bus, 1):
            files, threads = open_files(), threading.active_count()
        with idle_workers(bus, 40):
            assert open_files() - files < 2 * 39
            assert threading.active_count() == threads


def test_an_idle_worker_does_not_touch_the_file_for_what_others_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqliteBus(tmp_path / "bus.db") as bus:
        bus.apply([interface(0), interface(1)])
        worker = bus.worker("interface-0", ("m.uplink.0",), exclusive=True)
        encoder = bus.worker("encoder", (), outputs=("m.uplink.0", "m.uplink.1"))
        while worker.receive(0.0).gained:
            pass
        encoder.commit(Step(publish=[Record("m.uplink.1", "lane", b"1")]))
        here, used = threading.get_ident(), []
        right = Store.connected

        @contextmanager
        def counted(store: Store) -> Iterator[None]:
            used.append(threading.get_ident())
            with right(store):
                yield

        monkeypatch.setattr(Store, "connected", counted)
        for _ in range(10):
            assert not worker.receive(0.0).records
        assert here not in used
        encoder.commit(Step(publish=[Record("m.uplink.0", "lane", b"2")]))
        assert [record.value for record in worker.receive(0.0).records] == [b"2"]
        assert here in used
