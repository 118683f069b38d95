"""c2kit's kernel alone, the chosen one: bytes are split, grouped, decoded and converted to columns.

It also encodes: raw values to bytes, all arguments of a command given, ranges checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.c2kit_finding import Finding, items_of, layouts_of
from benchmarks.peers.results import NAMED_LATER, named, of_columns
from c2kit.kernel.chosen import kernel
from c2kit.kernel.conversions import bind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.decoder import Given
    from benchmarks.workload import Columns, Record, Workload
    from c2kit.kernel.contract import Column, Kernel
    from c2kit.kernel.conversions import Convert
    from c2kit.kernel.layout import Layout
    from c2kit.model.packets import Item

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
        self._workload = workload
        self._kernel = kernel
        self._finding = Finding(workload, kernel)
        self._layouts = layouts_of(workload)
        self._converts = [_converts(items) for items in items_of(workload)]

    def ready(self, batch: bytes) -> bytes:
        """The batch as it came."""
        return batch

    def decode(self, batch: bytes) -> Iterator[tuple[int, list[Column]]]:
        """Decode it to columns of engineering values, those of each packet definition."""
        for place, starts, ends in self._finding.find(batch):
            columns = self._kernel.decode(self._layouts[place], batch, starts, ends)
            for index, convert in self._converts[place]:
                columns[index], _ = convert(columns[index])
            yield place, columns

    def columns(self, decoded: Iterable[tuple[int, list[Column]]]) -> Columns:
        """The values in all columns."""
        packets = self._workload.packets
        return of_columns(
            (packets[place].name, named(packets[place], [column.to_list() for column in found]))
            for place, found in decoded
        )


def _converts(items: Iterable[Item]) -> list[tuple[int, Convert]]:
    bound = ((index, bind(item)) for index, item in enumerate(items))
    return [(index, convert) for index, convert in bound if convert is not None]


class KernelEncoder:
    """Encodes by one of the kernels."""

    header_bytes = 0

    def __init__(self, workload: Workload, kernel: Kernel) -> None:
        self._kernel = kernel
        self._layouts = {
            packet.name: layout for packet, layout in zip(workload.packets, layouts_of(workload), strict=True)
        }

    def ready(self, batch: Given) -> list[tuple[Layout, Record]]:
        """The layouts instead of the definitions."""
        return [(self._layouts[packet.name], record) for packet, record in batch]

    def encode(self, batch: list[tuple[Layout, Record]]) -> Iterator[bytes]:
        """Encode one after the other."""
        encode = self._kernel.encode
        for layout, record in batch:
            yield encode(layout, record)  # type: ignore[arg-type] # what is encoded has no states

    def packets(self, encoded: Iterable[bytes]) -> Iterable[bytes]:
        """They are bytes."""
        return encoded
