"""``c2kit acls``: who may do what on a mission's bus, for people and for what sets it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from c2kit.pipeline.composition.acls import Permissions

__all__ = ["acls"]


@click.command(short_help="Show the least that each identity needs on Kafka.")
@click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "kafka-acls", "json"]),
    default="table",
    show_default=True,
    help="table for people, kafka-acls for a shell script of Kafka's own tool, json for programs.",
)
@click.option(
    "--principal",
    metavar="TEMPLATE",
    default="User:{identity}",
    show_default=True,
    help="Whom the brokers take an identity for; with mutual TLS such as 'User:CN={identity}'.",
)
@click.option("--replay", metavar="ID", help="Show who may do what in the replay of that id.")
def acls(script: Path, *, form: str, principal: str, replay: str | None) -> None:
    """Show what each identity of a mission has to be permitted on Apache Kafka, and not more.

    There is one for each stage, one for those who send commands, one that provisions (c2kit streams apply), and one for
    those who look. Nothing is opened: all of it follows from the script.

    \b
    c2kit acls mission.py
    c2kit acls mission.py --format kafka-acls | sh -s -- --bootstrap-server localhost:9092
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli.terminal import show
    from c2kit.pipeline.composition.acls import as_commands, as_json, permissions_of
    from c2kit.pipeline.composition.script import load_mission

    permissions = permissions_of(load_mission(script).describe(replay=replay))
    if form == "json":
        click.echo(as_json(permissions, principal))
    elif form == "kafka-acls":
        click.echo(as_commands(permissions, principal), nl=False)
    else:
        show(_table(permissions, principal))


def _table(permissions: Iterable[Permissions], principal: str) -> Table:
    """A line for each resource of an identity; ``*`` is whatever follows."""
    from c2kit.cli.terminal import table
    from c2kit.pipeline.composition.acls import principal_of

    made = table("principal", "resource", "name", "operations")
    for each in permissions:
        operations: dict[tuple[str, str], list[str]] = {}
        for acl in each.acls:
            name = f"{acl.name}*" if acl.is_prefix else acl.name
            operations.setdefault((acl.resource, name), []).append(acl.operation)
        who = principal_of(each.identity, principal)
        for (resource, name), some in operations.items():
            made.add_row(who, resource, name, ", ".join(some))
    return made
