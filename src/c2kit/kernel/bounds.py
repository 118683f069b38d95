"""The one check that stands between a batch's offsets and its buffer, done once a batch by every implementation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer

__all__ = ["check_bounds"]


def check_bounds(buffer: Buffer, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> None:
    """See to it that each packet ``buffer[starts[i]:ends[i]]`` lies within the buffer.

    Raises:
        UsageError: it does not. Offsets come from our own splitting, never from a link, so this is misuse.
    """
    if len(starts) != len(ends):
        found = f"{len(starts)} starts and {len(ends)} ends"
        raise UsageError("the packets' offsets do not pair up", expected="as many starts as ends", found=found)
    if not len(starts):
        return
    size = memoryview(buffer).nbytes
    if starts.min() < 0 or ends.max() > size or (starts > ends).any():
        wrong = ((starts < 0) | (ends > size) | (starts > ends)).argmax()
        found = f"packet {wrong} at bytes {starts[wrong]} to {ends[wrong]}"
        raise UsageError("a packet is not in the buffer", expected=f"bytes 0 to {size}", found=found)
