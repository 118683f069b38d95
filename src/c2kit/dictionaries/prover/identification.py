"""Can every packet be identified, and by one definition only?"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.dictionaries.prover.findings import Finding, Severity
from c2kit.errors import DefinitionError
from c2kit.kernel.identity import Identity, fixed_bits, identity
from c2kit.kernel.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c2kit.model.commands import Command
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target

__all__ = ["prove_commands_differ", "prove_identification"]

_MOST_PAIRS = 200
"""A dictionary in which everything collides with everything needs one mending, not a million lines."""


@frozen(eq=False)
class _Known:
    """A packet or command with the bits that are known of it."""

    target: str
    definition: Packet | Command
    identity: Identity

    @property
    def where(self) -> str:
        return f"{self.target} {self.definition.name}"


def prove_identification(targets: Sequence[Target]) -> Iterator[Finding]:
    """No bytes are two packets of these targets, unless one of them is a fallback; and each packet has its bytes."""
    ordinary: list[_Known] = []
    fallback: list[_Known] = []
    for target in targets:
        for packet in target.packets:
            try:
                known = _Known(target.name, packet, identity(packet))
            except DefinitionError as error:
                yield _never(f"{target.name} {packet.name}", error)
                continue
            (fallback if packet.fallback else ordinary).append(known)
    for group in (ordinary, fallback):
        for one, other, witness in itertools.islice(_colliding(group), _MOST_PAIRS):
            yield _ambiguous(one, other, witness)
    yield from _shadowed(ordinary, fallback)


def prove_commands_differ(target: Target) -> Iterator[Finding]:
    """No two commands have the same fixed bits: the spacecraft could not tell which of them it was sent."""
    known = []
    for command in target.commands:
        layout = Layout(command.arguments)
        prescribed = [
            (argument, argument.fixed)
            for argument, start in zip(command.arguments, layout.starts, strict=True)
            if argument.fixed is not None and start is not None and argument.fixed_bits and not argument.present_if
        ]
        try:
            known.append(_Known(target.name, command, fixed_bits(layout, prescribed, what=f"command {command.name}")))
        except DefinitionError as error:
            yield _never(f"{target.name} {command.name}", error)
    for one, other, witness in itertools.islice(_colliding(known), _MOST_PAIRS):
        yield Finding(
            severity=Severity.WARNING,
            rule="commands-alike",
            where=one.where,
            what=f"the same bytes could be this command or {other.where} ({other.definition.source})",
            remedy="give one of them a fixed argument that the other does not have",
            source=one.definition.source,
            witness=witness,
        )


def _never(where: str, error: DefinitionError) -> Finding:
    return Finding(
        severity=Severity.ERROR,
        rule="never-identified",
        where=where,
        what=error.what,
        remedy=error.remedy or "no bytes can be both: mend one of the values",
        source=error.source,
    )


def _ambiguous(one: _Known, other: _Known, witness: bytes) -> Finding:
    both = "fallbacks" if getattr(one.definition, "fallback", False) else "packets"
    return Finding(
        severity=Severity.ERROR,
        rule="ambiguous-identification",
        where=one.where,
        what=f"the same bytes could be this packet or {other.where} ({other.definition.source}), both {both}",
        remedy="identify one of them by an item that tells them apart, or declare one of them fallback: true",
        source=one.definition.source,
        witness=witness,
    )


def _shadowed(ordinary: list[_Known], fallback: list[_Known]) -> Iterator[Finding]:
    for last in fallback:
        cover = next((first for first in ordinary if last.identity.implies(first.identity)), None)
        if cover is not None:
            yield Finding(
                severity=Severity.ERROR,
                rule="never-identified",
                where=last.where,
                what=f"it is a fallback, and what matches it also matches {cover.where} ({cover.definition.source})",
                remedy="identify it by less, or remove fallback",
                source=last.definition.source,
            )


def _colliding(known: list[_Known]) -> Iterator[tuple[_Known, _Known, bytes]]:
    """All pairs that some bytes could both be, with such bytes.

    Identities are grouped by their mask. Two of one group collide only if they are equal; two of different groups
    only if
    they agree under both masks; either way a dictionary finds them, so that ten thousand packets that are all known by
    the same items cost ten thousand look-ups and not fifty million comparisons.
    """
    groups: dict[bytes, list[_Known]] = defaultdict(list)
    for one in known:
        groups[one.identity.mask].append(one)
    for mask, other_mask in itertools.combinations_with_replacement(groups, 2):
        common = bytes(a & b for a, b in zip(mask, other_mask, strict=False))
        seen: dict[bytes, list[_Known]] = defaultdict(list)
        for one in groups[mask]:
            under = _under(one.identity.value, common)
            if mask == other_mask:
                yield from (_pair(earlier, one) for earlier in seen[under])
            seen[under].append(one)
        if mask != other_mask:
            for other in groups[other_mask]:
                yield from (_pair(one, other) for one in seen.get(_under(other.identity.value, common), ()))


def _under(value: bytes, mask: bytes) -> bytes:
    return bytes(a & b for a, b in zip(value, mask, strict=False))


def _pair(one: _Known, other: _Known) -> tuple[_Known, _Known, bytes]:
    witness = one.identity.witness(other.identity)
    assert witness is not None  # noqa: S101 - they agree under both masks
    return one, other, witness
