"""The reference page of the command line has every command and every option, and no others."""

import re
from pathlib import Path

import click
import pytest

from c2kit.cli import main
from c2kit.cli.failing import ExitCode

PAGE = (Path(__file__).parents[2] / "docs/reference/command-line.md").read_text(encoding="utf-8")


def commands_of(group: click.Group, before: str = "") -> dict[str, click.Command]:
    """The commands of a group and, by both names, those of groups in it."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        found[before + name] = command
        if isinstance(command, click.Group):
            found |= commands_of(command, f"{before}{name} ")
    return found


COMMANDS = commands_of(main)


def section(command: str) -> str:
    """What the page says of a command, without what it says of commands in it."""
    return re.split(rf"^##+ c2kit {command}$", PAGE, flags=re.MULTILINE)[1].partition("\n##")[0]


def test_the_page_has_every_command() -> None:
    sections = re.findall(r"^##+ c2kit ([\w -]+)$", PAGE, re.MULTILINE)
    assert sorted(sections) == sorted(COMMANDS)
    assert {"decode", "check", "describe", "encode", "graph", "log", "log cat"} <= set(sections)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_page_has_every_option_of_a_command(command: str) -> None:
    options = [each for each in COMMANDS[command].params if isinstance(each, click.Option)]
    told = re.findall(r"^\| `(-[^`]*)`", section(command).replace("`, `", ", "), re.MULTILINE)
    named = {frozenset(re.findall(r"(?<!\S)--?[a-z-]+", line)) for line in told}
    assert named == {frozenset(option.opts) for option in options}


def test_the_page_has_every_exit_code() -> None:
    table = PAGE.partition("**Exit codes**")[2].partition("A message")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) ", table, re.MULTILINE)] == [int(code) for code in ExitCode]
