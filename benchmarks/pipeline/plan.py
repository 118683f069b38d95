"""How thoroughly the pipeline is measured, and what it is to reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.pipeline.latency import Pace

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FULL",
    "IDLE_BYTES_GOAL",
    "LATENCY_GOALS",
    "LATENCY_GOAL_RATE",
    "LOG_GOAL",
    "LOG_GOAL_PACKETS",
    "QUICK",
    "THROUGHPUT_GOALS",
    "Plan",
]

THROUGHPUT_GOALS = {"memory": 300_000, "sqlite": 60_000}
"""At least so many packets a second."""
LATENCY_GOALS = {"memory": 5.0, "sqlite": 20.0}
"""At most so many milliseconds for 99 in 100 packets, up to the rate that follows."""
LATENCY_GOAL_RATE = 100
LOG_GOAL = 0.8
"""At least this share of a bare write and ``fdatasync`` of the same bytes."""
LOG_GOAL_PACKETS = 1_000
"""Where batches have so many packets, as they do under load."""
IDLE_BYTES_GOAL = 2_000_000
"""At most so many bytes for an interface."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How often, how much and how long."""

    rounds: int
    packets: int
    """Packets that are generated, for the comparison of every value; a multiple of all sequence counts."""
    times: Mapping[str, int]
    """How often they are sent, by the bus."""
    peer_packets: int
    """Packets that the peer decodes."""
    paces: tuple[Pace, ...]
    interfaces: tuple[int, ...]
    idle_seconds: float
    singles: int
    """Packets that are sent on idle links."""
    log_rounds: int


FULL = Plan(
    rounds=5,
    packets=2**14,
    times={"memory": 120, "sqlite": 60},
    peer_packets=5_000,
    paces=(Pace(1, links=4, seconds=20), Pace(100, links=1, seconds=10), Pace(10_000, links=1, seconds=5)),
    interfaces=(1, 100, 1_000),
    idle_seconds=5.0,
    singles=20,
    log_rounds=3,
)
QUICK = Plan(
    rounds=1,
    packets=2**14,
    times={"memory": 8, "sqlite": 4},
    peer_packets=200,
    paces=(Pace(1, links=2, seconds=2), Pace(100, links=1, seconds=1), Pace(10_000, links=1, seconds=0.2)),
    interfaces=(1, 20),
    idle_seconds=0.5,
    singles=2,
    log_rounds=0,
)
