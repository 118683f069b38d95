"""Following the streams of a mission that some names or patterns mean, also those that appear later."""

from __future__ import annotations

import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from c2kit.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from c2kit.bus import Received, StreamInfo, View
    from c2kit.cli.looking import Look

__all__ = ["Watch"]

_LOOK_AGAIN_SECONDS = 1.0
"""How soon a stream is noticed that appears while others are followed."""
_WILD = frozenset("*?[")


class Watch:
    """Views of all streams that are meant. It owns nothing and holds nothing back.

    Raises UnknownName for a name or a pattern that means no stream which is there now.
    """

    def __init__(self, look: Look, patterns: Sequence[str], *, from_oldest: bool = False) -> None:
        self._look = look
        self._patterns = patterns
        found = self._look.streams()
        for pattern in patterns:
            self._check_known(pattern, found)
        self.names = [each.spec.name for each in found if any(self._means(each, pattern) for pattern in patterns)]
        """The streams that are followed."""
        self.deleted = sum(self._deleted(each) for each in found if each.spec.name in self.names) * from_oldest
        """How many records of those that were asked for had been deleted before it began."""
        self._views: list[View] = [look.bus.view(self.names, from_oldest=from_oldest)]
        self._looked_at = time.monotonic()

    @property
    def missed(self) -> int:
        """How many records were deleted since it began, before they could be looked at."""
        return sum(view.missed for view in self._views)

    def receive(self, timeout_seconds: float) -> list[Received]:
        """What came since the last call, in the order of publishing; records of one partition keep theirs.

        Raises BusUnavailable.
        """
        if self._is_wild and time.monotonic() >= self._looked_at + _LOOK_AGAIN_SECONDS:
            self._look_again()
        share = timeout_seconds / len(self._views)
        return _by_time([record for view in self._views for record in view.receive(share)])

    def close(self) -> None:
        """Stop looking."""
        for view in self._views:
            view.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _is_wild(self) -> bool:
        return any(not _WILD.isdisjoint(pattern) for pattern in self._patterns)

    def _means(self, stream: StreamInfo, pattern: str) -> bool:
        """Definitions are no data: they are meant by their names alone, and by no pattern."""
        name = stream.spec.name
        if name == pattern or self._look.shown(name) == pattern:
            return True
        is_like = fnmatchcase(name, pattern) or fnmatchcase(self._look.shown(name), pattern)
        return is_like and not stream.spec.compacted

    def _check_known(self, pattern: str, found: Sequence[StreamInfo]) -> None:
        if not any(self._means(each, pattern) for each in found):
            known = [self._look.shown(each.spec.name) for each in found]
            raise UnknownName(kind="stream", name=pattern, known=known, where=f"mission {self._look.mission}")

    @staticmethod
    def _deleted(stream: StreamInfo) -> int:
        return 0 if stream.spec.compacted else sum(stream.first_offsets)

    def _look_again(self) -> None:
        """Follow from their beginning what was not there before."""
        new = [
            each.spec.name
            for each in self._look.streams()
            if each.spec.name not in self.names and any(self._means(each, pattern) for pattern in self._patterns)
        ]
        if new:
            self._views.append(self._look.bus.view(new, from_oldest=True))
            self.names += new
        self._looked_at = time.monotonic()


def _by_time(records: list[Received]) -> list[Received]:
    """Clocks may go back: within a partition the time of a record is never before that of another before it."""
    latest: dict[tuple[str, int], int] = {}
    timed = []
    for record in records:
        partition = (record.stream, record.partition)
        latest[partition] = max(record.published_ns, latest.get(partition, record.published_ns))
        timed.append((latest[partition], record))
    return [record for _, record in sorted(timed, key=lambda each: each[0])]
