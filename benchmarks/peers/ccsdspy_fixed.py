"""ccsdspy's ``FixedLength``: a file of packets of one APID and one size, to a NumPy array a field."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any, Never

from ccsdspy import FixedLength, PacketField
from ccsdspy.converters import EnumConverter, PolyConverter
from ccsdspy.utils import split_by_apid

from benchmarks.peers.results import of_columns
from benchmarks.workload import PRIMARY_HEADER, NotHere

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.workload import Columns, Packet, Workload

__all__ = ["DISTRIBUTIONS", "prepare", "prepare_encoder"]

DISTRIBUTIONS = ("ccsdspy", "numpy")
_CONVERTED = "CONVERTED_"
"""A converted field stands behind all others, under a name of its own."""


def prepare(workload: Workload) -> _FixedLength:
    """Define the packets; the primary header is known to ccsdspy."""
    # It warns of a sequence count that begins again at 0, and writing that down would take time of its own.
    logging.getLogger("ccsdspy").setLevel(logging.ERROR)
    return _FixedLength(workload)


def prepare_encoder(workload: Workload) -> Never:  # noqa: ARG001 - whatever it is
    """Raises NotHere."""
    raise NotHere("it encodes whole files, at a path")


class _FixedLength:
    def __init__(self, workload: Workload) -> None:
        self._packets = {packet.name: packet for packet in workload.packets}
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

    def columns(self, decoded: Iterable[tuple[str, dict[str, Any]]]) -> Columns:
        return of_columns((name, list(_columns(self._packets[name], arrays))) for name, arrays in decoded)


def _definition(packet: Packet) -> FixedLength:
    data = packet.items[len(PRIMARY_HEADER) :]
    definition = FixedLength([PacketField(name=item.name, data_type=item.kind, bit_length=item.bits) for item in data])
    for item in data:
        if item.states:
            converter = EnumConverter(dict(enumerate(item.states)))
        elif item.polynomial:
            converter = PolyConverter(item.polynomial[::-1])
        else:
            continue
        definition.add_converted_field(item.name, _CONVERTED + item.name, converter)
    return definition


def _columns(packet: Packet, arrays: dict[str, Any]) -> Iterator[list[Any]]:
    """By the place of each: the fields of the primary header have other names there."""
    for item, array in zip(packet.items, arrays.values(), strict=False):
        yield arrays[_CONVERTED + item.name].tolist() if item.is_converted else array.tolist()
