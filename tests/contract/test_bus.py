"""What every stream bus guarantees, case by case; see :mod:`c2kit.bus.base`."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from c2kit.bus.base import Delivery, Fenced, Position, PositionLost, Record, Step, StreamSpec
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.bus.base import PartitionId, Received, Sink, StreamBus, View, Worker

SOON = 60.0
"""Seconds in which a bus on this machine has answered; waiting is over as soon as it has."""
PATIENCE = 60.0
"""Seconds in which workers of a stage have agreed who owns what, wherever they are."""


def spec(name: str = "m.packets.SAT", **rest: Any) -> StreamSpec:  # noqa: ANN401 - any attribute
    settings = {"writer": "source", "consumers": ("decom",)} | rest
    return StreamSpec(name=name, **settings)


def publish(bus: StreamBus, *values: bytes, lane: str = "lane", stream: str = "m.packets.SAT") -> None:
    with bus.worker("source", (), outputs=(stream,)) as source:
        for value in values:
            source.commit(Step(publish=[Record(stream, lane, value)]))


def drain(reader: Worker | Sink | View, count: int = 1) -> list[Received]:
    """Everything that waits, until nothing more comes; at least so many records are waited for."""
    records: list[Received] = []
    while True:
        got = reader.receive(SOON if len(records) < count else 0.05)
        more = got.records if isinstance(got, Delivery) else got
        records.extend(more)
        if not more and not (isinstance(got, Delivery) and (got.gained or got.lost)):
            return records


def settle(*workers: Worker, shares: int) -> None:
    """Let workers ask for what comes, in turn, until each owns so many partitions; a bus may ask them all for it."""
    deadline = time.monotonic() + PATIENCE
    while any(len(worker.assigned) != shares for worker in workers):
        assert time.monotonic() < deadline, [worker.assigned for worker in workers]
        for worker in workers:
            assert not worker.receive(0.05).records


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether something comes true soon; a bus may tidy up a little later than it answers."""
    deadline = time.monotonic() + SOON
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def retained(bus: StreamBus) -> int:
    (info,) = bus.streams()
    return sum(info.next_offsets) - sum(info.first_offsets)


def passed(records: list[Received]) -> dict[tuple[str, int], int]:
    return {(record.stream, record.partition): record.offset + 1 for record in records}


class TestOrder:
    def test_a_lane_keeps_the_order_in_which_it_was_committed(self, bus: StreamBus) -> None:
        bus.apply([spec(partitions=4)])
        with bus.worker("source", (), outputs=("m.packets.SAT",)) as source:
            for number in range(50):
                lanes = ("a", "b", "c")
                source.commit(Step(publish=[Record("m.packets.SAT", lane, b"%d" % number) for lane in lanes]))
        with bus.worker("decom", ("m.packets.SAT",)) as worker:
            records = drain(worker, 150)
        for lane in ("a", "b", "c"):
            assert [record.value for record in records if record.lane == lane] == [b"%d" % n for n in range(50)]

    def test_a_lane_has_one_partition(self, bus: StreamBus) -> None:
        bus.apply([spec(partitions=4)])
        for number in range(20):
            publish(bus, b"x", lane=f"lane-{number % 5}")
        with bus.view(["m.packets.SAT"], from_oldest=True) as view:
            records = drain(view, 20)
        for number in range(5):
            assert len({record.partition for record in records if record.lane == f"lane-{number}"}) == 1

    def test_lanes_known_beforehand_have_partitions_of_their_own(self, bus: StreamBus) -> None:
        bus.apply([spec(partitions=3, lanes=("x", "y", "z"))])
        for lane in ("x", "y", "z"):
            publish(bus, b"1", lane=lane)
        with bus.view(["m.packets.SAT"], from_oldest=True) as view:
            assert {record.lane: record.partition for record in drain(view, 3)} == {"x": 0, "y": 1, "z": 2}

    def test_offsets_rise_within_a_partition(self, bus: StreamBus) -> None:
        bus.apply([spec()])
        publish(bus, b"1", b"2", b"3")
        with bus.view(["m.packets.SAT"], from_oldest=True) as view:
            offsets = [record.offset for record in drain(view, 3)]
        assert offsets == sorted(set(offsets))


class TestStep:
    def test_what_is_not_committed_is_read_again(self, bus: StreamBus) -> None:
        bus.apply([spec()])
        publish(bus, b"1", b"2", b"3")
        with bus.worker("decom", ("m.packets.SAT",)) as worker:
            first, *_ = drain(worker)
            worker.commit(Step(passed=passed([first])))
        with bus.worker("decom", ("m.packets.SAT",)) as worker:
            assert [record.value for record in drain(worker, 2)] == [b"2", b"3"]

    def test_rewinding_reads_again_from_the_last_commit(self, bus: StreamBus) -> None:
        bus.apply([spec()])
        publish(bus, b"1", b"2", b"3")
        with bus.worker("decom", ("m.packets.SAT",)) as worker:
            first, *_ = drain(worker)
            worker.commit(Step(passed=passed([first])))
            worker.rewind()
            assert [record.value for record in drain(worker, 2)] == [b"2", b"3"]

    def test_output_position_and_state_come_true_together(self, bus: StreamBus) -> None:
        bus.apply([spec(), spec("m.telemetry.SAT", writer="decom", consumers=())])
        publish(bus, b"1")
        with bus.worker("decom", ("m.packets.SAT",), outputs=("m.telemetry.SAT",)) as worker:
            records = drain(worker)
            out = [Record("m.telemetry.SAT", "lane", b"out")]
            worker.commit(Step(publish=out, passed=passed(records), snapshots={("count", "lane"): b"state"}))
        with bus.worker("decom", ("m.packets.SAT",), outputs=("m.telemetry.SAT",)) as worker:
            settle(worker, shares=1)
            assert worker.snapshot(("count", "lane")) == b"state"
            assert worker.snapshot(("count", "other")) is None
        with bus.view(["m.telemetry.SAT"], from_oldest=True) as view:
            assert [record.value for record in drain(view)] == [b"out"]

    def test_a_refused_step_leaves_nothing_behind(self, bus: StreamBus) -> None:
        bus.apply([spec(), spec("m.telemetry.SAT", writer="decom", consumers=())])
        publish(bus, b"1")
        with bus.worker("decom", ("m.packets.SAT",), outputs=("m.telemetry.SAT",)) as worker:
            records = drain(worker)
            foreign = [Record("m.telemetry.SAT", "lane", b"out"), Record("m.packets.SAT", "lane", b"not mine")]
            with pytest.raises(UsageError, match=r"does not write m\.packets\.SAT"):
                worker.commit(Step(publish=foreign, passed=passed(records), snapshots={("count", "lane"): b"state"}))
            assert worker.snapshot(("count", "lane")) is None
            worker.rewind()
            assert [record.value for record in drain(worker)] == [b"1"]
        with bus.view(["m.telemetry.SAT"], from_oldest=True) as view:
            assert view.receive(0.05) == []

    def test_passing_what_another_owns_is_fenced(self, bus: StreamBus) -> None:
        bus.apply([spec(partitions=2, lanes=("a", "b"))])
        with bus.worker("decom", ("m.packets.SAT",)) as one, bus.worker("decom", ("m.packets.SAT",), ordinal=1) as two:
            settle(one, two, shares=1)
            publish(bus, b"1", lane="a")
            publish(bus, b"1", lane="b")
            (foreign,) = two.assigned
            with pytest.raises(Fenced):
                one.commit(Step(passed={foreign: 1}))


class TestSharing:
    def test_replicas_share_partitions_without_overlap(self, bus: StreamBus) -> None:
        lanes = tuple(f"lane-{number}" for number in range(6))
        bus.apply([spec(partitions=6, lanes=lanes)])
        workers = [bus.worker("decom", ("m.packets.SAT",), ordinal=ordinal) for ordinal in range(3)]
        settle(*workers, shares=2)
        for lane in lanes:
            publish(bus, lane.encode(), lane=lane)
        values = []
        for worker in workers:
            records = drain(worker, 2)
            worker.commit(Step(passed=passed(records)))
            values.append({record.value for record in records})
        assert [len(seen) for seen in values] == [2, 2, 2]
        assert set().union(*values) == {lane.encode() for lane in lanes}
        for worker in workers:
            worker.close()

    def test_what_a_leaving_worker_owned_is_taken_over(self, bus: StreamBus) -> None:
        bus.apply([spec(partitions=2, lanes=("a", "b"))])
        one = bus.worker("decom", ("m.packets.SAT",))
        two = bus.worker("decom", ("m.packets.SAT",), ordinal=1)
        settle(one, two, shares=1)
        one.close()
        settle(two, shares=2)
        two.close()

    def test_a_partition_is_lost_before_another_gains_it(self, bus: StreamBus) -> None:
        bus.apply([spec(partitions=2, lanes=("a", "b"))])
        one = bus.worker("decom", ("m.packets.SAT",))
        assert one.receive(SOON).gained == {("m.packets.SAT", 0), ("m.packets.SAT", 1)}
        two = bus.worker("decom", ("m.packets.SAT",), ordinal=1)
        assert two.receive(0.05).gained == frozenset()
        lost: frozenset[PartitionId] = frozenset()
        while not lost:
            assert two.receive(0.05).gained == frozenset()
            lost = one.receive(0.5).lost
        assert len(lost) == 1
        gained: frozenset[PartitionId] = frozenset()
        while not gained:
            one.receive(0.05)
            gained = two.receive(0.5).gained
        assert gained == lost
        one.close()
        two.close()

    def test_stages_read_independently(self, bus: StreamBus) -> None:
        bus.apply([spec(consumers=("decom", "log"))])
        publish(bus, b"1")
        for stage in ("decom", "log"):
            with bus.worker(stage, ("m.packets.SAT",)) as worker:
                records = drain(worker)
                assert [record.value for record in records] == [b"1"]
                worker.commit(Step(passed=passed(records)))

    def test_an_exclusive_stage_has_one_worker(self, bus: StreamBus) -> None:
        bus.apply([spec()])
        with bus.worker("source", (), outputs=("m.packets.SAT",), exclusive=True), pytest.raises(Fenced):
            bus.worker("source", (), outputs=("m.packets.SAT",), exclusive=True)
        bus.worker("source", (), outputs=("m.packets.SAT",), exclusive=True).close()

    @pytest.mark.parametrize("kind", ["worker", "sink"])
    def test_nobody_joins_an_exclusive_stage(self, bus: StreamBus, kind: str) -> None:
        bus.apply([spec()])

        def join() -> Worker | Sink:
            if kind == "sink":
                return bus.sink("decom", [("m.packets.SAT", 0)], [], ordinal=1)
            return bus.worker("decom", ("m.packets.SAT",), ordinal=1)

        with bus.worker("decom", ("m.packets.SAT",), exclusive=True) as alone:
            with pytest.raises(Fenced, match="already has a live worker 0"):
                join()
            assert alone.receive(SOON).gained == {("m.packets.SAT", 0)}
        with join(), pytest.raises(Fenced, match="already has a live worker 1"):
            bus.worker("decom", ("m.packets.SAT",), exclusive=True)


class TestSink:
    def test_a_sink_goes_on_from_its_own_position(self, bus: StreamBus) -> None:
        bus.apply([spec(consumers=("log",))])
        publish(bus, b"1", b"2", b"3")
        partition = ("m.packets.SAT", 0)
        with bus.sink("log", [partition], []) as sink:
            begin = sink.positions[partition]
            records = drain(sink, 3)
        position = Position(begin.stream, begin.stream_uuid, 0, records[1].offset)
        with bus.sink("log", [partition], [position]) as sink:
            assert [record.value for record in drain(sink, 2)] == [b"2", b"3"]

    @pytest.mark.file_bus
    @pytest.mark.parametrize("wrong", ["uuid", "past the end", "retention"])
    def test_a_position_that_is_not_there_is_refused(self, bus: StreamBus, wrong: str) -> None:
        bus.apply([spec(consumers=("log",))])
        publish(bus, b"1", b"2")
        partition = ("m.packets.SAT", 0)
        with bus.sink("log", [partition], []) as sink:
            begin = sink.positions[partition]
            records = drain(sink, 2)
            sink.passed({partition: records[-1].offset + 1})
            assert eventually(lambda: retained(bus) == 0)
        uuid = "0" * 32 if wrong == "uuid" else begin.stream_uuid
        offset = {"uuid": 0, "past the end": records[-1].offset + 2, "retention": begin.offset}[wrong]
        publish(bus, b"3")
        publish(bus, b"4")
        if wrong == "past the end":
            offset += 2
        with pytest.raises(PositionLost) as caught:
            bus.sink("log", [partition], [Position("m.packets.SAT", uuid, 0, offset)])
        assert "is lost" in str(caught.value)
        if wrong == "retention":
            assert caught.value.lost_records == 2


class TestLag:
    def test_lag_counts_the_records_that_a_stage_has_not_passed(self, bus: StreamBus) -> None:
        bus.apply([spec(consumers=("decom", "log"))])
        publish(bus, b"1", b"2", b"3")
        with bus.worker("decom", ("m.packets.SAT",)) as worker:
            worker.commit(Step(passed=passed(drain(worker, 3))))
        with bus.sink("log", [("m.packets.SAT", 0)], []) as sink:
            first, *_ = drain(sink, 3)
            sink.passed(passed([first]))
        assert eventually(lambda: [info.lag for info in bus.streams()] == [{"decom": 0, "log": 2}])
        assert not bus.streams()[0].estimated

    def test_a_sink_knows_how_many_records_were_before_it_began(self, bus: StreamBus) -> None:
        bus.apply([spec(consumers=("log",))])
        publish(bus, b"1", b"2", b"3", b"4")
        partition = ("m.packets.SAT", 0)
        with bus.sink("log", [partition], []) as sink:
            assert sink.records_before == {partition: 0}
            records = drain(sink, 4)
            sink.passed(passed(records[:1]))
            uuid = sink.positions[partition].stream_uuid
        for record, count in ((records[2], 2), (records[1], 1), (records[3], 3)):
            position = Position(record.stream, uuid, record.partition, record.offset)
            with bus.sink("log", [partition], [position]) as sink:
                assert sink.records_before == {partition: count}
                assert [each.offset for each in drain(sink, 4 - count)] == [each.offset for each in records[count:]]


class TestRetention:
    @pytest.mark.file_bus
    def test_what_all_consumers_passed_is_deleted_and_nothing_else(self, bus: StreamBus) -> None:
        bus.apply([spec(consumers=("decom", "log"))])
        publish(bus, b"1", b"2", b"3")
        with bus.worker("decom", ("m.packets.SAT",)) as worker:
            worker.commit(Step(passed=passed(drain(worker))))
        (info,) = bus.streams()
        assert retained(bus) == 3
        assert info.lag == {"decom": 0, "log": 3}
        with bus.worker("log", ("m.packets.SAT",)) as worker:
            first, *_ = drain(worker)
            worker.commit(Step(passed=passed([first])))
        assert eventually(lambda: retained(bus) == 2)
        (info,) = bus.streams()
        assert info.lag == {"decom": 0, "log": 2}

    @pytest.mark.file_bus
    def test_a_full_telemetry_stream_blocks_its_publisher_until_it_is_read(self, bus: StreamBus) -> None:
        bus.apply([spec()])
        published = threading.Semaphore(0)

        def feed() -> None:
            with bus.worker("source", (), outputs=("m.packets.SAT",)) as source:
                for _ in range(30):
                    source.commit(Step(publish=[Record("m.packets.SAT", "lane", bytes(100_000))]))
                    published.release()

        feeder = threading.Thread(target=feed)
        feeder.start()
        for _ in range(10):
            assert published.acquire(timeout=SOON)
        assert not published.acquire(timeout=0.2)
        with bus.worker("decom", ("m.packets.SAT",)) as worker:
            total = 0
            while total < 30:
                records = list(worker.receive(SOON).records)
                assert records
                total += len(records)
                worker.commit(Step(passed=passed(records)))
        feeder.join(SOON)
        assert not feeder.is_alive()

    def test_what_is_not_telemetry_is_never_blocked(self, bus: StreamBus) -> None:
        bus.apply([spec(is_telemetry=False)])
        publish(bus, *[bytes(100_000)] * 15)
        (info,) = bus.streams()
        assert info.lag == {"decom": 15}

    @pytest.mark.file_bus
    def test_a_view_holds_nothing_back_and_counts_what_it_missed(self, bus: StreamBus) -> None:
        bus.apply([spec()])
        with bus.view(["m.packets.SAT"]) as view:
            publish(bus, b"1", b"2")
            with bus.worker("decom", ("m.packets.SAT",)) as worker:
                worker.commit(Step(passed=passed(drain(worker))))
            assert eventually(lambda: retained(bus) == 0)
            publish(bus, b"3")
            assert [record.value for record in drain(view)] == [b"3"]
            assert view.missed == 2

    @pytest.mark.file_bus
    def test_a_compacted_stream_keeps_the_newest_of_each_lane(self, bus: StreamBus) -> None:
        bus.apply([spec("m.dictionaries", consumers=(), compacted=True)])
        for number in range(5):
            for lane in ("a", "b"):
                publish(bus, b"%d" % number, lane=lane, stream="m.dictionaries")

        def kept() -> list[tuple[str, bytes]]:
            with bus.view(["m.dictionaries"], from_oldest=True) as view:
                return sorted((record.lane, record.value) for record in drain(view))

        assert eventually(lambda: kept() == [("a", b"4"), ("b", b"4")])


class TestSetUp:
    def test_applying_twice_is_applying_once(self, bus: StreamBus) -> None:
        bus.apply([spec()])
        (before,) = bus.streams()
        publish(bus, b"1")
        bus.apply([spec()])
        (after,) = bus.streams()
        assert after.uuid == before.uuid
        with bus.view(["m.packets.SAT"], from_oldest=True) as view:
            assert [record.value for record in drain(view)] == [b"1"]

    def test_a_stream_tells_when_its_oldest_and_newest_records_were_published(self, bus: StreamBus) -> None:
        bus.apply([spec(partitions=2)])
        assert [(each.oldest_ns, each.newest_ns) for each in bus.streams()] == [(None, None)]
        begun_ns = time.time_ns()
        for lane in ("a", "b", "c"):
            publish(bus, b"1", lane=lane)
        with bus.view([spec().name], from_oldest=True) as view:
            times = [record.published_ns for record in drain(view, 3)]
        (info,) = bus.streams()
        assert info.newest_ns is not None
        if info.counts_records:
            assert (info.oldest_ns, info.newest_ns) == (min(times), max(times))
        assert begun_ns // 1_000_000 * 1_000_000 <= max(times) <= info.newest_ns <= time.time_ns()

    @pytest.mark.parametrize("change", [{"partitions": 2}, {"writer": "other"}, {"lanes": ("a",)}])
    def test_a_stream_cannot_change_what_is_fixed(self, bus: StreamBus, change: dict[str, Any]) -> None:
        bus.apply([spec()])
        with pytest.raises(UsageError, match=r"m\.packets\.SAT exists with another"):
            bus.apply([spec(**change)])

    def test_a_stream_that_is_not_there_is_refused(self, bus: StreamBus) -> None:
        with pytest.raises(UsageError, match=r"m\.packets\.SAT"):
            bus.worker("decom", ("m.packets.SAT",))
        with pytest.raises(UsageError, match=r"m\.packets\.SAT"):
            bus.view(["m.packets.SAT"])

    def test_a_second_writer_is_refused(self, bus: StreamBus) -> None:
        bus.apply([spec()])
        with pytest.raises(UsageError, match="written by stage source alone"):
            bus.worker("intruder", (), outputs=("m.packets.SAT",))

    def test_members_write_a_stream_together_each_in_its_lane_and_more_may_come(self, bus: StreamBus) -> None:
        shared: dict[str, Any] = {"writer": "swarm", "partitions": 2}
        bus.apply([spec(**shared, members=("one", "two"))])
        with pytest.raises(UsageError, match="written by stage swarm alone"):
            bus.worker("three", (), outputs=("m.packets.SAT",), exclusive=True)
        bus.apply([spec(**shared, members=("one", "two", "three"))])
        names = ("one", "two", "three")
        workers = {name: bus.worker(name, (), outputs=("m.packets.SAT",), exclusive=True) for name in names}
        for number in range(3):
            for name, worker in workers.items():
                worker.commit(Step(publish=[Record("m.packets.SAT", name, b"%d" % number)]))
        for worker in workers.values():
            worker.close()
        with bus.view(["m.packets.SAT"], from_oldest=True) as view:
            records = drain(view, 9)
        for name in names:
            lane = [record for record in records if record.lane == name]
            assert [record.value for record in lane] == [b"0", b"1", b"2"]
            assert len({record.partition for record in lane}) == 1
