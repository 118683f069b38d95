"""c2kit's kernel in C on a stream: packets are split, grouped, and decoded into the same memory each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.c2kit_into import IntoDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.peers.c2kit_into import Room
    from benchmarks.workload import Workload

__all__ = ["DISTRIBUTIONS", "prepare"]

DISTRIBUTIONS = ("c2kit", "numpy")


def prepare(workload: Workload) -> _Stream:
    """Compile the layouts, and make the memory."""
    return _Stream(workload)


class _Stream(IntoDecoder):
    def ready(self, batch: bytes) -> bytes:
        return batch

    def decode(self, batch: bytes) -> Iterator[Room]:
        for place, starts, ends in self.finding.find(batch):
            yield self.into(place, batch, starts, ends)
