"""ccsdspy's ``FixedLength``: a file of packets of one APID and one size, to a NumPy array a field."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any

from ccsdspy import FixedLength, PacketField
from ccsdspy.utils import split_by_apid

from benchmarks.peers.results import of_columns
from benchmarks.workload import PRIMARY_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.workload import Columns, Packet, Workload

__all__ = ["DISTRIBUTIONS", "prepare"]

DISTRIBUTIONS = ("ccsdspy", "numpy")


def prepare(workload: Workload) -> _FixedLength:
    """Define the packets; the primary header is known to ccsdspy."""
    # It warns of a sequence count that begins again at 0, and writing that down would take time of its own.
    logging.getLogger("ccsdspy").setLevel(logging.ERROR)
    return _FixedLength(workload)


class _FixedLength:
    def __init__(self, workload: Workload) -> None:
        self._definitions = {packet.apid: (packet.name, _definition(packet)) for packet in workload.packets}

    def ready(self, batch: bytes) -> bytes:
        return batch

    def decode(self, batch: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
        if len(self._definitions) == 1:
            ((name, definition),) = self._definitions.values()
            yield name, definition.load(io.BytesIO(batch), include_primary_header=True)
            return
        for apid, stream in split_by_apid(io.BytesIO(batch)).items():
            name, definition = self._definitions[apid]
            yield name, definition.load(stream, include_primary_header=True)

    def columns(self, decoded: list[tuple[str, dict[str, Any]]]) -> Columns:
        return of_columns((name, [array.tolist() for array in arrays.values()]) for name, arrays in decoded)


def _definition(packet: Packet) -> FixedLength:
    data = packet.items[len(PRIMARY_HEADER) :]
    return FixedLength([PacketField(name=item.name, data_type=item.kind, bit_length=item.bits) for item in data])
