"""A step that was taken back although a broker has its records: done again, it is there, and once."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from c2kit.bus import BusUnavailable, Fenced, Record, Step, StreamSpec
from c2kit.bus.kafka import KafkaBus
from c2kit.bus.reading import records_of
from tests.kafka_brokers import cluster_of, wait_for
from tests.kafka_proxy import SilencingProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.bus import Worker
    from dev.kafka import Cluster

IN, OUT = "m.frames.fep", "m.packets.SAT"
KEY = ("count", "lane")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def behind_proxy() -> Iterator[tuple[Cluster, SilencingProxy]]:
    """A broker that clients reach by way of a proxy alone."""
    with contextlib.closing(SilencingProxy()) as proxy:
        listener = {"advertised.listeners": f"PLAINTEXT://127.0.0.1:{proxy.port}"}
        with cluster_of(1, properties=listener) as cluster:
            proxy.broker_port = cluster.brokers[1].port
            yield cluster, proxy


def received(worker: Worker, count: int) -> list[int]:
    """The offsets of the records that wait; no others come."""
    offsets: list[int] = []
    wait_for(
        lambda: offsets.extend(each.offset for each in worker.receive(0.1).records), lambda _: len(offsets) == count
    )
    return offsets


def step(offset: int, value: bytes) -> Step:
    """Publish a value for the record at an offset."""
    return Step(publish=[Record(OUT, "lane", value)], passed={(IN, 0): offset + 1}, snapshots={KEY: value})


def prepared(bus: KafkaBus, stage: str, values: int) -> None:
    """Make streams of a mission of the stage's name, and publish so many records."""
    bus.apply([StreamSpec(name=IN, writer="fep", consumers=(stage,)), StreamSpec(name=OUT, writer=stage)])
    with bus.worker("fep", (), outputs=(IN,)) as source:
        for number in range(values):
            source.commit(Step(publish=[Record(IN, "lane", str(number).encode())]))


def test_a_step_that_is_done_again_is_not_taken_for_the_one_that_was_taken_back(
    behind_proxy: tuple[Cluster, SilencingProxy],
) -> None:
    cluster, proxy = behind_proxy
    with KafkaBus(cluster.addresses) as bus, KafkaBus(cluster.addresses) as other_bus:
        prepared(bus, "decom", 4)
        with bus.worker("decom", (IN,), outputs=(OUT,), exclusive=True) as worker:
            offsets = received(worker, 4)
            worker.commit(step(offsets[0], b"0"))
            proxy.is_silencing = True
            with pytest.raises(BusUnavailable):
                worker.commit(step(offsets[1], b"1"))
            assert proxy.silenced == 1  # the broker has the record
            proxy.is_silencing = False
            worker.commit(step(offsets[1], b"1"))
            worker.commit(step(offsets[2], b"2"))
            assert [record.value for record in records_of(bus, [OUT])] == [b"0", b"1", b"2"]

            proxy.silenced, proxy.is_silencing = 0, True
            with pytest.raises(BusUnavailable):
                worker.commit(step(offsets[3], b"3"))
            proxy.is_silencing = False
            with other_bus.worker("decom", (IN,), outputs=(OUT,), exclusive=True) as other:
                assert other.snapshot(KEY) == b"2"
                (offset,) = received(other, 1)
                other.commit(step(offset, b"3 of another"))
            with pytest.raises(Fenced):
                worker.commit(step(offsets[3], b"3"))
        assert [record.value for record in records_of(bus, [OUT])] == [b"0", b"1", b"2", b"3 of another"]
