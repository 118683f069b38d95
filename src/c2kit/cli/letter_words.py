"""Dead letters on stdout: as tables for people, as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from c2kit.cli.cells import to_json
from c2kit.cli.options import tell
from c2kit.cli.showing import hex_dump, printable, value_words
from c2kit.cli.terminal import pairs, show, table
from c2kit.cli.words import size_words
from c2kit.pipeline.observing.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c2kit.cli.letters import Letter
    from c2kit.model.packets import DerivedItem, Item

__all__ = ["print_letter", "print_letters"]

_UNREADABLE = "(not readable)"


def print_letters(letters: Sequence[Letter], *, as_json: bool) -> None:
    """A line for each, or one JSON array."""
    if as_json:
        click.echo(to_json([_facts(each) for each in letters]))
        return
    if not letters:
        tell("no dead letters")
        return
    shown = table("number", "time", "stage", "processor", "packet", "error", right=frozenset({"number"}))
    for each in letters:
        processor = each.told.processor or _UNREADABLE
        error = printable(each.told.error.partition("\n")[0])
        shown.add_row(str(each.number), utc_text(each.told.time_ns, digits=3), each.stage, processor, each.what, error)
    show(shown)


def print_letter(letter: Letter, name: str, values: Sequence[tuple[Item | DerivedItem, Any]], *, as_json: bool) -> None:
    """All that is known of one; ``name`` is what its values are of."""
    told = letter.told
    if as_json:
        click.echo(
            to_json(
                _facts(letter)
                | {"traceback": told.traceback, "stream": told.stream, "partition": told.partition}
                | {"offset": told.offset, "lane": told.lane, "hex": letter.data.hex()}
                | {"decoded": name if values else None, "values": {item.name: value for item, value in values}}
            )
        )
        return
    facts = {
        "number": f"{letter.number} of stage {letter.stage}",
        "time": utc_text(told.time_ns),
        "processor": told.processor or _UNREADABLE,
        "packet": letter.what,
        "record": f"{told.stream}[{told.partition}]@{told.offset}, lane {told.lane}",
        "error": printable(told.error),
    }
    traceback = "\n".join(f"  {printable(line)}" for line in told.traceback.splitlines())
    show(pairs(facts), f"\n{traceback}\n" if traceback else "")
    show(f"{size_words(len(letter.data))}:{hex_dump(letter.data)}")
    if values:
        show(f"\n{name}:", pairs({item.name: value_words(item, value) for item, value in values}))


def _facts(letter: Letter) -> dict[str, Any]:
    told = letter.told
    return {
        "number": letter.number,
        "time": utc_text(told.time_ns),
        "stage": letter.stage,
        "processor": told.processor,
        "kind": told.kind,
        "packet": letter.what if letter.batch is not None and letter.what != told.kind else None,
        "error": told.error,
    }
