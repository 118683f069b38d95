"""``c2kit log``: what is in logs of packets, commands and raw bytes, whether it is whole, and how to get it out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from c2kit.cli.failing import ExitCode
from c2kit.cli.logs.times import TIME, span
from c2kit.cli.options import DICTIONARY, NAMES, read, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.cli.logs.source import Reading
    from c2kit.cli.logs.times import Told
    from c2kit.cli.tables import Selection

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

__all__ = ["log"]

_DIRECTORY: Decorator = click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
_JSON: Decorator = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_DICTIONARY: Decorator = click.option(
    "-d",
    "--dictionary",
    "dictionaries",
    type=DICTIONARY,
    multiple=True,
    metavar="FILE|DIR",
    help="Definitions, where the log has no copy of its own. Repeatable.",
)


def _selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """What ``cat`` and ``export`` choose by."""
    options: tuple[Decorator, ...] = (
        click.option("--from", "start", type=TIME, metavar="TIME", help="Only what was received at or after TIME."),
        click.option("--to", "end", type=TIME, metavar="TIME", help="Only what was received before TIME."),
        click.option("-p", "--packet", "packets", multiple=True, metavar="NAME", help="Only this packet. Repeatable."),
        click.option("-i", "--items", type=NAMES, metavar="NAME,NAME...", help="Only these items, in this order."),
        click.option("-n", "--limit", type=click.IntRange(1), metavar="N", help="Stop after N packets."),
        _DICTIONARY,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group
def log() -> None:
    """Look into logs, verify, export and repair them.

    DIRECTORY is a log, <root>/<stream>/<partition>, or a directory with logs somewhere below it. Logs may be looked at
    while they are written.
    """


@log.command(short_help="List logs.")
@_DIRECTORY
@_JSON
def ls(directory: Path, *, as_json: bool) -> None:
    """List the logs at or below DIRECTORY: what they hold, of which times, by which definitions.

    It is quick, and sees only damage that shows from outside: c2kit log verify sees all of it.

    \b
    c2kit log ls var/log
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli.logs.ls import print_logs
    from c2kit.cli.logs.source import logs_in

    print_logs(logs_in(directory), as_json=as_json)


@log.command(short_help="Show what is in logs.")
@_DIRECTORY
@_selecting
@click.option("--hex", "is_hex", is_flag=True, help="Show packets as bytes.")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "jsonl", "csv", "arrow"]),
    default="text",
    show_default=True,
    help="text for people, the others for programs.",
)
def cat(  # noqa: PLR0913 - an option each
    directory: Path,
    *,
    start: Told | None,
    end: Told | None,
    packets: tuple[str, ...],
    items: tuple[str, ...] | None,
    limit: int | None,
    dictionaries: tuple[str, ...],
    is_hex: bool,
    form: str,
) -> None:
    """Show packets, commands and raw bytes, several logs together in the order of time.

    As text, packets are named; --items shows engineering values too, --hex their bytes. jsonl, csv and arrow have all
    items, or those of --items. They are decoded by the definitions of which the log has kept a copy.

    TIME is a UTC time, such as 2026-03-01T12:00:00, or how long ago, -10m or -1h30m; --to +10m counts from --from.

    Damaged parts are told on stderr and left out; the exit code is 1 then.

    \b
    c2kit log cat var/log --from -10m --packet HEALTH --items BATTERY_VOLTAGE,MODE
    c2kit log cat var/raw --from 2026-03-01T12:00:00 --to +1s
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli.logs.lines import Style, lines_of

    if is_hex and (items is not None or form in ("csv", "arrow")):
        raise click.UsageError("--hex shows bytes as text or jsonl, without --items, which shows values.")
    reading = _reading(directory, start, end, packets, limit, dictionaries)
    selection = _selection(reading, items)
    if form in ("csv", "arrow"):
        from c2kit.cli.logs.tables import write_tables

        write_tables(reading, selection, form, None)
    else:
        shown = None if is_hex or (form == "text" and items is None) else selection
        style = Style(is_json=form == "jsonl", selection=shown, is_hex=is_hex)
        for line in lines_of(reading, style):
            sys.stdout.buffer.write(f"{line}\n".encode())
    _end(reading)


@log.command(short_help="Prove every byte of logs, or show what is damaged.")
@_DIRECTORY
@_JSON
def verify(directory: Path, *, as_json: bool) -> None:
    """Read every byte of the logs at or below DIRECTORY, and tell what is not as it was written.

    Each finding names the file and the bytes. The table below them has every byte of the data files in one of its
    columns, and what they are together. Unfinished is what a writer has not committed, and no damage. The exit code is
    1 where something is damaged.

    \b
    c2kit log verify var/log
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli.logs.source import logs_in
    from c2kit.cli.logs.verify import verify

    if not verify(logs_in(directory), as_json=as_json):
        sys.exit(ExitCode.FAILED)


@log.command(short_help="Write packets to a file: their bytes, or their values.")
@_DIRECTORY
@_selecting
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    required=True,
    metavar="FILE|DIR/",
    help="Where to: a file, or for csv and arrow a directory, with a file for each packet.",
)
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["tlm", "csv", "jsonl", "arrow"]),
    help="tlm is the packets themselves, back to back. By default as the file is named.",
)
def export(  # noqa: PLR0913 - an option each
    directory: Path,
    *,
    start: Told | None,
    end: Told | None,
    packets: tuple[str, ...],
    items: tuple[str, ...] | None,
    limit: int | None,
    dictionaries: tuple[str, ...],
    output: str,
    form: str | None,
) -> None:
    """Write packets of logs to a file: back to back (.tlm), or decoded (.csv, .jsonl, .arrow).

    Times and names are given as to c2kit log cat. CSV and Arrow hold one table, which is one packet definition; a
    directory gets a file for each. Damaged parts are told on stderr and left out; the exit code is 1 then.

    \b
    c2kit log export var/log -o night.tlm --from 2026-03-01T22:00:00 --to +8h
    c2kit log export var/log -o health.arrow --packet HEALTH
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli.logs.export import export

    reading = _reading(directory, start, end, packets, limit, dictionaries)
    tell(export(reading, _selection(reading, items), form, output))
    _end(reading)


@log.command(short_help="Rebuild lost and damaged indices.")
@_DIRECTORY
@_DICTIONARY
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
def repair(directory: Path, *, dictionaries: tuple[str, ...], dry_run: bool, yes: bool) -> None:
    """Rebuild the indices that the logs at or below DIRECTORY lost, from what is left of them and from the packets.

    What will be done is told before, and asked. Packets are never touched, and of each index that is written anew a
    copy is kept (.idx.before-1). A log that somebody writes is refused: stop its writer first.

    \b
    c2kit log repair var/log --dry-run
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli.logs.repair import carry_out, plan, tell_plan
    from c2kit.cli.logs.source import logs_in

    logs = logs_in(directory)
    planned = plan(logs, read(dictionaries, None) if dictionaries else None)
    for line in tell_plan(logs, planned):
        click.echo(line)
    if not planned:
        click.echo("no index is to be rebuilt; c2kit log verify tells of other damage")
        return
    if dry_run:
        click.echo("nothing was written")
        return
    if not yes:
        _ask()
    for line in carry_out(planned):
        click.echo(line)


def _ask() -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is here to be asked: give --yes to do this, or --dry-run to look.")
    click.confirm("Rebuild?", abort=True)


def _reading(
    directory: Path,
    start: Told | None,
    end: Told | None,
    packets: tuple[str, ...],
    limit: int | None,
    dictionaries: tuple[str, ...],
) -> Reading:
    from c2kit.cli.logs.source import Choice, Reading, logs_in

    start_ns, end_ns = span(start, end)
    targets = read(dictionaries, None).targets if dictionaries else ()
    choice = Choice(start_ns=start_ns, end_ns=end_ns, packets=packets, limit=limit)
    return Reading(logs_in(directory, targets), choice)


def _selection(reading: Reading, items: tuple[str, ...] | None) -> Selection:
    from c2kit.batches.arrow.columns import Values
    from c2kit.cli.logs.tables import check_items
    from c2kit.cli.tables import Selection

    selection = Selection(Values.ENGINEERING, items, with_received=True)
    check_items(reading, selection)
    return selection


def _end(reading: Reading) -> None:
    """Nobody shall take for whole what is not."""
    if reading.damaged:
        sys.stdout.flush()
        reading.tell_remedy()
        sys.exit(ExitCode.FAILED)
