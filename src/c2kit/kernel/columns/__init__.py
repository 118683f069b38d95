"""The kernel on NumPy columns: many packets at once.

Its functions are those of :class:`~c2kit.kernel.contract.Kernel`, and ``presence``, which tells a field that is absent
from one that did not fit.
"""

from __future__ import annotations

from c2kit.kernel.columns.codec import codec
from c2kit.kernel.columns.crc import crc, crc_of
from c2kit.kernel.columns.decode import decode
from c2kit.kernel.columns.decommutate import decommutate
from c2kit.kernel.columns.encode import encode
from c2kit.kernel.columns.group import group
from c2kit.kernel.columns.headers import gathered, match, sequence_breaks
from c2kit.kernel.columns.split import seek_length, split
from c2kit.kernel.columns.times import times
from c2kit.kernel.columns.varying import presence
from c2kit.kernel.conversions import limit_states

__all__ = [
    "codec",
    "crc",
    "crc_of",
    "decode",
    "decommutate",
    "encode",
    "gathered",
    "group",
    "limit_states",
    "match",
    "presence",
    "seek_length",
    "sequence_breaks",
    "split",
    "times",
]
