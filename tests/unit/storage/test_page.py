"""The example of the reference page runs as it stands there, and the names in it are those of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from c2kit import storage
from c2kit.storage import FindingKind, LogSettings
from c2kit.storage.index import _COLUMNS, UNKNOWN_TIME

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "packet-log.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_example_of_the_reference_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert "assert" in example
    exec(compile(example, str(PAGE), "exec"), {})  # noqa: S102 - it is our own page


def test_the_page_tells_of_every_column_in_its_order() -> None:
    table = TEXT[TEXT.index("### Columns") : TEXT.index("### Metadata of the schema")]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [column.name for column in _COLUMNS]


def test_the_page_shows_every_public_name() -> None:
    shown = set(re.findall(r"^        - (\w+)$", TEXT, re.MULTILINE))
    assert set(storage.__all__) - shown == {"LogKind", "Source", "Totals", "UNKNOWN_TIME"}


def test_the_page_tells_when_a_block_and_a_segment_end() -> None:
    settings = LogSettings()
    assert "when a block has 1 MB or is 200 ms old" in TEXT
    assert (settings.block_bytes, settings.block_age_ns) == (10**6, 200 * 10**6)
    assert "has 256 MB or is a day old" in TEXT
    assert (settings.segment_bytes, settings.segment_age_ns) == (256 * 10**6, 86_400 * 10**9)
    assert UNKNOWN_TIME == -(2**63)


def test_what_is_unfinished_is_the_only_finding_that_is_no_damage() -> None:
    assert [kind for kind in FindingKind if not storage.Finding(kind, Path()).is_damage] == [FindingKind.UNFINISHED]
