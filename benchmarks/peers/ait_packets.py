"""ait-core: a packet's fields by its telemetry dictionary, all of them read; and commands.

It finds where packets begin and end in ways of each mission's own, so that this is left to a loop, as here. Importing
it asks a server for leap seconds unless it finds them in a file beside its configuration; nothing here uses them, so
that it is given a file without any.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack

from benchmarks.peers.results import of_records
from benchmarks.workload import PRIMARY_HEADER, apid_of, packets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.decoder import Given
    from benchmarks.workload import Columns, Item, Packet, Record, Workload


__all__ = ["DISTRIBUTIONS", "prepare", "prepare_encoder"]


def _imported() -> tuple[Any, Any]:
    """Its modules, which look for a configuration when they are imported and never again."""
    with tempfile.TemporaryDirectory() as folder:
        valid = {"__dmc_datetime__": True, "as_iso_str": "9999-01-01T00:00:00.000000"}
        Path(folder, "leapseconds.dat").write_bytes(msgpack.packb({"valid": valid, "leapseconds": []}))
        config = Path(folder, "config.yaml")
        config.write_text("default: {}\n", encoding="utf-8")
        os.environ |= {"AIT_ROOT": folder, "AIT_CONFIG": str(config)}
        from ait.core import cmd, tlm  # noqa: PLC0415 - not before it is configured

        return cmd, tlm


cmd, tlm = _imported()

DISTRIBUTIONS = ("ait-core",)
_WIDTHS = (8, 16, 32, 64)
_LETTERS = {"uint": "U", "int": "I"}
_FLOATS = {32: "MSB_F32", 64: "MSB_D64"}
_OWN_HEADER_BYTES = 3
"""Of a command: its opcode, and the size of its arguments."""


def prepare(workload: Workload) -> _Packets:
    """Make a telemetry dictionary of the workload."""
    return _Packets(workload)


def prepare_encoder(workload: Workload) -> _Commands:
    """Make a command dictionary."""
    return _Commands(workload)


class _Packets:
    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._names = {packet.apid: (packet.name, [item.name for item in packet.items]) for packet in workload.packets}
        self._dictionary = tlm.TlmDict()
        for packet in workload.packets:
            self._dictionary.add(tlm.PacketDefinition(name=packet.name, fields=list(_fields(packet))))
        # By APID, the bits of those numbers with a sign that are narrower than a word.
        self._signed = {
            packet.apid: {item.name: item.bits for item in packet.items if _is_narrow(item) and item.kind == "int"}
            for packet in workload.packets
        }
        self.note = (
            "fields of bits with a sign are read without it; it is put to them outside of what is timed"
            if any(self._signed.values())
            else ""
        )

    def ready(self, batch: bytes) -> bytes:
        return batch

    def decode(self, batch: bytes) -> Iterator[Record]:
        create, known = self._dictionary.create, self._names
        for data in packets_of(batch):
            name, fields = known[apid_of(data)]
            packet = create(name, data)
            yield {field: getattr(packet, field) for field in fields}

    def columns(self, decoded: Iterable[Record]) -> Columns:
        return of_records(self._workload, map(self._with_signs, decoded))

    def _with_signs(self, record: Record) -> Record:
        for name, bits in self._signed[int(record["APID"])].items():
            raw = int(record[name])
            record[name] = raw - (raw >> bits - 1 << bits)
        return record


def _fields(packet: Packet) -> Iterator[Any]:
    start = 0
    for item in packet.items:
        yield tlm.FieldDefinition(name=item.name, **_placed(item, start, packet.size_bytes), **_conversion(item))
        start += item.bits


def _placed(item: Item, start: int, size_bytes: int) -> dict[str, Any]:
    """The word that holds all of the item's bits, and which of its bits they are."""
    if item.kind == "float" or not _is_narrow(item, start):
        name = _FLOATS[item.bits] if item.kind == "float" else _number(_LETTERS[item.kind], item.bits)
        return {"type": name, "bytes": _span(start // 8, item.bits)}
    end = start + item.bits
    width = next(width for width in _WIDTHS if end - start // 8 * 8 <= width)
    first = min(start // 8, size_bytes - width // 8)
    mask = (1 << item.bits) - 1 << 8 * first + width - end
    return {"type": _number("U", width), "bytes": _span(first, width), "mask": mask}


def _is_narrow(item: Item, start: int = 0) -> bool:
    return item.kind != "float" and (item.bits not in _WIDTHS or start % 8 != 0)


def _number(letter: str, bits: int) -> str:
    return f"{letter}8" if bits == 8 else f"MSB_{letter}{bits}"


def _span(first: int, bits: int) -> int | list[int]:
    return first if bits == 8 else [first, first + bits // 8 - 1]


def _conversion(item: Item) -> dict[str, Any]:
    if item.states:
        return {"enum": dict(enumerate(item.states))}
    if not item.polynomial:
        return {}
    terms = (f"{coefficient!r} * raw.{item.name} ** {power}" for power, coefficient in enumerate(item.polynomial))
    return {"dntoeu": {"equation": " + ".join(terms)}}


class _Commands:
    header_bytes = 6
    note = "a header of its own; the bytes of the arguments are compared"

    def __init__(self, workload: Workload) -> None:
        self._dictionary = cmd.CmdDict()
        for packet in workload.packets:
            self._dictionary.add(cmd.CmdDefn(name=packet.name, opcode=packet.apid, argdefns=list(_arguments(packet))))

    def ready(self, batch: Given) -> list[tuple[str, Record]]:
        names = [item.name for item in PRIMARY_HEADER]
        return [
            (packet.name, {name: value for name, value in record.items() if name not in names})
            for packet, record in batch
        ]

    def encode(self, batch: list[tuple[str, Record]]) -> Iterator[bytes]:
        create = self._dictionary.create
        for name, arguments in batch:
            yield create(name, **arguments).encode(pad=0)

    def packets(self, encoded: Iterable[bytes]) -> Iterable[bytes]:
        return (bytes(command[_OWN_HEADER_BYTES:]) for command in encoded)


def _arguments(packet: Packet) -> Iterator[Any]:
    start = 0
    for item in packet.items[len(PRIMARY_HEADER) :]:
        yield cmd.ArgDefn(name=item.name, **_placed(item, start, packet.size_bytes))
        start += item.bits
