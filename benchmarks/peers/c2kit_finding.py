"""Finding packets by c2kit's kernel: where they begin and end, and which of the workload's they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers.c2kit_definitions import TARGET, dictionary_of
from c2kit.kernel.contract import LengthRule
from c2kit.kernel.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from benchmarks.workload import Workload
    from c2kit.kernel.contract import Kernel

__all__ = ["Finding", "Found", "layouts_of"]

_SPACE_PACKET = LengthRule(length_bit_offset=32, length_bits=16, adjustment_bytes=7, minimum_bytes=7)
_APIDS = 2**11

Found = tuple[int, "npt.NDArray[np.int64]", "npt.NDArray[np.int64]"]
"""The place of a packet's definition in the workload, and where its packets begin and end."""


class Finding:
    """Splits and groups a batch of packets."""

    def __init__(self, workload: Workload, kernel: Kernel) -> None:
        self._kernel = kernel
        self._count = len(workload.packets)
        self._places = np.full(_APIDS, self._count, np.int64)
        self._places[[packet.apid for packet in workload.packets]] = np.arange(self._count)

    def find(self, batch: bytes) -> Iterator[Found]:
        """The packets of each definition that occurs."""
        split = self._kernel.split(batch, _SPACE_PACKET)
        starts, ends = split.starts, split.ends
        view = np.frombuffer(batch, np.uint8)
        apids = (view[starts] & 0x07).astype(np.int64) << 8 | view[starts + 1]
        groups = self._kernel.group(self._places[apids], self._count + 1)
        for place, members in groups.present():
            if len(members) == len(starts):
                yield place, starts, ends
            else:
                yield place, starts[members], ends[members]


def layouts_of(workload: Workload) -> list[Layout]:
    """The layout of each packet, as c2kit defines it."""
    target = dictionary_of(workload).target(TARGET)
    return [Layout(target.packet(packet.name).items) for packet in workload.packets]
