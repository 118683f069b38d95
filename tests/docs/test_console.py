"""What the documentation shows of the command line is what it prints: every console block of a page, in order.

A line that begins with ``$`` is typed into a shell; what follows is what appears, and a line of three dots stands for
any lines. A block that begins with ``# file: NAME`` is that file. For the port that a page names, a free one is taken.
"""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if "```console\n" in page.read_text(encoding="utf-8")]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# file: (\S+)\n")
_PORT = "17011"
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Put this Python, and c2kit as it imports it, on the path of a shell."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, arguments in (("python", ""), ("c2kit", "-c 'from c2kit.cli import main; main(prog_name=\"c2kit\")'")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    return os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def free_port() -> int:
    """One that nobody has now, below those that the system gives to whoever asks for any."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex(("localhost", port)) != 0:
                return port


def matches(shown: str, printed: str) -> bool:
    """Whether the page shows what was printed."""
    pattern = "".join(r"(?:.*\n)*?" if line == "...\n" else re.escape(line) for line in shown.splitlines(keepends=True))
    return re.fullmatch(pattern, printed) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_a_page_shows_what_its_commands_print(page: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    workplace = tmp_path / "workplace"
    workplace.mkdir()
    with contextlib.ExitStack() as shells:
        for language, text in _BLOCK.findall(page.read_text(encoding="utf-8").replace(_PORT, str(free_port()))):
            file = _FILE.match(text)
            if file:
                (workplace / file[1]).write_text(text[file.end() :], encoding="utf-8")
            for command, shown in _COMMAND.findall(text) if language == "console" else ():
                shell = subprocess.Popen(
                    ["sh", "-c", command],  # noqa: S607 - the shell that the page means
                    cwd=workplace,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    start_new_session=True,
                )
                shells.callback(end_what_is_left_of, shell)
                printed, _ = shell.communicate(timeout=300)
                assert matches(shown, printed), f"$ {command}\n{printed}"


def end_what_is_left_of(shell: subprocess.Popen[str]) -> None:
    """What a page lets go on in the background must not outlive its test, however that ends."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGKILL)


def test_a_difference_is_noticed() -> None:
    assert matches("a\n...\nz\n", "a\nb\nc\nz\n")
    assert matches("a\n", "a\n")
    assert not matches("a\n", "a\nb\n")
    assert not matches("a\n...\n", "b\n")


def test_pages_with_commands_are_found() -> None:
    tutorials = [page.name for page in PAGES if page.parent.name == "tutorial"]
    assert tutorials == ["a-small-ground-system.md", "from-bytes-to-values.md"]
