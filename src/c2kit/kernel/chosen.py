"""The kernel of this process: all that the rest of the package calls of the implementations.

It is chosen when this module is first imported, by :func:`c2kit.kernel.choice.chosen_name`, which raises
:class:`~c2kit.errors.UsageError` where there is no such kernel; the others are not imported for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from c2kit.kernel.choice import chosen_name

if TYPE_CHECKING:
    from c2kit.kernel.contract import Kernel

__all__ = ["kernel"]

_MODULES = {"c": "compiled", "numpy": "columns", "reference": "reference"}

kernel = cast("Kernel", importlib.import_module(f"c2kit.kernel.{_MODULES[chosen_name()]}"))
