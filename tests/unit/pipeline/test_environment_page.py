"""The reference tells of the variables that there are, and of no others."""

from __future__ import annotations

import re
from pathlib import Path

from c2kit.pipeline.observing.logs import LogFormat
from c2kit.pipeline.observing.ratelimit import RateLimit
from c2kit.pipeline.settings import DIRECTORY_PREFIX, LINK_PREFIX, VARIABLES, Settings

TEXT = (Path(__file__).parents[3] / "docs" / "reference" / "environment.md").read_text(encoding="utf-8")


def row(variable: str) -> str:
    found = re.search(rf"^\| `{variable}` .*$", TEXT, re.MULTILINE)
    assert found is not None
    return found.group()


def test_the_page_tells_of_every_variable_and_of_no_other() -> None:
    told = re.findall(r"^\| `(C2KIT_[^`]*)` \|", TEXT, re.MULTILINE)
    assert sorted(told) == sorted([*VARIABLES, f"{LINK_PREFIX}<INTERFACE>", f"{DIRECTORY_PREFIX}<STAGE>"])


def test_the_page_tells_the_defaults() -> None:
    settings = Settings()
    assert row("C2KIT_ORDINAL").endswith(f"| {settings.ordinal} |")
    assert row("C2KIT_DRAIN_SECONDS").endswith(f"| {settings.drain_seconds:g} |")
    assert row("C2KIT_LOG").endswith(f"| `{settings.log_format}` |")
    assert set(re.findall(r"`(\w+)`", row("C2KIT_LOG").split("|")[2])) == set(LogFormat)


def test_the_page_tells_the_limit_of_the_log() -> None:
    limit = RateLimit()
    assert f"more than {limit.most} times in {limit.seconds:g} seconds" in TEXT
