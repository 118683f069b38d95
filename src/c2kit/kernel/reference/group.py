"""Group packets by what they are: one label after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from c2kit.kernel.bounds import check_labels
from c2kit.kernel.contract import Groups

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["group"]


def group(labels: npt.NDArray[np.integer], count: int) -> Groups:
    """Group by label; see :meth:`c2kit.kernel.contract.Kernel.group`."""
    check_labels(labels, count)
    order: list[int] = []
    bounds = [0]
    for label in range(count):
        order += [index for index, found in enumerate(labels.tolist()) if found == label]
        bounds.append(len(order))
    return Groups(np.array(order, np.int64), np.array(bounds, np.int64))
