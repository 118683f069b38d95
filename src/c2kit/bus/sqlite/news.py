"""Who waits for what, within one process: a commit wakes those that it concerns, and nobody else."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from c2kit.bus.news import Bell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["News", "NewsBoard"]

Key = TypeVar("Key", int, str)


class News:
    """What may have come for one reader: counted, waited for, and told by its bell."""

    def __init__(
        self,
        stage: str | None,
        partitions: Iterable[int],
        *,
        on_news: Callable[[], None] | None = None,
        is_shared: bool = False,
    ) -> None:
        self.stage = stage
        self.is_shared = is_shared
        """Whether colleagues may be there, and die."""
        self.partitions = tuple(partitions)
        self.count = 0
        """Rises with anything that may concern the reader."""
        self.regrouped = 0
        """Rises with what may change who owns what in its stage."""
        self.has_bell = on_news is not None
        self._changed = threading.Condition(threading.Lock())
        self._bell = Bell(on_news)

    def come(self, *, is_regrouped: bool = False) -> None:
        """Something may have come."""
        with self._changed:
            self.regrouped += is_regrouped
            self.count += 1
            self._changed.notify_all()
        if self.has_bell:
            self._bell.ring()

    def wait(self, count: int, seconds: float) -> None:
        """Wait until something came after ``count``."""
        with self._changed:
            self._changed.wait_for(lambda: self.count != count, seconds)

    def end(self) -> None:
        """Wake who waits, for the last time."""
        self._bell.silence()
        self.has_bell = False
        self.come()


class NewsBoard:
    """All readers of one process, and what is known already of how far partitions and stages are."""

    def __init__(self) -> None:
        self._used = threading.Lock()
        self._by_partition: dict[int, set[News]] = {}
        self._by_stage: dict[str, set[News]] = {}
        self._all: set[News] = set()
        self._next_offsets: dict[int, int] = {}
        self._versions: dict[str, int] = {}

    def add(self, news: News) -> None:
        """Tell this one from now on."""
        with self._used:
            self._all.add(news)
            for partition in news.partitions:
                self._by_partition.setdefault(partition, set()).add(news)
            if news.stage is not None:
                self._by_stage.setdefault(news.stage, set()).add(news)

    def remove(self, news: News) -> None:
        """Tell this one no longer, and end it."""
        with self._used:
            self._all.discard(news)
            for partition in news.partitions:
                self._by_partition.get(partition, set()).discard(news)
            if news.stage is not None:
                self._by_stage.get(news.stage, set()).discard(news)
        news.end()

    def next_offset(self, partition: int) -> int:
        """As far as it is known; whoever waits is told of more."""
        return self._next_offsets.get(partition, 0)

    def tell(self, next_offsets: Mapping[int, int], versions: Mapping[str, int]) -> None:
        """Tell those whom these concern, where they are further than what is known."""
        with self._used:
            grown = _further(next_offsets, self._next_offsets)
            regrouped = _further(versions, self._versions)
            readers = {news for partition in grown for news in self._by_partition.get(partition, ())}
            members = {news for stage in regrouped for news in self._by_stage.get(stage, ())}
        for news in readers - members:
            news.come()
        for news in members:
            news.come(is_regrouped=True)

    def tell_all(self) -> None:
        """Let everybody look: something may have come, or the file has failed."""
        for news in self._snapshot():
            news.come(is_regrouped=True)

    def tell_sharing(self) -> None:
        """Let those with a bell look for colleagues that died, which is no commit and tells nobody."""
        for news in self._snapshot():
            if news.has_bell and news.is_shared:
                news.come()

    def _snapshot(self) -> list[News]:
        with self._used:
            return list(self._all)


def _further(found: Mapping[Key, int], known: dict[Key, int]) -> list[Key]:
    """The keys whose numbers rose; they are known then."""
    risen = [key for key, number in found.items() if number > known.get(key, 0)]
    for key in risen:
        known[key] = found[key]
    return risen
