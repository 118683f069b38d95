"""What the documentation shows runs: every Python block of a page, in order, in one namespace.

A block that begins with ``# file: NAME`` is that file; a page finds the example dictionary in ``dictionary/`` and a
recording of its spacecraft in ``recording.tlm``.
"""

from __future__ import annotations

import importlib
import re
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(page for kind in ("tutorial", "how-to", "explanation") for page in (ROOT / "docs" / kind).glob("*.md"))
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# file: (\S+)\n")


def blocks(page: Path) -> list[tuple[str, str]]:
    return _BLOCK.findall(page.read_text())


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "examples" / "dictionary", tmp_path / "dictionary")
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    simulated = importlib.import_module("simulated")
    (tmp_path / "recording.tlm").write_bytes(simulated.recording(seconds=30))
    return tmp_path


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(language == "python" and not _FILE.match(text) for language, text in blocks(page))],
    ids=lambda page: f"{page.parent.name}/{page.name}",
)
def test_every_snippet_of_a_page_runs(page: Path, workplace: Path) -> None:
    modules = set(sys.modules)
    namespace: dict[str, object] = {"__name__": "snippet"}
    ran = 0
    for language, text in blocks(page):
        file = _FILE.match(text)
        if file:
            (workplace / file[1]).write_text(text[file.end() :])
        elif language == "python":
            exec(compile(text, str(page), "exec"), namespace)  # noqa: S102 - our own documentation
            ran += 1
    for name in set(sys.modules) - modules:
        if getattr(sys.modules[name], "__file__", None) and str(workplace) in str(sys.modules[name].__file__):
            del sys.modules[name]
    assert ran > 0


def test_pages_with_snippets_are_found() -> None:
    assert len([page for page in PAGES if blocks(page)]) >= 5
