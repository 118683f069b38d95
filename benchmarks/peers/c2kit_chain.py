"""c2kit as a program embeds it: bytes as they came, framed, identified and decommutated, asides taken.

And commands as a program makes them: by name, from engineering values, all that is wrong with them found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.c2kit_definitions import TARGET, commands_of, dictionary_of
from benchmarks.peers.results import NAMED_LATER, named, of_columns
from c2kit import CcsdsPackets, CommandEncoder, Decommutator, Identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.decoder import Given
    from benchmarks.workload import Columns, Workload
    from c2kit import TelemetryBatch
    from c2kit.processors import EncodedCommand

__all__ = ["DISTRIBUTIONS", "prepare", "prepare_encoder"]

DISTRIBUTIONS = ("c2kit", "numpy")


def prepare(workload: Workload) -> _Chain:
    """Make the processors."""
    return _Chain(workload)


def prepare_encoder(workload: Workload) -> _Commands:
    """Make the encoder."""
    return _Commands(workload)


class _Chain:
    def __init__(self, workload: Workload) -> None:
        self.note = NAMED_LATER if workload.is_converted else ""
        self._packets = {packet.name: packet for packet in workload.packets}
        dictionary = dictionary_of(workload)
        self._framing = CcsdsPackets()
        self._identify = Identifier(dictionary)
        self._decommutate = Decommutator(dictionary)

    def ready(self, batch: bytes) -> bytes:
        return batch

    def decode(self, batch: bytes) -> Iterator[TelemetryBatch]:
        for frames in self._framing.receive(batch):
            for packets in self._identify.process(frames):
                yield from self._decommutate.process(packets)
        self._framing.take_asides()
        self._identify.take_asides()
        self._decommutate.take_asides()

    def columns(self, decoded: Iterable[TelemetryBatch]) -> Columns:
        return of_columns(
            (batch.packet.name, named(self._packets[batch.packet.name], [batch[name].to_list() for name in batch]))
            for batch in decoded
        )


class _Commands:
    header_bytes = 0

    def __init__(self, workload: Workload) -> None:
        self._encoder = CommandEncoder(commands_of(workload))

    def ready(self, batch: Given) -> Given:
        return batch

    def encode(self, batch: Given) -> Iterator[EncodedCommand]:
        encode = self._encoder.encode
        for packet, record in batch:
            yield encode(TARGET, packet.name, record)

    def packets(self, encoded: Iterable[EncodedCommand]) -> Iterable[bytes]:
        return (command.data for command in encoded)
