"""A stage gets more replicas and fewer again, on a real broker, under load: nothing is lost, doubled or overtaken."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from c2kit.bus import StreamSpec, open_bus
from c2kit.bus.kafka import KafkaBus
from c2kit.bus.records import Event, unpack
from c2kit.pipeline.provisioning import provisioning_of
from tests.integration.scaled_mission import MOST
from tests.integration.scaling import (
    Feeder,
    end,
    logged,
    mission_on,
    packets_in,
    shares,
    stage,
    telemetry_in,
    telemetry_of,
)
from tests.kafka_brokers import emptied, wait_for
from tests.reading import all_of

if TYPE_CHECKING:
    from pathlib import Path

    from dev.kafka import Cluster

pytestmark = pytest.mark.slow


def test_from_one_replica_to_four_and_back_nothing_is_lost_doubled_or_overtaken(
    one_broker: Cluster, tmp_path: Path
) -> None:
    emptied(one_broker)
    mission = mission_on(one_broker)
    provisioning_of(mission).apply()
    environment = {"C2KIT_BUS": mission.bus, "C2KIT_DIR_LOG": str(tmp_path / "log")}
    with open_bus(mission.bus) as bus, contextlib.ExitStack() as running:
        log = running.enter_context(stage("log", tmp_path, environment))
        replicas = [running.enter_context(stage("decom", tmp_path, environment))]
        feeder = running.enter_context(Feeder(bus, mission))

        def goes_on() -> None:
            """Wait until packets are logged that were sent from now on."""
            sent = feeder.count
            wait_for(lambda: sum(map(len, logged(tmp_path / "log").values())), lambda count: count > sent)

        goes_on()
        replicas += [
            running.enter_context(stage("decom", tmp_path, environment, ordinal)) for ordinal in range(1, MOST)
        ]
        wait_for(lambda: shares(one_broker, "scaled.decom"), lambda found: found == [1] * MOST)
        goes_on()
        for replica in replicas[1:]:
            end(replica)
        wait_for(lambda: shares(one_broker, "scaled.decom"), lambda found: found == [MOST])
        goes_on()
        feeder.stop()
        wait_for(lambda: sum(map(len, logged(tmp_path / "log").values())), lambda count: count >= feeder.count)
        end(replicas[0])
        end(log)
        assert logged(tmp_path / "log") == feeder.sent
        assert packets_in(bus, mission) == feeder.sent
        expected = {name: telemetry_of(mission, packets) for name, packets in feeder.sent.items()}
        assert telemetry_in(bus, mission) == expected
        events = [unpack(Event, record.value) for record in all_of(bus, "scaled.events.decom")]
        assert not [event for event in events if event.kind == "sequence"]  # what is remembered went along


def test_ten_streams_of_one_partition_are_shared_fairly_by_four_replicas(one_broker: Cluster) -> None:
    names = [f"m.in.{number}" for number in range(10)]
    with KafkaBus(emptied(one_broker).addresses) as bus:
        bus.apply([StreamSpec(name=name, writer="source", consumers=("m.copy",)) for name in names])
        workers = [bus.worker("m.copy", names, ordinal=ordinal) for ordinal in range(4)]

        def owned() -> list[frozenset[tuple[str, int]]]:
            for worker in workers:
                worker.receive(0.05)
            return [worker.assigned for worker in workers]

        found = wait_for(owned, lambda owned: sorted(map(len, owned)) == [2, 2, 3, 3])
        assert frozenset().union(*found) == {(name, 0) for name in names}
