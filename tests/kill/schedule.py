"""What is done to whom: drawn beforehand from a seed, so that a round can be had again as far as chance allows."""

from __future__ import annotations

import random
from enum import StrEnum, unique
from itertools import cycle, islice
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "BROKER_KILLS",
    "INTERFACE",
    "RARE",
    "STAGES",
    "BrokerKind",
    "Kind",
    "Strike",
    "broker_kinds",
    "drawn",
    "kinds",
]

INTERFACE = "fep"
STAGES = ("decom", "log", "encode", "fep-raw-log")
"""All but the interface."""


@unique
class Kind(StrEnum):
    """What is done to a process."""

    KILL = "killed"
    """SIGKILL; another one is started."""
    PAUSE = "paused"
    """SIGSTOP, and SIGCONT before anybody minds."""
    KILL_PAUSED = "killed while paused"
    SECOND = "second instance"
    """Another one is started while it lives; one of both must end as fenced."""
    REPLACE = "replaced while paused, then woken"
    """Another one is started while it is stopped; when it wakes, one of both must end as fenced."""


_SHARES = {Kind.KILL: 13, Kind.PAUSE: 3, Kind.KILL_PAUSED: 1, Kind.SECOND: 2, Kind.REPLACE: 1}
"""Out of 20."""


@unique
class BrokerKind(StrEnum):
    """What is done to brokers. Those that were killed are started again, and so do they go on."""

    LEADER = "leader of a partition killed"
    CONTROLLER = "controller killed"
    COORDINATOR = "transaction coordinator killed"
    PAUSE = "broker paused"
    """SIGSTOP for 20 seconds: it is taken for dead meanwhile, and its connections stay open."""
    DISK_FULL = "disk of a broker full"
    """Nothing that it writes is written, until it ends of it; it comes back with room."""
    ALL_GONE = "all brokers killed"
    """For a minute."""
    JOIN = "broker joins"
    """One more comes, and takes over partitions of all others."""


BROKER_KILLS = (BrokerKind.LEADER, BrokerKind.CONTROLLER, BrokerKind.COORDINATOR)
_KILLS_A_PAUSE = 9
RARE = (BrokerKind.DISK_FULL, BrokerKind.ALL_GONE, BrokerKind.JOIN)


@frozen
class Strike:
    """One of them. It begins so many seconds after traffic was seen to flow through the stage."""

    kind: Kind
    after_seconds: float
    pause_seconds: float
    """How long it is stopped, where it is; or stays away, where it is killed."""
    aim_seconds: float | None
    """So long after somebody's next commit, when those that it concerns are at work; None for any moment."""


def kinds(seed: int, count: int) -> list[Kind]:
    """So many of them by chance, but of every 20 each has its share."""
    chance = random.Random(f"kinds {seed}")
    dealt = [kind for kind, share in _SHARES.items() for _ in range(share)]
    return [kind for _ in range(0, count, len(dealt)) for kind in chance.sample(dealt, len(dealt))][:count]


def broker_kinds(seed: int, kills: int) -> list[BrokerKind]:
    """So many kills by chance, of each kind about as many, and a pause among every few; at least one."""
    chance = random.Random(f"broker kinds {seed}")
    dealt: list[BrokerKind] = [*islice(cycle(BROKER_KILLS), kills)]
    dealt += [BrokerKind.PAUSE] * max(1, round(kills / _KILLS_A_PAUSE))
    return chance.sample(dealt, len(dealt))


def drawn(seed: int, strikes: Sequence[Kind], *, with_interface: bool) -> Mapping[str, Sequence[Strike]]:
    """For each stage what happens to it, one after the other: to each about as much, to the interface twice that."""
    chance = random.Random(f"strikes {seed}")
    stages = [*STAGES, *([INTERFACE] * 2 if with_interface else [])]
    places = cycle(chance.sample(stages, len(stages)))
    struck: dict[str, list[Strike]] = {stage: [] for stage in stages}
    for stage, kind in zip(places, strikes, strict=False):
        pause = chance.choice((0.0, chance.uniform(0, 1.5)))
        aim = chance.choice((None, chance.uniform(0, 0.02)))
        struck[stage].append(Strike(kind, chance.uniform(0, 0.5), pause, aim))
    return struck
