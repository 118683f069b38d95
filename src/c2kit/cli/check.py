"""``c2kit check``: proves a dictionary sound, or shows where it is not, and by what bytes."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from c2kit.cli.failing import ExitCode
from c2kit.cli.options import DICTIONARY, NAMES, offsets_from_option

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from c2kit.dictionaries import Dictionary
    from c2kit.dictionaries.prover import Finding
    from c2kit.errors import DefinitionError
    from c2kit.model.source import Source

__all__ = ["check"]


@click.command(short_help="Prove definitions sound, or show where they are not.")
@click.argument("dictionaries", type=DICTIONARY, nargs=-1, required=True, metavar="DICTIONARY...")
@click.option(
    "--interface",
    "interfaces",
    type=NAMES,
    multiple=True,
    metavar="TARGET,TARGET...",
    help="Targets that share one interface, so that their packets must be told apart. May be given several times; "
    "targets in none share with nobody. Without it, all targets share one.",
)
@click.option("--strict", is_flag=True, help="Let warnings fail the check too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object for each finding.")
@offsets_from_option
def check(
    dictionaries: tuple[str, ...],
    *,
    interfaces: tuple[tuple[str, ...], ...],
    strict: bool,
    as_json: bool,
    offsets_from: str | None,
) -> None:
    """Prove definitions sound, or show the line and the bytes that prove otherwise.

    Looked for are packets that one byte string could both be, packets that can never be identified, items that share
    bits or lie past the end, ranges, states and limits outside their types, conversions that cannot be inverted where
    they must be, and more. Each finding says where, what, and what to do.

    The exit code is 0 when there is no error, 1 when there is one.

    \b
    c2kit check mission/
    c2kit check mission/ --interface FIREFLY,LANDER --interface ANTENNA
    """  # noqa: D301 - \b is how click keeps lines apart
    dictionary, findings = _examined(dictionaries, offsets_from, interfaces or None)
    counts = Counter(finding.severity.name.lower() for finding in findings)
    if as_json:
        plain = {"findings": [finding.as_json() for finding in findings], "counts": dict(counts)}
        click.echo(json.dumps(plain, indent=2, ensure_ascii=False))
    else:
        _show(findings, dictionary, counts)
    if counts["error"] or (strict and counts["warning"]):
        sys.exit(ExitCode.FAILED)


def _examined(
    paths: Sequence[str], offsets_from: str | None, interfaces: Collection[Collection[str]] | None
) -> tuple[Dictionary | None, list[Finding]]:
    """The dictionary, if it loads, and what is wrong with it, be it a line that cannot be read."""
    from c2kit.cli.options import read
    from c2kit.dictionaries.prover import prove
    from c2kit.errors import DefinitionError

    try:
        dictionary = read(paths, offsets_from)
    except DefinitionError as error:
        return None, [_refusal(each) for each in (error, *error.others)]
    for group in interfaces or ():
        for name in group:
            dictionary.target(name)  # refuses a name that nobody defined
    findings = [
        *prove(dictionary.targets, interfaces=interfaces),
        *_missing_functions(dictionary),
        *_told_while_loading(dictionary),
    ]
    return dictionary, sorted(findings, key=lambda finding: finding.order)


def _missing_functions(dictionary: Dictionary) -> Iterable[Finding]:
    """Users' functions that cannot be imported here, or are other versions than the definitions mean."""
    from c2kit.errors import DefinitionError
    from c2kit.kernel.conversions import bind, bind_derived
    from c2kit.model.packets import Item

    for target in dictionary.targets:
        for packet in target.packets:
            for item in packet.items_by_name.values():
                try:
                    bind(item) if isinstance(item, Item) else bind_derived(item)
                except DefinitionError as error:
                    yield _refusal(error, rule="function-missing", where=f"{target.name} {packet.name} {item.name}")


def _refusal(error: DefinitionError, *, rule: str = "does-not-load", where: str = "") -> Finding:
    from c2kit.dictionaries.prover import Finding, Severity
    from c2kit.errors import DefinitionError

    whole = DefinitionError(error.what, source=None, expected=error.expected, found=error.found)
    return Finding(
        severity=Severity.ERROR,
        rule=rule,
        where=where,
        what=str(whole),
        remedy=error.remedy,
        source=error.source,
    )


def _told_while_loading(dictionary: Dictionary) -> Iterable[Finding]:
    """What loaders of imported formats had to say."""
    from c2kit.dictionaries.prover import Finding, Severity

    told = (
        (Severity.WARNING, "odd-import", dictionary.warnings),
        (Severity.NOTE, "chosen-for-you", dictionary.notes),
    )
    for severity, rule, messages in told:
        for message in messages:
            source, what = _told_place(message)
            yield Finding(severity=severity, rule=rule, where="", what=what, remedy="", source=source)


def _told_place(message: str) -> tuple[Source | None, str]:
    """The place with which a message begins, if it does."""
    from c2kit.model.source import Source

    told = re.match(r"(.+?):(\d+):(?:(\d+):)? ", message)
    if told is None:
        return None, message
    return Source(told[1], int(told[2]), int(told[3] or 0)), message[told.end() :]


def _show(findings: Sequence[Finding], dictionary: Dictionary | None, counts: Counter[str]) -> None:
    colours = {"error": "red", "warning": "yellow", "note": "blue"}
    for finding in findings:
        place = f"{finding.source}: " if finding.source else ""
        severity = finding.severity.name.lower()
        rest = str(finding).removeprefix(place + severity)
        click.echo(f"{place}{click.style(severity, fg=colours[severity], bold=True)}{rest}")
    told = [f"{counts[name]:,} {name}{'' if counts[name] == 1 else 's'}" for name in colours if counts[name]]
    verdict = ", ".join(told) or "nothing is wrong"
    click.echo(f"{verdict}: {_size(dictionary)}" if dictionary else verdict)


def _size(dictionary: Dictionary) -> str:
    sizes = {
        "target": len(dictionary.targets),
        "packet": sum(len(target.packets) for target in dictionary.targets),
        "command": sum(len(target.commands) for target in dictionary.targets),
    }
    return ", ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in sizes.items())
