"""An interface's own commands: those that it sends when its link comes up, and every so many seconds."""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING

from attrs import field, frozen

from c2kit.errors import CommandRefused, UsageError
from c2kit.processors import CommandEncoder, parse_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from c2kit.dictionaries import Dictionary
    from c2kit.pipeline.composition.mission import InterfaceSpec

__all__ = ["OwnCommand", "own_commands"]


@frozen(kw_only=True)
class OwnCommand:
    """A command that an interface sends by itself; it was encoded once to see that it can be."""

    target: str
    name: str
    arguments: Mapping[str, str] = field(factory=dict)
    """Text as a person types it."""
    period_seconds: float | None = None
    """``None``: whenever the link comes up."""


def own_commands(spec: InterfaceSpec, dictionary: Dictionary) -> tuple[OwnCommand, ...]:
    """The commands of an interface, those on connect first.

    Raises UsageError for what is no command of a target behind that interface, cannot be encoded, or is hazardous:
    nobody is there to confirm what is sent by itself.
    """
    return tuple(_all(spec, CommandEncoder(dictionary), dictionary))


def _all(spec: InterfaceSpec, encoder: CommandEncoder, dictionary: Dictionary) -> Iterator[OwnCommand]:
    for words in spec.on_connect:
        yield _read(f"{spec.place}: on_connect {words!r}", spec.targets, encoder, dictionary, words, None)
    for words, period in spec.periodic:
        what = f"{spec.place}: periodic {words!r}"
        yield _read(what, spec.targets, encoder, dictionary, words, _period_seconds(what, period))


def _period_seconds(what: str, period: object) -> float:
    if isinstance(period, int | float) and not isinstance(period, bool) and math.isfinite(period) and period > 0:
        return float(period)
    raise UsageError(what, expected="a period of more than 0 seconds", found=repr(period))


def _read(
    what: str,
    targets: Sequence[str],
    encoder: CommandEncoder,
    dictionary: Dictionary,
    text: str,
    period_seconds: float | None,
) -> OwnCommand:
    target, name, assignments = _split(what, text)
    if target not in targets:
        raise UsageError(what, expected=f"a target behind this interface: {' or '.join(targets)}", found=repr(target))
    try:
        arguments = parse_arguments(dictionary.target(target).command(name), assignments)
        encoded = encoder.encode(target, name, arguments)
    except (UsageError, CommandRefused) as error:
        raise UsageError(f"{what}: {error}") from error
    if encoded.is_hazardous:
        raise UsageError(
            f"{what} is hazardous: {'; '.join(encoded.hazards)}",
            remedy="let somebody send it who confirms that, with c2kit send",
        )
    typed = dict(assignment.split("=", 1) for assignment in assignments)
    return OwnCommand(target=target, name=name, arguments=typed, period_seconds=period_seconds)


def _split(what: str, text: str) -> tuple[str, str, list[str]]:
    expected = "a command as a person types it, such as 'FIREFLY SET_MODE MODE=SAFE'"
    try:
        target, name, *assignments = shlex.split(text)
    except ValueError as error:  # fewer words, or a quotation mark alone
        raise UsageError(what, expected=expected, found=repr(text)) from error
    return target, name, assignments
