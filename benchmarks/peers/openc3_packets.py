"""openc3 (COSMOS in Python): framing by a length field, identification, a dictionary a packet; and commands."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openc3.interfaces.protocols.length_protocol import LengthProtocol
from openc3.packets.commands import Commands
from openc3.packets.packet_config import PacketConfig
from openc3.packets.telemetry import Telemetry

from benchmarks.peers.results import of_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.decoder import Given
    from benchmarks.workload import Columns, Item, Packet, Record, Workload

__all__ = ["DISTRIBUTIONS", "prepare", "prepare_encoder"]

DISTRIBUTIONS = ("openc3",)
_TARGET = "BENCHMARK"
_KINDS = {"uint": "UINT", "int": "INT", "float": "FLOAT"}


def prepare(workload: Workload) -> _Packets:
    """Load a definition made of the workload."""
    return _Packets(workload)


def prepare_encoder(workload: Workload) -> _Commands:
    """Likewise."""
    return _Commands(workload)


class _Packets:
    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._telemetry = Telemetry(_config(workload, _telemetry), None)
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
        return of_records(self._workload, map(_engineering, decoded))


class _Commands:
    header_bytes = 0

    def __init__(self, workload: Workload) -> None:
        self._commands = Commands(_config(workload, _command), None)

    def ready(self, batch: Given) -> list[tuple[str, Record]]:
        return [(packet.name, record) for packet, record in batch]

    def encode(self, batch: list[tuple[str, Record]]) -> Iterator[bytes]:
        build = self._commands.build_cmd
        for name, record in batch:
            yield build(_TARGET, name, record).buffer

    def packets(self, encoded: Iterable[bytes]) -> Iterable[bytes]:
        return map(bytes, encoded)


def _engineering(values: dict[str, Any]) -> dict[str, Any]:
    return values | {name.removesuffix("__C"): value for name, value in values.items() if name.endswith("__C")}


def _config(workload: Workload, text: Callable[[Packet], str]) -> PacketConfig:
    config = PacketConfig()
    with tempfile.TemporaryDirectory() as folder:
        definition = Path(folder, "definition.txt")
        definition.write_text("\n".join(map(text, workload.packets)), encoding="utf-8")
        config.process_file(str(definition), _TARGET)
    return config


def _telemetry(packet: Packet) -> str:
    lines = [f'TELEMETRY {_TARGET} {packet.name} BIG_ENDIAN ""']
    for item in packet.items:
        kind = f"{item.name} {item.bits} {_KINDS[item.kind]}"
        lines.append(f"  APPEND_ID_ITEM {kind} {packet.apid}" if item.name == "APID" else f"  APPEND_ITEM {kind}")
        lines += [f"    STATE {name} {raw}" for raw, name in enumerate(item.states)]
        if item.polynomial:
            lines.append(f"    POLY_READ_CONVERSION {' '.join(map(str, item.polynomial))}")
    return "\n".join(lines)


def _command(packet: Packet) -> str:
    lines = [f'COMMAND {_TARGET} {packet.name} BIG_ENDIAN ""']
    return "\n".join([*lines, *(f"  APPEND_PARAMETER {item.name} {item.bits} {_range(item)}" for item in packet.items)])


def _range(item: Item) -> str:
    """The kind, the smallest and the largest value, and the default."""
    if item.kind == "float":
        return "FLOAT MIN MAX 0.0"
    return f"{_KINDS[item.kind]} MIN MAX 0"
