"""The bytes, copied to the same memory each time: nothing that reads them can be faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.workload import packets_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from benchmarks.workload import Columns, Workload

    _Bytes = npt.NDArray[np.uint8]

__all__ = ["DISTRIBUTIONS", "prepare"]

DISTRIBUTIONS = ("numpy",)


def prepare(workload: Workload) -> _Copy:
    """Make room for all of it."""
    return _Copy(workload)


class _Copy:
    note = "it decodes nothing: its bytes are compared"

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._room = np.zeros(len(workload.data), np.uint8)

    def ready(self, batch: bytes) -> tuple[_Bytes, _Bytes]:
        return self._room[: len(batch)], np.frombuffer(batch, np.uint8)

    def decode(self, batch: tuple[_Bytes, _Bytes]) -> tuple[_Bytes]:
        room, source = batch
        np.copyto(room, source)
        return (room,)

    def columns(self, decoded: Iterable[_Bytes]) -> Columns:
        copied = b"".join(room.tobytes() for room in decoded)
        if not self._workload.data.startswith(copied):
            return {}
        return self._workload.head(sum(1 for _ in packets_of(copied))).expected
