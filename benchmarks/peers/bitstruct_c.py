"""bitstruct's module in C: one packet, to one dictionary. Finding the packets is left to the user, as here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitstruct.c import compile as compile_format

from benchmarks.peers.results import of_records
from benchmarks.workload import packets_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.workload import Columns, Workload

__all__ = ["DISTRIBUTIONS", "prepare"]

DISTRIBUTIONS = ("bitstruct",)
_CODES = {"uint": "u", "int": "s", "float": "f"}

Record = dict[str, int | float]


def prepare(workload: Workload) -> _Bitstruct:
    """Compile a format for each packet."""
    return _Bitstruct(workload)


class _Bitstruct:
    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._unpack = {
            packet.apid: compile_format(
                "".join(f"{_CODES[item.kind]}{item.bits}" for item in packet.items),
                [item.name for item in packet.items],
            ).unpack
            for packet in workload.packets
        }

    def ready(self, batch: bytes) -> bytes:
        return batch

    def decode(self, batch: bytes) -> Iterator[Record]:
        unpack = self._unpack
        for packet in packets_of(batch):
            yield unpack[(packet[0] & 0x07) << 8 | packet[1]](packet)

    def columns(self, decoded: list[Record]) -> Columns:
        return of_records(self._workload, decoded)
