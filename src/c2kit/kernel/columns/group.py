"""Group packets by what they are: NumPy's stable sort."""

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
    bounds = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(labels, minlength=count), out=bounds[1:])
    return Groups(np.argsort(labels, kind="stable").astype(np.int64, copy=False), bounds)
