"""c2kit's kernel alone, the chosen one: where packets begin and end, and which they are, is known beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers.c2kit_definitions import TARGET, dictionary_of
from benchmarks.peers.results import of_columns
from c2kit.kernel.chosen import kernel
from c2kit.kernel.layout import Layout
from c2kit.protocols import CcsdsPackets

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from benchmarks.workload import Columns, Workload
    from c2kit.kernel.contract import Buffer, Column, Kernel

    _Grouped = list[tuple[str, Layout, Buffer, npt.NDArray[np.int64], npt.NDArray[np.int64]]]

__all__ = ["DISTRIBUTIONS", "KernelDecoder", "prepare"]

DISTRIBUTIONS = ("c2kit", "numpy")


def prepare(workload: Workload) -> KernelDecoder:
    """Compile the layouts."""
    return KernelDecoder(workload, kernel)


class KernelDecoder:
    """Decodes by one of the kernels."""

    def __init__(self, workload: Workload, kernel: Kernel) -> None:
        self._kernel = kernel
        target = dictionary_of(workload).target(TARGET)
        self._layouts = {each.apid: (each.name, Layout(target.packet(each.name).items)) for each in workload.packets}

    def ready(self, batch: bytes) -> _Grouped:
        """Find the packets of each kind."""
        (frames,) = CcsdsPackets().receive(batch)
        view = np.frombuffer(frames.buffer, np.uint8)
        apids = (view[frames.starts].astype(np.int64) & 0x07) << 8 | view[frames.starts + 1]
        return [
            (name, layout, frames.buffer, frames.starts[apids == apid], frames.ends[apids == apid])
            for apid, (name, layout) in self._layouts.items()
            if (apids == apid).any()
        ]

    def decode(self, batch: _Grouped) -> Iterator[tuple[str, list[Column]]]:
        """Decode them to columns."""
        for name, layout, buffer, starts, ends in batch:
            yield name, self._kernel.decode(layout, buffer, starts, ends)

    def columns(self, decoded: list[tuple[str, list[Column]]]) -> Columns:
        """The values in all columns."""
        return of_columns((name, [column.to_list() for column in found]) for name, found in decoded)
