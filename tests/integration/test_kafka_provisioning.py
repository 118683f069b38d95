"""What a mission needs is made on a real cluster, once, and what somebody changes there is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are public
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from c2kit.bus import open_bus
from c2kit.cli import main
from c2kit.pipeline.composition.script import load_mission
from c2kit.pipeline.definitions import read_compacted
from tests.kafka_brokers import wait_for
from tests.missions import example_dictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    from dev.kafka import Cluster

    Streams = Callable[..., Result]

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parents[2] / "examples" / "04_mission.py"
FRAMES = "firefly.frames.fep"


@pytest.fixture
def cluster(one_broker: Cluster) -> Iterator[Cluster]:
    """A broker without topics of the mission, before and after."""
    _delete(one_broker)
    yield one_broker
    _delete(one_broker)


def _delete(cluster: Cluster) -> None:
    names = _topics(cluster)
    for future in cluster.admin.delete_topics(list(names)).values() if names else ():
        future.result(30)
    wait_for(lambda: _topics(cluster), lambda found: not found)


def _topics(cluster: Cluster) -> set[str]:
    return {name for name in cluster.admin.list_topics(timeout=30).topics if name.startswith("firefly.")}


@pytest.fixture
def streams(cluster: Cluster) -> Streams:
    """`c2kit streams` of the example on that broker."""

    def run(command: str, *arguments: str) -> Result:
        url = f"kafka:{cluster.addresses}"
        return CliRunner().invoke(main, ["streams", command, str(SCRIPT), "--bus", url, *arguments])

    return run


def _breaking(result: Result) -> list[tuple[str, str, str]]:
    return [(each["of"], each["setting"], each["found"]) for each in json.loads(result.stdout) if each["breaks"]]


def _set(cluster: Cluster, topic: str, name: str, value: str) -> None:
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    futures = cluster.admin.incremental_alter_configs([resource])
    for future in futures.values():
        future.result(30)


def test_all_is_made_once_and_is_as_it_should_be(cluster: Cluster, streams: Streams) -> None:
    missing = streams("check", "--json")
    assert missing.exit_code == 1
    planned = json.loads(streams("plan", "--brokers", "1", "--json").stdout)
    assert {of for of, _, _ in _breaking(missing)} == {f"topic {topic['name']}" for topic in planned}

    made = streams("apply")
    assert made.exit_code == 0, made.stderr
    assert set(made.stdout.split()) == {topic["name"] for topic in planned} == _topics(cluster)
    again = streams("apply", "--json")
    assert json.loads(again.stdout) == {
        "bus": f"kafka:{cluster.addresses}",
        "created": [],
        "existing": len(planned),
    }

    good = streams("check", "--json")
    assert (good.exit_code, _breaking(good)) == (0, [])
    assert all(each["of"] in {"cluster", "broker 1"} for each in json.loads(good.stdout))
    _assert_topics_are_as_planned(cluster, planned)
    with open_bus(f"kafka:{cluster.addresses}") as bus:
        hashes = set(example_dictionary().hashes.values())
        assert read_compacted(bus, "firefly.dictionaries").keys() == hashes
        described = {stream.name: stream for stream in load_mission(SCRIPT).describe().streams}
        assert {info.spec.name: info.spec.lanes for info in bus.streams("firefly.")} == {
            name: stream.lanes for name, stream in described.items()
        }


def _assert_topics_are_as_planned(cluster: Cluster, planned: list[dict[str, Any]]) -> None:
    """By another client's look at them."""
    metadata = cluster.admin.list_topics(timeout=30).topics
    futures = cluster.admin.describe_configs([ConfigResource(ResourceType.TOPIC, each["name"]) for each in planned])
    settings = {resource.name: future.result(30) for resource, future in futures.items()}
    for topic in planned:
        partitions = metadata[topic["name"]].partitions
        assert len(partitions) == topic["partitions"]
        assert {len(each.replicas) for each in partitions.values()} == {topic["replication_factor"]}
        has = {name: entry.value for name, entry in settings[topic["name"]].items()}
        assert topic["settings"].items() <= has.items()


def test_what_somebody_changes_is_found_and_stays_as_it_is(cluster: Cluster, streams: Streams) -> None:
    assert streams("apply").exit_code == 0
    _set(cluster, FRAMES, "retention.ms", "60000")
    _set(cluster, FRAMES, "unclean.leader.election.enable", "true")
    found = streams("check", "--json")
    assert found.exit_code == 1
    expected = [
        (f"topic {FRAMES}", "retention.ms", "60000"),
        (f"topic {FRAMES}", "unclean.leader.election.enable", "true"),
    ]
    assert sorted(_breaking(found)) == expected
    assert streams("apply").exit_code == 0
    assert sorted(_breaking(streams("check", "--json"))) == expected


def test_partitions_that_somebody_added_are_refused(cluster: Cluster, streams: Streams) -> None:
    assert streams("apply").exit_code == 0
    for future in cluster.admin.create_partitions([NewPartitions(FRAMES, 2)]).values():
        future.result(30)
    wait_for(lambda: len(cluster.admin.list_topics(FRAMES, timeout=30).topics[FRAMES].partitions), lambda n: n == 2)
    found = streams("check", "--json")
    assert (found.exit_code, (f"topic {FRAMES}", "partitions", "2") in _breaking(found)) == (1, True)
    refused = streams("apply")
    assert refused.exit_code == 2
    assert f"topic {FRAMES} has another number of partitions" in refused.stderr


def test_a_topic_that_somebody_made_before_is_not_touched_and_the_rest_is_made(
    cluster: Cluster, streams: Streams
) -> None:
    future = cluster.admin.create_topics([NewTopic(FRAMES, 1, 1, config={"retention.ms": "7200000"})])[FRAMES]
    future.result(30)
    wait_for(lambda: _topics(cluster), lambda found: FRAMES in found)
    made = streams("apply")
    assert made.exit_code == 0
    assert FRAMES not in made.stdout.split()
    assert (f"topic {FRAMES}", "retention.ms", "7200000") in _breaking(streams("check", "--json"))


def test_a_cluster_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c2kit.bus.kafka.provisioner._ANSWER_SECONDS", 1.0)
    result = CliRunner().invoke(main, ["streams", "check", str(SCRIPT), "--bus", "kafka:127.0.0.1:1"])
    assert result.exit_code == 3
    assert "cannot be asked" in result.stderr
