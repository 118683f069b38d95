"""The brokers that the tests of the Kafka bus use: they come, die, come back and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer
from confluent_kafka.cimpl import NewTopic

from tests.kafka_brokers import cluster_of, wait_for

if TYPE_CHECKING:
    from dev.kafka import Broker, Cluster

ROOT = Path(__file__).parents[2]


def test_a_broker_that_is_killed_comes_back_with_what_it_had(one_broker: Cluster) -> None:
    one_broker.admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(30)
    producer = Producer({"bootstrap.servers": one_broker.addresses, "acks": "all"})
    producer.produce("kept", b"x")
    assert producer.flush(30) == 0
    assert one_broker.leader("kept", 0) == 1
    assert one_broker.controller() == 1
    one_broker.brokers[1].kill()
    assert one_broker.members() == set()
    one_broker.brokers[1].start()
    one_broker.wait()
    assert "kept" in one_broker.admin.list_topics(timeout=30).topics
    one_broker.admin.delete_topics(["kept"])["kept"].result(30)


@pytest.mark.slow
def test_three_brokers_elect_others_while_one_is_dead() -> None:
    with cluster_of(3, properties={"broker.session.timeout.ms": "3000"}) as cluster:
        cluster.admin.create_topics([NewTopic("spread", 1, 3)])["spread"].result(30)
        leader = wait_for(lambda: cluster.leader("spread", 0), lambda found: found > 0)
        cluster.brokers[leader].kill()
        other = wait_for(lambda: cluster.leader("spread", 0), lambda found: found not in {-1, leader})
        assert other in cluster.members()
        cluster.brokers[leader].start()
        cluster.wait()
        first = cluster.controller()
        cluster.brokers[first].pause()
        wait_for(cluster.controller, lambda found: found != first)
        cluster.brokers[first].resume()
        assert cluster.members() == {1, 2, 3}
        assert cluster.add().number == 4
        assert cluster.members() == {1, 2, 3, 4}
        cluster.reassign({("spread", 0): [4, 1, 2]})
        assert cluster.replicas()["spread", 0] == [4, 1, 2]
        cluster.brokers[4].fill_disk()
        producer = Producer({"bootstrap.servers": cluster.addresses, "acks": "all"})
        wait_for(lambda: _fed(producer, cluster.brokers[4]), lambda is_running: not is_running)
        cluster.brokers[4].start()
        cluster.wait()
        assert producer.flush(60) == 0  # with room it takes what it did not


def _fed(producer: Producer, broker: Broker) -> bool:
    """Give more to write; whether the broker still runs."""
    for _ in range(20):
        producer.produce("spread", bytes(10_000), partition=0)
    producer.flush(0.1)
    return broker.is_running


def test_nothing_runs_on_when_its_owner_is_killed(one_broker: Cluster) -> None:
    assert one_broker.members()  # so that it is installed
    command = [sys.executable, "-m", "dev.kafka", "--brokers", "1", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    says = next(line for line in process.stdout if "is at" in line)
    folder = Path(says.split("its logs in ")[1].split("/*")[0])
    pids = _java_in(folder)
    assert len(pids) == 1
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    process.stdout.close()
    wait_for(lambda: _java_in(folder), lambda found: not found)
    os.utime(folder, (0, 0))  # it is deleted by whoever comes later
    with cluster_of(1):
        assert not folder.exists()


def _java_in(folder: Path) -> list[int]:
    """Processes that work in a broker's folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if each.readlink().is_relative_to(folder):
                found.append(int(each.parent.name))
        except OSError:  # it ended meanwhile, or is another user's
            continue
    return found
