"""c2kit as a program embeds it: bytes as they came, framed, identified and decommutated, asides taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.c2kit_definitions import dictionary_of
from benchmarks.peers.results import of_columns
from c2kit import CcsdsPackets, Decommutator, Identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.workload import Columns, Workload
    from c2kit import TelemetryBatch

__all__ = ["DISTRIBUTIONS", "prepare"]

DISTRIBUTIONS = ("c2kit", "numpy")


def prepare(workload: Workload) -> _Chain:
    """Make the processors."""
    return _Chain(workload)


class _Chain:
    def __init__(self, workload: Workload) -> None:
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

    def columns(self, decoded: list[TelemetryBatch]) -> Columns:
        return of_columns((batch.packet.name, [batch[name].to_list() for name in batch]) for batch in decoded)
