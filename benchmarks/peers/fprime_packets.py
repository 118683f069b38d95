"""fprime-gds: its decoder of packets of channels, and its encoder of commands.

It has no fields of bits: such items are given to it as words, which are taken apart outside of what is timed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fprime_gds.common.data_types.cmd_data import CmdData
from fprime_gds.common.decoders.pkt_decoder import PktDecoder
from fprime_gds.common.encoders.cmd_encoder import CmdEncoder
from fprime_gds.common.models.serialize import numerical_types
from fprime_gds.common.templates.ch_template import ChTemplate
from fprime_gds.common.templates.cmd_template import CmdTemplate
from fprime_gds.common.templates.pkt_template import PktTemplate

from benchmarks.peers.results import of_records
from benchmarks.workload import PRIMARY_HEADER, NotHere, apid_of, packets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.decoder import Given
    from benchmarks.workload import Columns, Item, Packet, Record, Workload

__all__ = ["DISTRIBUTIONS", "prepare", "prepare_encoder"]

DISTRIBUTIONS = ("fprime-gds",)
_LETTERS = {"uint": "U", "int": "I", "float": "F"}
_TIME = bytes([0, 2, 0, *bytes(8)])
"""Of a packet: its base, its context, seconds and microseconds."""
_WORDS = (64, 32, 16, 8)
_OWN_HEADER_BYTES = 14
"""Of a command: a mark, a length, a descriptor and the opcode."""


def prepare(workload: Workload) -> _Packets:
    """Make templates of the workload."""
    if workload.is_converted:
        raise NotHere("it does not convert")
    return _Packets(workload)


def prepare_encoder(workload: Workload) -> _Commands:
    """Likewise."""
    return _Commands(workload)


class _Packets:
    note = (
        "each packet behind the identifier and the time that it wants; "
        "fields of bits as words, which are taken apart outside of what is timed"
    )

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._runs = {packet.apid: list(_runs(packet)) for packet in workload.packets}
        templates = {packet.apid: self._template(packet) for packet in workload.packets}
        self._decoder = PktDecoder(templates, {})

    def _template(self, packet: Packet) -> PktTemplate:
        words = [word for run in self._runs[packet.apid] for word in run.words]
        channels = [
            ChTemplate(number, f"CHANNEL_{number}", "BENCHMARK", _type(kind, bits))
            for number, (kind, bits) in enumerate(words)
        ]
        return PktTemplate(packet.apid, packet.name, channels)

    def ready(self, batch: bytes) -> list[bytes]:
        return [apid_of(packet).to_bytes(2) + _TIME + packet for packet in packets_of(batch)]

    def decode(self, batch: list[bytes]) -> Iterator[tuple[bytes, list[Any]]]:
        decode = self._decoder.decode_api
        for data in batch:
            yield data[:2], decode(data)

    def columns(self, decoded: Iterable[tuple[bytes, list[Any]]]) -> Columns:
        return of_records(self._workload, (self._record(*each) for each in decoded))

    def _record(self, apid: bytes, channels: list[Any]) -> Record:
        values = (channel.val_obj.val for channel in channels)
        record: Record = {}
        for run in self._runs[int.from_bytes(apid)]:
            record |= run.record([next(values) for _ in run.words])
        return record


@dataclass(frozen=True, slots=True)
class _Run:
    """Items that fill whole bytes together, and the words that it is given for them."""

    items: list[Item]
    words: list[tuple[str, int]]

    def record(self, values: list[int | float]) -> Record:
        if len(self.items) == len(self.words) == 1:
            return {self.items[0].name: values[0]}
        pattern = 0
        for value, (_, bits) in zip(values, self.words, strict=True):
            pattern = pattern << bits | int(value)
        record: Record = {}
        for item in reversed(self.items):
            raw = pattern & (1 << item.bits) - 1
            record[item.name] = raw - (1 << item.bits) if item.kind == "int" and raw >> item.bits - 1 else raw
            pattern >>= item.bits
        return record


def _runs(packet: Packet) -> Iterator[_Run]:
    items: list[Item] = []
    for item in packet.items:
        items.append(item)
        bits = sum(each.bits for each in items)
        if bits % 8 == 0:
            is_word = len(items) == 1 and bits in _WORDS
            yield _Run(items, [(item.kind, bits)] if is_word else [("uint", word) for word in _words(bits)])
            items = []


def _words(bits: int) -> Iterator[int]:
    for word in _WORDS:
        count, bits = divmod(bits, word)
        yield from [word] * count


class _Commands:
    header_bytes = 6
    note = "a header of its own; the bytes of the arguments are compared"

    def __init__(self, workload: Workload) -> None:
        self._templates = {packet.name: _command(packet) for packet in workload.packets}
        self._encoder = CmdEncoder()

    def ready(self, batch: Given) -> list[tuple[CmdTemplate, tuple[Any, ...]]]:
        return [
            (self._templates[packet.name], tuple(record.values())[len(PRIMARY_HEADER) :]) for packet, record in batch
        ]

    def encode(self, batch: list[tuple[CmdTemplate, tuple[Any, ...]]]) -> Iterator[bytes]:
        encode = self._encoder.encode_api
        for template, arguments in batch:
            yield encode(CmdData(arguments, template))

    def packets(self, encoded: Iterable[bytes]) -> Iterable[bytes]:
        return (command[_OWN_HEADER_BYTES:] for command in encoded)


def _command(packet: Packet) -> CmdTemplate:
    arguments = [(item.name, "", _type(item.kind, item.bits)) for item in packet.items[len(PRIMARY_HEADER) :]]
    return CmdTemplate(packet.apid, packet.name, "BENCHMARK", arguments)


def _type(kind: str, bits: int) -> Any:  # noqa: ANN401 - it has no types
    return getattr(numerical_types, f"{_LETTERS[kind]}{bits}Type")
