from __future__ import annotations

import time

import pytest

from c2kit.pipeline.observing.steps import STEP_BUCKETS, StepMeter


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0.0, 0.001), (0.001, 0.001), (0.0011, 0.005), (0.005, 0.005), (10.0, 10.0), (10.1, float("inf"))],
)
def test_a_step_is_counted_in_the_bucket_whose_bound_it_does_not_exceed(seconds: float, bucket: float) -> None:
    meter = StepMeter("decom")
    meter.add(seconds)
    assert dict(zip(STEP_BUCKETS, meter.counts, strict=True)) == {bound: int(bound == bucket) for bound in STEP_BUCKETS}


def test_it_knows_all_steps_and_the_last_commit() -> None:
    meter = StepMeter("decom")
    times = [meter.last_commit_ns]
    for seconds in (0.25, 0.5):
        meter.add(seconds, committed_ns=int(seconds * 100))
        times.append(meter.last_commit_ns)
    assert times == [None, 25, 50]
    assert (meter.seconds, sum(meter.counts)) == (0.75, 2)


def test_a_step_was_committed_now_unless_told_otherwise() -> None:
    meter = StepMeter("decom")
    before = time.time_ns()
    meter.add(0.1)
    assert meter.last_commit_ns is not None
    assert before <= meter.last_commit_ns <= time.time_ns()
