"""Missions for tests: the example dictionary, packets of a simulated satellite, and a bus with the streams."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from c2kit.batches import PacketBatch
from c2kit.bus import Record, Step
from c2kit.dictionaries import Dictionary
from c2kit.links import TcpClient
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.names import stage_identity, stream_name
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.definitions import Definitions, publish_definitions
from c2kit.pipeline.surroundings import StageSurroundings
from c2kit.pipeline.wire import Wire, lane_of
from c2kit.protocols import CcsdsPackets
from c2kit.sim import Satellite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from c2kit.batches.kinds import Kind
    from c2kit.bus import Received, StreamBus
    from c2kit.pipeline.composition.description import MissionDescription
    from c2kit.pipeline.stage import Stage

EXAMPLE = Path(__file__).parents[1] / "examples/dictionary"
SECOND = 10**9


@cache
def example_dictionary() -> Dictionary:
    return Dictionary.load(EXAMPLE)


@cache
def flown(seconds: int = 60, seed: int = 5) -> tuple[bytes, ...]:
    """The packets that a satellite sends in so many seconds."""
    satellite = Satellite(example_dictionary(), seed=seed)
    return tuple(satellite.advance(satellite.now_ns + seconds * SECOND))


def one_satellite(dictionary: Dictionary | None = None) -> Mission:
    """A mission with an interface ``fep`` to FIREFLY, and no stage yet."""
    mission = Mission("firefly", dictionary=dictionary or example_dictionary())
    mission.interface("fep", TcpClient("localhost", 7011), protocols=[CcsdsPackets()], targets=["FIREFLY"])
    return mission


def frames_of(packets: Sequence[bytes], interface: str = "fep", received: int = 1_000) -> PacketBatch:
    """Packets as an interface publishes them."""
    ends = np.cumsum([len(packet) for packet in packets]).astype(np.int64)
    return PacketBatch(
        buffer=b"".join(packets),
        starts=np.concatenate((np.zeros(1, np.int64), ends[:-1])),
        ends=ends,
        received=np.full(len(packets), received, np.int64),
        interface=interface,
        space_packets=True,
    )


def prepared(bus: StreamBus, mission: Mission) -> MissionDescription:
    """Give the bus what the mission needs of it."""
    description = mission.describe()
    bus.apply(specs_of(description))
    publish_definitions(bus, mission.name, mission.dictionary)
    return description


def surroundings(bus: StreamBus, mission: Mission, stage: str, **settings: int) -> StageSurroundings:
    """What a stage of the mission is given."""
    description = mission.describe()
    return StageSurroundings(
        mission=mission,
        description=description,
        stage=description.stage(stage),
        bus=bus,
        now=lambda: 5_000,
        ordinal=settings.get("ordinal", 0),
    )


def publish(bus: StreamBus, mission: Mission, writer: str, kind: Kind, batches: Iterable[PacketBatch]) -> None:
    """Publish batches, each in a step of its own, as a stage of the mission does."""
    wire = wire_of(bus, mission)
    records = [
        Record(stream_name(mission.name, kind, batch.target or batch.interface), lane_of(batch), wire.write(batch))
        for batch in batches
    ]
    streams = {record.stream for record in records}
    with bus.worker(stage_identity(mission.name, writer), [], outputs=streams) as worker:
        for record in records:
            worker.commit(Step(publish=[record]))


def published(bus: StreamBus, mission: Mission, kind: Kind, scope: str) -> list[Received]:
    """All records of a stream that are still there."""
    stream = stream_name(mission.name, kind, scope)
    with bus.view([stream], from_oldest=True) as view:
        records: list[Received] = []
        while some := view.receive(0.0):
            records += some
        return records


def run_until_idle(stage: Stage) -> None:
    """Let a stage take turns until there is nothing to do."""
    idle = 0
    while idle < 2:
        idle = 0 if stage.turn(0.05) else idle + 1


def wire_of(bus: StreamBus, mission: Mission) -> Wire:
    """What reads the batches of a mission."""
    return Wire(Definitions(bus, mission.name, mission.dictionary))
