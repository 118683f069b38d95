"""What Kafka does in place of what a bus in a file does: see the mark ``file_bus``."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import TopicPartition

from c2kit.bus.base import BusError, BusUnavailable, Fenced, Position, PositionLost, Record, Step, StreamSpec
from c2kit.bus.kafka import KafkaBus
from c2kit.errors import UsageError
from tests.kafka_brokers import emptied, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import Consumer

    from c2kit.bus.base import Received, View, Worker
    from dev.kafka import Cluster

IN, OUT = ("m.in", 0), ("m.out", 0)
STREAMS = [
    StreamSpec(name="m.in", writer="source", consumers=("copy", "log")),
    StreamSpec(name="m.out", writer="copy"),
]
SOON = 30.0
pytestmark = pytest.mark.slow


@pytest.fixture
def bus(one_broker: Cluster) -> Iterator[KafkaBus]:
    with KafkaBus(emptied(one_broker).addresses) as bus:
        bus.apply(STREAMS)
        yield bus


def publish(bus: KafkaBus, *values: bytes) -> None:
    with bus.worker("source", (), outputs=("m.in",)) as source:
        for value in values:
            source.commit(Step(publish=[Record("m.in", "lane", value)]))


def taken(reader: Worker | View, count: int) -> list[Received]:
    """The next so many records."""
    records: list[Received] = []
    while len(records) < count:
        got = reader.receive(SOON)
        records += got if isinstance(got, list) else got.records  # type: ignore[union-attr]
    return records


def insist(worker: Worker, step: Step) -> None:
    """Commit a step as a stage does: again and again while the bus says that it cannot be done now."""

    def is_done() -> bool:
        try:
            worker.commit(step)
        except BusUnavailable:
            return False
        return True

    wait_for(is_done, lambda done: done)


def copying(record: Received) -> Step:
    return Step(publish=[Record("m.out", "lane", record.value)], passed={IN: record.offset + 1})


def values_of(bus: KafkaBus, stream: str) -> list[bytes]:
    """All that can be read now."""
    (info,) = [each for each in bus.streams(stream) if each.spec.name == stream]
    values: list[bytes] = []
    with bus.view([stream], from_oldest=True) as view:
        while view.reached[stream, 0] < info.next_offsets[0]:
            values += [record.value for record in view.receive(0.1)]
    return values


def delete_before(cluster: Cluster, offset: int) -> None:
    futures = cluster.admin.delete_records([TopicPartition("m.in", 0, offset)])
    for future in futures.values():
        future.result(SOON)


@pytest.mark.parametrize("exclusive", [True, False])
def test_the_newest_worker_of_a_place_is_the_one_that_goes_on(bus: KafkaBus, *, exclusive: bool) -> None:
    step = Step(publish=[Record("m.in", "lane", b"x")])
    with KafkaBus(bus.url.removeprefix("kafka:")) as other:
        old = bus.worker("source", (), outputs=("m.in",), exclusive=exclusive)
        new = other.worker("source", (), outputs=("m.in",), exclusive=exclusive)
        with pytest.raises(Fenced):
            old.commit(step)
        new.commit(step)
    wait_for(lambda: values_of(bus, "m.in"), lambda found: found == [b"x"])


def test_what_was_left_open_holds_up_nobody_but_its_successor_which_ends_it(bus: KafkaBus) -> None:
    publish(bus, b"1", b"2")
    with KafkaBus(bus.url.removeprefix("kafka:")) as dead:
        worker = dead.worker("copy", ("m.in",), outputs=("m.out",), exclusive=True)
        first, second = taken(worker, 2)
        worker.commit(copying(first))
        producer = worker._transactions._producer  # type: ignore[attr-defined]
        producer.begin_transaction()
        producer.produce("m.out", b"never committed", b"lane", 0)
        offsets = [TopicPartition(*IN, second.offset + 1)]
        producer.send_offsets_to_transaction(offsets, worker._group, SOON)  # type: ignore[attr-defined]
        producer.flush(SOON)
        assert {info.spec.name: dict(info.lag) for info in bus.streams("m.in")}["m.in"]["copy"] > 0
        with bus.worker("copy", ("m.in",), outputs=("m.out",), exclusive=True) as successor:
            (again,) = taken(successor, 1)
            assert (again.value, again.offset) == (second.value, second.offset)
            successor.commit(copying(again))
    wait_for(lambda: values_of(bus, "m.out"), lambda found: found == [b"1", b"2"])


def test_nothing_is_deleted_for_having_been_read(bus: KafkaBus) -> None:
    publish(bus, b"1", b"2")
    for stage in ("copy", "log"):
        with bus.worker(stage, ("m.in",), exclusive=True) as worker:
            records = taken(worker, 2)
            worker.commit(Step(passed={IN: records[-1].offset + 1}))
    assert values_of(bus, "m.in") == [b"1", b"2"]


def test_records_that_are_not_there_yet_cannot_be_passed(bus: KafkaBus) -> None:
    publish(bus, b"1")
    with bus.worker("copy", ("m.in",), exclusive=True) as worker:
        (record,) = taken(worker, 1)
        end = wait_for(lambda: bus.streams("m.in")[0].next_offsets[0], lambda found: found > record.offset)
        with pytest.raises(UsageError, match=f"no record before offset {end + 1}"):
            worker.commit(Step(passed={IN: end + 1}))
        worker.commit(Step(passed={IN: end}))
        publish(bus, b"2")
        assert [each.value for each in taken(worker, 1)] == [b"2"]


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_position_that_was_deleted_is_told_and_passed_only_by_hand(
    bus: KafkaBus, one_broker: Cluster, *, exclusive: bool
) -> None:
    publish(bus, b"1", b"2", b"3")
    with bus.worker("copy", ("m.in",), exclusive=exclusive) as worker:
        first, _, third = taken(worker, 3)
        worker.commit(Step(passed={IN: first.offset + 1}))
    delete_before(one_broker, third.offset)
    with bus.worker("copy", ("m.in",), exclusive=exclusive) as worker:
        with pytest.raises(PositionLost) as caught:
            taken(worker, 1)
        assert caught.value.position.offset == first.offset + 1
        assert caught.value.lost_records == third.offset - first.offset - 1
        worker.commit(Step(passed={IN: third.offset}))
        worker.rewind()
        assert [each.value for each in taken(worker, 1)] == [b"3"]


@pytest.mark.parametrize("wrong", ["uuid", "past the end", "retention"])
def test_a_position_of_a_sink_that_is_not_there_is_refused(bus: KafkaBus, one_broker: Cluster, wrong: str) -> None:
    publish(bus, b"1", b"2")
    with bus.sink("log", [IN], []) as sink:
        begin = sink.positions[IN]
        records = sink.receive(SOON)
        while len(records) < 2:
            records = [*records, *sink.receive(SOON)]
    delete_before(one_broker, records[1].offset)
    uuid = "other" if wrong == "uuid" else begin.stream_uuid
    offset = {"uuid": records[1].offset, "past the end": records[1].offset + 50, "retention": begin.offset}[wrong]
    with pytest.raises(PositionLost, match="is lost"):
        bus.sink("log", [IN], [Position("m.in", uuid, 0, offset)])
    with bus.sink("log", [IN], [Position("m.in", begin.stream_uuid, 0, records[1].offset)]) as sink:
        assert [record.value for record in sink.receive(SOON)] == [b"2"]


def test_a_view_counts_at_least_what_it_missed(bus: KafkaBus, one_broker: Cluster) -> None:
    publish(bus, b"1", b"2", b"3")
    with bus.view(["m.in"], from_oldest=True) as view:
        third = taken(view, 3)[2]
        view._subscription.rewind({IN: 0})  # type: ignore[attr-defined]
        delete_before(one_broker, third.offset)
    with bus.view(["m.in"], from_oldest=True) as view:
        view._subscription.rewind({IN: 0})  # type: ignore[attr-defined]
        assert [record.value for record in taken(view, 1)] == [b"3"]
        assert view.missed >= 2


def test_a_record_that_no_broker_takes_is_refused_and_nothing_of_its_step_is_done(bus: KafkaBus) -> None:
    with bus.worker("source", (), outputs=("m.in",)) as source:
        small = Record("m.in", "lane", b"x")
        with pytest.raises(BusError, match=r"record of 2\d{7} bytes is larger than topic m\.in takes"):
            source.commit(Step(publish=[small, Record("m.in", "lane", bytes(20_000_000))]))
        source.commit(Step(publish=[small]))
    wait_for(lambda: values_of(bus, "m.in"), lambda found: found == [b"x"])


class _Forgetful:
    """A member of a group that does not know yet what the group has become."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer, self._stale = consumer, [consumer.consumer_group_metadata()]

    def consumer_group_metadata(self) -> object:
        return self._stale.pop() if self._stale else self._consumer.consumer_group_metadata()

    def __getattr__(self, name: str) -> object:
        return getattr(self._consumer, name)


def test_a_step_is_committed_before_its_partitions_are_given_up(bus: KafkaBus) -> None:
    keys = [("m.two", 0), ("m.two", 1)]
    bus.apply(
        [*STREAMS, StreamSpec(name="m.two", writer="source", partitions=2, lanes=("a", "b"), consumers=("copy",))]
    )
    with bus.worker("source", (), outputs=("m.two",)) as source:
        source.commit(Step(publish=[Record("m.two", lane, lane.encode()) for lane in ("a", "b")]))
    with (
        KafkaBus(bus.url.removeprefix("kafka:")) as other,
        bus.worker("copy", ("m.two",), outputs=("m.out",)) as one,
    ):
        records = taken(one, 2)
        consumer = one._consumer  # type: ignore[attr-defined]
        one._consumer = _Forgetful(consumer)  # type: ignore[attr-defined]
        with other.worker("copy", ("m.two",), outputs=("m.out",), ordinal=1) as two:

            def is_member() -> bool:
                assert two.receive(0.1).records == ()
                return bool(two._consumer.memberid())  # type: ignore[attr-defined]

            wait_for(is_member, bool)
            one.commit(
                Step(
                    publish=[Record("m.out", "lane", each.value) for each in records],
                    passed={(each.stream, each.partition): each.offset + 1 for each in records},
                )
            )
            assert not one._consumer._stale, "its group had not changed"  # type: ignore[attr-defined]
            again: list[Received] = []

            def is_shared() -> bool:
                again.extend([*one.receive(0.1).records, *two.receive(0.1).records])
                return bool(two.assigned)

            wait_for(is_shared, bool)
            assert one.assigned | two.assigned == set(keys)
            assert again == []
    wait_for(lambda: sorted(values_of(bus, "m.out")), lambda values: values == [b"a", b"b"])


def test_a_step_waits_for_a_broker_that_is_away_and_is_done_once(bus: KafkaBus, one_broker: Cluster) -> None:
    broker = one_broker.brokers[1]
    with bus.worker("source", (), outputs=("m.in",)) as source:
        source.commit(Step(publish=[Record("m.in", "lane", b"before")]))
        broker.pause()
        committing = threading.Thread(
            target=lambda: source.commit(Step(publish=[Record("m.in", "lane", b"while it is away")]))
        )
        committing.start()
        committing.join(1.0)
        assert committing.is_alive()
        broker.kill()
        broker.start()
        committing.join(60.0)
        assert not committing.is_alive()
        one_broker.wait()
        source.commit(Step(publish=[Record("m.in", "lane", b"after")]))
    expected = [b"before", b"while it is away", b"after"]
    wait_for(lambda: values_of(bus, "m.in"), lambda found: found == expected)


def test_a_sink_goes_on_while_nobody_hears_how_far_it_is_and_it_is_known_in_the_end(
    bus: KafkaBus, one_broker: Cluster
) -> None:
    publish(bus, b"1", b"2")
    broker = one_broker.brokers[1]
    with bus.sink("log", [IN], []) as sink:
        records = [*sink.receive(SOON)]
        while len(records) < 2:
            records += sink.receive(SOON)
        sink.passed({IN: records[0].offset + 1})
        broker.pause()
        for _ in range(3):
            sink.passed({IN: records[1].offset + 1})
            sink.receive(0.1)
        broker.kill()
        broker.start()
        one_broker.wait()

        def lag() -> int:
            with suppress(BusUnavailable):
                sink.receive(0.1)
            (info,) = bus.streams("m.in")
            return info.lag["log"]

        wait_for(lag, lambda found: found == 0)
