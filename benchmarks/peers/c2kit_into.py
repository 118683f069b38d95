"""c2kit's kernel in C: packets that were found beforehand are decoded into the same memory each time.

There are no objects for columns: the numbers lie one column after the other, each from a multiple of eight bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.peers.c2kit_finding import Finding, Found, layouts_of
from benchmarks.peers.results import of_columns
from benchmarks.workload import NotHere
from c2kit.kernel.layout import raw_dtype

try:
    from c2kit.kernel import compiled
    from c2kit.kernel.compiled.program import compiled as program_of
except ImportError as error:
    raise ImportError("c2kit's kernel in C is not compiled") from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from benchmarks.workload import Columns, Workload

__all__ = ["DISTRIBUTIONS", "IntoDecoder", "Room", "prepare"]

DISTRIBUTIONS = ("c2kit", "numpy")

Room = tuple[int, int, int]
"""The place of a packet's definition in the workload, how many packets were decoded, and the bytes that they take."""


def prepare(workload: Workload) -> _Known:
    """Compile the layouts, and make the memory."""
    return _Known(workload)


class IntoDecoder:
    """Programs of all packets, and memory that holds as much as all of them give."""

    def __init__(self, workload: Workload) -> None:
        if workload.is_converted:
            raise NotHere("it does not convert")
        self.finding = Finding(workload, compiled)
        self._packets = workload.packets
        self._dtypes = [[raw_dtype(field) for field in layout.fields] for layout in layouts_of(workload)]
        self._into = [_into(layout) for layout in layouts_of(workload)]
        # No column takes more than eight bytes a packet, and eight at its end.
        self._words = np.zeros(workload.values + sum(len(dtypes) for dtypes in self._dtypes), np.int64)

    def into(self, place: int, batch: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Room:
        """Decode packets of one definition, over what was decoded before."""
        return place, len(starts), self._into[place](batch, starts, ends, self._words)

    def columns(self, decoded: Iterable[Room]) -> Columns:
        """The numbers in memory after each."""
        return of_columns((self._packets[place].name, self._read(place, *rest)) for place, *rest in decoded)

    def _read(self, place: int, count: int, size_bytes: int) -> list[list[Any]]:
        columns, first_byte = [], 0
        for dtype in self._dtypes[place]:
            columns.append(np.ndarray(count, dtype, self._words.data, first_byte).tolist())
            first_byte += -(-count * dtype.itemsize // 8) * 8
        assert first_byte == size_bytes, f"{size_bytes} bytes instead of {first_byte}"
        return columns


def _into(layout: Any) -> Any:  # noqa: ANN401 - a function of the extension
    program = program_of(layout)
    assert program is not None
    return program.program.decode_into


class _Known(IntoDecoder):
    def ready(self, batch: bytes) -> list[tuple[bytes, Found]]:
        return [(batch, found) for found in self.finding.find(batch)]

    def decode(self, batch: list[tuple[bytes, Found]]) -> Iterator[Room]:
        into = self.into
        for data, (place, starts, ends) in batch:
            yield into(place, data, starts, ends)
