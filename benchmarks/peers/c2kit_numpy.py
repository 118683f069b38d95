"""c2kit's NumPy kernel alone: what there is without the one in C."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.c2kit_kernel import KernelDecoder, KernelEncoder
from c2kit.kernel import columns

if TYPE_CHECKING:
    from benchmarks.workload import Workload

__all__ = ["DISTRIBUTIONS", "prepare", "prepare_encoder"]

DISTRIBUTIONS = ("c2kit", "numpy")


def prepare(workload: Workload) -> KernelDecoder:
    """Compile the layouts."""
    return KernelDecoder(workload, columns)


def prepare_encoder(workload: Workload) -> KernelEncoder:
    """Likewise."""
    return KernelEncoder(workload, columns)
