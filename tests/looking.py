"""Buses for tests of tools that look at them: a satellite's packets on all of their streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit import CommandEncoder, Decommutator, Identifier, LimitsMonitor
from c2kit.batches.kinds import Kind
from c2kit.bus import Record, Step, open_bus
from c2kit.bus.records import pack
from c2kit.pipeline.composition.names import stage_identity, stream_name
from c2kit.pipeline.stage import ProcessingStage
from tests.missions import flown, frames_of, one_satellite, prepared, publish, run_until_idle, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from c2kit.bus import StreamBus
    from c2kit.bus.records import JsonRecord
    from c2kit.pipeline.composition.mission import Mission

__all__ = ["bus_at", "decommutate", "firefly", "told"]


def firefly() -> Mission:
    """A mission that decommutates, keeps packets too, and encodes commands."""
    mission = one_satellite()
    mission.stage("decom", Identifier(), Decommutator(), LimitsMonitor(), publish=["packets"])
    mission.stage("encode", CommandEncoder())
    return mission


def decommutate(bus: StreamBus, mission: Mission, packets: Sequence[bytes] = (), step: int = 20) -> None:
    """Let packets, those of a minute in space by default, come in and go through stage decom, some at a time."""
    packets = packets or flown()
    pieces = [packets[start : start + step] for start in range(0, len(packets), step)]
    publish(bus, mission, "fep", Kind.FRAMES, map(frames_of, pieces))
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    run_until_idle(stage)
    stage.close()


def told(bus: StreamBus, mission: Mission, writer: str, kind: Kind, scope: str, records: Iterable[JsonRecord]) -> None:
    """Publish small records as a stage of the mission does."""
    stream = stream_name(mission.name, kind, scope)
    with bus.worker(stage_identity(mission.name, writer), [], outputs=[stream]) as worker:
        worker.commit(Step(publish=[Record(stream, writer, pack(record)) for record in records]))


def bus_at(path: Path, mission: Mission | None = None) -> str:
    """Make a bus with the streams of a mission; its URL."""
    url = f"sqlite:{path}"
    with open_bus(url) as bus:
        prepared(bus, mission or firefly())
    return url
