"""What ``c2kit encode`` does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from c2kit.cli.described import layout_rows
from c2kit.cli.terminal import show, table
from c2kit.errors import ArgumentFault, CommandRefused
from c2kit.kernel.chosen import kernel
from c2kit.kernel.conversions import bind
from c2kit.kernel.layout import Layout
from c2kit.model.commands import SequenceCount
from c2kit.model.conversions import States
from c2kit.processors import CommandEncoder, parse_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c2kit.dictionaries import Dictionary
    from c2kit.model.commands import Argument, Command
    from c2kit.processors import EncodedCommand

__all__ = ["encoded", "show_fields", "write"]


def encoded(
    dictionary: Dictionary, target: str, name: str, arguments: Sequence[str], sequence_count: int | None
) -> EncodedCommand:
    """The command. Raises :class:`~c2kit.errors.CommandRefused` with everything that is wrong with its arguments."""
    command = dictionary.target(target).command(name)
    given, faults = _parsed(command, _split(arguments))
    encoder = CommandEncoder(dictionary)
    try:
        first = encoder.encode(target, name, given)
    except CommandRefused as refused:
        unreadable = {fault.argument for fault in faults}
        faults += [fault for fault in refused.faults if fault.argument not in unreadable]
        raise CommandRefused(target=target, command=name, faults=faults) from refused
    if faults:
        raise CommandRefused(target=target, command=name, faults=faults)
    if sequence_count is None:
        return first
    encoder.set_sequence_count(target, _count_key(command, first, sequence_count), sequence_count)
    return encoder.encode(target, name, given)


def _split(arguments: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not name or not equals:
            raise click.UsageError(f"{argument!r} is no argument of a command: write NAME=VALUE.")
        if name in given:
            raise click.UsageError(f"{name} is given twice.")
        given[name] = text
    return given


def _parsed(command: Command, texts: dict[str, str]) -> tuple[dict[str, Any], list[ArgumentFault]]:
    """What was typed as values; what the command does not have is left for the encoder to refuse."""
    given: dict[str, Any] = {}
    faults: list[ArgumentFault] = []
    for name, text in texts.items():
        argument = command.arguments_by_name.get(name)
        try:
            given[name] = text if argument is None else parse_argument(argument, text)
        except ArgumentFault as fault:
            faults.append(fault)
    return given, faults


def _count_key(command: Command, first: EncodedCommand, count: int) -> str:
    """By what the encoder counts this command."""
    for argument in command.arguments:
        if isinstance(argument.computed, SequenceCount) and argument.name in first.raw:
            if count >= 1 << argument.bit_length:
                most = (1 << argument.bit_length) - 1
                raise click.UsageError(f"--sequence-count {count} does not fit {argument.name}: at most {most}.")
            per = argument.computed.per
            return argument.name if per is None else f"{per}={first.raw[per]}"
    raise click.UsageError(f"{command.name} has no sequence count: leave out --sequence-count.")


def show_fields(command: Command, sent: EncodedCommand) -> None:
    """What the bytes are made of: not what was meant, but what a receiver will read in them."""
    layout = Layout(command.arguments)
    decoded = kernel.decode(layout, sent.data, np.zeros(1, np.int64), np.array([len(sent.data)]))
    made = table("byte.bit", "bits", "argument", "value", "units", "raw", right=frozenset({"byte.bit", "bits"}))
    for (start, bits), argument, column in zip(layout_rows(command.arguments), command.arguments, decoded, strict=True):
        convert = bind(argument)
        raw, value = column.to_list()[0], (column if convert is None else convert(column)[0]).to_list()[0]
        if raw is None:
            continue  # absent from this command
        size = bits if bits.isdecimal() else str(argument.bit_length * len(raw))
        shown_raw, shown = _shown(argument, raw), _meant(argument, value)
        made.add_row(start, size, argument.name, shown, argument.units, shown_raw if shown_raw != shown else "")
    show(made, stream=sys.stderr)


def _meant(argument: Argument, value: Any) -> str:  # noqa: ANN401 - whatever the argument holds
    if isinstance(argument.conversion, States) and isinstance(value, int):
        return argument.conversion.name_of(value) or str(value)
    return _shown(argument, value)


def _shown(argument: Argument, value: Any) -> str:  # noqa: ANN401 - whatever the argument holds
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, bool | list | str):
        return str(value)
    return format(value, argument.display)


def write(data: bytes, form: str, output: str | None) -> None:
    """Write the bytes, or their digits with an end of line."""
    written = data if form == "binary" else f"{data.hex()}\n".encode()
    if output is None:
        sys.stdout.buffer.write(written)
        sys.stdout.buffer.flush()
    else:
        Path(output).write_bytes(written)
