"""Do states, ranges, limits, defaults and conversions fit the type of their field?"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from c2kit.dictionaries.prover.findings import Finding, Severity
from c2kit.errors import UsageError
from c2kit.kernel import conversions
from c2kit.model.conversions import States
from c2kit.model.packets import DerivedItem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.model.commands import Argument, Command
    from c2kit.model.conversions import Conversion
    from c2kit.model.fields import Field
    from c2kit.model.limits import Limits
    from c2kit.model.packets import Item, Packet

__all__ = ["prove_argument", "prove_item", "prove_limits"]


def prove_item(target: str, packet: Packet, item: Item) -> Iterator[Finding]:
    """Findings about one item's states and limits."""
    yield from _states(f"{target} {packet.name} {item.name}", item, item.conversion)
    yield from prove_limits(target, packet, item)


def prove_limits(target: str, packet: Packet, item: Item | DerivedItem) -> Iterator[Finding]:
    """Findings about the order of each limits set, and bounds that no value can pass."""
    where = f"{target} {packet.name} {item.name}"
    for limits in item.limits:
        bounds = [
            (name, value)
            for name in ("red_low", "yellow_low", "yellow_high", "red_high")
            if (value := getattr(limits, name)) is not None
        ]
        for (name, value), (next_name, next_value) in itertools.pairwise(bounds):
            if value > next_value:
                yield Finding(
                    severity=Severity.ERROR,
                    rule="limits-out-of-order",
                    where=where,
                    what=f"in limits {limits.name!r} {name} ({value:g}) is above {next_name} ({next_value:g})",
                    remedy="order them red_low <= yellow_low <= yellow_high <= red_high",
                    source=item.source,
                )
        if not isinstance(item, DerivedItem):
            yield from _unreachable(where, item, limits)


def _unreachable(where: str, item: Item, limits: Limits) -> Iterator[Finding]:
    reach = _engineering_range(item, item.conversion)
    if reach is None:
        return
    low, high = reach
    for name in ("red_low", "yellow_low", "yellow_high", "red_high"):
        value = getattr(limits, name)
        if value is not None and (value <= low if name.endswith("low") else value >= high):
            yield Finding(
                severity=Severity.WARNING,
                rule="limit-out-of-reach",
                where=where,
                what=f"limits {limits.name!r}: no value can pass {name} ({value:g}): it is always {low:g} to {high:g}",
                remedy="mend the limit or the conversion, or leave the bound out",
                source=item.source,
            )


def _engineering_range(field: Field, conversion: Conversion | None) -> tuple[float, float] | None:
    """The least and greatest engineering value of an integer field; ``None`` where that is not plain to see."""
    raw = field.raw_range
    if raw is None:
        return None
    if conversion is None or isinstance(conversion, States):
        return raw
    return conversions.engineering_range(conversion, *raw)


def _states(where: str, field: Field, conversion: object) -> Iterator[Finding]:
    if not isinstance(conversion, States):
        return
    low, high = field.raw_range or (0, 0)
    for state in conversion.states:
        if not low <= state.low <= state.high <= high:
            span = f"{state.low}" if state.low == state.high else f"{state.low} to {state.high}"
            yield Finding(
                severity=Severity.ERROR,
                rule="outside-type",
                where=where,
                what=f"state {state.name} is {span}, its type ({field.bit_length} bits) holds {low} to {high}",
                remedy="mend the state's value or the type",
                source=field.source,
            )
    ordered = sorted(conversion.states, key=lambda state: (state.low, state.high))
    for state, following in itertools.pairwise(ordered):
        if following.low <= state.high:
            yield Finding(
                severity=Severity.WARNING,
                rule="states-overlap",
                where=where,
                what=f"{following.low} is both {state.name} and {following.name}; the one written first is taken",
                remedy="give each value one name",
                source=field.source,
            )


def prove_argument(target: str, command: Command, argument: Argument) -> Iterator[Finding]:
    """Findings about one argument's states, range, default and inverse conversion."""
    where = f"{target} {command.name} {argument.name}"
    yield from _states(where, argument, argument.conversion)
    yield from _range(where, argument)
    if argument.fixed is not None or argument.computed is not None:
        return
    if argument.conversion is None or _invertible(argument):
        yield from _default(where, argument)
    else:
        yield Finding(
            severity=Severity.ERROR,
            rule="not-invertible",
            where=where,
            what="its conversion is not monotonic over the argument's range, so a value has no one raw value",
            remedy="use a conversion that rises or falls throughout, or narrow the type",
            source=argument.source,
        )


def _invertible(argument: Argument) -> bool:
    raw = argument.raw_range
    if argument.conversion is None or isinstance(argument.conversion, States) or raw is None:
        return True
    return conversions.is_monotonic(argument.conversion, *raw)


def _range(where: str, argument: Argument) -> Iterator[Finding]:
    low, high = argument.minimum, argument.maximum
    if low is not None and high is not None and low > high:
        yield _outside(where, argument, f"its minimum {low:g} is above its maximum {high:g}")
        return
    reach = _engineering_range(argument, argument.conversion)
    if reach is None:
        return
    for name, bound in (("minimum", low), ("maximum", high)):
        if bound is not None and not reach[0] <= bound <= reach[1]:
            what = f"its {name} {bound:g} is outside what its type holds, {reach[0]:g} to {reach[1]:g}"
            yield _outside(where, argument, what)


def _default(where: str, argument: Argument) -> Iterator[Finding]:
    values = argument.default if isinstance(argument.default, tuple) else (argument.default,)
    for value in values:
        if value is None:
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            low = -float("inf") if argument.minimum is None else argument.minimum
            high = float("inf") if argument.maximum is None else argument.maximum
            if not low <= value <= high:
                yield _outside(where, argument, f"its default {value:g} is outside its own range {low:g} to {high:g}")
                continue
        try:
            raw = value if argument.conversion is None else conversions.invert(argument.conversion, argument, value)
        except UsageError as error:
            yield _outside(where, argument, f"its default {value!r} has no raw value: {error}")
            continue
        held = argument.raw_range
        if held is not None and isinstance(raw, int | float) and not held[0] <= raw <= held[1]:
            yield _outside(
                where, argument, f"its default {value!r} is raw {raw}, its type holds {held[0]} to {held[1]}"
            )


def _outside(where: str, argument: Argument, what: str) -> Finding:
    return Finding(
        severity=Severity.ERROR,
        rule="outside-type",
        where=where,
        what=what,
        remedy="mend the value or the type",
        source=argument.source,
    )
