"""What became of every byte of a recording, so that a person sees that it adds up."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from c2kit.cli.terminal import show
from c2kit.kernel.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from rich.table import Table

    from c2kit.dictionaries import Dictionary
    from c2kit.processors import Account
    from c2kit.processors.account import Name

__all__ = ["print_json", "print_table"]

_MOST_NAMES = 6

_WORDS = {
    Tally.WITHOUT_STATE: "values without a state, written as numbers",
    Tally.OUTSIDE_POINTS: "values outside the points of their conversion",
    Tally.UNDECODABLE_TEXT: "texts that cannot be decoded",
    Tally.TIME_OUT_OF_RANGE: "times that cannot be told",
    Tally.LEAP_SECOND: "times in a leap second, folded onto the next second",
    Tally.LEAP_TABLE_EXPIRED: "times after the end of the leap-second table",
    Tally.PACKET_TOO_SHORT: "packets too short for their definition",
    Tally.PACKET_TOO_LONG: "packets longer than their definition",
}


def print_table(account: Account, written: Container[Name]) -> None:
    """The account on stderr: where the bytes went, and what else is to be told."""
    show(_bytes_table(account, written), *_remarks(account), stream=sys.stderr)


def _bytes_table(account: Account, written: Container[Name]) -> Table:
    from rich.table import Table

    made = Table.grid(padding=(0, 3))
    for justify in ("left", "right", "right", "left"):
        made.add_column(justify=justify, overflow="fold")
    for name, amount in sorted(account.packets.items()):
        made.add_row(*_row(" ".join(name), amount.count, amount.size_bytes), "" if name in written else "not written")
    if account.unknown.count:
        made.add_row(*_row("unknown", account.unknown.count, account.unknown.size_bytes))
    for reason, amount in sorted(account.discarded.items(), key=lambda each: each[0].value):
        pieces = f"in {amount.count:,} piece{'' if amount.count == 1 else 's'}"
        made.add_row(*_row(f"discarded, {reason.value}", None, amount.size_bytes), pieces)
    for what, size_bytes in (("skipped around packets", account.around_bytes), ("not read", account.held_bytes)):
        if size_bytes:
            made.add_row(*_row(what, None, size_bytes))
    made.add_row("", "", "─" * len(f"{account.input_bytes:,} bytes"))
    made.add_row(*_row("together", account.packet_count, account.accounted_bytes), _verdict(account))
    return made


def _row(what: str, count: int | None, size_bytes: int) -> tuple[str, str, str]:
    packets = "" if count is None else f"{count:,} packet{' ' if count == 1 else 's'}"
    return what, packets, f"{size_bytes:,} byte{' ' if size_bytes == 1 else 's'}"


def _verdict(account: Account) -> str:
    if account.unaccounted_bytes:
        return f"but the input has {account.input_bytes:,}: please report this"
    return "all of the input"


def _remarks(account: Account) -> Iterator[str]:
    if account.break_count:
        yield f"\nsequence breaks: {account.break_count:,}"
        for _, breaks in sorted(account.breaks.items()):
            yield f"  {breaks}"
    if account.unknown_kinds:
        yield "\nunknown packets are nearest to"
        for kind, count in account.unknown_kinds.items():
            yield f"  {count:,}: {kind}"
        rest = account.unknown.count - sum(account.unknown_kinds.values())
        if rest:
            yield f"  {rest:,}: others"
    if account.anomalies:
        yield "\nnot as defined"
        for name, anomalies in sorted(account.anomalies.items()):
            for tally, count in sorted(anomalies.tallies.items()):
                items = [f"{item} {tallies[tally]:,}" for item, tallies in anomalies.items.items() if tallies[tally]]
                yield f"  {' '.join(name)}: {count:,} {_WORDS[tally]}{f' ({_few(items)})' if items else ''}"


def _few(names: list[str]) -> str:
    """A screen full of names tells no more than a few."""
    return ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")


def print_json(account: Account, written: Container[Name], dictionary: Dictionary) -> None:
    """The account on stderr, as one JSON object, with what loading the dictionary had to say."""
    told = {"notes": dictionary.notes, "warnings": dictionary.warnings}
    sys.stderr.write(json.dumps(_plain(account, written) | told, indent=2, ensure_ascii=False) + "\n")


def _plain(account: Account, written: Container[Name]) -> dict[str, Any]:
    return {
        "input_bytes": account.input_bytes,
        "accounted_bytes": account.accounted_bytes,
        "packets": [
            {
                "target": name[0],
                "packet": name[1],
                "count": amount.count,
                "bytes": amount.size_bytes,
                "written": name in written,
                "anomalies": _anomalies(account, name),
            }
            for name, amount in sorted(account.packets.items())
        ],
        "unknown": {
            "count": account.unknown.count,
            "bytes": account.unknown.size_bytes,
            "nearest": account.unknown_kinds,
        },
        "discarded": {
            reason.value: {"pieces": amount.count, "bytes": amount.size_bytes}
            for reason, amount in sorted(account.discarded.items(), key=lambda each: each[0].value)
        },
        "skipped_bytes": account.around_bytes,
        "sequence_breaks": {
            "count": account.break_count,
            "by_apid": {
                str(apid): {
                    "gaps": breaks.gaps,
                    "missing": breaks.missing,
                    "repeats": breaks.repeats,
                    "resets": breaks.resets,
                }
                for apid, breaks in sorted(account.breaks.items())
            },
        },
    }


def _anomalies(account: Account, name: Name) -> dict[str, int]:
    anomalies = account.anomalies.get(name)
    return {} if anomalies is None else {str(tally): count for tally, count in sorted(anomalies.tallies.items())}
