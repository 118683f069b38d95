"""Which kernel this process uses: the fastest that is there, or the one that ``C2KIT_KERNEL`` names.

``c``, ``numpy`` and ``reference`` stand for :mod:`c2kit.kernel.compiled`, :mod:`c2kit.kernel.columns` and
:mod:`c2kit.kernel.reference`. All give the same results.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Literal

from c2kit.errors import UsageError

__all__ = ["VARIABLE", "KernelName", "chosen_name"]

VARIABLE = "C2KIT_KERNEL"
"""The environment variable that names the kernel."""

KernelName = Literal["c", "numpy", "reference"]


def chosen_name() -> KernelName:
    """The name of the kernel; nothing is imported to find it.

    Raises:
        UsageError: the variable names none, or the one in C, which was not compiled.
    """
    wanted = os.environ.get(VARIABLE, "")
    is_compiled = importlib.util.find_spec("c2kit.kernel._kernel") is not None
    match wanted:
        case "":
            return "c" if is_compiled else "numpy"
        case "numpy" | "reference":
            return wanted
        case "c" if is_compiled:
            return "c"
        case "c":
            remedy = "install c2kit where there is a C compiler, or unset the variable"
            raise UsageError(f"{VARIABLE}=c, but the kernel in C was not compiled", remedy=remedy)
        case _:
            raise UsageError(f"the environment variable {VARIABLE}", expected="c, numpy or reference", found=wanted)
