"""Sinks on a bus: what was published is in the logs once, whatever dies when."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, evolve

from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, Fenced, Position, PositionLost, Record, Step, StreamBus, open_bus
from c2kit.bus.records import DeadLetter, Event, Severity, UplinkCommand, pack, unpack
from c2kit.dictionaries import Dictionary
from c2kit.errors import UsageError
from c2kit.links import UdpListener
from c2kit.model.packets import Packet
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.definitions import DefinitionsMissing, publish_definitions
from c2kit.pipeline.sinks.log_stage import LogPositionLost, LogStage
from c2kit.processors import CommandEncoder, Decommutator, Identifier
from c2kit.protocols import CcsdsPackets
from c2kit.storage import (
    CommandLogReader,
    LoggedCommand,
    LogSettings,
    LogUnavailable,
    PacketLogReader,
    PacketLogWriter,
    RawLogReader,
)
from c2kit.storage import files as storage_files
from tests.logs import Logged, logged_of, read_all
from tests.missions import (
    example_dictionary,
    flown,
    frames_of,
    one_satellite,
    prepared,
    publish,
    published,
    run_until_idle,
    surroundings,
    wire_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from c2kit.batches import PacketBatch
    from c2kit.pipeline.composition.mission import Mission
    from c2kit.pipeline.surroundings import StageSurroundings

MS = 1_000_000
PACKETS, UPLINK = "firefly.packets.FIREFLY", "firefly.uplink.fep"
PARTITION_OF = {"backup": 1, "fep": 0}
FIREFLY = example_dictionary()["FIREFLY"]


@pytest.fixture(params=["memory", "sqlite"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StreamBus]:
    with open_bus("memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'bus.db'}") as opened:
        yield opened


@pytest.fixture
def mission(tmp_path: Path) -> Mission:
    composed = one_satellite()
    composed.interface("backup", UdpListener(7020), protocols=[CcsdsPackets()], targets=["FIREFLY"], raw_log="raw")
    composed.stage("decom", Identifier())
    composed.stage("log", PacketLogger(tmp_path / "log"))
    composed.stage("encode", CommandEncoder())
    return composed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "log"


@define
class Clock:
    """Stands until it is moved."""

    now_ns: int = 1_000 * MS

    def __call__(self) -> int:
        return self.now_ns


def place(bus: StreamBus, mission: Mission, name: str = "log", **changed: Any) -> StageSurroundings:  # noqa: ANN401
    return evolve(surroundings(bus, mission, name), **changed)


def identified(packets: tuple[bytes, ...], interface: str = "fep", size: int = 7) -> list[PacketBatch]:
    """Batches of packets as the stage before publishes them, each packet with a received time of its own."""
    identify = Identifier(example_dictionary(), ["FIREFLY"])
    batches = []
    for at in range(0, len(packets), size):
        frames = frames_of(packets[at : at + size], interface, received=10**18 + at)
        batches += list(identify.process(frames))
    return batches


def logged(batches: list[PacketBatch]) -> list[Logged]:
    return [each for batch in batches for each in logged_of(batch)]


def log_of(root: Path, partition: int = 0, stream: str = PACKETS) -> Path:
    return root / stream / str(partition)


def bytes_of(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.glob("*.pkts")))


def finish(stage: LogStage) -> None:
    """As a runner ends a stage."""
    run_until_idle(stage)
    stage.drain()
    stage.close()


def lag(bus: StreamBus, stream: str = PACKETS, stage: str = "firefly.log") -> int:
    (info,) = bus.streams(stream)
    return info.lag[stage]


class TestWhatIsLogged:
    def test_is_what_was_published_byte_for_byte_and_in_order_in_each_partition(
        self, bus: StreamBus, mission: Mission, root: Path
    ) -> None:
        prepared(bus, mission)
        sent = {name: identified(flown()[start::2], name) for start, name in enumerate(PARTITION_OF)}
        publish(bus, mission, "decom", Kind.PACKETS, [batch for both in zip(*sent.values()) for batch in both])  # noqa: B905
        stage = LogStage(place(bus, mission))
        finish(stage)
        for name, partition in PARTITION_OF.items():
            expected = logged(sent[name][: min(map(len, sent.values()))])
            assert len(expected) > 100
            assert read_all(log_of(root, partition)) == expected
            assert bytes_of(log_of(root, partition)) == b"".join(each.data for each in expected)
            assert PacketLogReader(log_of(root, partition)).targets == [FIREFLY]
        assert lag(bus) == 0
        rows = {row.partition: row for row in stage.ledger()}
        assert {row.processor for row in rows.values()} == {"PacketLogger"}
        for partition in PARTITION_OF.values():
            row = rows[f"{PACKETS}[{partition}]"]
            count = len(read_all(log_of(root, partition)))
            assert (row.taken, row.given, row.held, row.refused, row.unaccounted) == (count, count, 0, 0, 0)

    def test_are_commands_as_they_were_encoded(self, bus: StreamBus, mission: Mission, root: Path) -> None:
        prepared(bus, mission)
        commands = [
            UplinkCommand(
                id=f"id-{number}",
                target="FIREFLY",
                name="NOOP",
                interface="fep",
                data=bytes([number, 0, 255]),
                dictionary_hash=FIREFLY.hash,
                encoded_ns=10**18 + number,
                expires_ns=0,
            )
            for number in range(5)
        ]
        with bus.worker("firefly.encode", [], outputs=[UPLINK]) as encoder:
            encoder.commit(Step(publish=[Record(UPLINK, "fep", pack(each)) for each in commands]))
        finish(LogStage(place(bus, mission)))
        assert list(CommandLogReader(log_of(root, stream=UPLINK)).read()) == [
            LoggedCommand(
                data=bytes([number, 0, 255]),
                encoded_ns=10**18 + number,
                target="FIREFLY",
                name="NOOP",
                id=f"id-{number}",
                interface="fep",
                dictionary_hash=FIREFLY.hash,
            )
            for number in range(5)
        ]
        assert CommandLogReader(log_of(root, stream=UPLINK)).targets == [FIREFLY]

    def test_are_raw_bytes_of_both_directions(self, bus: StreamBus, mission: Mission, tmp_path: Path) -> None:
        prepared(bus, mission)
        down, up = frames_of([b"came", b"came too"], "backup"), frames_of([b"went"], "backup")
        publish(bus, mission, "backup", Kind.RAW, [down, evolve(up, is_uplink=True), down])
        stage = LogStage(place(bus, mission, "backup-raw-log"), directory=tmp_path / "elsewhere")
        finish(stage)
        found = [(str(way), list(batch)) for way, batch in RawLogReader(tmp_path / "elsewhere").read()]
        assert found == [("down", [b"came", b"came too"]), ("up", [b"went"]), ("down", [b"came", b"came too"])]
        assert {row.processor for row in stage.ledger()} == {"RawLogger"}

    def test_are_packets_of_definitions_that_came_later_once_they_are_there(
        self, bus: StreamBus, mission: Mission, root: Path
    ) -> None:
        prepared(bus, mission)
        newer = Dictionary((evolve(FIREFLY, packets=(*FIREFLY.packets, Packet(name="ZZZ", items=()))),))
        sent = identified(flown())
        named = [evolve(batch, dictionary_hash=newer["FIREFLY"].hash) for batch in sent[3:]]
        publish(bus, mission, "decom", Kind.PACKETS, [*sent[:3], *named])
        clock = Clock()
        stage = LogStage(place(bus, mission, now=clock))
        with pytest.raises(DefinitionsMissing):
            stage.turn(1.0)
        clock.now_ns += 200 * MS
        assert stage.turn(0.0), "what came before is not kept waiting for definitions"
        assert read_all(log_of(root)) == logged(sent[:3])
        with pytest.raises(DefinitionsMissing):
            stage.turn(0.0)
        publish_definitions(bus, mission.name, newer)
        finish(stage)
        assert read_all(log_of(root)) == logged([*sent[:3], *named])


class TestWhenItIsCommitted:
    def test_is_when_it_has_waited_long_enough_and_only_then_the_bus_is_told(
        self, bus: StreamBus, mission: Mission, root: Path
    ) -> None:
        prepared(bus, mission)
        sent, clock = identified(flown()), Clock()
        publish(bus, mission, "decom", Kind.PACKETS, sent[:2])
        stage = LogStage(place(bus, mission, now=clock))
        assert stage.due_seconds() is None
        assert stage.turn(1.0)
        clock.now_ns += 199 * MS
        assert not stage.turn(0.0)
        assert stage.due_seconds() == pytest.approx(0.001)
        assert bytes_of(log_of(root)) == b""
        assert lag(bus) == 2
        assert (row := stage.ledger()[0]).held == row.taken == len(logged(sent[:2]))
        assert stage.consumed()[PACKETS, 0] == 0
        clock.now_ns += 1 * MS
        assert stage.turn(0.0)
        assert read_all(log_of(root)) == logged(sent[:2])
        assert lag(bus) == 0
        assert stage.consumed()[PACKETS, 0] == 2
        assert stage.due_seconds() is None
        assert sum(stage.steps.counts) == 1
        stage.close()

    def test_is_when_there_is_enough_of_it(self, bus: StreamBus, mission: Mission, root: Path) -> None:
        prepared(bus, mission)
        sent = identified(flown())
        publish(bus, mission, "decom", Kind.PACKETS, sent)
        stage = LogStage(place(bus, mission, now=Clock()), settings=LogSettings(block_bytes=1_000))
        assert stage.turn(1.0)
        assert read_all(log_of(root)) == logged(sent)
        stage.close()

    def test_a_turn_waits_no_longer_than_until_it_is_due(self, bus: StreamBus, mission: Mission, root: Path) -> None:
        prepared(bus, mission)
        sent = identified(flown())[:1]
        publish(bus, mission, "decom", Kind.PACKETS, sent)
        stage = LogStage(place(bus, mission, now=time.time_ns))
        while not bytes_of(log_of(root)):
            stage.turn(3_600.0)
        assert read_all(log_of(root)) == logged(sent)
        stage.close()

    def test_what_a_full_disk_does_not_take_is_kept_and_nothing_more_is_read(
        self, bus: StreamBus, mission: Mission, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prepared(bus, mission)
        sent, clock = identified(flown()), Clock()
        publish(bus, mission, "decom", Kind.PACKETS, sent[:4])
        stage = LogStage(place(bus, mission, now=clock))
        stage.turn(1.0)
        clock.now_ns += 200 * MS
        publish(bus, mission, "decom", Kind.PACKETS, sent[4:8])
        with monkeypatch.context() as full:
            full.setattr(storage_files, "write_at", _no_space)
            for _ in range(3):
                with pytest.raises(LogUnavailable, match="No space left"):
                    stage.turn(0.0)
            assert lag(bus) == 8
            assert bytes_of(log_of(root)) == b""
            assert next((row.held, row.unaccounted) for row in stage.ledger()) == (len(logged(sent[:4])), 0)
        assert stage.turn(0.0)
        assert read_all(log_of(root)) == logged(sent[:4])
        finish(stage)
        assert read_all(log_of(root)) == logged(sent[:8])

    def test_the_bus_is_told_later_where_it_cannot_be_told_now(
        self, bus: StreamBus, mission: Mission, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prepared(bus, mission)
        sent, clock = identified(flown())[:3], Clock()
        publish(bus, mission, "decom", Kind.PACKETS, sent)
        stage = LogStage(place(bus, mission, now=clock))
        stage.turn(1.0)
        clock.now_ns += 200 * MS
        with monkeypatch.context() as away:
            away.setattr(stage._sink, "passed", _raising(BusUnavailable("not now")))
            for _ in range(2):
                with pytest.raises(BusUnavailable):
                    stage.turn(0.0)
        assert read_all(log_of(root)) == logged(sent)
        assert lag(bus) == 3
        assert not stage.turn(0.0)
        assert lag(bus) == 0
        stage.close()


class Died(BaseException):
    """A process ends here: nothing is tidied up."""


class DyingDisk:
    """A disk whose user dies in the middle of the so-many-th thing that it writes or syncs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.left = at
        self.is_dead = False
        self._write_at = storage_files.write_at
        monkeypatch.setattr(storage_files, "write_at", self.write_at)
        for name in ("sync_data", "sync_directory", "cut"):
            monkeypatch.setattr(storage_files, name, self.dying(getattr(storage_files, name)))

    def write_at(self, descriptor: int, pieces: Any, position: int) -> None:  # noqa: ANN401 - as the real one
        whole = b"".join(pieces)
        try:
            self._live()
        except Died:
            self._write_at(descriptor, [whole[: len(whole) // 2]], position)
            raise
        self._write_at(descriptor, [whole], position)

    def dying(self, real: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:  # noqa: ANN401 - as the real one
            self._live()
            real(*arguments)

        return call

    def _live(self) -> None:
        self.left -= 1
        if self.left < 0:
            self.is_dead = True
            raise Died


class TestKills:
    @pytest.mark.parametrize("point", ["appended", "synced", "told"])
    def test_whoever_comes_after_goes_on_exactly_there(
        self, bus: StreamBus, mission: Mission, root: Path, monkeypatch: pytest.MonkeyPatch, point: str
    ) -> None:
        prepared(bus, mission)
        sent = identified(flown())
        for first in range(0, len(sent), 5):
            publish(bus, mission, "decom", Kind.PACKETS, sent[first : first + 5])
            stage = LogStage(place(bus, mission))
            run_until_idle(stage)
            with monkeypatch.context() as dying:
                if point == "synced":
                    dying.setattr(stage._sink, "passed", _raising(BusUnavailable("died")))
                    with pytest.raises(BusUnavailable):
                        stage.drain()
                elif point == "told":
                    stage.drain()
            stage.close()
        finish(last := LogStage(place(bus, mission)))
        assert read_all(log_of(root)) == logged(sent)
        assert bytes_of(log_of(root)) == b"".join(each.data for each in logged(sent))
        assert list(PacketLogReader(log_of(root)).verify()) == []
        assert lag(bus) == 0
        assert last.consumed()[PACKETS, 0] == len(sent)

    def test_it_may_die_at_anything_that_it_writes(
        self, bus: StreamBus, mission: Mission, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prepared(bus, mission)
        sent = {name: identified(flown(), name)[:25] for name in PARTITION_OF}
        settings, deaths = LogSettings(segment_bytes=1_000), 0
        for number, both in enumerate(zip(*sent.values(), strict=True)):
            publish(bus, mission, "decom", Kind.PACKETS, both)
            with monkeypatch.context() as dying:
                disk, stage = DyingDisk(dying, at=number), None
                try:
                    stage = LogStage(place(bus, mission), settings=settings)
                    run_until_idle(stage)
                    stage.drain()
                except Died:
                    deaths += 1
                finally:
                    if stage is not None:
                        stage.close()
                assert disk.is_dead or read_all(log_of(root)) == logged(sent["fep"][: number + 1])
        finish(LogStage(place(bus, mission)))
        assert deaths > 10
        for name, partition in PARTITION_OF.items():
            assert read_all(log_of(root, partition)) == logged(sent[name])
            assert list(PacketLogReader(log_of(root, partition)).verify()) == []

    def test_a_second_one_is_fenced_while_the_first_lives(self, bus: StreamBus, mission: Mission) -> None:
        prepared(bus, mission)
        stage = LogStage(place(bus, mission))
        with pytest.raises(Fenced, match=r"stage log has a live worker already: .*another writer"):
            LogStage(place(bus, mission))
        stage.close()
        LogStage(place(bus, mission)).close()

    def test_replicas_share_the_partitions_by_their_ordinals(
        self, bus: StreamBus, mission: Mission, root: Path
    ) -> None:
        prepared(bus, mission)
        sent = {name: identified(flown(), name) for name in PARTITION_OF}
        publish(bus, mission, "decom", Kind.PACKETS, [*sent["fep"], *sent["backup"]])
        replicas = [LogStage(place(bus, mission, ordinal=ordinal, replicas=2)) for ordinal in range(2)]
        shares = [set(stage.consumed()) for stage in replicas]
        assert shares[0].isdisjoint(shares[1])
        assert {(PACKETS, 0), (PACKETS, 1), (UPLINK, 0)} < shares[0] | shares[1]
        assert all(shares)
        for stage in replicas:
            finish(stage)
        for name, partition in PARTITION_OF.items():
            assert read_all(log_of(root, partition)) == logged(sent[name])

    def test_one_replica_too_many_is_refused(self, bus: StreamBus, mission: Mission) -> None:
        prepared(bus, mission)
        with pytest.raises(UsageError, match="an ordinal below 2"):
            LogStage(place(bus, mission, ordinal=2, replicas=2))


class TestLostPositions:
    def test_of_another_stream_stop_it_with_a_way_out(self, bus: StreamBus, mission: Mission, root: Path) -> None:
        description = prepared(bus, mission)
        before = identified(flown())[:3]
        with PacketLogWriter(root, PACKETS) as log:
            log.define(FIREFLY)
            log.append(before[0], [Position(PACKETS, "of a bus that is gone", 0, 17)], now_ns=0)
            log.sync()
        publish(bus, mission, "decom", Kind.PACKETS, before[1:])
        with pytest.raises(LogPositionLost, match=r"log .*/log/firefly\.packets\.FIREFLY/0 is to go on at") as stopped:
            LogStage(place(bus, mission))
        assert "nobody can tell how many records" in str(stopped.value)
        assert read_all(log_of(root)) == logged(before[:1])
        (event,) = [unpack(Event, record.value) for record in published(bus, mission, Kind.EVENTS, "log")]
        assert (event.kind, event.severity, event.facts["lost_records"]) == ("lost", Severity.CRITICAL, None)
        (info,) = bus.streams(PACKETS)
        finish(LogStage(place(bus, mission), resume_from=[Position(PACKETS, info.uuid, 0, 0)]))
        assert read_all(log_of(root)) == logged(before)
        finish(LogStage(place(bus, mission)))
        assert description.stage("log").directory == str(root)

    def test_that_are_not_retained_stop_it_and_the_loss_is_counted(
        self, bus: StreamBus, mission: Mission, root: Path, tmp_path: Path
    ) -> None:
        prepared(bus, mission)
        sent = identified(flown())
        publish(bus, mission, "decom", Kind.PACKETS, sent[:4])
        finish(LogStage(place(bus, mission)))
        shutil.copytree(root, tmp_path / "copy")
        publish(bus, mission, "decom", Kind.PACKETS, sent[4:10])
        finish(LogStage(place(bus, mission)))
        _until_deleted(bus, 10)
        shutil.rmtree(root)
        (tmp_path / "copy").rename(root)
        publish(bus, mission, "decom", Kind.PACKETS, sent[10:])
        with pytest.raises(LogPositionLost, match="6 records are lost") as stopped:
            LogStage(place(bus, mission))
        assert stopped.value.lost_records == 6
        (event,) = [unpack(Event, record.value) for record in published(bus, mission, Kind.EVENTS, "log")]
        assert event.facts["lost_records"] == 6
        log_of(root).rename(tmp_path / "old")
        finish(LogStage(place(bus, mission)))
        assert read_all(log_of(root)) == logged(sent[10:])
        assert read_all(tmp_path / "old") == logged(sent[:4])

    def test_that_went_with_their_log_are_told_when_a_new_one_begins_late(
        self, bus: StreamBus, mission: Mission, root: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        prepared(bus, mission)
        sent = identified(flown())
        publish(bus, mission, "decom", Kind.PACKETS, sent[:4])
        finish(LogStage(place(bus, mission)))
        _until_deleted(bus, 4)
        assert caplog.messages == []
        shutil.rmtree(log_of(root))
        publish(bus, mission, "decom", Kind.PACKETS, sent[4:])
        finish(LogStage(place(bus, mission)))
        (told,) = caplog.messages
        assert f"log {log_of(root)} is new, and begins at {PACKETS}[0]@4: what came before is not in it" in told
        assert read_all(log_of(root)) == logged(sent[4:])

    def test_while_it_runs_stop_it_when_what_it_has_is_safe(
        self, bus: StreamBus, mission: Mission, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prepared(bus, mission)
        sent = identified(flown())[:3]
        publish(bus, mission, "decom", Kind.PACKETS, sent)
        stage = LogStage(place(bus, mission))
        stage.turn(1.0)
        error = PositionLost(Position(PACKETS, "uuid", 0, 3), reason="the oldest record is 8", lost_records=5)
        monkeypatch.setattr(stage._sink, "receive", _raising(error))
        with pytest.raises(LogPositionLost, match="5 records are lost"):
            stage.turn(0.0)
        stage.close()
        assert read_all(log_of(root)) == logged(sent)


class TestWhatCannotBeRead:
    @pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"\xff" * 4000, "of another kind"])
    def test_is_set_aside_and_the_rest_goes_on(
        self, bus: StreamBus, mission: Mission, root: Path, rubbish: bytes | str
    ) -> None:
        prepared(bus, mission)
        sent = identified(flown())[:4]
        value = rubbish if isinstance(rubbish, bytes) else _telemetry(bus, mission, sent[0])
        publish(bus, mission, "decom", Kind.PACKETS, sent[:2])
        with bus.worker("firefly.decom", [], outputs=[PACKETS]) as worker:
            worker.commit(Step(publish=[Record(PACKETS, "fep/FIREFLY", value)]))
        publish(bus, mission, "decom", Kind.PACKETS, sent[2:])
        stage = LogStage(place(bus, mission))
        finish(stage)
        assert read_all(log_of(root)) == logged(sent)
        (letter,) = [unpack(DeadLetter, each.value) for each in published(bus, mission, Kind.DEAD_LETTER, "log")]
        assert (letter.stage, letter.kind, letter.stream, letter.partition, letter.offset) == (
            ("log", "packets", PACKETS, 0, 2)
        )
        assert letter.value == value
        assert "MessageError" in letter.error
        (event,) = [unpack(Event, each.value) for each in published(bus, mission, Kind.EVENTS, "log")]
        assert event.kind == "dead-letter"
        count = len(logged(sent))
        row = next(row for row in stage.ledger() if row.partition == f"{PACKETS}[0]")
        assert (row.taken, row.given, row.refused, row.unaccounted) == (count + 1, count, 1, 0)
        assert stage.consumed()[PACKETS, 0] == 5
        assert stage.dead_letters == 1
        assert lag(bus) == 0

    def test_is_told_twice_at_worst_and_what_is_around_it_logged_once(
        self, bus: StreamBus, mission: Mission, root: Path
    ) -> None:
        prepared(bus, mission)
        sent = identified(flown())[:2]
        publish(bus, mission, "decom", Kind.PACKETS, sent[:1])
        with bus.worker("firefly.decom", [], outputs=[PACKETS]) as worker:
            worker.commit(Step(publish=[Record(PACKETS, "fep/FIREFLY", b"rubbish")]))
        publish(bus, mission, "decom", Kind.PACKETS, sent[1:])
        dying = LogStage(place(bus, mission))
        run_until_idle(dying)
        dying.close()
        finish(LogStage(place(bus, mission)))
        finish(LogStage(place(bus, mission)))
        assert len(published(bus, mission, Kind.DEAD_LETTER, "log")) == 2
        assert read_all(log_of(root)) == logged(sent)


def test_packets_that_a_log_drops_are_unaccounted(
    bus: StreamBus, mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(bus, mission)
    sent = identified(flown())
    publish(bus, mission, "decom", Kind.PACKETS, sent)
    append = PacketLogWriter.append

    def drop_one(log: PacketLogWriter, batch: PacketBatch, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401
        append(log, batch.select(batch.starts > batch.starts[0]), *arguments, **settings)

    monkeypatch.setattr(PacketLogWriter, "append", drop_one)
    stage = LogStage(place(bus, mission))
    finish(stage)
    assert sum(row.unaccounted for row in stage.ledger()) == len(sent)


def _telemetry(bus: StreamBus, mission: Mission, batch: PacketBatch) -> bytes:
    return wire_of(bus, mission).write(next(iter(Decommutator(mission.dictionary).process(batch))))


def _until_deleted(bus: StreamBus, offset: int) -> None:
    """Wait until the bus has deleted what everybody passed, for which it may take its time."""
    deadline = time.monotonic() + 60
    while bus.streams(PACKETS)[0].first_offsets[0] < offset:
        assert time.monotonic() < deadline, "the bus deletes nothing"
        time.sleep(0.01)


def _raising(error: Exception) -> Callable[..., Any]:
    def call(*_: object, **__: object) -> None:
        raise error

    return call


def _no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")
