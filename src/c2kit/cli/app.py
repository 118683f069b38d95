"""The command ``c2kit`` itself: its subcommands, its version, and what becomes of errors."""

from __future__ import annotations

from importlib import metadata

import click

from c2kit.cli.acls import acls
from c2kit.cli.check import check
from c2kit.cli.dead_letter import dead_letter
from c2kit.cli.decode import decode
from c2kit.cli.demo import demo
from c2kit.cli.describe import describe
from c2kit.cli.encode import encode
from c2kit.cli.failing import EXIT_CODES, Commands
from c2kit.cli.graph import graph
from c2kit.cli.link import link
from c2kit.cli.logs.commands import log
from c2kit.cli.replay import replay
from c2kit.cli.run import run
from c2kit.cli.scaffold import scaffold
from c2kit.cli.send import send
from c2kit.cli.sim import sim
from c2kit.cli.streams import streams
from c2kit.cli.tail import tail
from c2kit.errors import UsageError

__all__ = ["main"]


@click.group(cls=Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=lambda context, _option, is_wanted: _show_version(context) if is_wanted else None,
    help="Show the version and which kernel decodes, and exit.",
)
def main() -> None:
    """Command and telemetry pipelines for spacecraft: decode, encode, run, watch, send, log."""


def _show_version(context: click.Context) -> None:
    from c2kit.kernel.choice import chosen_name

    try:
        click.echo(f"c2kit {metadata.version('c2kit')}\nkernel: {chosen_name()}")
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    context.exit()


COMMANDS = (
    *(decode, encode, check, describe, sim),
    *(graph, run, demo, tail, send, link, streams, acls, dead_letter, log, replay, scaffold),
)

for command in COMMANDS:
    main.add_command(command)
