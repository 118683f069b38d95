"""Options and arguments that several commands have, and how they load the dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from c2kit.dictionaries import Dictionary

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

__all__ = ["DICTIONARY", "NAMES", "dictionary_option", "load", "offsets_from_option", "read", "tell", "user_name"]

MOST_WARNINGS = 3
"""Warnings of an imported format that are shown where people asked for something else."""

DICTIONARY = click.Path(readable=False)
"""What is wrong with the path is told by the dictionary, which knows better what it wants."""


class _Names(click.ParamType[tuple[str, ...]]):
    """Names with commas between them."""

    name = "names"

    def convert(
        self, value: str | tuple[str, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = tuple(name.strip() for name in value.split(","))
        if not all(names):
            self.fail(f"{value!r} lacks a name beside a comma", param, ctx)
        return names


NAMES = _Names()

dictionary_option: Decorator = click.option(
    "-d",
    "--dictionary",
    "dictionaries",
    type=DICTIONARY,
    multiple=True,
    required=True,
    metavar="FILE|DIR",
    help="Definitions: a YAML file, a directory of them, or a ccsdspy CSV file. May be given several times.",
)
offsets_from_option: Decorator = click.option(
    "--offsets-from",
    type=click.Choice(["packet", "data"]),
    help="Where the bit offsets of a CSV file count from: the packet's first bit, or the end of its primary header. "
    "Without it the offsets themselves tell, and what they told is printed.",
)


def read(paths: Sequence[str], offsets_from: str | None) -> Dictionary:
    """Load a dictionary, silently."""
    from c2kit.dictionaries import Dictionary

    return Dictionary.load(paths, offsets_from=cast("Literal['packet', 'data'] | None", offsets_from))


def load(paths: Sequence[str], offsets_from: str | None) -> Dictionary:
    """Load a dictionary, and tell on stderr what was chosen for the user and what is odd in it."""
    dictionary = read(paths, offsets_from)
    for note in dictionary.notes:
        tell(f"note: {note}")
    for warning in dictionary.warnings[:MOST_WARNINGS]:
        tell(f"warning: {warning}")
    if len(dictionary.warnings) > MOST_WARNINGS:
        tell(f"warning: ... and {len(dictionary.warnings) - MOST_WARNINGS:,} more; c2kit check shows them all")
    return dictionary


def tell(message: str) -> None:
    """Say something to the person, on stderr, where it is in nobody's way."""
    click.echo(message, err=True)


def user_name() -> str:
    """Who it is that commands, for the record; empty where the system does not say."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return ""
