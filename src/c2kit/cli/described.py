"""Definitions on the screen: overviews of targets, layouts of packets and commands; and the same as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from attrs import evolve

from c2kit.cli import words
from c2kit.cli.terminal import pairs, show, table
from c2kit.kernel.layout import Layout
from c2kit.model.canonical import canonical_json
from c2kit.model.commands import Command
from c2kit.model.fields import Prefixed
from c2kit.model.packets import Packet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from c2kit.dictionaries import Dictionary
    from c2kit.model.commands import Argument
    from c2kit.model.fields import Field
    from c2kit.model.packets import DerivedItem, Item, Match
    from c2kit.model.target import Target

    Thing = Target | Packet | Command

__all__ = ["as_json", "layout_rows", "show_all"]


def show_all(things: Sequence[tuple[Target, Thing]]) -> None:
    """Print what was asked for, one below the other."""
    parts: list[RenderableType] = []
    for target, thing in things:
        if parts:
            parts.append("")
        if isinstance(thing, Packet):
            parts += _packet(target, thing)
        elif isinstance(thing, Command):
            parts += _command(target, thing)
        else:
            parts += _target(target)
    show(*parts)


def _heading(text: str, kind: str) -> RenderableType:
    from rich.text import Text

    return Text.assemble((text, "bold"), f"  {kind}")


def _target(target: Target) -> Iterable[RenderableType]:
    shared = _shared_by_all(target.packets)
    yield _heading(target.name, "target")
    yield pairs(
        {
            "what": target.description,
            "where": str(target.source or ""),
            "hash": target.hash,
            "all packets": _identification(target.packets[0], shared) if shared else "",
        }
    )
    if target.packets:
        yield from ("", _packets(target, shared))
    if target.commands:
        yield from ("", _commands(target))


def _shared_by_all(packets: Sequence[Packet]) -> tuple[Match, ...]:
    """What all packets are known by is told once: usually it is most of it."""
    if len(packets) < 2:
        return ()
    return tuple(
        match for match in packets[0].identification if all(match in packet.identification for packet in packets)
    )


def _identification(packet: Packet, matches: Iterable[Match]) -> str:
    return words.identification_words(evolve(packet, identification=tuple(matches), fallback=False))


def _packets(target: Target, shared: tuple[Match, ...]) -> Table:
    made = table("packet", "known by", "bytes", "items", "description", right=frozenset({"bytes", "items"}))
    for packet in target.packets:
        own = words.identification_words(packet, without=shared)
        made.add_row(packet.name, own, _bytes(packet), str(len(packet.items_by_name)), packet.description)
    return made


def _commands(target: Target) -> Table:
    made = table("command", "asks for", "bytes", "hazardous", "description", right=frozenset({"bytes"}))
    for command in target.commands:
        asked = ", ".join(argument.name for argument in command.arguments if _is_asked_for(argument))
        made.add_row(command.name, asked, _bytes(command), _hazard(command), command.description)
    return made


def _is_asked_for(argument: Argument) -> bool:
    return argument.fixed is None and argument.computed is None


def _hazard(command: Command) -> str:
    if command.hazardous:
        return "yes"
    states = [f"{argument.name}={state}" for argument in command.arguments for state in argument.hazardous_states]
    return f"with {' or '.join(states)}" if states else ""


def _bytes(thing: Packet | Command) -> str:
    """How large they are: ``24``, or ``17+`` where the size varies and 17 is the least."""
    if isinstance(thing, Packet) and thing.size_bytes is not None:
        return str(thing.size_bytes)
    layout = Layout(thing.items if isinstance(thing, Packet) else thing.arguments)
    least_bits = cursor = 0
    for field in layout.fields:
        prefix_bits = field.length.bit_length if isinstance(field.length, Prefixed) else 0
        size_bits = prefix_bits if field.fixed_bits is None else field.fixed_bits
        cursor = (cursor if field.bit_offset is None else field.bit_offset) + (0 if field.present_if else size_bits)
        least_bits = max(least_bits, cursor)
    return f"{-(-least_bits // 8)}{'' if layout.is_fixed else '+'}"


def _packet(target: Target, packet: Packet) -> Iterable[RenderableType]:
    yield _heading(f"{target.name} {packet.name}", "packet")
    yield pairs(
        {
            "what": packet.description,
            "where": str(packet.source or ""),
            "known by": words.identification_words(packet),
            "time": words.time_words(packet.time),
            "bytes": _bytes(packet),
            "hash": target.hash,
        }
    )
    yield ""
    known = {match.item: match for match in packet.identification}
    made = _layout_table("item")
    for (start, bits), item in zip(layout_rows(packet.items), packet.items, strict=True):
        told = [f"always {words.raw_words(item, known[item.name].value)}"] if item.name in known else _item_values(item)
        _add_field(made, start, bits, item, told)
    for derived in packet.derived:
        made.add_row(
            "", "", derived.name, "derived", derived.units, "\n".join(_derived_values(derived)), derived.description
        )
    yield made


def _command(target: Target, command: Command) -> Iterable[RenderableType]:
    yield _heading(f"{target.name} {command.name}", "command")
    yield pairs(
        {
            "what": command.description,
            "where": str(command.source or ""),
            "hazardous": ": ".join(part for part in (_hazard(command), command.hazard) if part),
            "bytes": _bytes(command),
            "hash": target.hash,
        }
    )
    yield ""
    made = _layout_table("argument")
    for (start, bits), argument in zip(layout_rows(command.arguments), command.arguments, strict=True):
        _add_field(made, start, bits, argument, _argument_values(argument))
    yield made


def layout_rows(fields: Sequence[Field]) -> list[tuple[str, str]]:
    """Where each field begins, as ``byte.bit``, and how many bits it has.

    Behind what varies, a place that follows from the packet's end is counted from there.
    """
    layout = Layout(tuple(fields))
    starts: list[str] = ["" if start is None else f"{start // 8}.{start % 8}" for start in layout.starts]
    left = 0
    for field in reversed(layout.trailer):
        if field.fixed_bits is None or field.present_if:
            break
        left += field.fixed_bits
        if left % 8 == 0:
            starts[layout.index[field.name]] = f"end - {left // 8}"
    sizes = ["varies" if field.fixed_bits is None else str(field.fixed_bits) for field in fields]
    return list(zip((start or "varies" for start in starts), sizes, strict=True))


def _layout_table(kind: str) -> Table:
    headings = ("byte.bit", "bits", kind, "type", "units", "values", "description")
    return table(*headings, right=frozenset({"byte.bit", "bits"}))


def _add_field(made: Table, start: str, bits: str, field: Field, values: Iterable[str]) -> None:
    values = "\n".join(filter(None, (words.presence_words(field.present_if), *values)))
    made.add_row(start, bits, field.name, words.type_words(field), field.units, values, field.description)


def _item_values(item: Item) -> list[str]:
    """What there is to know of the values, one thing a line."""
    return [words.conversion_words(item.conversion), words.states_words(item.conversion), *words.limits_words(item)]


def _derived_values(item: DerivedItem) -> list[str]:
    return [f"{item.function.path} of {', '.join(item.inputs)}", *words.limits_words(item)]


def _argument_values(argument: Argument) -> list[str]:
    if argument.fixed is not None:
        return [f"always {words.raw_words(argument, argument.fixed)}"]
    if argument.computed is not None:
        return [f"computed: {words.computed_words(argument.computed)}"]
    bounds = (("at least", argument.minimum), ("at most", argument.maximum))
    return [
        words.conversion_words(argument.conversion),
        words.states_words(argument.conversion, argument.hazardous_states),
        ", ".join(f"{word} {words.number_words(bound)}" for word, bound in bounds if bound is not None),
        _default(argument),
    ]


def _default(argument: Argument) -> str:
    if argument.default is None:
        return "must be given"
    shown = argument.default.hex(" ") if isinstance(argument.default, bytes) else argument.default
    return f"must be given, for example {shown}" if argument.required else f"default {shown}"


def as_json(dictionary: Dictionary, things: Sequence[tuple[Target, Thing]]) -> str:
    """The canonical forms of what was asked for, with hashes, sources, and the first bit of each field."""
    described = [
        {"target": target.name, "hash": target.hash, "source": str(thing.source or "")} | _plain(thing)
        for target, thing in things
    ]
    return json.dumps(
        {"notes": dictionary.notes, "warnings": dictionary.warnings, "definitions": described},
        indent=2,
        ensure_ascii=False,
    )


def _plain(thing: Thing) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(canonical_json(thing))
    if isinstance(thing, Packet | Command):
        _add_places(plain, thing)
        return plain
    for packet, each in zip(thing.packets, plain.get("packets", ()), strict=True):
        _add_places(each, packet)
    for command, each in zip(thing.commands, plain.get("commands", ()), strict=True):
        _add_places(each, command)
    return plain


def _add_places(plain: dict[str, Any], thing: Packet | Command) -> None:
    fields: Sequence[Field] = thing.items if isinstance(thing, Packet) else thing.arguments
    key = "items" if isinstance(thing, Packet) else "arguments"
    for each, start in zip(plain[key], Layout(tuple(fields)).starts, strict=True):
        each["first_bit"] = start
