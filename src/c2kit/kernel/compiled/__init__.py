"""The kernel in C, by way of the extension module ``c2kit.kernel._kernel``.

Its functions are those of :class:`~c2kit.kernel.contract.Kernel`. Importing it raises ImportError where the extension
was not compiled: :mod:`c2kit.kernel.chosen` then takes another kernel.
"""

from __future__ import annotations

from c2kit.kernel.compiled.codec import codec, encode
from c2kit.kernel.compiled.crc import crc, crc_of
from c2kit.kernel.compiled.decode import decode
from c2kit.kernel.compiled.decommutate import decommutate
from c2kit.kernel.compiled.group import group
from c2kit.kernel.compiled.headers import match, sequence_breaks
from c2kit.kernel.compiled.limits import limit_states
from c2kit.kernel.compiled.split import seek_length, split
from c2kit.kernel.compiled.times import times

__all__ = [
    "codec",
    "crc",
    "crc_of",
    "decode",
    "decommutate",
    "encode",
    "group",
    "limit_states",
    "match",
    "seek_length",
    "sequence_breaks",
    "split",
    "times",
]
