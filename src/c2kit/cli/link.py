"""``c2kit link``: how the links of a running mission are, and whether they are to be up."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c2kit.bus import StreamBus
    from c2kit.pipeline.composition.description import MissionDescription

__all__ = ["link"]

_SCRIPT = click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group
def link() -> None:
    """See how links are; disable and enable them.

    SCRIPT is that of the mission, which runs in another process.
    """


@link.command
@_SCRIPT
def ls(script: Path) -> None:
    """List the links of a mission with the last change that each interface told of its link."""
    from c2kit.cli.terminal import show, table
    from c2kit.pipeline.interfaces.control import last_changes
    from c2kit.pipeline.observing.times import utc_text

    made = table("interface", "link", "state", "since", "reason")
    with _running(script) as (bus, mission):
        for name, event in last_changes(bus, mission).items():
            described = mission.stage(name).link
            kind = "" if described is None else described.name
            if event is None:
                made.add_row(name, kind, "never open", "", "")
            else:
                since = utc_text(event.time_ns, digits=3)
                made.add_row(name, kind, event.facts["state"], since, event.facts["reason"])
    show(made)


def _switching(command: Callable[..., Any]) -> Callable[..., Any]:
    reason = click.option("--reason", metavar="TEXT", default="", help="Why, for the record.")
    return _SCRIPT(click.argument("interface")(reason(command)))


@link.command
@_switching
def enable(script: Path, interface: str, *, reason: str) -> None:
    """Bring the link of an interface up, and keep it up, over restarts too."""
    _ask(script, interface, reason, enabled=True)


@link.command
@_switching
def disable(script: Path, interface: str, *, reason: str) -> None:
    """Bring the link of an interface down, and keep it down, over restarts too.

    Commands that come meanwhile are refused.
    """
    _ask(script, interface, reason, enabled=False)


def _ask(script: Path, interface: str, reason: str, *, enabled: bool) -> None:
    from c2kit.cli.options import user_name
    from c2kit.pipeline.interfaces.control import ask_for_link

    with _running(script) as (bus, mission):
        ask_for_link(bus, mission, interface, enabled=enabled, reason=reason, caller=user_name())
    click.echo(f"asked {interface} to {'enable' if enabled else 'disable'} its link", err=True)


@contextmanager
def _running(script: Path) -> Iterator[tuple[StreamBus, MissionDescription]]:
    """The bus that a mission runs on. Raises UsageError where it does not run on one that can be seen from here."""
    import os

    from c2kit.cli.looking import looking
    from c2kit.pipeline.composition.script import load_mission
    from c2kit.pipeline.settings import Settings

    mission = Settings.from_environment(os.environ).applied_to(load_mission(script)).describe()
    with looking(mission.bus, mission.name) as look:
        yield look.bus, mission
