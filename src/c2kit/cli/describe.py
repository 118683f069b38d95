"""``c2kit describe``: what a dictionary defines, as a person wants to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from c2kit.cli.options import DICTIONARY, load, offsets_from_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.dictionaries import Dictionary
    from c2kit.model.commands import Command
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target

    Thing = Target | Packet | Command

__all__ = ["describe"]


@click.command(short_help="Show what a dictionary defines, bit by bit.")
@click.argument("dictionary", type=DICTIONARY)
@click.argument("names", nargs=-1, metavar="[[TARGET] NAME]")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: the canonical form, with the first bit of each item."
)
@offsets_from_option
def describe(dictionary: str, names: tuple[str, ...], *, as_json: bool, offsets_from: str | None) -> None:
    """Describe a dictionary, or one target, packet or command of it, bit by bit.

    DICTIONARY is a YAML file, a directory of them, or a ccsdspy CSV file. Places are byte.bit, both counted from 0 at
    the packet's first byte and its most significant bit (in little-endian bit fields: its least significant one).

    \b
    c2kit describe mission/
    c2kit describe mission/ HEALTH
    c2kit describe mission/ FIREFLY SET_MODE --json
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli import described

    if len(names) > 2:
        raise click.UsageError("At most two names: a target, and a packet or command of it.")
    loaded = load([dictionary], offsets_from)
    things = list(_named(loaded, names))
    if as_json:
        click.echo(described.as_json(loaded, things))
    else:
        described.show_all(things)


def _named(dictionary: Dictionary, names: tuple[str, ...]) -> Iterator[tuple[Target, Thing]]:
    """Everything of that name: a packet and a command may have the same one, and several targets too."""
    from c2kit.errors import UnknownName

    *target_name, name = names or ("",)
    if not name:
        yield from _everything(dictionary)
        return
    targets = [dictionary.target(target_name[0])] if target_name else dictionary.targets
    found: list[tuple[Target, Thing]] = [(target, target) for target in targets if target.name == name]
    for target in targets:
        for things in (target.packets_by_name, target.commands_by_name):
            if name in things:
                found.append((target, things[name]))  # noqa: PERF401 - a comprehension would lose the types
    if not found:
        where = f"target {targets[0].name}" if target_name else ""
        known = [other for target in targets for other in _names_in(target, is_alone=bool(target_name))]
        owners = [
            f"packet {target.name} {packet.name}"
            for target in targets
            for packet in target.packets
            if name in packet.items_by_name
        ]
        if owners:
            raise click.UsageError(f"{name} is an item of {', '.join(owners)}: describe that.")
        raise UnknownName(kind="target, packet or command", name=name, known=known, where=where)
    yield from found


def _everything(dictionary: Dictionary) -> Iterator[tuple[Target, Thing]]:
    """All targets; where there is one packet and nothing else, as in a CSV file, that packet."""
    for target in dictionary.targets:
        only = target.packets[0] if len(target.packets) == 1 and not target.commands else target
        yield target, only if len(dictionary) == 1 else target


def _names_in(target: Target, *, is_alone: bool) -> Iterator[str]:
    if not is_alone:
        yield target.name
    yield from target.packets_by_name
    yield from target.commands_by_name
