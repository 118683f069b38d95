"""The kernel on NumPy columns: many packets at once.

Its functions are those of :class:`~c2kit.kernel.contract.Kernel`.
"""

from __future__ import annotations

from c2kit.kernel.columns.crc import crc
from c2kit.kernel.columns.decode import decode
from c2kit.kernel.columns.encode import encode
from c2kit.kernel.columns.split import split

__all__ = ["crc", "decode", "encode", "split"]
