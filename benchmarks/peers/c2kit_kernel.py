"""c2kit's kernel alone, the chosen one: bytes are split and grouped, then decoded and converted to columns in one pass.

It also encodes: raw values to bytes, all arguments of a command given, ranges checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peers.c2kit_definitions import TARGET, dictionary_of
from benchmarks.peers.c2kit_finding import Finding, layouts_of
from benchmarks.peers.results import NAMED_LATER, named, of_columns
from c2kit.kernel.chosen import kernel
from c2kit.kernel.decommutation import Decommutation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.decoder import Given
    from benchmarks.workload import Columns, Record, Workload
    from c2kit.kernel.contract import Kernel
    from c2kit.kernel.decommutation import Decommutated

__all__ = ["DISTRIBUTIONS", "KernelDecoder", "KernelEncoder", "prepare", "prepare_encoder"]

DISTRIBUTIONS = ("c2kit", "numpy")


def prepare(workload: Workload) -> KernelDecoder:
    """Compile the layouts."""
    return KernelDecoder(workload, kernel)


def prepare_encoder(workload: Workload) -> KernelEncoder:
    """Likewise."""
    return KernelEncoder(workload, kernel)


class KernelDecoder:
    """Decodes by one of the kernels."""

    def __init__(self, workload: Workload, kernel: Kernel) -> None:
        self.note = NAMED_LATER if workload.is_converted else ""
        self._packets = workload.packets
        self._kernel = kernel
        self._finding = Finding(workload, kernel)
        target = dictionary_of(workload).target(TARGET)
        self._plans = [Decommutation.of(target.packet(packet.name)) for packet in workload.packets]

    def ready(self, batch: bytes) -> bytes:
        """The batch as it came."""
        return batch

    def decode(self, batch: bytes) -> Iterator[tuple[int, Decommutated]]:
        """Decode it to columns of raw values and of engineering values, those of each packet definition."""
        for place, starts, ends in self._finding.find(batch):
            yield place, self._kernel.decommutate(self._plans[place], batch, starts, ends)

    def columns(self, decoded: Iterable[tuple[int, Decommutated]]) -> Columns:
        """The engineering values in all columns."""
        return of_columns(self._named(place, found) for place, found in decoded)

    def _named(self, place: int, found: Decommutated) -> tuple[str, list[list[Any]]]:
        packet = self._packets[place]
        columns = (found.engineering.get(name, column) for name, column in found.raw.items())
        return packet.name, named(packet, [column.to_list() for column in columns])


class KernelEncoder:
    """Encodes by one of the kernels."""

    header_bytes = 0

    def __init__(self, workload: Workload, kernel: Kernel) -> None:
        self._encode = {
            packet.name: kernel.codec(layout).encode
            for packet, layout in zip(workload.packets, layouts_of(workload), strict=True)
        }

    def ready(self, batch: Given) -> list[tuple[Callable[..., bytes], Record]]:
        """What encodes them instead of the definitions."""
        return [(self._encode[packet.name], record) for packet, record in batch]

    def encode(self, batch: list[tuple[Callable[..., bytes], Record]]) -> Iterator[bytes]:
        """Encode one after the other."""
        for encode, record in batch:
            yield encode(record)

    def packets(self, encoded: Iterable[bytes]) -> Iterable[bytes]:
        """They are bytes."""
        return encoded
