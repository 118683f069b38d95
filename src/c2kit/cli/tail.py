"""``c2kit tail``: what goes over the streams of a mission, live, from a second terminal."""

from __future__ import annotations

import click

from c2kit.cli.looking import looking, looking_options
from c2kit.cli.options import NAMES, tell

__all__ = ["tail"]


@click.command(short_help="Watch the streams of a mission.")
@click.argument("streams", nargs=-1, required=True, metavar="STREAM...")
@click.option("-p", "--packet", "packets", multiple=True, metavar="NAME", help="Show only this packet. Repeatable.")
@click.option("-i", "--items", type=NAMES, metavar="NAME,NAME...", help="Show only these items, in this order.")
@click.option("--hex", "is_hex", is_flag=True, help="Dump the bytes of packets and commands.")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "jsonl", "csv", "arrow"]),
    default="text",
    show_default=True,
    help="text for people, the others for programs.",
)
@click.option("--from-oldest", is_flag=True, help="Begin with the oldest records that the bus still has.")
@click.option("-n", "--limit", type=click.IntRange(1), metavar="N", help="End after N packets or other records.")
@click.option("--seconds", type=click.FloatRange(0), metavar="S", help="End after so many seconds.")
@looking_options
def tail(  # noqa: PLR0913 - an option each
    streams: tuple[str, ...],
    *,
    packets: tuple[str, ...],
    items: tuple[str, ...] | None,
    is_hex: bool,
    form: str,
    from_oldest: bool,
    limit: int | None,
    seconds: float | None,
    bus: str | None,
    mission: str | None,
) -> None:
    """Show what goes over the streams of a mission while it runs, until Ctrl-C.

    STREAM is KIND.SCOPE, such as telemetry.FIREFLY, raw.fep or events.decom, or replay.ID.KIND.SCOPE. Patterns are as
    in a shell, and mean streams that appear later too. c2kit streams ls shows which there are.

    Looking holds nothing back: what the mission deletes before it was looked at is missed, and counted.

    \b
    c2kit tail telemetry.FIREFLY --packet HEALTH --items BATTERY_VOLTAGE,MODE
    c2kit tail 'events.*' 'command-status.*'
    c2kit tail raw.fep --hex
    c2kit tail telemetry.FIREFLY -f jsonl | jq .
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli.stopping import stopping
    from c2kit.cli.tailing.contents import Choice, Reader
    from c2kit.cli.tailing.display import display_of
    from c2kit.cli.tailing.following import Follower
    from c2kit.cli.tailing.watch import Watch

    if is_hex and form != "text":
        raise click.UsageError(f"--hex is for people; {form} has the bytes of packets anyway.")
    choice = Choice(packets=packets, items=items)
    with looking(bus, mission) as look, Watch(look, streams, from_oldest=from_oldest) as watch, stopping() as stop:
        reader = Reader(look, choice)
        follower = Follower(watch, reader, display_of(form, reader, watch.names, is_hex=is_hex), limit)
        follower.run(stop, seconds)
        tell(follower.summary())
