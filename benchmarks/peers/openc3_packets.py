"""openc3 (COSMOS in Python): framing by a length field, identification, one dictionary of values a packet."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openc3.interfaces.protocols.length_protocol import LengthProtocol
from openc3.packets.packet_config import PacketConfig
from openc3.packets.telemetry import Telemetry

from benchmarks.peers.results import of_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.workload import Columns, Packet, Workload

__all__ = ["DISTRIBUTIONS", "prepare"]

DISTRIBUTIONS = ("openc3",)
_TARGET = "BENCHMARK"
_KINDS = {"uint": "UINT", "int": "INT", "float": "FLOAT"}


def prepare(workload: Workload) -> _Packets:
    """Load a definition made of the workload."""
    return _Packets(workload)


class _Packets:
    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        config = PacketConfig()
        with tempfile.TemporaryDirectory() as folder:
            definition = Path(folder, "tlm.txt")
            definition.write_text("\n".join(map(_definition, workload.packets)), encoding="utf-8")
            config.process_file(str(definition), _TARGET)
        self._telemetry = Telemetry(config, None)
        self._framing = LengthProtocol(length_bit_offset=32, length_bit_size=16, length_value_offset=7)

    def ready(self, batch: bytes) -> bytes:
        return batch

    def decode(self, batch: bytes) -> Iterator[dict[str, Any]]:
        """As its interfaces and its decommutation do, without what they hand packets to each other by."""
        data, _ = self._framing.read_data(batch)
        while data:
            packet = self._telemetry.identify_and_set_buffer(data, [_TARGET])
            yield packet.decom()
            data, _ = self._framing.read_data(b"")

    def columns(self, decoded: Iterable[dict[str, Any]]) -> Columns:
        return of_records(self._workload, decoded)


def _definition(packet: Packet) -> str:
    lines = [f'TELEMETRY {_TARGET} {packet.name} BIG_ENDIAN ""']
    for item in packet.items:
        kind = f"{item.name} {item.bits} {_KINDS[item.kind]}"
        lines.append(f"  APPEND_ID_ITEM {kind} {packet.apid}" if item.name == "APID" else f"  APPEND_ITEM {kind}")
    return "\n".join(lines)
