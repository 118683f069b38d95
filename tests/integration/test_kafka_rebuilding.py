"""Several stages in one process: of one that loses its place on the bus no other takes notice, and nothing is lost."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, Fenced, Record, Step, WorkerFailed, open_bus
from c2kit.bus.kafka import KafkaBus
from c2kit.bus.records import Command, pack
from c2kit.pipeline import driving
from c2kit.pipeline.composition.names import COMMAND_SOURCE, stage_identity, stream_name
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.runner import Runner
from c2kit.pipeline.settings import Settings
from c2kit.processors import CommandEncoder, Identifier
from c2kit.storage import PacketLogReader
from tests.kafka_brokers import emptied, wait_for
from tests.missions import flown, frames_of, one_satellite, publish, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from c2kit.bus import StreamBus, Worker
    from c2kit.pipeline.composition.mission import Mission
    from dev.kafka import Cluster

pytestmark = pytest.mark.slow
PACKETS = tuple(packet for packet in flown(20) if packet)


@pytest.fixture
def mission(one_broker: Cluster, tmp_path: Path) -> Mission:
    """One without an interface that runs: what its link would give is published by hand."""
    url = f"kafka:{emptied(one_broker).addresses}"
    mission = Settings(bus=url).applied_to(one_satellite())
    mission.stage("decom", Identifier(), publish=["packets"])
    mission.stage("log", PacketLogger(tmp_path / "log"))
    mission.stage("encode", CommandEncoder())
    with open_bus(url) as bus:
        bus.apply(specs_of(mission.describe()))
        Definitions(bus, mission.name, mission.dictionary).publish()
    return mission


@pytest.fixture
def runner(mission: Mission, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    monkeypatch.setattr(driving, "_FIRST_REBUILD_SECONDS", 0.2)
    runner = Runner(mission, settings=Settings(drain_seconds=30.0))
    runner.stages = tuple(stage for stage in runner.stages if stage.role != "interface")
    with runner:
        yield runner


def give(mission: Mission, packets: tuple[bytes, ...]) -> None:
    with open_bus(mission.bus) as bus:
        publish(bus, mission, "fep", Kind.FRAMES, [frames_of([packet]) for packet in packets])


def logged(tmp_path: Path) -> list[bytes]:
    directory = tmp_path / "log/firefly.packets.FIREFLY/0"
    if not directory.exists():
        return []
    return [packet for batch in PacketLogReader(directory).read() for packet in batch]


def wait_for_logged(tmp_path: Path, count: int) -> None:
    wait_for(lambda: len(logged(tmp_path)), lambda found: found >= count)


def taking_the_place(bus: KafkaBus, mission: Mission, stage: str) -> Worker:
    place = surroundings(bus, mission, stage)
    return bus.worker(place.stage.identity, list(place.inputs), outputs=place.outputs, exclusive=stage == "encode")


@pytest.mark.parametrize("stage", ["decom", "encode"])
def test_a_stage_whose_place_another_took_begins_anew_while_all_others_go_on(
    runner: Runner, mission: Mission, tmp_path: Path, stage: str
) -> None:
    give(mission, PACKETS[:10])
    wait_for_logged(tmp_path, 10)
    before = runner.running
    with KafkaBus(mission.bus.removeprefix("kafka:")) as bus, taking_the_place(bus, mission, stage) as second:
        with suppress(BusUnavailable):
            second.receive(0.1)
        give(mission, PACKETS[10:20])
        if stage == "encode":
            with open_bus(mission.bus) as source:
                send(source, mission)
        wait_for(lambda: runner._drivers[stage].rebuilt, bool)
        wait_for(lambda: runner.health.unready, lambda found: not found)
        wait_for_logged(tmp_path, 20)
        with pytest.raises(Fenced):
            insist_on_receiving(second)
    give(mission, PACKETS[20:])
    wait_for_logged(tmp_path, len(PACKETS))
    assert logged(tmp_path) == list(PACKETS)
    after = runner.running
    assert {name for name in before if before[name] is not after[name]} == {stage}
    assert runner.error is None


def send(bus: StreamBus, mission: Mission) -> None:
    """A command, so that the encoder has a step to commit."""
    now = time.time_ns()
    stream = stream_name(mission.name, Kind.COMMANDS, "FIREFLY")
    command = Command(id="1", target="FIREFLY", name="NOOP", issued_ns=now, expires_ns=now + 10**12)
    with bus.worker(stage_identity(mission.name, COMMAND_SOURCE), [], outputs=[stream]) as worker:
        worker.commit(Step(publish=[Record(stream, "FIREFLY", pack(command))]))


def insist_on_receiving(worker: Worker) -> None:
    """Until it learns that its place was taken back: a commit shows it, where reading does not."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        worker.receive(0.1)
        worker.commit(Step(snapshots={("a", "b"): b"c"}))


def test_a_client_that_is_done_for_is_replaced(runner: Runner, mission: Mission, tmp_path: Path) -> None:
    give(mission, PACKETS[:10])
    wait_for_logged(tmp_path, 10)
    decom = runner.running["decom"]
    failures = [WorkerFailed("as after a fatal error")]
    commit = decom._worker.commit  # type: ignore[attr-defined]

    def failing(step: object) -> None:
        if failures:
            raise failures.pop()
        commit(step)

    decom._worker.commit = failing  # type: ignore[attr-defined]
    give(mission, PACKETS[10:])
    wait_for_logged(tmp_path, len(PACKETS))
    assert logged(tmp_path) == list(PACKETS)
    assert runner._drivers["decom"].rebuilt == 1
