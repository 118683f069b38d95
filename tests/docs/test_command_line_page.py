"""The reference page of the command line has every command and every option, and no others."""

import re
from pathlib import Path

import click
import pytest

from c2kit.cli import main
from c2kit.cli.failing import ExitCode

PAGE = (Path(__file__).parents[2] / "docs/reference/command-line.md").read_text(encoding="utf-8")


def section(command: str) -> str:
    """What the page says of a command."""
    return PAGE.partition(f"\n## c2kit {command}\n")[2].partition("\n## ")[0]


def test_the_page_has_every_command() -> None:
    sections = re.findall(r"^## c2kit (\w+)$", PAGE, re.MULTILINE)
    assert sorted(sections) == sorted(main.commands)
    assert {"decode", "check", "describe", "encode", "graph"} <= set(sections)


@pytest.mark.parametrize("command", sorted(main.commands))
def test_the_page_has_every_option_of_a_command(command: str) -> None:
    options = [each for each in main.commands[command].params if isinstance(each, click.Option)]
    told = re.findall(r"^\| `(-[^`]*)`", section(command).replace("`, `", ", "), re.MULTILINE)
    named = {frozenset(re.findall(r"(?<!\S)--?[a-z-]+", line)) for line in told}
    assert named == {frozenset(option.opts) for option in options}


def test_the_page_has_every_exit_code() -> None:
    table = PAGE.partition("**Exit codes**")[2].partition("A message")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) ", table, re.MULTILINE)] == [int(code) for code in ExitCode]
