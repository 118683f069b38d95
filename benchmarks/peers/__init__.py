"""Who decodes and encodes: peers by name. A new one is a module with ``prepare`` and a line here.

The modules are imported by workers, each in the environment of its peer, and by nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OPENC3", "PEERS", "Peer"]

_FEW = 1_024
"""So many packets take the slow peers a second at the most."""


@dataclass(frozen=True, slots=True)
class Peer:
    """How to run a peer, and what its rows in a table mean."""

    module: str
    title: str
    encodes: str = ""
    """The title of its row where packets are encoded; empty for what was not made to encode."""
    environment: str | None = None
    """What ``peers.toml`` calls its environment; ``None`` for the one that c2kit itself is in."""
    packets: int | None = None
    """So slow that it is given the first so many packets; it takes them one after the other, as it would take more."""
    has_threads: bool = False
    """Whether two threads of it are measured as well."""


def _peer(module: str, title: str, environment: str, encodes: str = "", packets: int | None = None) -> Peer:
    return Peer(f"benchmarks.peers.{module}", title, encodes or title, environment, packets)


PEERS = {
    "memcpy": Peer("benchmarks.peers.memcpy", "the floor: copying the bytes to the same memory", has_threads=True),
    "c2kit-into": Peer(
        "benchmarks.peers.c2kit_into", "c2kit, C: packets that are found, to the same memory", has_threads=True
    ),
    "c2kit-stream": Peer(
        "benchmarks.peers.c2kit_stream", "c2kit, C: split, group, to the same memory", has_threads=True
    ),
    "c2kit-kernel": Peer(
        "benchmarks.peers.c2kit_kernel",
        "c2kit, the chosen kernel: split, group, convert, to columns",
        "c2kit, the chosen kernel: raw values, ranges checked",
        has_threads=True,
    ),
    "c2kit-numpy": Peer("benchmarks.peers.c2kit_numpy", "c2kit, the same without C", "c2kit, the same without C"),
    "c2kit": Peer(
        "benchmarks.peers.c2kit_chain",
        "c2kit, the whole chain: framing, sequence counts, identification, decommutation",
        "c2kit, `CommandEncoder`: a command by name, all that is wrong with it found",
    ),
    "ccsdspy": _peer("ccsdspy_fixed", "ccsdspy `FixedLength`", "ccsdspy"),
    "bitstruct": _peer("bitstruct_c", "bitstruct's module in C: a `dict` a packet", "bitstruct"),
    "space_packet_parser": _peer(
        "space_packet_parser_xtce", "space_packet_parser: XTCE", "space-packet-parser", packets=_FEW
    ),
    "openc3": _peer("openc3_packets", "openc3: framing, identify, `decom`", "openc3", "openc3: `build_cmd`", _FEW),
    "ait-core": _peer("ait_packets", "ait-core: all fields of `Packet`", "ait-core", "ait-core: `Cmd.encode`", _FEW),
    "fprime-gds": _peer("fprime_packets", "fprime-gds: `PktDecoder`", "fprime-gds", "fprime-gds: `CmdEncoder`", _FEW),
}

OPENC3 = PEERS["openc3"]
"""A whole ground system's way through a packet, which is measured beside the live pipeline too."""
