"""The example of the reference page runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "arrow.md"


def test_the_example_of_the_reference_page_runs() -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert "assert" in example
    exec(compile(example, str(PAGE), "exec"), {})  # noqa: S102 - it is our own page
