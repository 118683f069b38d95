"""The fixtures that all tests share do what they say, since a test that is skipped by mistake looks like success."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TWO_TESTS = "def test_decodes(real_data):\n    assert real_data.is_dir()\n\ndef test_other(): ...\n"


def run_pytest(folder: Path, *arguments: str, **environment: str) -> str:
    """Run two tests, of which one wants recordings, under this environment; give what was printed."""
    (folder / "test_two.py").write_text(TWO_TESTS)
    apart = ["-c", os.devnull, "--rootdir", str(folder), "-p", "no:cacheprovider", "-p", "tests.conftest"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", *apart, *arguments, str(folder)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("C2KIT_")} | environment,
        check=False,
        capture_output=True,
        text=True,
    )
    return run.stdout


def outcomes(printed: str) -> set[tuple[str, str]]:
    """Give how many tests ended in which way, from the closing line."""
    return set(re.findall(r"(\d+) (passed|skipped|error|failed|deselected)", printed.splitlines()[-1]))


def test_without_recordings_a_test_is_skipped_and_says_what_to_set(tmp_path: Path) -> None:
    printed = run_pytest(tmp_path)
    assert outcomes(printed) == {("1", "passed"), ("1", "skipped")}
    assert "C2KIT_REAL_DATA is not set" in printed


def test_with_recordings_it_gets_their_folder(tmp_path: Path) -> None:
    assert outcomes(run_pytest(tmp_path, C2KIT_REAL_DATA=str(tmp_path))) == {("2", "passed")}


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"C2KIT_REQUIRE_REAL_DATA": "1"}, "must not be skipped"),
        ({"C2KIT_REAL_DATA": "/no/such/folder"}, "is not a folder"),
    ],
)
def test_where_recordings_are_promised_their_absence_is_an_error(
    tmp_path: Path, environment: dict[str, str], complaint: str
) -> None:
    printed = run_pytest(tmp_path, **environment)
    assert outcomes(printed) == {("1", "passed"), ("1", "error")}
    assert complaint in printed


def test_tests_that_need_recordings_can_be_left_out_by_their_marker(tmp_path: Path) -> None:
    printed = run_pytest(tmp_path, "-m", "not real_data", C2KIT_REQUIRE_REAL_DATA="1")
    assert outcomes(printed) == {("1", "passed"), ("1", "deselected")}
