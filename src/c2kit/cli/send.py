"""``c2kit send``: a command to a mission that runs, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["send"]


@click.command(short_help="Send a command to a mission that runs, and tell its fate.")
@click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target")
@click.argument("command")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--id", "command_id", metavar="ID", help="Its id; the same id again is the same command, and tells its fate."
)
@click.option(
    "--expires",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="It is not sent later than that.",
)
@click.option("--confirm-hazardous", is_flag=True, help="Send it though it is hazardous.")
@click.option("--via", metavar="INTERFACE", default="", help="Which way, where several lead to the target.")
@click.option("--dry-run", is_flag=True, help="Print the bytes, and what they say, and send nothing.")
@click.option(
    "--wait",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="How long to wait for its end; 5 seconds longer than until it expires by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each step as a JSON object, a line each.")
@click.option("--bus", metavar="URL", help="Where the mission runs: instead of C2KIT_BUS, or what the script says.")
def send(  # noqa: PLR0913 - an option each
    script: Path,
    target: str,
    command: str,
    arguments: tuple[str, ...],
    *,
    command_id: str | None,
    expires: float,
    confirm_hazardous: bool,
    via: str,
    dry_run: bool,
    wait: float | None,
    as_json: bool,
    bus: str | None,
) -> None:
    """Send a command to a mission that runs in another process, and print each step of what becomes of it.

    It is checked and encoded here first: all that is wrong with it is told at once, and nothing is sent. Values are
    written as for c2kit encode. A hazardous command must be confirmed.

    A command is sent at most once. The exit code tells its fate: 0 sent, 10 refused, 11 expired, 12 unknown, or no end
    while this waited.

    \b
    c2kit send mission.py FIREFLY SET_MODE MODE=SAFE
    c2kit send mission.py FIREFLY SET_MODE MODE=TEST --dry-run
    c2kit send mission.py FIREFLY RESET --confirm-hazardous --id reset-17
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli.sending import Wanted, send_and_follow, show_only

    wanted = Wanted(
        script=script,
        target=target,
        name=command,
        arguments=arguments,
        command_id=command_id,
        expires_seconds=expires,
        confirms_hazard=confirm_hazardous,
        interface=via,
        wait_seconds=expires + 5.0 if wait is None else wait,
        as_json=as_json,
        bus=bus,
    )
    code = show_only(wanted) if dry_run else send_and_follow(wanted)
    click.get_current_context().exit(code)
