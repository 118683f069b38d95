"""The ground system that is measured: links, one stage that identifies and decommutates, one that logs."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve

from benchmarks.peers.c2kit_definitions import dictionary_of
from benchmarks.workload import Item
from benchmarks.workloads import WORKLOADS
from c2kit import Dictionary
from c2kit.batches.kinds import Kind
from c2kit.links import TcpClient
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.names import stream_name
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.processors import Decommutator, Identifier
from c2kit.protocols import CcsdsPackets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.workload import Workload
    from c2kit.pipeline.runner import Runner

__all__ = [
    "BUSES",
    "SENT",
    "apart",
    "bus_url",
    "linked",
    "mission_of",
    "stamped",
    "telemetry_streams",
    "wait_for",
    "wait_until_up",
]

BUSES = ("memory", "sqlite")
PATIENCE_SECONDS = 300.0
SENT = "SENT_NS"
"""The item that tells when a packet of :func:`stamped` was sent."""
Given = TypeVar("Given")


def bus_url(bus: str, folder: Path) -> str:
    """The URL of a new bus of that kind."""
    return "memory:" if bus == "memory" else f"sqlite:{folder / 'bus.db'}"


def mission_of(workload: Workload, port: int, folder: Path, url: str, links: int = 1) -> Mission:
    """A satellite at each of so many links, whose packets are decommutated and logged."""
    mission = linked(workload, port, url, links)
    mission.stage("decom", Identifier(), Decommutator())
    mission.stage("log", PacketLogger(folder / "log"))
    return mission


def linked(workload: Workload, port: int, url: str, links: int = 1) -> Mission:
    """A satellite at each of so many links, and nothing else yet."""
    (target,) = dictionary_of(workload).targets
    satellites = [evolve(target, name=f"SAT{number}") for number in range(links)]
    mission = Mission("benchmark", dictionary=Dictionary(tuple(satellites)), bus=url)
    for number, satellite in enumerate(satellites):
        mission.interface(
            f"fep{number}", TcpClient("127.0.0.1", port), protocols=[CcsdsPackets()], targets=[satellite.name]
        )
    return mission


def telemetry_streams(mission: Mission) -> list[str]:
    """Where the telemetry of all satellites comes out."""
    return [stream_name(mission.name, Kind.TELEMETRY, target.name) for target in mission.dictionary.targets]


def stamped() -> Workload:
    """One packet of housekeeping, with the time at which it is sent as its last item."""
    workload = WORKLOADS["housekeeping"](1)
    (packet,) = workload.packets
    return replace(workload, packets=(replace(packet, items=(*packet.items[:-1], Item(SENT, "uint", 64))),))


def wait_for(condition: Callable[[], object], pause_seconds: float = 0.01) -> None:
    """Wait until it is so."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, "what was waited for did not come"
        time.sleep(pause_seconds)


def wait_until_up(runner: Runner) -> None:
    """Wait until all stages can go on."""
    wait_for(lambda: runner.error is not None or not runner.health.unready)
    if runner.error is not None:
        raise runner.error


def apart(function: Callable[..., Given], *arguments: object) -> Given:
    """What a function gives in a new process, in which nothing was measured before."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()
