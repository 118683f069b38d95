"""Replays: what was logged comes once more, in order, once, on streams of its own, whatever dies when."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, evolve, field

from c2kit.batches import PacketBatch
from c2kit.batches.kinds import Kind
from c2kit.bus import Fenced, StreamBus, StreamSpec, open_bus
from c2kit.errors import UsageError
from c2kit.links import UdpListener
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.replays import replay as replaying
from c2kit.pipeline.replays.replay import Replay, Wanted
from c2kit.pipeline.sinks.log_stage import LogStage
from c2kit.pipeline.stage import ProcessingStage
from c2kit.pipeline.surroundings import StageSurroundings
from c2kit.processors import Identifier
from c2kit.protocols import CcsdsPackets
from c2kit.storage import UNKNOWN_TIME, PacketLogReader, PacketLogWriter, find_logs
from tests.logs import Logged, batch_of, read_all, space_packets
from tests.missions import (
    flown,
    frames_of,
    one_satellite,
    prepared,
    publish,
    run_until_idle,
    wire_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from c2kit.bus import Received
    from c2kit.pipeline.composition.mission import Mission

ALL = Wanted(told="all")
SECOND = 1_000_000_000
NOON = 1_700_000_000 * SECOND


@pytest.fixture(params=["memory", "sqlite"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StreamBus]:
    with open_bus("memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'bus.db'}") as opened:
        yield opened


def write(root: Path, target: str, packets: Sequence[Logged], per_block: int = 5) -> None:
    """A log of packets, those of an interface together in each block."""
    with PacketLogWriter(root, f"m.packets.{target}") as log:
        for at in range(0, len(packets), per_block):
            block = packets[at : at + per_block]
            for interface in dict.fromkeys(each.interface for each in block):
                log.append(batch_of([each for each in block if each.interface == interface]), now_ns=0)
            log.sync()


def interleaved(count: int = 60) -> dict[str, list[Logged]]:
    """Packets of two targets, behind two interfaces, each received at another time."""
    packets = space_packets(3, count)
    logs: dict[str, list[Logged]] = {"A": [], "B": []}
    for number, packet in enumerate(packets):
        target, interface = "AB"[number % 7 % 2], ("fep", "backup")[number % 5 % 2]
        logs[target].append(packet._replace(received=NOON + number * SECOND, interface=interface))
    return logs


def logs_in(root: Path) -> dict[str, Iterable[PacketBatch]]:
    return {str(each.relative_to(root)): PacketLogReader(each).read() for each in find_logs(root)}


def expected(logs: dict[str, list[Logged]], interface: str) -> list[tuple[bytes, int]]:
    every = sorted((each for packets in logs.values() for each in packets), key=lambda each: each.received)
    return [(each.data, each.received) for each in every if each.interface == interface]


def frames_on(bus: StreamBus, stream: str) -> list[PacketBatch]:
    with bus.view([stream], from_oldest=True) as view:
        records: list[Received] = []
        while some := view.receive(0.0):
            records += some
    wire = wire_of(bus, one_satellite())
    read = [wire.read(record.value) for record in records]
    return [batch for batch in read if isinstance(batch, PacketBatch)]


def replayed(bus: StreamBus, interface: str, replay: str = "night") -> list[tuple[bytes, int]]:
    batches = frames_on(bus, f"m.replay.{replay}.frames.{interface}")
    for batch in batches:
        assert (batch.interface, batch.origin) == (interface, f"replay:{replay}")
        assert (batch.target, batch.dictionary_hash, batch.definition, batch.space_packets) == (None, None, None, False)
    return [pair for batch in batches for pair in zip(batch, batch.received.tolist(), strict=True)]


class Died(BaseException):
    """A process ends here."""


class TestWhatIsReplayed:
    def test_is_what_was_logged_in_the_order_of_receiving_by_interface(self, bus: StreamBus, tmp_path: Path) -> None:
        logs = interleaved()
        for target, packets in logs.items():
            write(tmp_path / "log", target, packets)
        with Replay(bus, "m", "night", ALL) as replay:
            assert not replay.is_read
            replay.run(logs_in(tmp_path / "log"))
            assert (replay.is_finished, replay.packets) == (True, 60)
        assert replayed(bus, "fep") == expected(logs, "fep")
        assert replayed(bus, "backup") == expected(logs, "backup")
        assert len(expected(logs, "backup")) > 10
        assert [info.spec.name for info in bus.streams()] == [
            "m.replay.night.frames.backup",
            "m.replay.night.frames.fep",
        ]

    def test_has_a_time_even_where_nobody_knows_it(self, bus: StreamBus, tmp_path: Path) -> None:
        times = [UNKNOWN_TIME, NOON, UNKNOWN_TIME, UNKNOWN_TIME, NOON + 5]
        packets = [each._replace(received=time) for each, time in zip(space_packets(1, 5), times, strict=True)]
        write(tmp_path / "log", "A", packets)
        with Replay(bus, "m", "night", ALL) as replay:
            replay.run(logs_in(tmp_path / "log"))
        data = [each.data for each in packets]
        assert replayed(bus, "fep") == list(zip(data, [0, NOON, NOON, NOON, NOON + 5], strict=True))

    def test_is_in_records_of_a_handy_size(self, bus: StreamBus, tmp_path: Path) -> None:
        packets = [Logged(bytes([number]) * 9_000, NOON + number) for number in range(100)]
        write(tmp_path / "log", "A", packets, per_block=33)
        with Replay(bus, "m", "night", ALL) as replay:
            replay.run(logs_in(tmp_path / "log"))
        sizes = [batch.size_bytes for batch in frames_on(bus, "m.replay.night.frames.fep")]
        assert sum(sizes) == 900_000
        assert max(sizes) <= 64_000
        assert len(sizes) < 40

    def test_of_no_interface_is_refused(self, bus: StreamBus, tmp_path: Path) -> None:
        write(tmp_path / "log", "A", [Logged(b"data", NOON, interface="")])
        with (
            Replay(bus, "m", "night", ALL) as replay,
            pytest.raises(UsageError, match="without the interface that they came from"),
        ):
            replay.run(logs_in(tmp_path / "log"))


class TestKills:
    @pytest.mark.parametrize("after", [False, True], ids=["before-commits", "after-commits"])
    def test_whoever_asks_for_the_same_again_goes_on_exactly_there(
        self, bus: StreamBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, after: bool
    ) -> None:
        monkeypatch.setattr(replaying, "_STEP_BYTES", 60)
        logs = interleaved()
        for target, packets in logs.items():
            write(tmp_path / "log", target, packets)
        deaths = 0
        while True:
            with Replay(bus, "m", "night", ALL) as replay:
                _let_die(monkeypatch, replay, at=deaths % 3, after=after)
                try:
                    replay.run(logs_in(tmp_path / "log"))
                except Died:
                    deaths += 1
                else:
                    break
            assert deaths < 100
        assert deaths > 3
        assert replayed(bus, "fep") == expected(logs, "fep")
        assert replayed(bus, "backup") == expected(logs, "backup")

    def test_logs_that_grew_meanwhile_are_gone_on_with_too(
        self, bus: StreamBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(replaying, "_STEP_BYTES", 1)
        logs, root = interleaved(), tmp_path / "log"
        write(root, "A", logs["A"][:20])
        write(root, "B", logs["B"][:10])
        with Replay(bus, "m", "night", ALL) as replay:
            _let_die(monkeypatch, replay, at=8, after=True)
            with pytest.raises(Died):
                replay.run(logs_in(root))
        write(root, "A", logs["A"][20:])
        write(root, "B", logs["B"][10:])
        with Replay(bus, "m", "night", ALL) as replay:
            replay.run(logs_in(root))
        for interface in ("fep", "backup"):
            assert sorted(replayed(bus, interface)) == sorted(expected(logs, interface))

    def test_a_finished_one_is_not_written_again(self, bus: StreamBus, tmp_path: Path) -> None:
        logs = interleaved()
        write(tmp_path / "log", "A", logs["A"])
        for number in range(3):
            with Replay(bus, "m", "night", ALL) as replay:
                assert replay.is_finished == (number > 0)
                replay.run(logs_in(tmp_path / "log"))
                assert replay.packets == len(logs["A"])
        assert replayed(bus, "fep") == expected({"A": logs["A"]}, "fep")
        with Replay(bus, "m", "again", ALL) as another:
            another.run(logs_in(tmp_path / "log"))
        assert replayed(bus, "fep", "again") == replayed(bus, "fep")

    def test_two_do_not_write_the_same_at_once(self, bus: StreamBus) -> None:
        with Replay(bus, "m", "night", ALL), pytest.raises(Fenced):
            Replay(bus, "m", "night", ALL)

    def test_another_that_wrote_meanwhile_is_noted(self, bus: StreamBus, tmp_path: Path) -> None:
        write(tmp_path / "log", "A", interleaved()["A"])
        with Replay(bus, "m", "night", ALL) as first:
            first._worker.close()
            with Replay(bus, "m", "night", ALL) as second:
                second.run(logs_in(tmp_path / "log"))
            with pytest.raises(Fenced):
                first.run(logs_in(tmp_path / "log"))
        assert replayed(bus, "fep") == expected({"A": interleaved()["A"]}, "fep")

    def test_other_packets_under_the_same_id_are_refused_and_the_same_are_those_of_then(
        self, bus: StreamBus, tmp_path: Path
    ) -> None:
        write(tmp_path / "log", "A", interleaved()["A"])
        then = Wanted(told="the last hour", start_ns=NOON, end_ns=NOON + 3600 * SECOND, packets=("HEALTH",))
        with Replay(bus, "m", "night", then) as replay:
            replay.run(logs_in(tmp_path / "log"))
        with Replay(bus, "m", "night", Wanted(told="the last hour", start_ns=1, end_ns=2)) as replay:
            assert replay.wanted == then
        with pytest.raises(UsageError, match="was begun with other packets, expected the last hour, found all"):
            Replay(bus, "m", "night", ALL)

    @pytest.mark.parametrize("change", ["fewer", "gone"])
    def test_logs_that_are_not_what_they_were_are_refused(
        self, bus: StreamBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
    ) -> None:
        monkeypatch.setattr(replaying, "_STEP_BYTES", 1)
        write(tmp_path / "log", "A", interleaved()["A"])
        with Replay(bus, "m", "night", ALL) as replay:
            _let_die(monkeypatch, replay, at=9, after=True)
            with pytest.raises(Died):
                replay.run(logs_in(tmp_path / "log"))
        write(tmp_path / "other", "A" if change == "fewer" else "B", interleaved()["A"][:2])
        with (
            Replay(bus, "m", "night", ALL) as replay,
            pytest.raises(UsageError, match=r"back as (it was|they were), or begin anew"),
        ):
            replay.run(logs_in(tmp_path / "other"))


class TestStreams:
    def test_are_those_that_the_mission_would_make_for_this_replay(self, bus: StreamBus, tmp_path: Path) -> None:
        mission = _two_interfaces(tmp_path)
        write(tmp_path / "log", "A", interleaved()["A"])
        with Replay(bus, mission.name, "night", ALL) as replay:
            replay.run(logs_in(tmp_path / "log"))
        made = [info.spec for info in bus.streams()]
        assert made == [
            evolve(spec, consumers=()) for spec in specs_of(mission.describe(replay="night")) if ".frames." in spec.name
        ]

    def test_that_a_mission_made_keep_their_consumers(self, bus: StreamBus, tmp_path: Path) -> None:
        mission = _two_interfaces(tmp_path)
        bus.apply(specs_of(mission.describe(replay="night")))
        before = {info.spec.name: info.spec for info in bus.streams()}
        write(tmp_path / "log", "A", interleaved()["A"])
        with Replay(bus, mission.name, "night", ALL) as replay:
            assert replay.is_read
            replay.run(logs_in(tmp_path / "log"))
        assert {info.spec.name: info.spec for info in bus.streams()} == before
        assert before[f"{mission.name}.replay.night.frames.fep"].consumers == (f"{mission.name}.replay.night.decom",)

    @pytest.mark.parametrize("hostile", ["", ".", "a.b", "night.frames", "..", "a b", "x" * 41, "night\n"])
    def test_that_are_live_cannot_be_named(self, bus: StreamBus, hostile: str) -> None:
        with pytest.raises(UsageError, match="the name of a replay"):
            Replay(bus, "m", hostile, ALL)
        with pytest.raises(UsageError, match="the name of a mission"):
            Replay(bus, hostile, "night", ALL)

    @pytest.mark.parametrize("hostile", ["frames", "replay", "packets", "FEP"])
    def test_that_are_live_stay_untouched_whatever_the_id(self, bus: StreamBus, tmp_path: Path, hostile: str) -> None:
        live = StreamSpec(name="m.frames.fep", writer="m.fep", lanes=("fep",), consumers=("m.decom",))
        bus.apply([live])
        write(tmp_path / "log", "A", interleaved()["A"])
        with Replay(bus, "m", hostile, ALL) as replay:
            replay.run(logs_in(tmp_path / "log"))
        (info,) = bus.streams("m.frames.")
        assert (info.spec, info.next_offsets) == (live, (0,))
        with bus.worker("m.fep", [], outputs=["m.frames.fep"]):
            pass


@define
class Time:
    """Goes by only when somebody sleeps."""

    now: float = 50.0
    slept: list[float] = field(factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class TestSpeed:
    @pytest.mark.parametrize("speed", [0.5, 1.0, 10.0])
    def test_lets_time_go_by_so_many_times_as_fast(self, bus: StreamBus, tmp_path: Path, speed: float) -> None:
        seconds = [0, 0, 1, 1, 1.5, 4, 60, 60]
        times = [NOON + int(each * SECOND) for each in seconds]
        packets = [each._replace(received=time) for each, time in zip(space_packets(2, 8), times, strict=True)]
        write(tmp_path / "log", "A", packets[:6], per_block=6)
        write(tmp_path / "log", "B", packets[6:])
        clock = Time()
        published: list[tuple[float, int]] = []
        with Replay(bus, "m", "night", ALL, monotonic=clock.monotonic, sleep=clock.sleep) as replay:
            commit = replay._commit

            def told(*arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - as the real one
                commit(*arguments, **settings)
                published.append((clock.now - 50, replay.packets))

            replay._commit = told  # type: ignore[method-assign]
            replay.run(logs_in(tmp_path / "log"), speed=speed)
        for at, count in published:
            assert sum(each < at * speed - 1e-6 for each in seconds) <= count
            assert count <= sum(each < at * speed + 1e-6 for each in seconds)
        assert sum(clock.slept) == pytest.approx(60 / speed)
        assert replayed(bus, "fep") == [(each.data, each.received) for each in packets]

    def test_does_not_wait_from_a_time_that_nobody_knows(self, bus: StreamBus, tmp_path: Path) -> None:
        times = [UNKNOWN_TIME, NOON, NOON + 2 * SECOND]
        write(tmp_path / "log", "A", [each._replace(received=t) for each, t in zip(space_packets(1, 3), times)])  # noqa: B905
        clock = Time()
        with Replay(bus, "m", "night", ALL, monotonic=clock.monotonic, sleep=clock.sleep) as replay:
            replay.run(logs_in(tmp_path / "log"), speed=2)
        assert sum(clock.slept) == pytest.approx(1)
        assert len(replayed(bus, "fep")) == 3

    @pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
    def test_that_never_ends_is_refused(self, bus: StreamBus, speed: float) -> None:
        with Replay(bus, "m", "night", ALL) as replay, pytest.raises(UsageError, match="the speed of a replay"):
            replay.run({}, speed=speed)


def test_packets_that_are_replayed_through_the_mission_are_those_that_were_logged(
    bus: StreamBus, tmp_path: Path
) -> None:
    mission = _logged(tmp_path)
    prepared(bus, mission)
    packets = flown()
    frames = [frames_of(packets[at : at + 7], received=NOON + at) for at in range(0, len(packets), 7)]
    publish(bus, mission, "fep", Kind.FRAMES, frames)
    _run_stages(bus, mission, None, tmp_path / "live")
    live = read_all(tmp_path / "live" / "firefly.packets.FIREFLY" / "0")
    assert len(live) == len(packets)
    with Replay(bus, mission.name, "night", ALL) as replay:
        replay.run(logs_in(tmp_path / "live"))
    bus.apply(specs_of(mission.describe(replay="night")))
    _run_stages(bus, mission, "night", tmp_path / "again")
    assert read_all(tmp_path / "live" / "firefly.packets.FIREFLY" / "0") == live, "what is live has nothing more"
    (again,) = find_logs(tmp_path / "again")
    assert again == tmp_path / "again" / "firefly.replay.night.packets.FIREFLY" / "0"
    assert read_all(again) == live


def _logged(root: Path) -> Mission:
    mission = one_satellite()
    mission.stage("decom", Identifier())
    mission.stage("log", PacketLogger(root / "log"))
    return mission


def _two_interfaces(root: Path) -> Mission:
    mission = _logged(root)
    mission.interface("backup", UdpListener(7020), protocols=[CcsdsPackets()], targets=["FIREFLY"])
    return mission


def _run_stages(bus: StreamBus, mission: Mission, replay: str | None, directory: Path) -> None:
    description = mission.describe(replay=replay)
    places = {
        name: StageSurroundings(mission=mission, description=description, stage=description.stage(name), bus=bus)
        for name in ("decom", "log")
    }
    decom = ProcessingStage(places["decom"])
    run_until_idle(decom)
    decom.close()
    log = LogStage(places["log"], directory=directory)
    run_until_idle(log)
    log.drain()
    log.close()


def _let_die(monkeypatch: pytest.MonkeyPatch, replay: Replay, *, at: int, after: bool) -> None:
    """Let it die at its so-many-th commit, before or after that was done."""
    commit, left = replay._commit, itertools.count(at, -1)

    def dying(draft: Any, **settings: Any) -> None:  # noqa: ANN401 - as the real one
        is_last = bool(draft.taken or settings) and next(left) <= 0
        if not is_last or after:
            commit(draft, **settings)
        if is_last and not replay.is_finished:
            raise Died

    monkeypatch.setattr(replay, "_commit", dying)
