r"""Framing: bytes as they came, cut anywhere, become frames; commands become bytes. No I/O, no clock, no threads.

::

    framing = Chain([Sync(b"\xde\xad\xbe\xef", LengthField(bit_length=32, adjustment_bytes=4)), Crc(CRC32)])
    for frames in framing.receive(data, received=now):  # a PacketBatch: frames[0] is the first frame's bytes
        ...
    for discarded in framing.take_asides():  # every byte that is in no frame, with the reason
        ...
    link.write(framing.send(payload))

===================== ==============================================================
where frames end      protocol
===================== ==============================================================
CCSDS space packets   :class:`CcsdsPackets`
a length field        :class:`LengthField`
behind a pattern      :class:`Sync`, then one of the others or the next pattern
a terminator          :class:`Terminated`
always the same size  :class:`Fixed`
the link knows        :class:`Burst`
===================== ==============================================================

:class:`Crc` checks what they find, and a :class:`Chain` puts one into the other. What all of them promise is told by
:class:`Protocol`.
"""

from __future__ import annotations

from c2kit.protocols.base import Discarded, Frames, Protocol, Reason
from c2kit.protocols.burst import Burst
from c2kit.protocols.ccsds import CcsdsPackets
from c2kit.protocols.chain import Chain
from c2kit.protocols.crc import Crc
from c2kit.protocols.fixed import Fixed
from c2kit.protocols.length_field import LengthField
from c2kit.protocols.sync import Sync
from c2kit.protocols.terminated import Terminated

__all__ = [
    "Burst",
    "CcsdsPackets",
    "Chain",
    "Crc",
    "Discarded",
    "Fixed",
    "Frames",
    "LengthField",
    "Protocol",
    "Reason",
    "Sync",
    "Terminated",
]
