from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from c2kit.pipeline.observing.logs import LogFormat, at_stage, configure_logging
from c2kit.pipeline.observing.ratelimit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGGER = logging.getLogger("c2kit.test")


@pytest.fixture(autouse=True)
def logger_as_it_was() -> Iterator[None]:
    """Leave the logger of the package to other tests as they know it."""
    root = logging.getLogger("c2kit")
    before = (list(root.handlers), root.level, root.propagate)
    yield
    root.handlers[:], root.level, root.propagate = before
    root.setLevel(before[1])  # also forgets which loggers were enabled


def configured(log_format: LogFormat, **settings: Any) -> io.StringIO:  # noqa: ANN401 - whatever it takes
    stream = io.StringIO()
    configure_logging(log_format, stream, **settings)
    return stream


def objects(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


class TestText:
    def test_a_line_has_time_level_stage_message_and_facts(self) -> None:
        stream = configured(LogFormat.TEXT)
        with at_stage("decom"):
            LOGGER.warning("%d packets are unknown", 3, extra={"apid": 7, "target": "FIREFLY"})
        line = stream.getvalue()
        assert re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING  decom: 3 packets are unknown apid=7 target=FIREFLY\n",
            line,
        )

    def test_what_came_over_a_link_can_neither_begin_a_line_nor_colour_a_terminal(self) -> None:
        stream = configured(LogFormat.TEXT)
        LOGGER.info("peer said %s", "hello\n2026-01-01 INFO all is well\r\x1b[31m\x9b", extra={"fact": "a\nb"})
        assert stream.getvalue().endswith("peer said hello\\n2026-01-01 INFO all is well\\r\\x1b[31m\\x9b fact=a\\nb\n")
        assert stream.getvalue().count("\n") == 1

    def test_an_exception_stands_indented_below_its_message(self) -> None:
        stream = configured(LogFormat.TEXT)
        try:
            raise ValueError("bad\x1b[31m")  # noqa: TRY301 - it is what is logged
        except ValueError:
            LOGGER.exception("it failed")
        first, *trace = stream.getvalue().splitlines()
        assert first.endswith("ERROR    it failed")
        assert trace[0] == "    Traceback (most recent call last):"
        assert trace[-1] == "    ValueError: bad\\x1b[31m"


class TestJson:
    def test_a_line_is_an_object_with_facts_of_their_own(self) -> None:
        stream = configured(LogFormat.JSON)
        with at_stage("decom"):
            LOGGER.warning("%s is\nodd", "it", extra={"apid": 7, "ratio": float("nan"), "span": (1, 2), "none": None})
        (line,) = objects(stream)
        time = line.pop("time")
        assert line == {
            "level": "WARNING",
            "logger": "c2kit.test",
            "stage": "decom",
            "message": "it is\nodd",
            "apid": 7,
            "ratio": "nan",
            "span": "(1, 2)",
            "none": None,
        }
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", time)
        assert abs(datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds() < 3_600

    def test_facts_cannot_take_the_place_of_what_every_line_has(self) -> None:
        stream = configured(LogFormat.JSON)
        LOGGER.warning("real", extra={"level": "DEBUG", "time": "never", "logger": "other"})
        (line,) = objects(stream)
        assert (line["level"], line["logger"], line["message"]) == ("WARNING", "c2kit.test", "real")
        assert line["time"] != "never"

    def test_an_exception_is_told_with_its_traceback(self) -> None:
        stream = configured(LogFormat.JSON)
        try:
            1 / 0  # noqa: B018 - it is what is logged
        except ZeroDivisionError:
            LOGGER.exception("it failed")
        (line,) = objects(stream)
        assert line["exception"].startswith("Traceback")
        assert line["exception"].endswith("ZeroDivisionError: division by zero")


class TestStages:
    def test_a_stage_is_that_of_the_thread_and_of_what_is_innermost(self) -> None:
        stream = configured(LogFormat.JSON, stages=["decom", "log"])

        def other() -> None:
            LOGGER.info("a thread of its own")

        with at_stage("decom"):
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            with at_stage("log"):
                LOGGER.info("inner")
            LOGGER.info("outer")
        assert [line["stage"] for line in objects(stream)] == ["", "log", "decom"]

    def test_where_one_stage_runs_everything_is_of_it(self) -> None:
        stream = configured(LogFormat.JSON, stages=["decom"])
        LOGGER.info("no stage is said")
        LOGGER.info("one is said", extra={"stage": "fep"})
        assert [line["stage"] for line in objects(stream)] == ["decom", "fep"]


class TestConfiguring:
    def test_a_second_time_takes_the_place_of_the_first(self) -> None:
        first = configured(LogFormat.TEXT)
        second = configured(LogFormat.TEXT)
        LOGGER.info("once")
        assert first.getvalue() == ""
        assert second.getvalue().count("once") == 1

    def test_the_same_is_limited_and_closing_tells_how_much(self) -> None:
        stream = io.StringIO()
        handler = configure_logging(LogFormat.JSON, stream, limit=RateLimit(most=2, seconds=1e6))
        for number in range(1000):
            LOGGER.warning("discarded %d bytes", number)
        LOGGER.warning("something else")
        handler.close()
        assert [line["message"] for line in objects(stream)] == [
            "discarded 0 bytes",
            "discarded 1 bytes",
            "something else",
            "998 more like this were suppressed: discarded 999 bytes",
        ]
        assert objects(stream)[-1]["suppressed"] == 998

    def test_details_and_other_libraries_are_left_out(self) -> None:
        stream = configured(LogFormat.TEXT)
        LOGGER.debug("a detail")
        logging.getLogger("somebody.else").warning("theirs")
        assert stream.getvalue() == ""

    def test_lines_of_many_threads_stay_whole(self) -> None:
        stream = configured(LogFormat.JSON, limit=RateLimit(most=10_000))

        def write(name: str) -> None:
            with at_stage(name):
                for number in range(200):
                    LOGGER.info("line %d", number)

        threads = [threading.Thread(target=write, args=(f"stage-{index}",)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = [(line["stage"], line["message"]) for line in objects(stream)]
        assert sorted(found) == sorted((f"stage-{i}", f"line {n}") for i in range(4) for n in range(200))

    def test_the_library_itself_configures_nothing(self) -> None:
        script = (
            "import logging, c2kit, c2kit.pipeline.observing.logs, c2kit.links; logger = logging.getLogger('c2kit'); "
            "print(logger.handlers, logger.level, logger.propagate, logging.getLogger().handlers)"
        )
        run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
        assert run.stdout.split() == ["[]", "0", "True", "[]"]
