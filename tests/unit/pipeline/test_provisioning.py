"""A bus is made ready once, compared as often as wanted, and never changed where it has something already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import define, evolve, field

from c2kit.bus import BusUnavailable, StreamSpec, open_bus
from c2kit.bus.topic import Cluster, Topic
from c2kit.errors import UsageError
from c2kit.links import TcpClient
from c2kit.pipeline.composition.topics import topics_of
from c2kit.pipeline.definitions import read_compacted
from c2kit.pipeline.provisioning import provisioning_of
from c2kit.protocols import CcsdsPackets
from tests.looking import firefly
from tests.missions import example_dictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from c2kit.pipeline.composition.mission import Mission


def on(bus: str, mission: Mission | None = None) -> Mission:
    mission = mission or firefly()
    changed = evolve(mission, bus=bus)
    changed.interfaces.update(mission.interfaces)
    changed.stages.update(mission.stages)
    return changed


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'bus.db'}"


def test_an_embedded_bus_gets_all_streams_and_definitions_once(url: str) -> None:
    provisioning = provisioning_of(on(url))
    names = {spec.name for spec in provisioning.specs}
    first, second = provisioning.apply(), provisioning.apply()
    assert (set(first.created), first.existing) == (names, 0)
    assert (second.created, second.existing) == ((), len(names))
    with open_bus(url) as bus:
        assert {info.spec.name for info in bus.streams()} == names
        assert read_compacted(bus, "firefly.dictionaries").keys() == set(example_dictionary().hashes.values())
    assert provisioning.check() == []


def test_checking_an_embedded_bus_that_is_not_there_makes_none(url: str, tmp_path: Path) -> None:
    provisioning = provisioning_of(on(url))
    found = provisioning.check()
    assert {each.of for each in found} == {f"stream {spec.name}" for spec in provisioning.specs}
    assert all(each.breaks for each in found)
    assert list(tmp_path.iterdir()) == []


def test_streams_that_were_made_otherwise_are_told(url: str) -> None:
    mission = on(url)
    with open_bus(url) as bus:
        bus.apply([StreamSpec(name="firefly.frames.fep", writer="firefly.other", partitions=3, lanes=("fep",))])
    found = {(each.of, each.setting): each for each in provisioning_of(mission).check()}
    partitions = found["stream firefly.frames.fep", "partitions"]
    assert (partitions.wanted, partitions.found, partitions.breaks) == ("1", "3", True)
    assert found["stream firefly.frames.fep", "writer"].found == "firefly.other"
    assert ("stream firefly.frames.fep", "lanes") not in found
    with pytest.raises(UsageError, match=r"firefly\.frames\.fep exists with another writer"):
        provisioning_of(mission).apply()


def test_definitions_that_are_not_there_are_told(url: str) -> None:
    provisioning = provisioning_of(on(url))
    with open_bus(url) as bus:
        bus.apply(provisioning.specs)
    hashes = example_dictionary().hashes
    assert {(each.of, each.setting, each.wanted, each.breaks) for each in provisioning.check()} == {
        (f"target {name}", "definitions", of_target, True) for name, of_target in hashes.items()
    }


def test_a_bus_within_a_process_is_refused() -> None:
    with pytest.raises(UsageError, match="within the process that runs the mission"):
        provisioning_of(on("memory:"))


# -- Kafka, without one: what is made and when is seen on a cluster that only takes notes -------


@define
class NotedCluster:
    """Answers as a cluster of three brokers does, and notes what is asked of it."""

    topics: dict[str, Topic] = field(factory=dict)
    created: list[str] = field(factory=list)
    failures: int = 0

    def cluster(self, is_wanted: Callable[[str], bool]) -> Cluster:
        if self.failures:
            self.failures -= 1
            raise BusUnavailable("not now")
        return Cluster(
            brokers={key: {} for key in (1, 2, 3)},
            topics={name: topic for name, topic in self.topics.items() if is_wanted(name)},
        )

    def create(self, topics: Sequence[Topic]) -> None:
        self.created += [topic.name for topic in topics]

    def describe(self, mission: str, specs: Collection[StreamSpec]) -> None:
        raise AssertionError((mission, specs))


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> NotedCluster:
    noted = NotedCluster()
    monkeypatch.setattr("c2kit.bus.kafka.provisioner.Provisioner", lambda *_: noted)
    return noted


def test_partitions_are_never_added_and_nothing_is_made_beside(noted: NotedCluster) -> None:
    mission = on("kafka:localhost:1")
    (frames,) = [each for each in topics_of(mission.describe()) if each.name == "firefly.telemetry.FIREFLY"]
    noted.topics[frames.name] = frames
    link = TcpClient("localhost", 7012)
    mission.interface("second", link, protocols=[CcsdsPackets()], targets=["FIREFLY"])
    with pytest.raises(
        UsageError, match=r"FIREFLY has another number of partitions.*expected 2, found 1.*another name"
    ):
        provisioning_of(mission).apply()
    assert noted.created == []


def test_what_a_cluster_lacks_is_told_without_asking_more_of_it(noted: NotedCluster) -> None:
    noted.topics = {
        name: Topic(name=name, partitions=1, replication_factor=1, settings={}) for name in ("other.x", "__y")
    }
    found = provisioning_of(on("kafka:localhost:1")).check()
    missing = {each.of for each in found if each.setting == "topic"}
    assert missing == {f"topic {topic.name}" for topic in topics_of(firefly().describe())}
    assert noted.created == []


def test_checking_does_not_wait_for_a_cluster_that_does_not_answer(noted: NotedCluster) -> None:
    noted.failures = 1
    with pytest.raises(BusUnavailable):
        provisioning_of(on("kafka:localhost:1")).check()
