"""Time is that of the records, so that nothing here waits."""

from __future__ import annotations

import logging

from c2kit.pipeline.observing.ratelimit import RateLimit


def record(
    template: str = "lost %s", *, at: float, name: str = "c2kit.links", stage: str = "fep", level: int = logging.WARNING
) -> logging.LogRecord:
    facts = {"msg": template, "args": ("x",), "created": at, "name": name, "stage": stage, "levelno": level}
    return logging.makeLogRecord(facts)


def texts(records: list[logging.LogRecord]) -> list[str]:
    return [taken.getMessage() for taken in records]


def test_so_many_pass_and_the_next_record_after_the_time_tells_of_the_others() -> None:
    limit = RateLimit(most=2, seconds=10)
    passed = [texts(limit.take(record(at=100 + 0.1 * index))) for index in range(5)]
    assert passed == [["lost x"], ["lost x"], [], [], []]
    assert texts(limit.take(record("found %s", at=109.9))) == ["found x"]
    assert texts(limit.take(record(at=110))) == ["3 more like this were suppressed: lost x", "lost x"]


def test_the_time_begins_anew_after_it_is_over() -> None:
    limit = RateLimit(most=1, seconds=10)
    written = [texts(limit.take(record(at=at))) for at in (0, 1, 10, 11, 19.9, 20)]
    told = "{} more like this were suppressed: lost x".format
    assert written == [["lost x"], [], [told(1), "lost x"], [], [], [told(2), "lost x"]]


def test_kinds_differ_by_template_logger_stage_and_level_and_not_by_arguments() -> None:
    limit = RateLimit(most=1, seconds=10)
    assert len(limit.take(record(at=0))) == 1
    assert len(limit.take(record("found %s", at=0))) == 1
    assert len(limit.take(record(at=0, name="c2kit.bus"))) == 1
    assert len(limit.take(record(at=0, stage="antenna"))) == 1
    assert len(limit.take(record(at=0, level=logging.CRITICAL))) == 1
    same = record(at=0)
    same.args = ("y",)
    assert limit.take(same) == []


def test_the_summary_is_of_the_same_logger_stage_and_level() -> None:
    limit = RateLimit(most=1, seconds=10)
    for at in (0, 1, 2):
        limit.take(record(at=at, level=logging.ERROR))
    (summary,) = limit.end()
    facts = vars(summary)
    assert (summary.name, summary.levelname, facts["stage"], facts["suppressed"]) == ("c2kit.links", "ERROR", "fep", 2)


def test_nothing_is_told_where_nothing_was_suppressed_and_nothing_twice() -> None:
    limit = RateLimit(most=1, seconds=10)
    limit.take(record(at=0))
    assert limit.end() == []
    limit.take(record(at=0))
    limit.take(record(at=0))
    assert len(limit.end()) == 1
    assert limit.end() == []


def test_a_clock_that_is_set_back_silences_nothing() -> None:
    limit = RateLimit(most=1, seconds=10)
    limit.take(record(at=1000))
    limit.take(record(at=1000))
    assert texts(limit.take(record(at=5))) == ["1 more like this were suppressed: lost x", "lost x"]


def test_templates_without_end_take_no_memory_without_end_and_every_suppressed_record_is_told() -> None:
    limit = RateLimit(most=1, seconds=1e9, max_kinds=5)
    written = []
    for index in range(100):
        for _ in range(3):
            written += limit.take(record(f"text {index} %s", at=index))
        assert len(limit._windows) <= 5
    written += limit.end()
    told = [vars(taken)["suppressed"] for taken in written if hasattr(taken, "suppressed")]
    assert (len(written) - len(told), sum(told)) == (100, 200)
