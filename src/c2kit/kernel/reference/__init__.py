"""The reference kernel: plain Python on ``bitstring``, complete, and written to be obviously right.

It is what the other implementations are held to, and slow. Its functions are those of
:class:`~c2kit.kernel.contract.Kernel`.
"""

from __future__ import annotations

from c2kit.kernel.conversions import limit_states
from c2kit.kernel.reference.codec import codec
from c2kit.kernel.reference.crc import crc, crc_of
from c2kit.kernel.reference.decode import decode
from c2kit.kernel.reference.decommutate import decommutate
from c2kit.kernel.reference.encode import encode
from c2kit.kernel.reference.group import group
from c2kit.kernel.reference.headers import match, sequence_breaks
from c2kit.kernel.reference.split import seek_length, split
from c2kit.kernel.reference.times import times

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
