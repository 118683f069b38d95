"""Decode the fields that tell the time, then read them all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.kernel.reference.decode import decode

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from c2kit.kernel.clock import Clock
    from c2kit.kernel.contract import Buffer
    from c2kit.kernel.time import Times

__all__ = ["times"]


def times(clock: Clock, buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Times:
    """When packets were made; see :meth:`c2kit.kernel.contract.Kernel.times`."""
    return clock.of_columns(decode(clock.layout, buffer, starts, ends))
