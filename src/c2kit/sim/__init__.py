"""A simulated satellite, to try ground software on: the FIREFLY of the example dictionary.

:class:`Satellite` and :class:`FaultyLink` know no clock and no sockets; :mod:`c2kit.sim.serve` puts them on a network.
"""

from __future__ import annotations

from pathlib import Path

from c2kit.sim.faults import Fault, FaultKind, FaultRates, FaultyLink
from c2kit.sim.satellite import BEGIN_NS, ReceivedCommand, Satellite, SentPacket

__all__ = [
    "BEGIN_NS",
    "DICTIONARY_DIRECTORY",
    "Fault",
    "FaultKind",
    "FaultRates",
    "FaultyLink",
    "ReceivedCommand",
    "Satellite",
    "SentPacket",
]

DICTIONARY_DIRECTORY = Path(__file__).parent / "dictionary"
"""The definitions that it flies by."""
