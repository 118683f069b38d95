"""``c2kit encode``: a command and its arguments to bytes. Nothing is sent."""

from __future__ import annotations

import click

from c2kit.cli.options import dictionary_option, load, tell

__all__ = ["encode"]


@click.command(short_help="Encode a command to bytes; nothing is sent.")
@click.argument("target")
@click.argument("command")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@dictionary_option
@click.option("--hex", "form", flag_value="hex", help="Print hexadecimal digits. This is the default on stdout.")
@click.option("--binary", "form", flag_value="binary", help="Write the bytes themselves. This is the default with -o.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write to a file.")
@click.option("--show", is_flag=True, help="Print what the bytes are made of, field by field, on stderr.")
@click.option(
    "--sequence-count",
    type=click.IntRange(0),
    metavar="N",
    help="What the command's sequence count shall be, instead of 0.",
)
def encode(  # noqa: PLR0913 - an option each
    target: str,
    command: str,
    arguments: tuple[str, ...],
    *,
    dictionaries: tuple[str, ...],
    form: str | None,
    output: str | None,
    show: bool,
    sequence_count: int | None,
) -> None:
    """Encode a command of a target. Nothing is sent.

    Values are as engineers write them: numbers (0x and 0b too), states by name, text, bytes in hexadecimal, and commas
    between the elements of an array. Lengths, counts and checksums are computed. Everything that is wrong with the
    arguments is told at once; what is hazardous is told on stderr.

    \b
    c2kit encode -d mission/ FIREFLY SET_MODE MODE=SAFE DURATION=10
    c2kit encode -d mission/ FIREFLY SET_MODE MODE=SAFE --show
    c2kit encode -d mission/ FIREFLY NOOP -o noop.bin
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli import encoding

    dictionary = load(dictionaries, None)
    encoded = encoding.encoded(dictionary, target, command, arguments, sequence_count)
    for hazard in encoded.hazards:
        tell(f"HAZARDOUS: {hazard}")
    if show:
        encoding.show_fields(dictionary.target(target).command(command), encoded)
    encoding.write(encoded.data, form or ("binary" if output else "hex"), output)
