"""``c2kit streams``: the streams of a mission on its bus: what it needs, what there is, and how that goes together."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from c2kit.cli.looking import looking, looking_options

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["streams"]


@click.group
def streams() -> None:
    """Look at the streams of a mission, and make them before it runs on Kafka."""


@streams.command(short_help="List streams.")
@click.argument("script", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--over",
    "over_seconds",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    metavar="S",
    help="Measure for so many seconds how fast streams grow; 0 does not.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@looking_options
def ls(script: Path | None, *, over_seconds: float, as_json: bool, bus: str | None, mission: str | None) -> None:
    """List the streams of a mission: what was published, what the bus still has, and how far each reader is behind.

    SCRIPT says which mission and bus is meant, where neither options nor the environment do.

    \b
    c2kit streams ls mission.py
    c2kit streams ls --bus sqlite:var/bus.db
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli.stream_table import print_streams

    if script is not None:
        from c2kit.cli.provisioning import mission_of

        meant, _ = mission_of(script, bus)
        bus, mission = meant.bus, mission or meant.name
    with looking(bus, mission) as look:
        print_streams(look, as_json=as_json, over_seconds=over_seconds)


def _of_script(command: Callable[..., Any]) -> Callable[..., Any]:
    script = click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    bus = click.option(
        "--bus", metavar="URL", help="Such as kafka:localhost:9092. The default is C2KIT_BUS, or else the script's."
    )
    replay = click.option("--replay", metavar="ID", help="Of the replay of that id.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    return script(bus(replay(as_json(command))))


@streams.command(short_help="Show what a mission needs.")
@_of_script
@click.option(
    "--brokers",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    metavar="N",
    help="How many there are, which decides how many copies there can be.",
)
def plan(script: Path, *, bus: str | None, replay: str | None, brokers: int, as_json: bool) -> None:
    """Show what a mission needs of its bus: streams with their partitions, on Kafka with copies and retention.

    Nothing is opened; all of it follows from the script.

    \b
    c2kit streams plan mission.py --bus kafka:localhost:9092
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli import provisioning

    provisioning.plan(script, bus, replay=replay, brokers=brokers, as_json=as_json)


@streams.command(short_help="Make what is missing.")
@_of_script
def apply(script: Path, *, bus: str | None, replay: str | None, as_json: bool) -> None:
    """Make the streams of a mission that are not there, and put the definitions of all targets on the bus.

    What is there is never changed or deleted, so that doing it twice is doing it once. Where something is there that
    cannot be changed, such as the number of partitions, nothing is made.

    \b
    c2kit streams apply mission.py --bus kafka:localhost:9092
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli import provisioning

    provisioning.apply(script, bus, replay=replay, as_json=as_json)


@streams.command(short_help="Show what is otherwise than it should be.")
@_of_script
def check(script: Path, *, bus: str | None, replay: str | None, as_json: bool) -> None:
    """Show what is otherwise on the bus than the mission needs it, and what that means for its promises.

    On Kafka the settings of topics and brokers are compared, too. The exit code is 1 where a difference breaks a
    promise: where telemetry may be lost or worked on twice, or a stage cannot run.

    \b
    c2kit streams check mission.py --bus kafka:localhost:9092
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli import provisioning

    sys.exit(provisioning.check(script, bus, replay=replay, as_json=as_json))
