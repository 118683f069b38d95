"""A target that is too much for one replica is divided by its packets, each of which keeps its order."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from c2kit.batches import TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.bus import open_bus
from c2kit.errors import UsageError
from c2kit.links import UdpListener
from c2kit.pipeline.composition.description import Scale
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.lanes import without_packet
from c2kit.pipeline.stage import ProcessingStage
from c2kit.processors import Decommutator, Identifier, LimitsMonitor
from c2kit.protocols import CcsdsPackets
from tests.missions import (
    example_dictionary,
    flown,
    frames_of,
    prepared,
    publish,
    published,
    run_until_idle,
    surroundings,
    wire_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from c2kit.bus import StreamBus


@pytest.fixture(params=["memory", "sqlite"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StreamBus]:
    with open_bus("memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'bus.db'}") as opened:
        yield opened


def big_mission(lane: str = "packet", most: int = 2) -> Mission:
    mission = Mission("firefly", dictionary=example_dictionary())
    mission.interface("fep", UdpListener(0), protocols=[CcsdsPackets()], targets=["FIREFLY"])
    mission.stage("identify", Identifier(), lane=lane)
    mission.stage("decom", Decommutator(), LimitsMonitor(), scale=Scale(max=most), lane="packet")
    return mission


def rows(batches: Sequence[TelemetryBatch]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for batch in batches:
        found[batch.packet.name] += [repr(batch.row(index)) for index in range(len(batch))]
    return found


def test_each_packet_has_a_lane_and_the_partitions_are_those_of_the_replicas() -> None:
    streams = big_mission(most=3).describe().streams_by_name
    packets = example_dictionary()["FIREFLY"].packets
    assert streams["firefly.packets.FIREFLY"].lanes == tuple(f"fep/FIREFLY/{packet.name}" for packet in packets)
    assert streams["firefly.packets.FIREFLY"].partitions == 3
    assert streams["firefly.telemetry.FIREFLY"].partitions == 1
    assert streams["firefly.frames.fep"].lanes == ("fep",)


def test_more_packets_change_nothing_of_the_streams_that_are_there() -> None:
    (spec,) = [each for each in specs_of(big_mission().describe()) if each.name == "firefly.packets.FIREFLY"]
    assert (spec.lanes, spec.writer, spec.members) == ((), "firefly.identify", ())


def test_without_it_one_replica_is_all_that_a_target_can_have() -> None:
    with pytest.raises(UsageError, match="max of at most 1, found max=2"):
        big_mission(lane="target").describe()
    most = len(example_dictionary()["FIREFLY"].packets)
    assert big_mission(most=most).describe().stage("decom").scale.max == most
    with pytest.raises(UsageError, match=f"max of at most {most}, found max={most + 1}"):
        big_mission(most=most + 1).describe()


def test_a_lane_that_there_is_not_and_a_stage_without_packets_are_refused() -> None:
    mission = Mission("firefly", dictionary=example_dictionary())
    with pytest.raises(UsageError, match="the lane of stage identify, expected target or packet, found 'item'"):
        mission.stage("identify", Identifier(), lane="item")
    mission.interface("fep", UdpListener(0), protocols=[CcsdsPackets()], targets=["FIREFLY"])
    mission.stage("identify", Identifier())
    mission.stage("log", PacketLogger("var/log"), lane="packet")
    with pytest.raises(UsageError, match=r'stage log .*: lane="packet" divides packets and telemetry'):
        mission.describe()


@pytest.mark.parametrize("lane", ["fep", "fep/FIREFLY", "fep/FIREFLY/HEALTH"])
def test_the_packet_of_a_lane_can_be_left_out(lane: str) -> None:
    assert without_packet(lane) == lane.removesuffix("/HEALTH")


def test_replicas_share_the_packets_of_one_target_and_each_keeps_its_order(bus: StreamBus) -> None:
    mission, packets = big_mission(), flown()
    prepared(bus, mission)
    identify = ProcessingStage(surroundings(bus, mission, "identify"))
    replicas = [ProcessingStage(surroundings(bus, mission, "decom", ordinal=number)) for number in range(2)]
    for at in range(0, len(packets), 20):
        publish(bus, mission, "fep", Kind.FRAMES, [frames_of(packets[at : at + 20])])
        for stage in (identify, *replicas):
            run_until_idle(stage)
    wire = wire_of(bus, mission)
    found = []
    for record in published(bus, mission, Kind.TELEMETRY, "FIREFLY"):
        batch = wire.read(record.value)
        assert isinstance(batch, TelemetryBatch)
        assert record.lane == f"fep/FIREFLY/{batch.packet.name}"
        found.append(batch)
    whole = Identifier(example_dictionary(), ["FIREFLY"]).process(frames_of(packets))
    decommutate = Decommutator(example_dictionary())
    assert rows(found) == rows([telemetry for batch in whole for telemetry in decommutate.process(batch)])
    shares = [sum(row.taken for row in each.ledger() if row.processor == "Decommutator") for each in replicas]
    assert sum(shares) == len(packets)
    assert all(shares)
    for stage in (identify, *replicas):
        stage.close()
