"""The sequence counts of space packets: CCSDS 133.0-B-2, 4.1.3.3.4 and 4.1.3.4.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define

from c2kit.kernel.layout import Layout
from c2kit.model.fields import Field

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["APIDS", "COUNTS", "NO_COUNT", "PRIMARY_HEADER", "Breaks", "no_counts"]

APIDS = 1 << 11
COUNTS = 1 << 14
NO_COUNT = -1
# The last 11 bits of the first word, the last 14 of the second; the length ends the header.
PRIMARY_HEADER = Layout(
    (
        Field(name="APID", bit_offset=5, bit_length=11),
        Field(name="COUNT", bit_offset=18, bit_length=14),
        Field(name="LENGTH", bit_offset=32, bit_length=16),
    )
)


@define(frozen=True, slots=True, eq=False)
class Breaks:
    """Which packets of a batch have another count than was due, and which: ``NO_COUNT`` for the first of an APID."""

    which: npt.NDArray[np.int64]
    due: npt.NDArray[np.int64]


def no_counts() -> npt.NDArray[np.int64]:
    """The last count of each APID where none was seen yet."""
    return np.full(APIDS, NO_COUNT, np.int64)
