"""Which packets of a log are wanted."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from c2kit.errors import UsageError
from c2kit.storage.index import UNKNOWN_TIME

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.storage.block import Span, Totals
    from c2kit.storage.index import Rows

__all__ = ["By", "TimeRange"]


@unique
class By(StrEnum):
    """Which time of a packet counts."""

    RECEIVED = "received"
    GENERATED = "generated"


@frozen
class TimeRange:
    """Packets from ``start_ns`` up to, not including, ``end_ns``; ``None`` leaves that side open.

    Where a side is given, a packet without such a time is not in the range.
    """

    start_ns: int | None = None
    end_ns: int | None = None
    by: By = By.RECEIVED

    def __attrs_post_init__(self) -> None:
        """Refuse a range that holds nothing."""
        if self.start_ns is not None and self.end_ns is not None and self.start_ns >= self.end_ns:
            raise UsageError("a range of times", expected=f"an end after {self.start_ns}", found=self.end_ns)

    @classmethod
    def of(cls, start_ns: int | None, end_ns: int | None, by: str) -> TimeRange:
        """A range as a caller gives it. Raises UsageError for a time of another name."""
        if by not in tuple(By):
            raise UsageError("the time that counts", expected=" or ".join(By), found=by)
        return cls(start_ns, end_ns, By(by))

    @property
    def is_everything(self) -> bool:
        """Whether no side is given."""
        return self.start_ns is None and self.end_ns is None

    def may_hold(self, totals: Totals) -> bool:
        """Whether some of these packets may be in the range."""
        if self.is_everything:
            return True
        span: Span | None = getattr(totals, self.by.value)
        if span is None:
            return False
        low, high = span
        return (self.end_ns is None or low < self.end_ns) and (self.start_ns is None or high >= self.start_ns)

    def holds(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which packets are in the range."""
        held = np.ones(len(rows), np.bool_)
        if self.is_everything:
            return held
        if self.by is By.RECEIVED:
            times = rows.received
            held &= times != UNKNOWN_TIME
        else:
            times = rows.generated.values.view(np.int64)
            if rows.generated.valid is not None:
                held &= rows.generated.valid
        if self.start_ns is not None:
            held &= times >= self.start_ns
        if self.end_ns is not None:
            held &= times < self.end_ns
        return held
