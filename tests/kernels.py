"""The implementations of the kernel: ``@KERNELS`` runs a test over each, ``OTHERS`` are held to the reference.

The one in C may not have been compiled. Tests over it are then skipped, visibly; where ``C2KIT_REQUIRE_KERNEL=1``,
collecting them fails.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from c2kit.kernel import columns, reference

if TYPE_CHECKING:
    from c2kit.kernel.contract import Kernel

__all__ = ["KERNELS", "OTHERS", "REFERENCE", "needs_compiled"]

REFERENCE: Kernel = reference
OTHERS: dict[str, Kernel] = {"columns": columns}
try:
    from c2kit.kernel import compiled
except ImportError:
    if os.environ.get("C2KIT_REQUIRE_KERNEL") == "1":
        raise
else:
    OTHERS["compiled"] = compiled

needs_compiled = pytest.mark.skipif("compiled" not in OTHERS, reason="the kernel in C was not compiled here")

KERNELS = pytest.mark.parametrize(
    "kernel",
    [
        pytest.param(REFERENCE, id="reference"),
        pytest.param(columns, id="columns"),
        pytest.param(OTHERS.get("compiled"), id="compiled", marks=needs_compiled),
    ],
)
