"""Records are counted where offsets do not count them: what waits, what was published, and what is missing."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from c2kit.batches.kinds import Kind
from c2kit.bus.base import BusError, BusUnavailable, Delivery, Position, Record, Step, StreamSpec
from c2kit.bus.kafka import KafkaBus, tails
from c2kit.bus.kafka.workers import GroupWorker
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.observing.ledger import ledger_text
from c2kit.pipeline.runner import Runner
from c2kit.pipeline.settings import Settings
from c2kit.processors import CommandEncoder, Identifier
from tests.kafka_brokers import emptied, wait_for
from tests.missions import flown, frames_of, one_satellite, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from c2kit.bus.base import PartitionId, Received, Sink, Worker
    from c2kit.pipeline.composition.mission import Mission
    from dev.kafka import Cluster

IN = ("m.in", 0)
SOON = 30.0
PACKETS = tuple(packet for packet in flown(20) if packet)[:20]
pytestmark = pytest.mark.slow


@pytest.fixture
def bus(one_broker: Cluster) -> Iterator[KafkaBus]:
    with KafkaBus(emptied(one_broker).addresses) as bus:
        bus.apply([StreamSpec(name="m.in", writer="source", consumers=("copy", "log"))])
        insist(lambda: bus.streams("m.in"))
        yield bus


def insist(call: Callable[[], object]) -> None:
    """Do it as soon as it can be: what has just begun may not be known to all of a broker yet."""

    def is_done() -> bool:
        with suppress(BusUnavailable):
            call()
            return True
        return False

    wait_for(is_done, bool)


def addresses(bus: KafkaBus) -> str:
    return bus.url.removeprefix("kafka:")


def commit(worker: Worker, count: int) -> None:
    worker.commit(Step(publish=[Record("m.in", "lane", b"%d" % number) for number in range(count)]))


def take_back(worker: Worker) -> None:
    """Write records in a step that does not become true."""
    producer = worker._transactions._producer  # type: ignore[attr-defined]
    producer.begin_transaction()
    for _ in range(3):
        producer.produce("m.in", b"never committed", b"lane", 0)
    producer.flush(SOON)
    producer.abort_transaction(SOON)


def taken(reader: Worker | Sink, count: int) -> list[Received]:
    records: list[Received] = []
    while len(records) < count:
        got = reader.receive(SOON)
        records += got.records if isinstance(got, Delivery) else got
    return records


def counted_plainly(url: str, key: PartitionId, begin: int) -> int:
    """How many records a consumer that has nothing to do with c2kit reads from there to the end."""
    settings = {"bootstrap.servers": url.removeprefix("kafka:"), "group.id": "plain"}
    with closing(Consumer({**settings, "isolation.level": "read_committed", "enable.partition.eof": True})) as consumer:
        consumer.assign([TopicPartition(*key, begin)])
        count = 0
        while (message := consumer.poll(SOON)) is not None and message.error() is None:
            count += 1
        assert message is not None
        return count


def lag_of(bus: KafkaBus, stage: str) -> tuple[int, bool]:
    (info,) = bus.streams("m.in")
    return info.lag[stage], stage in info.estimated


def wait_for_lag(bus: KafkaBus, stage: str, count: int) -> None:
    """Wait until so many records wait for a stage, and are counted."""
    wait_for(lambda: lag_of(bus, stage), lambda found: found == (count, False))


def test_lag_is_what_a_plain_consumer_counts_whatever_was_taken_back_and_however_small_steps_are(bus: KafkaBus) -> None:
    with bus.worker("source", (), outputs=("m.in",)) as source:
        for count in (1, 1, 5, 1, 2):
            commit(source, count)
            take_back(source)
        assert bus.streams("m.in")[0].next_offsets[0] > 2 * 10
        with bus.worker("copy", ("m.in",), exclusive=True) as copy:
            records = taken(copy, 10)
            for passed in (0, 1, 4, 10):
                begin = records[passed - 1].offset + 1 if passed else 0
                copy.commit(Step(passed={IN: begin}))
                left = counted_plainly(bus.url, IN, begin)
                assert left == 10 - passed
                wait_for_lag(bus, "copy", left)
            commit(source, 3)
            take_back(source)
            wait_for_lag(bus, "copy", 3)
            assert lag_of(bus, "log") == (13, False)
            assert counted_plainly(bus.url, IN, 0) == 13


def test_what_is_too_much_to_be_counted_is_told_as_at_most_so_many(
    bus: KafkaBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "MOST_OFFSETS", 6)
    with bus.worker("source", (), outputs=("m.in",)) as source:
        for _ in range(3):
            commit(source, 1)
        wait_for_lag(bus, "log", 3)
        commit(source, 1)
        wait_for(lambda: lag_of(bus, "log"), lambda found: found == (8, True))


def test_what_was_published_is_counted_once_whoever_writes_and_however_often_it_begins_anew(bus: KafkaBus) -> None:
    def published() -> int:
        return bus.published(["m.in"])["m.in"]

    assert published() == 0
    for _ in range(2):
        with bus.worker("source", (), outputs=("m.in",)) as source:
            commit(source, 3)
            take_back(source)
            commit(source, 1)
    with KafkaBus(addresses(bus)) as other, other.worker("source", (), outputs=("m.in",), ordinal=1) as replica:
        commit(replica, 5)
    with bus.worker("source", (), outputs=("m.in",)) as source:
        commit(source, 2)
    wait_for(published, lambda found: found == 15)
    assert counted_plainly(bus.url, IN, 0) == 15


def test_a_step_that_fails_is_not_counted_and_the_place_goes_on_with_what_another_did_in_it(
    bus: KafkaBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bus.worker("source", (), outputs=("m.in",)) as source:
        commit(source, 2)
        with monkeypatch.context() as patched:
            patched.setattr(source._transactions, "_produce", _fails)  # type: ignore[attr-defined]
            with pytest.raises(BusError):
                commit(source, 4)
        source._transactions._is_spent = True  # type: ignore[attr-defined]
        with KafkaBus(addresses(bus)) as other, other.worker("source", (), outputs=("m.in",)) as second:
            commit(second, 7)
        commit(source, 1)
    wait_for(lambda: bus.published(["m.in"]), lambda found: found == {"m.in": 10})
    assert counted_plainly(bus.url, IN, 0) == 10


def _fails(*_: object) -> None:
    from confluent_kafka import KafkaError  # noqa: PLC0415 - here alone

    raise KafkaException(KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION, txn_requires_abort=True))


def test_a_sink_that_goes_back_knows_how_many_records_were_before_there(bus: KafkaBus) -> None:
    with bus.worker("source", (), outputs=("m.in",)) as source:
        for count in (1, 2, 3):
            commit(source, count)
            take_back(source)
    with bus.sink("log", [IN], []) as sink:
        records = taken(sink, 6)
        sink.passed({IN: records[4].offset + 1})
        uuid = sink.positions[IN].stream_uuid
    with bus.sink("log", [IN], [Position("m.in", uuid, 0, records[2].offset)]) as sink:
        assert sink.records_before == {IN: 2}


# -- a mission ----------------------------------------------------------------------------------


@pytest.fixture
def mission(one_broker: Cluster, tmp_path: Path) -> Mission:
    """One without an interface that runs: what its link would give is published by hand."""
    url = f"kafka:{emptied(one_broker).addresses}"
    mission = Settings(bus=url).applied_to(one_satellite())
    mission.stage("decom", Identifier(), publish=["packets"])
    mission.stage("log", PacketLogger(tmp_path / "log"))
    mission.stage("encode", CommandEncoder())
    with KafkaBus(url.removeprefix("kafka:")) as bus:
        bus.apply(specs_of(mission.describe()))
        insist(Definitions(bus, mission.name, mission.dictionary).publish)
    return mission


def give(mission: Mission, packets: Sequence[bytes]) -> None:
    with KafkaBus(mission.bus.removeprefix("kafka:")) as bus:
        publish(bus, mission, "fep", Kind.FRAMES, [frames_of([packet]) for packet in packets])


def ran(mission: Mission, packets: Sequence[bytes], *, total: int) -> str:
    """The ledger of a run in which packets came, once in all runs so many records of frames were consumed."""
    runner = Runner(mission, settings=Settings(drain_seconds=30.0))
    runner.stages = tuple(stage for stage in runner.stages if stage.role != "interface")
    with runner:
        give(mission, packets)
        insist(runner.edges)
        wait_for(lambda: runner.running.keys() >= {"decom", "log"}, bool)
        wait_for(lambda: sum(runner.running["decom"].consumed().values()), lambda found: found == total)
        wait_for(lambda: [edge.lag for edge in runner.edges()], lambda found: len(found) >= 2 and not any(found))
    assert runner.error is None
    return ledger_text(runner.rows(), runner.edges(), runner.byte_rows())


def edges_of(text: str) -> dict[tuple[str, str], list[str]]:
    """By stream and consumer: published, consumed, lag, unaccounted."""
    lines = (line.split() for line in text.splitlines())
    return {(words[0], words[1]): words[2:] for words in lines if len(words) == 6 and words[1] in {"decom", "log"}}


def test_the_ledger_adds_up_over_runs(mission: Mission) -> None:
    for packets, total in ((PACKETS[:8], 8), (PACKETS[8:], len(PACKETS))):
        text = ran(mission, packets, total=total)
        edges = edges_of(text)
        assert edges.pop(("firefly.frames.fep", "decom")) == [str(total), str(total), "0", "0"], text
        plainly = {stream: str(counted_plainly(mission.bus, (stream, 0), 0)) for stream, _ in edges}
        assert plainly["firefly.packets.FIREFLY"] != "0"
        assert edges == {(stream, "log"): [plainly[stream], plainly[stream], "0", "0"] for stream, _ in edges}, text
        assert text.endswith("unaccounted: 0")


def test_the_ledger_finds_a_record_that_is_lost_on_its_way_to_a_stage(
    mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = GroupWorker._take
    dropped: list[Received] = []

    def losing(self: GroupWorker, max_bytes: int) -> list[Received]:
        records = take(self, max_bytes)
        if records and not dropped and records[0].stream == "firefly.frames.fep":
            dropped.append(records.pop(0))
        return records

    monkeypatch.setattr(GroupWorker, "_take", losing)
    text = ran(mission, PACKETS, total=len(PACKETS) - 1)
    assert edges_of(text)["firefly.frames.fep", "decom"] == [str(len(PACKETS)), str(len(PACKETS) - 1), "0", "1"]
    assert edges_of(text)["firefly.packets.FIREFLY", "log"][3] == "0"
    assert text.endswith("unaccounted: 1")
