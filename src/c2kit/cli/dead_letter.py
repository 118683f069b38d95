"""``c2kit dead-letter``: what stages failed on and set aside, so that they could go on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from c2kit.cli.looking import looking, looking_options
from c2kit.cli.options import tell

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["dead_letter"]


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    stage = click.option("--stage", metavar="NAME", help="Only what this stage set aside.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    return stage(as_json(looking_options(command)))


@click.group("dead-letter")
def dead_letter() -> None:
    """Look at the packets on which a processor failed, and at records that could not be read.

    A stage sets such a packet aside, alone, and goes on. It is an error in a processor or in a conversion, not in the
    packet: wrong bytes are counted, and never set aside.
    """


@dead_letter.command(short_help="List dead letters.")
@_options
def ls(*, stage: str | None, as_json: bool, bus: str | None, mission: str | None) -> None:
    """List what was set aside: its number in its stage, when, by which stage and processor, and why.

    \b
    c2kit dead-letter ls --bus sqlite:var/bus.db
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli.letter_words import print_letters
    from c2kit.cli.letters import letters_on

    with looking(bus, mission) as look:
        print_letters(letters_on(look, stage), as_json=as_json)


@dead_letter.command(short_help="Show one of them.")
@click.argument("number", type=click.IntRange(0))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the packet's bytes to a file too.",
)
@_options
def show(
    number: int, *, output: Path | None, stage: str | None, as_json: bool, bus: str | None, mission: str | None
) -> None:
    """Show the dead letter of that number: the traceback, the bytes, and the values as far as it can be decoded.

    \b
    c2kit dead-letter show 3 --stage decom
    c2kit dead-letter show 3 --stage decom -o packet.tlm
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli.letter_words import print_letter
    from c2kit.cli.letters import letters_on, the_one, values_of

    with looking(bus, mission) as look:
        letter = the_one(letters_on(look, stage), number)
        name, values = values_of(look, letter)
        print_letter(letter, name, values, as_json=as_json)
    if output is not None:
        output.write_bytes(letter.data)
        tell(f"wrote {output}: {'the packet' if letter.is_packet else 'the record as it was on the bus'}")
