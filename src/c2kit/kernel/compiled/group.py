"""Group packets by what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from c2kit.kernel import _kernel
from c2kit.kernel.bounds import check_labels
from c2kit.kernel.contract import Groups

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["group"]


def group(labels: npt.NDArray[np.integer], count: int) -> Groups:
    """Group by label; see :meth:`c2kit.kernel.contract.Kernel.group`."""
    order, bounds = np.empty(len(labels), np.int64), np.empty(count + 1, np.int64)
    if not _kernel.group(labels.astype(np.int64, order="C", copy=False), order, bounds):
        check_labels(labels, count)
    return Groups(order, bounds)
