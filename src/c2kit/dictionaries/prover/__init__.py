"""The prover: what is wrong or unwise in a dictionary that loads, found by reasoning and not by running it.

A dictionary that loads can decode any bytes. The prover asks the next question: is it the dictionary that was meant? It
proves that no byte string could be two packets (or shows one that could), that every packet can be identified at all,
that fields do not share bits unless they say so, and that ranges, states, limits and lengths fit their types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.dictionaries.prover.findings import Finding, Severity
from c2kit.dictionaries.prover.identification import prove_commands_differ, prove_identification
from c2kit.dictionaries.prover.places import prove_places
from c2kit.dictionaries.prover.values import prove_argument, prove_item, prove_limits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from c2kit.model.target import Target

__all__ = ["Finding", "Severity", "prove", "prove_identification"]


def prove(targets: Iterable[Target], *, interfaces: Collection[Collection[str]] | None = None) -> list[Finding]:
    """All findings about these targets, the worst first, then in the order of their files.

    ``interfaces`` lists the names of the targets that share one interface, so that their packets must be told apart;
    ``None`` means that all of them do. A target in none of the groups shares with nobody.
    """
    targets = list(targets)
    findings = [finding for target in targets for finding in _prove_target(target)]
    groups = [[target.name for target in targets]] if interfaces is None else list(interfaces)
    alone = {target.name for target in targets}.difference(*groups)
    by_name = {target.name: target for target in targets}
    for group in [*groups, *([name] for name in sorted(alone))]:
        findings.extend(prove_identification([by_name[name] for name in group]))
    return sorted(set(findings), key=lambda finding: finding.order)


def _prove_target(target: Target) -> Iterator[Finding]:
    for packet in target.packets:
        yield from prove_places(target.name, packet)
        for item in packet.items:
            yield from prove_item(target.name, packet, item)
        for derived in packet.derived:
            yield from prove_limits(target.name, packet, derived)
    for command in target.commands:
        yield from prove_places(target.name, command)
        for argument in command.arguments:
            yield from prove_argument(target.name, command, argument)
    yield from prove_commands_differ(target)
