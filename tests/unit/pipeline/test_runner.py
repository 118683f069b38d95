"""Running missions on real sockets: everything that comes is accounted for, and the end is in good order."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from c2kit.batches import PacketBatch, TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, Fenced, open_bus
from c2kit.errors import UnknownName
from c2kit.links import TcpClient
from c2kit.pipeline import definitions as definitions_module
from c2kit.pipeline import runner as runner_module
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.definitions import schemas_of
from c2kit.pipeline.observing.ledger import ledger_text
from c2kit.pipeline.runner import Runner
from c2kit.pipeline.settings import Settings
from c2kit.pipeline.status import StatusMeter
from c2kit.processors import CommandEncoder, Decommutator, Identifier, LimitsMonitor
from c2kit.protocols import CcsdsPackets
from c2kit.storage import PacketLogReader, RawLogReader
from tests.missions import example_dictionary, flown, published, wire_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from c2kit.bus import StreamBus
    from c2kit.dictionaries import Dictionary
    from c2kit.pipeline.definitions import BatchSchema

PATIENCE = 60.0


class Ground:
    """A device: it sends bytes to whoever connects, and keeps what it gets."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.port: int = self._listener.getsockname()[1]

    def accepted(self) -> socket.socket:
        connection, _ = self._listener.accept()
        connection.settimeout(PATIENCE)
        return connection

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def ground() -> Iterator[Ground]:
    device = Ground()
    yield device
    device.close()


def a_mission(ground: Ground, folder: Path, bus: str = "memory:") -> Mission:
    mission = Mission("firefly", dictionary=example_dictionary(), bus=bus)
    mission.interface(
        "fep",
        TcpClient("127.0.0.1", ground.port, reconnect_seconds=0.05),
        protocols=[CcsdsPackets()],
        targets=["FIREFLY"],
        raw_log=folder / "raw",
    )
    mission.stage("decom", Identifier(), Decommutator(), LimitsMonitor())
    mission.stage("log", PacketLogger(folder / "log"))
    mission.stage("encode", CommandEncoder())
    return mission


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def unaccounted(runner: Runner) -> str:
    return ledger_text(runner.rows(), runner.edges(), runner.byte_rows()).splitlines()[-1]


def samples(bus: StreamBus, mission: Mission) -> int:
    wire = wire_of(bus, mission)
    batches = [wire.read(record.value) for record in published(bus, mission, Kind.TELEMETRY, "FIREFLY")]
    return sum(len(batch) for batch in batches if isinstance(batch, TelemetryBatch))


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_what_a_link_gave_is_all_there_at_the_end(ground: Ground, tmp_path: Path, kind: str) -> None:
    bus_url = "memory:" if kind == "memory" else f"sqlite:{tmp_path / 'bus.db'}"
    mission, packets = a_mission(ground, tmp_path, bus_url), flown()
    data = b"\xff\xff" + b"".join(packets) + packets[0][:3]
    with open_bus(bus_url) as bus:
        runner = Runner(mission, bus=bus)
        with runner:
            connection = ground.accepted()
            for at in range(0, len(data), 1000):
                connection.sendall(data[at : at + 1000])
            wait_for(lambda: runner.byte_rows() and runner.byte_rows()[0].received == len(data))
            connection.close()
        assert runner.error is None
        assert samples(bus, mission) == len(packets)
        assert unaccounted(runner) == "unaccounted: 0"
        (row,) = runner.byte_rows()
        assert (row.received, row.discarded) == (len(data), 5)
        assert {edge.lag for edge in runner.edges()} == {0}
        logged = [p for b in PacketLogReader(tmp_path / "log/firefly.packets.FIREFLY/0").read() for p in b]
        assert logged == list(packets)
        raw = RawLogReader(tmp_path / "raw/firefly.raw.fep/0").read()
        assert b"".join(piece for _, batch in raw for piece in batch) == data


def test_stages_in_processes_of_their_own_do_the_same(ground: Ground, tmp_path: Path) -> None:
    """Each runner has its own bus object on the file, as a process has."""
    mission, packets = a_mission(ground, tmp_path, f"sqlite:{tmp_path / 'bus.db'}"), flown()
    names = ["fep", "fep-raw-log", "decom", "log", "encode"]
    runners = {name: Runner(mission, stage=name) for name in names}
    for runner in runners.values():
        runner.start()
    connection = ground.accepted()
    connection.sendall(b"".join(packets))
    log = runners["log"]
    wait_for(lambda: sum(row.given for row in log.rows()) == len(packets))
    for name in names:
        runners[name].close()
        assert runners[name].error is None
        assert unaccounted(runners[name]) == "unaccounted: 0"
    connection.close()
    logged = [p for b in PacketLogReader(tmp_path / "log/firefly.packets.FIREFLY/0").read() for p in b]
    assert logged == list(packets)


def test_a_second_instance_of_an_interface_is_fenced(ground: Ground, tmp_path: Path) -> None:
    mission = a_mission(ground, tmp_path, f"sqlite:{tmp_path / 'bus.db'}")
    with Runner(mission, stage="fep"):
        connection = ground.accepted()
        with Runner(mission, stage="fep") as second:
            assert second.wait(PATIENCE)
        assert isinstance(second.error, Fenced)
        assert "fep" in str(second.error)
        connection.close()


def test_schemas_are_made_once_for_all_stages(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be thousands, which take seconds."""
    made = []

    def counted(dictionary: Dictionary) -> list[BatchSchema]:
        made.append(dictionary)
        return list(schemas_of(dictionary))

    monkeypatch.setattr(definitions_module, "schemas_of", counted)
    with Runner(a_mission(ground, tmp_path)) as runner:
        connection = ground.accepted()
        connection.sendall(b"".join(flown()))
        wait_for(lambda: sum(row.given for row in runner.rows() if row.stage == "log") == len(flown()))
        connection.close()
    assert made == [example_dictionary()]


class _Broken(Identifier):
    """A mistake in somebody's program, not in the data."""

    def bind(self, *_: Any) -> _Broken:  # noqa: ANN401 - it takes whatever comes
        raise RuntimeError("nobody has thought of that")


def test_a_stage_that_cannot_go_on_ends_the_others_in_good_order(ground: Ground, tmp_path: Path) -> None:
    mission = a_mission(ground, tmp_path)
    mission.stages.pop("decom")
    mission.stage("decom", _Broken(), Decommutator())
    with Runner(mission) as runner:
        assert runner.wait(PATIENCE)
    assert isinstance(runner.error, RuntimeError)


class _Hangs(Identifier):
    """It waits for something that does not come, until the test ends."""

    free = threading.Event()

    def bind(self, *_: Any) -> _Hangs:  # noqa: ANN401 - it takes whatever comes
        return self

    def process(self, batch: PacketBatch) -> Iterator[PacketBatch]:
        self.free.wait(PATIENCE)
        return iter([batch])


def test_a_stage_whose_processors_hang_is_not_alive(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runner_module, "_WORK_SECONDS", 0.05)
    monkeypatch.setattr(runner_module, "_SILENT_SECONDS", 0.5)
    monkeypatch.setattr(runner_module, "_BEAT_SECONDS", 0.05)
    mission = a_mission(ground, tmp_path)
    mission.stages.pop("decom")
    mission.stage("decom", _Hangs(), Decommutator())
    with Runner(mission) as runner:
        connection = ground.accepted()
        assert not runner.health.stuck
        connection.sendall(b"".join(flown()))
        wait_for(lambda: [stuck.name for stuck in runner.health.stuck] == ["decom"])
        _Hangs.free.set()
        wait_for(lambda: not runner.health.stuck or runner.error)
        connection.close()
    assert [record.getMessage() for record in caplog.records if "have not come to an end" in record.message]


def test_a_bus_that_is_not_there_yet_is_waited_for(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def opened_late(url: str, **_: object) -> StreamBus:
        attempts.append(url)
        if len(attempts) < 3:
            raise BusUnavailable("it is away")
        return open_bus(url)

    monkeypatch.setattr(runner_module, "open_bus", opened_late)
    with Runner(a_mission(ground, tmp_path)) as runner:
        wait_for(lambda: not runner.health.unready)
        ground.accepted().close()
    assert attempts == ["memory:"] * 3


def test_asking_for_the_end_ends_the_waiting_for_a_bus(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: str, **__: object) -> StreamBus:
        raise BusUnavailable("it is away")

    monkeypatch.setattr(runner_module, "open_bus", never)
    runner = Runner(a_mission(ground, tmp_path))
    threading.Timer(0.3, runner.request_stop).start()
    with runner:
        assert runner.wait(0)
        assert "it is away" in {each.reason for each in runner.health.unready}


def test_probes_and_prometheus_are_answered_while_it_runs(ground: Ground, tmp_path: Path) -> None:
    settings = Settings.from_environment({"C2KIT_HTTP": "127.0.0.1:0"})
    with Runner(a_mission(ground, tmp_path), settings=settings) as runner:
        connection = ground.accepted()
        connection.sendall(b"".join(flown()))
        wait_for(lambda: sum(row.given for row in runner.rows() if row.stage == "log") == len(flown()))
        assert runner.http_address is not None
        host, port = runner.http_address

        def get(path: str) -> str:
            with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=PATIENCE) as answer:
                text: str = answer.read().decode()
                return text

        assert get("/livez")
        assert get("/readyz")
        metrics = get("/metrics")
        connection.close()
    lines = [line for line in metrics.splitlines() if not line.startswith("#")]
    assert any('stage="decom"' in line and line.endswith(f" {float(len(flown()))}") for line in lines)
    assert any(line.startswith("c2kit_step_seconds_count") and 'stage="log"' in line for line in lines)
    assert f'c2kit_link_received_frames_total{{interface="fep"}} {float(len(flown()))}' in lines
    failed = [line for line in lines if line.startswith("c2kit_metrics_source_failed")]
    assert failed
    assert all(line.endswith(" 0.0") for line in failed), failed
    unaccounted_lines = [line for line in lines if "unaccounted" in line]
    assert unaccounted_lines
    assert all(line.endswith(" 0.0") for line in unaccounted_lines)


def test_the_status_tells_rates_and_links(ground: Ground, tmp_path: Path) -> None:
    with Runner(a_mission(ground, tmp_path)) as runner:
        clock = iter([0.0, 2.0])
        meter = StatusMeter(runner, monotonic=lambda: next(clock))
        meter.take()
        connection = ground.accepted()
        connection.sendall(b"".join(flown()))
        wait_for(lambda: sum(row.given for row in runner.rows() if row.stage == "log") == len(flown()))
        status = meter.take()
        connection.close()
    (decom,) = [stage for stage in status.stages if stage.name == "decom"]
    assert (decom.packets, decom.packets_a_second, decom.problem) == (len(flown()), len(flown()) / 2, "")
    (link,) = status.links
    assert str(link.state) == "connected"
    assert link.received_bytes == 2 * link.bytes_a_second == len(b"".join(flown()))


def test_a_bus_that_another_program_locks_ends_nothing(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mission = a_mission(ground, tmp_path, f"sqlite:{tmp_path / 'bus.db'}")
    monkeypatch.setattr("c2kit.bus.sqlite.store._PATIENCE_SECONDS", 0.2)
    runner = Runner(mission, settings=Settings(drain_seconds=5.0))
    other = sqlite3.connect(tmp_path / "bus.db", isolation_level=None)
    try:
        with runner:
            meter = StatusMeter(runner)
            wait_for(lambda: not runner.health.unready and len(meter.take().stages) == 5)
            lags = {stage.name: stage.lag for stage in meter.take().stages}
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(BusUnavailable):
                runner.edges()
            assert {stage.name: stage.lag for stage in meter.take().stages} == lags
            assert runner.error is None
        assert runner.edges() == []
        assert unaccounted(runner) == "unaccounted: 0"
    finally:
        other.close()


def test_a_stage_that_the_mission_does_not_have_is_refused(ground: Ground, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean decom"):
        Runner(a_mission(ground, tmp_path), stage="decon")


def test_a_replay_runs_what_processes_and_opens_no_link(ground: Ground, tmp_path: Path) -> None:
    with Runner(a_mission(ground, tmp_path), replay="night") as runner:
        wait_for(lambda: not runner.health.unready)
        assert set(runner.running) == {"decom", "log"}
        assert {info.spec.name for info in runner.stream_infos() if ".replay.night." in info.spec.name}
        assert isinstance(runner.byte_rows(), list)
        assert not runner.byte_rows()
