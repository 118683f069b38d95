"""What is larger than a broker takes reaches it in parts, and what cannot be parted is told and set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from attrs import evolve
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are public
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.bus import BusError, BusUnavailable
from c2kit.bus.kafka import KafkaBus
from c2kit.bus.records import DeadLetter, unpack
from c2kit.bus.topic import LARGEST_RECORD_BYTES
from c2kit.pipeline.composition.names import stream_name
from c2kit.pipeline.stage import ProcessingStage
from c2kit.processors import Aside, Decommutator, Identifier, Processor
from tests.kafka_brokers import emptied, wait_for
from tests.missions import flown, frames_of, one_satellite, prepared, publish, surroundings, wire_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.bus import Received
    from c2kit.pipeline.composition.mission import Mission
    from dev.kafka import Cluster

pytestmark = pytest.mark.slow


@pytest.fixture
def bus(one_broker: Cluster) -> Iterator[KafkaBus]:
    with KafkaBus(emptied(one_broker).addresses) as bus:
        yield bus


def published(bus: KafkaBus, mission: Mission, kind: Kind, scope: str) -> list[Received]:
    """All records of a stream."""
    stream = stream_name(mission.name, kind, scope)
    (info,) = [each for each in bus.streams(stream) if each.spec.name == stream]
    records: list[Received] = []
    with bus.view([stream], from_oldest=True) as view:
        while view.reached[stream, 0] < info.next_offsets[0]:
            records += view.receive(0.1)
    return records


def turn_until(stage: ProcessingStage, taken: int) -> None:
    """Let it take turns until its first processor has taken so many packets."""
    wait_for(lambda: stage.turn(0.5) and stage.ledger()[0].taken, lambda found: found == taken)


def test_telemetry_that_no_broker_would_take_in_one_record_is_all_there_in_order(bus: KafkaBus) -> None:
    thermal = [packet for packet in flown(20) if packet[:2] == b"\x08\x67"]
    packets = thermal * (260_000 // len(thermal))
    frames = frames_of(packets)
    mission = one_satellite()
    mission.stage("decom", Identifier(), Decommutator())
    prepared(bus, mission)
    publish(bus, mission, "fep", Kind.FRAMES, [frames])
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    turn_until(stage, len(packets))
    stage.close()
    wire = wire_of(bus, mission)
    read = [wire.read(record.value) for record in published(bus, mission, Kind.TELEMETRY, "FIREFLY")]
    found: dict[str, list[TelemetryBatch]] = {}
    for batch in read:
        assert isinstance(batch, TelemetryBatch)
        found.setdefault(batch.packet.name, []).append(batch)
    expected = [
        batch
        for identified in Identifier().bind(mission.dictionary, ["FIREFLY"]).process(frames)
        for batch in Decommutator().bind(mission.dictionary, ["FIREFLY"]).process(identified)
    ]
    assert max(len(some) for some in found.values()) > 1, "nothing was divided: this test shows nothing"
    for whole in expected:
        parts = found.pop(whole.packet.name)
        for name, column in whole.raw.items():
            values = [value for part in parts for value in part.raw[name].to_list()]
            assert values == column.to_list(), name
    assert not found


class _Swells(Processor[PacketBatch, PacketBatch]):
    """Makes of the third packet one that no broker takes."""

    takes = (Kind.PACKETS,)
    gives = Kind.PACKETS

    def process(self, batch: PacketBatch) -> Iterator[PacketBatch]:
        sizes = batch.ends - batch.starts
        which = np.arange(len(batch))
        ends = np.where(which == 2, batch.starts + LARGEST_RECORD_BYTES, batch.ends)
        buffer = bytes(batch.buffer) + bytes(LARGEST_RECORD_BYTES)
        assert sizes.max() < LARGEST_RECORD_BYTES
        yield evolve(batch, buffer=buffer, ends=ends)

    def take_asides(self) -> list[Aside]:
        return []


def test_one_packet_that_no_broker_takes_is_set_aside_and_the_stage_goes_on(bus: KafkaBus) -> None:
    packets = [packet for packet in flown(5) if packet]
    mission = one_satellite()
    mission.stage("decom", Identifier(), _Swells(), publish=["packets"])
    prepared(bus, mission)
    publish(bus, mission, "fep", Kind.FRAMES, [frames_of(packets), frames_of(packets)])
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    turn_until(stage, 2 * len(packets))
    stage.close()
    wire = wire_of(bus, mission)
    read = [wire.read(record.value) for record in published(bus, mission, Kind.PACKETS, "FIREFLY")]
    found = [packet for batch in read if isinstance(batch, PacketBatch) for packet in batch]
    good = [packet for number, packet in enumerate(packets) if number != 2]
    assert found == good + good
    letters = [unpack(DeadLetter, record.value) for record in published(bus, mission, Kind.DEAD_LETTER, "decom")]
    assert [letter.kind for letter in letters] == ["frames"] * 2
    assert all("larger than the" in letter.error and letter.value for letter in letters)


def test_a_topic_that_takes_less_than_it_must_stops_the_stage_which_loses_nothing(
    bus: KafkaBus, one_broker: Cluster
) -> None:
    packets = [packet for packet in flown(20) if packet] * 20
    mission = one_satellite()
    mission.stage("decom", Identifier(), Decommutator())
    prepared(bus, mission)
    publish(bus, mission, "fep", Kind.FRAMES, [frames_of(packets)])
    topic = stream_name(mission.name, Kind.TELEMETRY, "FIREFLY")
    set_size(one_broker, topic, 2_000)
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    with pytest.raises(BusError, match=r"max\.message\.bytes.*c2kit streams check") as caught:
        turn_until(stage, len(packets))
    assert not isinstance(caught.value, BusUnavailable), "it would be tried for ever"
    stage.close()
    set_size(one_broker, topic, LARGEST_RECORD_BYTES)
    stage = ProcessingStage(surroundings(bus, mission, "decom"))
    turn_until(stage, len(packets))
    stage.close()
    wire = wire_of(bus, mission)
    read = [wire.read(record.value) for record in published(bus, mission, Kind.TELEMETRY, "FIREFLY")]
    assert sum(len(batch) for batch in read) == stage.ledger()[1].given


def set_size(cluster: Cluster, topic: str, size_bytes: int) -> None:
    entry = ConfigEntry("max.message.bytes", str(size_bytes), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for future in cluster.admin.incremental_alter_configs([resource]).values():
        future.result(30)
