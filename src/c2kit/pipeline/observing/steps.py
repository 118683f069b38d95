"""How long the steps of a stage take, counted by the stage itself."""

from __future__ import annotations

import bisect
import math
import time

from attrs import define, field

__all__ = ["STEP_BUCKETS", "StepMeter"]

STEP_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, math.inf)
"""Upper bounds in seconds, inclusive."""


@define(eq=False)
class StepMeter:
    """The steps that one stage has committed. Written by its thread, and read by any."""

    stage: str
    seconds: float = 0.0
    """Of all steps together, from when their input was there until they were committed."""
    last_commit_ns: int | None = None
    """POSIX nanoseconds, UTC."""
    counts: list[int] = field(factory=lambda: [0] * len(STEP_BUCKETS), init=False)
    """How many steps there were in each of the buckets, each step in one."""

    def add(self, seconds: float, committed_ns: int | None = None) -> None:
        """A step was committed, now unless told otherwise."""
        self.counts[bisect.bisect_left(STEP_BUCKETS, seconds)] += 1
        self.seconds += seconds
        self.last_commit_ns = time.time_ns() if committed_ns is None else committed_ns
