"""bitstruct's module in C: a packet to a dictionary, or from it. Finding the packets is left to the user, as here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bitstruct.c import compile as compile_format

from benchmarks.peers.results import of_records
from benchmarks.workload import NotHere, apid_of, packets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.decoder import Given
    from benchmarks.workload import Columns, Packet, Record, Workload

__all__ = ["DISTRIBUTIONS", "prepare", "prepare_encoder"]

DISTRIBUTIONS = ("bitstruct",)
_CODES = {"uint": "u", "int": "s", "float": "f"}


def prepare(workload: Workload) -> _Unpacking:
    """Compile a format for each packet."""
    if workload.is_converted:
        raise NotHere("it does not convert")
    return _Unpacking(workload)


def prepare_encoder(workload: Workload) -> _Packing:
    """Likewise."""
    return _Packing(workload)


class _Unpacking:
    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._unpack = {packet.apid: _format(packet).unpack for packet in workload.packets}

    def ready(self, batch: bytes) -> bytes:
        return batch

    def decode(self, batch: bytes) -> Iterator[Record]:
        unpack = self._unpack
        for packet in packets_of(batch):
            yield unpack[apid_of(packet)](packet)

    def columns(self, decoded: Iterable[Record]) -> Columns:
        return of_records(self._workload, decoded)


class _Packing:
    header_bytes = 0

    def __init__(self, workload: Workload) -> None:
        self._pack = {packet.name: _format(packet).pack for packet in workload.packets}

    def ready(self, batch: Given) -> list[tuple[Any, Record]]:
        return [(self._pack[packet.name], record) for packet, record in batch]

    def encode(self, batch: list[tuple[Any, Record]]) -> Iterator[bytes]:
        for pack, record in batch:
            yield pack(record)

    def packets(self, encoded: Iterable[bytes]) -> Iterable[bytes]:
        return encoded


def _format(packet: Packet) -> Any:  # noqa: ANN401 - it has no types
    text = "".join(f"{_CODES[item.kind]}{item.bits}" for item in packet.items)
    return compile_format(text, [item.name for item in packet.items])
