"""What every implementation checks once a call, so that all refuse the same in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer
    from c2kit.model.crc import CrcParameters

__all__ = ["check_bounds", "check_crc", "check_labels"]


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


def check_crc(parameters: CrcParameters) -> None:
    """See to it that there is a CRC of such parameters; raises UsageError otherwise."""
    width = parameters.width
    if not 1 <= width <= 64:
        raise UsageError(f"the width of {parameters.name}", expected="1 to 64 bits", found=width)
    for name in ("polynomial", "initial", "xor_out"):
        value = getattr(parameters, name)
        if not 0 <= value < 1 << width:
            raise UsageError(f"the {name} of {parameters.name}", expected=f"{width} bits", found=hex(value))


def check_labels(labels: npt.NDArray[np.integer], groups: int) -> None:
    """See to it that each label is one of ``groups``; raises UsageError otherwise."""
    if len(labels) and (labels.min() < 0 or labels.max() >= groups):
        wrong = labels[(labels < 0) | (labels >= groups)][0]
        raise UsageError("a packet's label is none of a group", expected=f"0 to {groups - 1}", found=int(wrong))
