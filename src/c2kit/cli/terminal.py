"""What people see: tables and colours on a terminal, and the same as plain, whole lines in a pipe or a file."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

__all__ = ["console", "pairs", "show", "table"]

PLAIN_COLUMNS = 100_000
"""In a pipe nothing is cut or wrapped: a program, or a person with a wide editor, reads it."""


def console(stream: TextIO) -> Console:
    """A rich console that writes names and values as they are: brackets and numbers in them mean nothing to it."""
    from rich.console import Console

    plain = partial(Console, file=stream, markup=False, highlight=False, emoji=False)
    whole = plain()
    return whole if whole.is_terminal else plain(width=PLAIN_COLUMNS)


def show(*parts: RenderableType, stream: TextIO | None = None) -> None:
    """Print to stdout, or to ``stream``; in a pipe without colours, and without spaces at the ends of lines."""
    stream = stream or sys.stdout
    out = console(stream)
    with out.capture() as captured:
        out.print(*parts, sep="\n")
    text = captured.get()
    if not out.is_terminal:
        text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


def table(*headings: str, right: frozenset[str] = frozenset()) -> Table:
    """An empty table whose columns wrap where a terminal is narrow, and never lose anything."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold", justify="right" if heading in right else "left")
    return made


def pairs(facts: dict[str, str]) -> Table:
    """Names and what they are, beside each other; those without anything are left out."""
    from rich.table import Table

    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold")
    made.add_column(overflow="fold")
    for name, fact in facts.items():
        if fact:
            made.add_row(f"  {name}", fact)
    return made
