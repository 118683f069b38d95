"""Times of `c2kit log`: ISO times to the nanosecond, and durations that count back or from the start."""

from datetime import UTC, datetime

import click
import pytest

from c2kit.cli.logs.times import TIME, Told, span
from c2kit.errors import UsageError
from c2kit.pipeline.observing.times import utc_text

NOW = 1_800_000_000_000_000_000


def given(text: str) -> Told:
    return TIME.convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-03-01T12:00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01 12:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T12:00:00+02:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("1969-12-31T23:59:59", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_time_is_utc_unless_it_says_otherwise(text: str, same: datetime) -> None:
    assert span(given(text), None, NOW)[0] == int(same.timestamp()) * 10**9


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:01.000000001Z", 1_000_000_001),
        ("1970-01-01T00:00:01.5", 1_500_000_000),
        ("1969-12-31T23:59:59.25+00:00", -750_000_000),
    ],
)
def test_no_digit_of_a_fraction_is_lost(text: str, nanoseconds: int) -> None:
    assert span(given(text), None, NOW)[0] == nanoseconds


@pytest.mark.parametrize("time_ns", [0, 1, -1, NOW + 123_456_789, 2**63 - 1, 1 - 2**63])
def test_what_is_told_can_be_given(time_ns: int) -> None:
    assert span(given(utc_text(time_ns)), None, NOW)[0] == time_ns


def test_times_are_told_as_iso_says() -> None:
    assert utc_text(1_772_366_400_000_000_007) == "2026-03-01T12:00:00.000000007Z"
    assert utc_text(1_772_366_400_999_999_999, digits=3) == "2026-03-01T12:00:00.999Z"


@pytest.mark.parametrize(
    ("text", "seconds"), [("-10m", 600), ("-1h30m", 5400), ("-2d", 172_800), ("-90s", 90), ("-0.5s", 0.5)]
)
def test_a_duration_with_a_minus_is_that_long_ago(text: str, seconds: float) -> None:
    assert span(given(text), None, NOW) == (NOW - int(seconds * 10**9), None)
    assert span(None, given(text), NOW) == (None, NOW - int(seconds * 10**9))


def test_an_end_with_a_plus_counts_from_the_start() -> None:
    assert span(given("1970-01-01T00:01:00"), given("+10m"), NOW) == (60 * 10**9, 660 * 10**9)
    assert span(given("-1h"), given("+1m"), NOW) == (NOW - 3600 * 10**9, NOW - 3540 * 10**9)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("+5m", None, "--from"),
        (None, "+5m", "give --from too"),
        ("2026-03-01", "2026-02-01", "nothing lies between"),
        ("-1m", "-2m", "nothing lies between"),
        ("2026-03-01", "2026-03-01", "nothing lies between"),
    ],
)
def test_what_cannot_be_meant_is_refused(start: str | None, end: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        span(start and given(start), end and given(end), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "now", "-", "+", "10m", "-10", "-m", "2026-13-01", "12:00:00", "-1m1h"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(click.BadParameter, match="such as 2026-03-01T12:00:00"):
        given(text)
