"""Do the fields lie where they can, and does each bit belong to one of them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.dictionaries.prover.findings import Finding, Severity
from c2kit.kernel.layout import Layout
from c2kit.kernel.placement import bit_ranges
from c2kit.model.commands import Command, LengthOf
from c2kit.model.fields import FieldReference
from c2kit.model.packets import Packet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.model.fields import Condition, Field

__all__ = ["prove_places"]


def prove_places(target: str, definition: Packet | Command) -> Iterator[Finding]:
    """Findings about overlaps, gaps, items past the end and lengths that cannot hold the packet."""
    layout = Layout(definition.items if isinstance(definition, Packet) else definition.arguments)
    where = f"{target} {definition.name}"
    yield from _overlaps_and_gaps(where, definition, layout)
    if isinstance(definition, Packet):
        yield from _past_end(where, definition, layout)
        yield from _length_item(where, definition, layout)
    else:
        yield from _length_argument(where, definition, layout)
    for field in layout.fields:
        yield from _never_present(where, field, layout)


def _fixed(layout: Layout) -> list[tuple[int, int, Field]]:
    """First bit, end and field of everything that is always at one place, in the order of the packet's bits."""
    return sorted(
        (
            (low, high, field)
            for field, start in zip(layout.fields, layout.starts, strict=True)
            if start is not None and field.fixed_bits is not None
            for low, high in bit_ranges(field, start)
        ),
        key=lambda entry: entry[:2],
    )


def _overlaps_and_gaps(where: str, definition: Packet | Command, layout: Layout) -> Iterator[Finding]:
    reached = 0
    open_ranges: list[tuple[int, Field]] = []
    for low, high, field in _fixed(layout):
        open_ranges = [(end, other) for end, other in open_ranges if end > low]
        for end, other in [] if definition.overlaps else open_ranges:
            if not _exclusive(other, field):
                yield Finding(
                    severity=Severity.ERROR,
                    rule="overlap",
                    where=f"{where} {field.name}",
                    what=f"bits {low} to {min(high, end) - 1} belong to {other.name} too",
                    remedy="mend the offset or the length, or declare overlaps: true if it is meant",
                    source=field.source,
                )
        if low > reached and not definition.overlaps:  # imported definitions leave out what nobody asked for
            yield Finding(
                severity=Severity.NOTE,
                rule="gap",
                where=f"{where} {field.name}",
                what=f"bits {reached} to {low - 1} before it belong to nothing",
                remedy="define a spare item if they should be looked at",
                source=field.source,
            )
        reached = max(reached, high)
        open_ranges.append((high, field))


def _exclusive(one: Field, other: Field) -> bool:
    """Whether two fields can never be present together, as the cases of a union are."""
    return any(
        a.field == b.field and a.operator == b.operator == "==" and a.value != b.value
        for a in one.present_if
        for b in other.present_if
    )


def _past_end(where: str, packet: Packet, layout: Layout) -> Iterator[Finding]:
    size = packet.size_bytes
    if size is None and packet.length is not None:
        told = next((match.value for match in packet.identification if match.item == packet.length.item), None)
        size = told + packet.length.add if isinstance(told, int) else None
    if size is None:
        return
    for _, high, field in _fixed(layout):
        if high > 8 * size:
            yield Finding(
                severity=Severity.ERROR,
                rule="past-end",
                where=f"{where} {field.name}",
                what=f"it ends at bit {high}, but the packet has {size} bytes ({8 * size} bits)",
                remedy="mend the offset or the size",
                source=field.source,
            )


def _length_item(where: str, packet: Packet, layout: Layout) -> Iterator[Finding]:
    if packet.length is None:
        return
    field = layout.fields[layout.index[packet.length.item]]
    yield from _too_long(f"{where} {field.name}", field, layout, (1 << field.bit_length) - 1 + packet.length.add)


def _length_argument(where: str, command: Command, layout: Layout) -> Iterator[Finding]:
    for field in command.arguments:
        if isinstance(field.computed, LengthOf):
            largest = (1 << field.bit_length) - 1 - field.computed.add + field.computed.first_byte
            yield from _too_long(f"{where} {field.name}", field, layout, largest)


def _too_long(where: str, field: Field, layout: Layout, most_bytes: int) -> Iterator[Finding]:
    needed = -(-layout.fixed_bits // 8)
    if needed > most_bytes:
        yield Finding(
            severity=Severity.ERROR,
            rule="length-too-small",
            where=where,
            what=f"this length of {field.bit_length} bits can tell at most {most_bytes} bytes, and {needed} are needed",
            remedy="widen the length field, or divide the packet",
            source=field.source,
        )


def _never_present(where: str, field: Field, layout: Layout) -> Iterator[Finding]:
    """A length that another field tells and that is negative whatever it tells; a condition that cannot hold."""
    if isinstance(field.length, FieldReference):
        told_by = layout.fields[layout.index[field.length.field]]
        low, high = told_by.raw_range or (0, 0)
        if max(low * field.length.multiply, high * field.length.multiply) + field.length.add < 0:
            yield Finding(
                severity=Severity.ERROR,
                rule="never-present",
                where=f"{where} {field.name}",
                what=f"its length, told by {told_by.name}, is below zero whatever that is",
                remedy="mend multiply and add",
                source=field.source,
            )
    for condition in field.present_if:
        asked = layout.fields[layout.index[condition.field]]
        if asked.raw_range is not None and not _can_hold(condition, *asked.raw_range):
            yield Finding(
                severity=Severity.ERROR,
                rule="never-present",
                where=f"{where} {field.name}",
                what=f"{asked.name} of {asked.bit_length} bits is never {condition.operator} {condition.value}",
                remedy="mend the condition, or widen the field that it asks",
                source=field.source,
            )


def _can_hold(condition: Condition, low: int, high: int) -> bool:
    value = condition.value
    match condition.operator:
        case "==":
            return low <= value <= high and value == int(value)
        case "!=":
            return not low == value == high
        case "<":
            return low < value
        case "<=":
            return low <= value
        case ">":
            return high > value
        case _:
            return high >= value
