"""``c2kit streams``: the streams of a mission on its bus."""

from __future__ import annotations

import click

from c2kit.cli.looking import looking, looking_options

__all__ = ["streams"]


@click.group
def streams() -> None:
    """Look at the streams of a mission."""


@streams.command(short_help="List streams.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@looking_options
def ls(*, as_json: bool, bus: str | None, mission: str | None) -> None:
    """List the streams of a mission: what was published, what the bus still has, and how far each reader is behind.

    \b
    c2kit streams ls --bus sqlite:var/bus.db
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli.stream_table import print_streams

    with looking(bus, mission) as look:
        print_streams(look, as_json=as_json)
