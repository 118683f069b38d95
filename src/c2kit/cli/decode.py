"""``c2kit decode``: recordings of any size to tables of values."""

from __future__ import annotations

import sys

import click

from c2kit.cli.failing import ExitCode
from c2kit.cli.options import NAMES, dictionary_option, load, offsets_from_option, read

__all__ = ["decode"]


class _Framing(click.ParamType[int]):
    """``ccsds``, or ``fixed:BYTES``; as the size in bytes, 0 for space packets."""

    name = "framing"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        kind, _, size = value.partition(":")
        if kind == "ccsds" and not size:
            return 0
        if kind == "fixed" and size.isdecimal():
            if 0 < int(size) < 2**31:
                return int(size)
            return self.fail(f"{value!r}: a frame has 1 to {2**31 - 1} bytes", param, ctx)
        return self.fail(f"{value!r} is neither ccsds nor fixed:BYTES, such as fixed:64", param, ctx)


@click.command(short_help="Decode recordings to tables of values.")
@click.argument("recordings", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@dictionary_option
@click.option("-p", "--packet", "packets", multiple=True, metavar="NAME", help="Write only this packet. Repeatable.")
@click.option(
    "-t",
    "--target",
    "targets",
    multiple=True,
    metavar="NAME",
    help="Only packets of this target can be in the recording. Repeatable.",
)
@click.option("-i", "--items", type=NAMES, metavar="NAME,NAME...", help="Write only these items, in this order.")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "arrow"]),
    help="By default as the output file is named, or else csv.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE|DIR/",
    help="Write to a file instead of stdout, or to a directory, with a file for each packet.",
)
@click.option("--raw", "values", flag_value="raw", help="Write raw values.")
@click.option(
    "--engineering",
    "values",
    flag_value="engineering",
    default=True,
    help="Write engineering values, and states by name. This is the default.",
)
@click.option("--both", "values", flag_value="both", help="Write both, raw ones as NAME.raw.")
@click.option(
    "--frame",
    "frame_bytes",
    type=_Framing(),
    default="ccsds",
    metavar="ccsds|fixed:BYTES",
    help="How packets lie in the recording: as CCSDS space packets (the default), or all of one size.",
)
@click.option(
    "--skip",
    "skip_bytes",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Bytes before each packet that are no part of it.",
)
@click.option("--any-version", is_flag=True, help="Take space packets of any version number, not only of 0.")
@click.option(
    "--known-apids",
    is_flag=True,
    help="Take only space packets whose APID the definitions know: after damage, decoding finds its way back sooner.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 1 if bytes were discarded, packets unknown or too short, or sequence counts broken.",
)
@click.option(
    "--summary",
    type=click.Choice(["text", "json", "none"]),
    default="text",
    help="What stderr gets at the end. Text by default; with json, stderr gets nothing else.",
)
@offsets_from_option
def decode(  # noqa: PLR0913 - an option each
    recordings: tuple[str, ...],
    *,
    dictionaries: tuple[str, ...],
    offsets_from: str | None,
    packets: tuple[str, ...],
    targets: tuple[str, ...],
    items: tuple[str, ...] | None,
    form: str | None,
    output: str | None,
    values: str,
    frame_bytes: int,
    skip_bytes: int,
    any_version: bool,
    known_apids: bool,
    strict: bool,
    summary: str,
) -> None:
    """Decode recordings to tables of values.

    RECORDINGS are files of any size, decoded in the order given; - is stdin. Each is an input of its own: a packet
    that is cut off at its end is discarded as truncated. (To join pieces of one recording: cat them into -.)

    The first column is the time that the packet tells, and empty where it tells none. Arrays of fixed size have a
    column for each member, NAME[i]; other arrays are JSON in one cell. What became of every byte is told on stderr.

    \b
    c2kit decode -d defs.csv recording.tlm --raw > values.csv
    c2kit decode -d mission/ recording.tlm -p HEALTH -o health.arrow
    c2kit decode -d mission/ *.tlm -o decoded/
    cat pass-*.tlm | c2kit decode -d mission/ - -f jsonl | jq .
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli import decoding

    dictionary = read(dictionaries, offsets_from) if summary == "json" else load(dictionaries, offsets_from)
    wanted = decoding.wanted(dictionary, targets, packets, items, values, form, output)
    apids = decoding.known_apids(dictionary, targets) if known_apids else None
    framing = decoding.framing(frame_bytes, skip_bytes, any_version=any_version, apids=apids)
    account = decoding.run(dictionary, targets, framing, recordings, wanted, summary)
    if account.unaccounted_bytes or (strict and not account.is_flawless):
        sys.exit(ExitCode.FAILED)
