"""Framing: bytes as they came, cut anywhere, become frames; commands become bytes."""

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
