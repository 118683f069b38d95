"""What tests of replicas on a real broker share: interfaces that publish, stages in processes, and what is expected."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve
from confluent_kafka import KafkaException

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.bus import Record, Step
from c2kit.pipeline.composition.names import stage_identity, stream_name
from c2kit.processors import Decommutator, Identifier
from c2kit.storage import PacketLogReader, find_logs
from tests.integration import scaled_mission
from tests.integration.scaled_mission import NAMES
from tests.missions import flown, frames_of, wire_of
from tests.reading import all_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from c2kit.bus import StreamBus
    from c2kit.dictionaries import Dictionary
    from c2kit.pipeline.composition.mission import Mission
    from dev.kafka import Cluster

SCRIPT = Path(scaled_mission.__file__)
PROGRAM = "import sys; from c2kit.cli import main; main()"
PATIENCE_SECONDS = 60.0
_IN_A_RECORD = 3
_PAUSE_SECONDS = 0.1


def mission_on(cluster: Cluster, dictionary: Dictionary | None = None) -> Mission:
    """The mission of the script on a cluster, or the same with other definitions."""
    scripted = scaled_mission.mission
    mission = evolve(scripted, bus=f"kafka:{cluster.addresses}", dictionary=dictionary or scripted.dictionary)
    mission.interfaces.update(scripted.interfaces)
    mission.stages.update(scripted.stages)
    return mission


class Feeder:
    """Publishes frames as the eight interfaces do, each in its own lane, until it is told to stop."""

    def __init__(self, bus: StreamBus, mission: Mission) -> None:
        self.sent: dict[str, list[bytes]] = {name: [] for name in NAMES}
        """By interface: what was committed."""
        self._bus, self._mission = bus, mission
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._feed)
        self.error: BaseException | None = None

    def _feed(self) -> None:
        try:
            with contextlib.ExitStack() as opened:
                stream, wire = stream_name("scaled", Kind.FRAMES, "swarm"), wire_of(self._bus, self._mission)
                workers = {
                    name: opened.enter_context(
                        self._bus.worker(stage_identity("scaled", name), [], outputs=[stream], exclusive=True)
                    )
                    for name in NAMES
                }
                left = {name: list(flown(600)[37 * place :]) for place, name in enumerate(NAMES)}
                while not self._is_over.wait(_PAUSE_SECONDS):
                    for name, worker in workers.items():
                        some, left[name] = left[name][:_IN_A_RECORD], left[name][_IN_A_RECORD:]
                        assert some, "there is nothing more to send"
                        worker.commit(Step(publish=[Record(stream, name, wire.write(frames_of(some, name)))]))
                        self.sent[name] += some
        except BaseException as error:
            self.error = error
            raise

    @property
    def count(self) -> int:
        return sum(map(len, self.sent.values()))

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()
        assert self.error is None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()


@contextlib.contextmanager
def stage(
    name: str, folder: Path, environment: dict[str, str], ordinal: int = 0, script: Path = SCRIPT
) -> Iterator[subprocess.Popen[bytes]]:
    """One replica of a stage, which is killed at the end if it was not ended before."""
    command = [sys.executable, "-c", PROGRAM, "run", str(script), "--stage", name]
    with (folder / f"{name}-{ordinal}.log").open("ab") as log:
        ours = environment | {"C2KIT_ORDINAL": str(ordinal)}
        process = subprocess.Popen(command, env=os.environ | ours, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def shares(cluster: Cluster, group: str) -> list[int]:
    """How many partitions each member of a group has, the smallest first; none where nobody answers now."""
    futures = cluster.admin.describe_consumer_groups([group], request_timeout=5)
    try:
        members = futures[group].result(10).members
    except (KafkaException, TimeoutError):  # the broker may have been another process a moment ago
        return []
    return sorted(len(member.assignment.topic_partitions) for member in members)


def end(process: subprocess.Popen[bytes]) -> None:
    """Tell it to end, and see that it does so in good order."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0


def logged(folder: Path) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = defaultdict(list)
    for directory in find_logs(folder) if folder.exists() else ():
        for batch in PacketLogReader(directory).read():
            found[batch.interface] += list(batch)
    return found


def packets_in(bus: StreamBus, mission: Mission) -> dict[str, list[bytes]]:
    wire = wire_of(bus, mission)
    found: dict[str, list[bytes]] = defaultdict(list)
    for record in all_of(bus, "scaled.packets.swarm"):
        batch = wire.read(record.value)
        assert isinstance(batch, PacketBatch)
        assert record.lane == f"{batch.interface}/FIREFLY"
        found[batch.interface] += list(batch)
    return found


def _rows(batches: Sequence[TelemetryBatch]) -> dict[str, list[str]]:
    """The values of each packet in their order, whatever batches they came in."""
    rows: dict[str, list[str]] = defaultdict(list)
    for batch in batches:
        rows[batch.packet.name] += [repr(batch.row(index)) for index in range(len(batch))]
    return rows


def telemetry_in(bus: StreamBus, mission: Mission) -> dict[str, dict[str, list[str]]]:
    wire = wire_of(bus, mission)
    found: dict[str, list[TelemetryBatch]] = defaultdict(list)
    for record in all_of(bus, "scaled.telemetry.swarm"):
        batch = wire.read(record.value)
        assert isinstance(batch, TelemetryBatch)
        found[batch.interface].append(batch)
    return {name: _rows(batches) for name, batches in found.items()}


def telemetry_of(mission: Mission, packets: Sequence[bytes]) -> dict[str, list[str]]:
    """The same by the processors alone."""
    identify, decommutate = Identifier(mission.dictionary), Decommutator(mission.dictionary)
    identified = identify.process(frames_of(packets))
    return _rows([batch for some in identified for batch in decommutate.process(some)])
