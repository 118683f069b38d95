"""From what peers give to what all are compared by; nothing here is timed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from benchmarks.workload import Columns, Packet, Value, Workload

__all__ = ["NAMED_LATER", "named", "of_columns", "of_records"]

NAMED_LATER = "a column of states has their numbers; they are named when somebody asks, outside of what is timed"


def named(packet: Packet, columns: Sequence[list[Any]]) -> list[list[Value]]:
    """Columns in which states are the names of their numbers: what reads columns looks names up."""
    return [
        [item.states[raw] for raw in column] if item.states else column
        for item, column in zip(packet.items, columns, strict=True)
    ]


def of_columns(batches: Iterable[tuple[str, Sequence[list[Value]]]]) -> Columns:
    """Join batches, each of which is a packet's name and the values of each item."""
    found: Columns = {}
    for name, columns in batches:
        for values, column in zip(found.setdefault(name, [[] for _ in columns]), columns, strict=True):
            values.extend(column)
    return found


def of_records(workload: Workload, records: Iterable[Mapping[str, Value]]) -> Columns:
    """Turn records, each of which holds its packet's values by name, into columns."""
    by_apid = {packet.apid: packet for packet in workload.packets}
    found: Columns = {}
    for record in records:
        packet = by_apid[int(record["APID"])]
        columns = found.setdefault(packet.name, [[] for _ in packet.items])
        for values, item in zip(columns, packet.items, strict=True):
            values.append(record[item.name])
    return found
