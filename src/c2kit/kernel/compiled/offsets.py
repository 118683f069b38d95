"""Offsets as the extension takes them, and what is said of those that it does not take."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from c2kit.kernel.bounds import check_bounds

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer

__all__ = ["on_packets"]

_Result = TypeVar("_Result")


def on_packets(
    function: Callable[..., _Result],
    buffer: Buffer,
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    *rest: object,
) -> _Result:
    """Call a function of the extension with the packets of a buffer.

    It takes contiguous, aligned int64 only, which offsets nearly always are: others are copied once it has refused
    them. Raises UsageError where packets do not lie in the buffer.
    """
    try:
        return function(buffer, starts, ends, *rest)
    except (TypeError, ValueError):
        check_bounds(buffer, starts, ends)
    return function(buffer, _plain(starts), _plain(ends), *rest)


def _plain(offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.require(offsets, np.int64, ["C", "A"])
