"""The command ``c2kit`` itself: its subcommands, its version, and what becomes of errors."""

from __future__ import annotations

from importlib import metadata

import click

from c2kit.cli.check import check
from c2kit.cli.decode import decode
from c2kit.cli.describe import describe
from c2kit.cli.encode import encode
from c2kit.cli.failing import EXIT_CODES, Commands
from c2kit.cli.graph import graph
from c2kit.cli.sim import sim
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
    """Decode telemetry, encode commands, and check the dictionaries that define both."""


def _show_version(context: click.Context) -> None:
    from c2kit.kernel.choice import chosen_name

    try:
        click.echo(f"c2kit {metadata.version('c2kit')}\nkernel: {chosen_name()}")
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    context.exit()


for command in (decode, encode, check, describe, graph, sim):
    main.add_command(command)
