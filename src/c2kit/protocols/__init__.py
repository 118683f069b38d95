"""Framing: bytes as they came, cut anywhere, become frames; commands become bytes."""

from __future__ import annotations

from c2kit.protocols.base import Discarded, Protocol, Reason
from c2kit.protocols.ccsds import CcsdsPackets

__all__ = ["CcsdsPackets", "Discarded", "Protocol", "Reason"]
