"""Who decodes: peers by name. A new one is a module with ``prepare`` and a line here.

The modules are imported by workers, each in the environment of its peer, and by nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OPENC3", "PEERS", "Peer"]


@dataclass(frozen=True, slots=True)
class Peer:
    """How to run a peer, and what its rows in a table mean."""

    module: str
    title: str
    requirements: str | None = "requirements.txt"
    """What is installed into its environment, as a file beside this package; ``None`` for the environment that c2kit
    itself is in. Peers that do not go together have files of their own."""


PEERS = {
    "c2kit-kernel": Peer("benchmarks.peers.c2kit_kernel", "c2kit: packets to columns, the kernel alone", None),
    "c2kit-numpy": Peer("benchmarks.peers.c2kit_numpy", "c2kit: the same by NumPy, without C", None),
    "c2kit": Peer("benchmarks.peers.c2kit_chain", "c2kit: framing, identification, decommutation", None),
    "ccsdspy": Peer("benchmarks.peers.ccsdspy_fixed", "ccsdspy FixedLength"),
    "bitstruct": Peer("benchmarks.peers.bitstruct_c", "bitstruct.c, a dict a packet"),
    "space_packet_parser": Peer("benchmarks.peers.space_packet_parser_xtce", "space_packet_parser"),
}

OPENC3 = Peer("benchmarks.peers.openc3_packets", "openc3: framing, identify, decom", "requirements-openc3.txt")
"""A whole ground system's way through a packet. It takes so long that it is measured beside the live pipeline only."""
