"""A workload: bytes to be decoded, what they are made of, and the values that must come out.

It is written to a folder, from which workers read it. This module and what workers import of it need nothing but the
standard library, since a worker runs in the environment of a peer.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "PRIMARY_HEADER",
    "Columns",
    "Item",
    "NotHere",
    "Packet",
    "Record",
    "Value",
    "Workload",
    "apid_of",
    "packets_of",
]

Value = int | float | str
"""A number, or the name of a state."""

Columns = dict[str, list[list[Value]]]
"""For each packet definition the values of its items, in order: one list an item, one value a packet."""

Record = dict[str, Value]
"""The values of one packet's items, by name."""


class NotHere(Exception):
    """A workload cannot be made on this machine, or not be done by a peer; the text says why."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its bits follow those of the item before, most significant bit first."""

    name: str
    kind: Literal["uint", "int", "float"]
    bits: int
    polynomial: tuple[float, ...] = ()
    """What its value is made by: coefficients of rising powers, each so round that no order of computing rounds."""
    states: tuple[str, ...] = ()
    """What its values are called: the first is that of 0."""

    @property
    def is_converted(self) -> bool:
        """Whether its value is not the number in the packet."""
        return bool(self.polynomial or self.states)


PRIMARY_HEADER = (
    Item("VERSION", "uint", 3),
    Item("TYPE", "uint", 1),
    Item("SECONDARY", "uint", 1),
    Item("APID", "uint", 11),
    Item("SEQUENCE_FLAGS", "uint", 2),
    Item("SEQUENCE_COUNT", "uint", 14),
    Item("LENGTH", "uint", 16),
)
"""CCSDS 133.0-B-2, 4.1.3."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A space packet, known by its APID. The items of the primary header are the first of its items."""

    name: str
    apid: int
    items: tuple[Item, ...]

    @property
    def size_bytes(self) -> int:
        """The size of the whole packet."""
        return sum(item.bits for item in self.items) // 8


@dataclass(frozen=True, slots=True)
class Workload:
    """Space packets back to back, and what every decoder must make of them; or the other way round."""

    name: str
    description: str
    packets: tuple[Packet, ...]
    data: bytes
    expected: Columns
    is_encoded: bool = False
    """Whether the values are given, and the bytes are what must come out."""

    @property
    def count(self) -> int:
        """The number of packets in the data."""
        return sum(len(columns[0]) for columns in self.expected.values())

    @property
    def values(self) -> int:
        """The number of values in them."""
        return sum(len(column) for columns in self.expected.values() for column in columns)

    @property
    def is_converted(self) -> bool:
        """Whether some values are not the numbers in the packets."""
        return any(item.is_converted for packet in self.packets for item in packet.items)

    def head(self, count: int) -> Workload:
        """The first ``count`` packets, or as many as there are."""
        if count >= self.count:
            return self
        found = list(itertools.islice(packets_of(self.data), count))
        names = {packet.apid: packet.name for packet in self.packets}
        counts = Counter(names[apid_of(packet)] for packet in found)
        expected = {
            name: [column[: counts[name]] for column in columns]
            for name, columns in self.expected.items()
            if counts[name]
        }
        return replace(self, data=b"".join(found), expected=expected)

    def batches(self, packets: int | None) -> list[bytes]:
        """The data in batches of so many packets, or in one; the last batch may be smaller."""
        if packets is None:
            return [self.data]
        found = packets_of(self.data)
        return [b"".join(batch) for batch in iter(lambda: list(itertools.islice(found, packets)), [])]

    def records(self) -> Iterator[tuple[Packet, Record]]:
        """The values of one packet after the other, in the order of the data."""
        by_apid = {packet.apid: packet for packet in self.packets}
        rows = {name: zip(*columns, strict=True) for name, columns in self.expected.items()}
        for data in packets_of(self.data):
            packet = by_apid[apid_of(data)]
            names = (item.name for item in packet.items)
            yield packet, dict(zip(names, next(rows[packet.name]), strict=True))

    def save(self, folder: Path) -> None:
        """Write it where workers find it."""
        folder.mkdir(parents=True, exist_ok=True)
        known = {
            "name": self.name,
            "description": self.description,
            "packets": [asdict(each) for each in self.packets],
            "is_encoded": self.is_encoded,
        }
        (folder / "workload.json").write_text(json.dumps(known), encoding="utf-8")
        (folder / "packets.bin").write_bytes(self.data)
        (folder / "expected.json").write_text(json.dumps(self.expected), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Workload:
        """Read what :meth:`save` wrote."""
        known = json.loads((folder / "workload.json").read_text(encoding="utf-8"))
        return cls(
            name=known["name"],
            description=known["description"],
            packets=tuple(_packet(each) for each in known["packets"]),
            data=(folder / "packets.bin").read_bytes(),
            expected=json.loads((folder / "expected.json").read_text(encoding="utf-8")),
            is_encoded=known["is_encoded"],
        )

    def difference(self, found: Mapping[str, Sequence[Sequence[Value]]]) -> str | None:
        """The first value that is not as expected, in words; ``None`` where all are, exactly."""
        if found.keys() != self.expected.keys():
            return f"packets {sorted(found)} instead of {sorted(self.expected)}"
        for packet in self.packets:
            if packet.name not in found:
                continue
            columns = found[packet.name]
            if len(columns) != len(packet.items):
                return f"{packet.name}: {len(columns)} items instead of {len(packet.items)}"
            for item, expected, column in zip(packet.items, self.expected[packet.name], columns, strict=True):
                difference = _difference(expected, column)
                if difference is not None:
                    return f"{packet.name}.{item.name}: {difference}"
        return None


def apid_of(packet: bytes) -> int:
    """The APID of a packet (CCSDS 133.0-B-2, 4.1.3.3.4.4)."""
    return (packet[0] & 0x07) << 8 | packet[1]


def packets_of(data: bytes) -> Iterator[bytes]:
    """The packets in the data, by their length fields (CCSDS 133.0-B-2, 4.1.3.5.3)."""
    start = 0
    while start < len(data):
        end = start + (data[start + 4] << 8 | data[start + 5]) + 7
        yield data[start:end]
        start = end


def _packet(known: dict[str, object]) -> Packet:
    items = known.pop("items")
    assert isinstance(items, list)
    return Packet(**known, items=tuple(_item(item) for item in items))  # type: ignore[arg-type] # as it was saved


def _item(known: dict[str, Any]) -> Item:
    return Item(**known | {"polynomial": tuple(known["polynomial"]), "states": tuple(known["states"])})


def _difference(expected: Sequence[Value], found: Sequence[Value]) -> str | None:
    if len(found) != len(expected):
        return f"{len(found)} values instead of {len(expected)}"
    # Python compares integers with floats exactly, whatever their size.
    different = (index for index, pair in enumerate(zip(expected, found, strict=True)) if pair[0] != pair[1])
    index = next(different, None)
    return None if index is None else f"packet {index}: {found[index]!r} instead of {expected[index]!r}"
