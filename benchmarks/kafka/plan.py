"""How thoroughly Kafka is measured, and what is to be reached."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.kafka.choices import Choice
from benchmarks.pipeline.latency import Pace

__all__ = ["FULL", "LATENCY_GOAL", "PACKING_GOAL", "QUICK", "STEP_PACKETS", "THROUGHPUT_GOAL", "Plan"]

PACKING_GOAL = 8.0
"""At least so many times the packets of one packet a record."""
THROUGHPUT_GOAL = 200_000
"""At least so many packets a second through three hops, on one broker."""
LATENCY_GOAL = 1.5
"""At most so many times what 99 in 100 packets take through one hop by bare clients."""
STEP_PACKETS = 16_000
"""Packets of each transaction where records of several sizes are compared: so many of 70 bytes that the packets take
longer than the transaction itself, as on a loaded bus."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How often, how much and how long."""

    rounds: int
    brokers: tuple[int, ...]
    """Clusters of so many; throughput is measured on the first."""
    steps: dict[int, int]
    """By the packets in a record, how many transactions of ``STEP_PACKETS`` go through one hop."""
    packets: int
    """Packets that are generated, for the comparison of every value; a multiple of all sequence counts."""
    times: int
    """How often they are sent through three hops."""
    pace: Pace
    choices: tuple[Choice, ...]
    choice_seconds: float
    """How long each choice is measured, at a fixed rate and again with as much as goes through."""
    is_apart: bool = True
    """Whether each measurement has a process of its own."""


def _choices(sizes: tuple[int, ...], intervals: tuple[int, ...]) -> tuple[Choice, ...]:
    bare = [Choice(size, ms, how) for size in sizes for ms in intervals for how in ("none", "lz4")]
    return (*bare, *(Choice(size) for size in sizes))


FULL = Plan(
    rounds=3,
    brokers=(1, 3),
    steps={1: 25, 100: 60, 1_000: 60},
    packets=2**14,
    times=60,
    pace=Pace(10, links=4, seconds=17),
    choices=_choices((7_000, 70_000), (10, 100)),
    choice_seconds=2.5,
)
QUICK = Plan(
    rounds=1,
    brokers=(1,),
    steps={1: 1, 1_000: 2},
    packets=2_000,
    times=1,
    pace=Pace(10, links=2, seconds=1),
    choices=_choices((7_000,), (10,)),
    choice_seconds=0.3,
    is_apart=False,
)
