"""A recording of JPSS-1: attitude and ephemeris packets, 20 items behind the primary header.

It is among the test data of space_packet_parser and is not kept here; ``C2KIT_REAL_DATA`` names the folder that has it,
with a reference of all values.
"""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from benchmarks.workload import PRIMARY_HEADER, Item, NotHere, Packet, Workload

if TYPE_CHECKING:
    from typing import Literal

__all__ = ["make"]

_RECORDING = "space_packet_parser/jpss/J01_G011_LZ_2021-04-09T00-00-00Z_V01.DAT1"
_DEFINITION = "space_packet_parser/jpss/ccsdspy_jpss1_geolocation.csv"
_VALUES = "reference/ccsdspy/jpss1.csv.gz"
_APID = 11


def make(count: int) -> Workload:  # noqa: ARG001 - a recording is as long as it is
    """The whole recording. Raises NotHere where there is none."""
    folder = _folder()
    packet = Packet("ATTITUDE_EPHEMERIS", _APID, PRIMARY_HEADER + _items(folder / _DEFINITION))
    with gzip.open(folder / _VALUES, "rt", encoding="utf-8", newline="") as file:
        rows = [[_number(cell) for cell in row] for row in list(csv.reader(file))[1:]]
    return Workload(
        name="jpss",
        description=(
            f"JPSS-1, recorded: {len(packet.items) - len(PRIMARY_HEADER)} items and the primary header's 7 "
            f"in {packet.size_bytes} bytes"
        ),
        packets=(packet,),
        data=(folder / _RECORDING).read_bytes(),
        expected={packet.name: [list(column) for column in zip(*rows, strict=True)]},
    )


def _folder() -> Path:
    value = os.environ.get("C2KIT_REAL_DATA", "")
    if not value:
        raise NotHere("C2KIT_REAL_DATA is not set to the folder that has the recording")
    folder = Path(value).expanduser()
    for name in (_RECORDING, _DEFINITION, _VALUES):
        if not (folder / name).is_file():
            raise NotHere(f"C2KIT_REAL_DATA is {value}, where {name} is missing")
    return folder


def _items(definition: Path) -> tuple[Item, ...]:
    with definition.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        Item(row["name"], cast("Literal['uint', 'int', 'float']", row["data_type"]), int(row["bit_length"]))
        for row in rows
    )


def _number(cell: str) -> int | float:
    return float(cell) if "." in cell or "e" in cell else int(cell)
