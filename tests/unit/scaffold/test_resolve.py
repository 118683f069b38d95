"""The plan: what runs, how often, with what, and what is refused before anything is written."""

from __future__ import annotations

import pytest
from attrs import evolve

from c2kit.errors import UnknownName, UsageError
from c2kit.links import TcpClient
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.structuring import Faulty
from c2kit.processors import Identifier
from c2kit.protocols import CcsdsPackets
from c2kit.scaffold.settings import (
    ExternalKafka,
    KafkaKind,
    KafkaSettings,
    LinkSettings,
    Mesh,
    StorageSettings,
    VolumeSettings,
)
from tests.missions import example_dictionary
from tests.scaffolding import everything, everything_settings, planned, planned_everything


def test_interfaces_are_singletons_processors_scale_and_sinks_have_a_fixed_number() -> None:
    plan = planned_everything()
    found = {each.label: (each.replicas, each.autoscale is not None) for each in plan.workloads}
    assert found["client"] == (1, False)
    assert found["identify"] == (1, True)
    assert found["decom"] == (1, False)
    assert found["log"] == (2, False)
    assert found["encode"] == (1, False)
    assert "command-source" not in found
    assert "provisioner" not in found


def test_who_runs_nothing_has_an_identity_all_the_same() -> None:
    plan = planned_everything()
    running = {each.label for each in plan.workloads}
    assert {each.label for each in plan.identities} - running == {
        "command-source",
        "observer",
        "provisioner",
        "scaler",
    }


def test_the_environment_says_where_the_bus_files_and_devices_are() -> None:
    settings = everything_settings()
    links = {**settings.links, "client": LinkSettings(address="192.0.2.99:7011")}
    plan = planned(everything(), evolve(settings, links=links))
    by_label = {each.label: dict(each.environment) for each in plan.workloads}
    assert by_label["client"]["C2KIT_LINK_CLIENT"] == "192.0.2.99:7011"
    assert by_label["client-raw-log"]["C2KIT_DIR_CLIENT_RAW_LOG"] == "/var/lib/c2kit"
    assert by_label["decom"]["C2KIT_BUS"] == "kafka:kafka-kafka-bootstrap.all-of-it.svc:9093"
    assert not [name for name in by_label["decom"] if name.startswith(("C2KIT_LINK_", "C2KIT_DIR_"))]


def test_files_are_kept_on_volumes_of_the_size_that_is_told() -> None:
    storage = StorageSettings(size="1Ti", stages={"log": VolumeSettings(storage_class="fast")})
    plan = planned(everything(), evolve(everything_settings(), storage=storage))
    volumes = {each.label: each.volumes for each in plan.workloads if each.volumes}
    assert {label: [(v.size, v.storage_class, v.claim) for v in found] for label, found in volumes.items()} == {
        "client-raw-log": [("1Ti", "", "")],
        "log": [("1Ti", "fast", "")],
        "file": [("", "", "recordings")],
    }


def test_images_hold_kafkas_client_whatever_bus_the_script_names() -> None:
    extras = {each.label: each.extras for each in planned_everything().workloads}
    assert extras["decom"] == ("kafka",)
    assert extras["serial"] == ("kafka", "serial")


@pytest.mark.parametrize("key", ["links", "storage"])
def test_settings_of_what_is_not_there_are_refused_with_what_is(key: str) -> None:
    settings = everything_settings()
    if key == "links":
        settings = evolve(settings, links={**settings.links, "cleint": LinkSettings()})
    else:
        settings = evolve(settings, storage=StorageSettings(stages={"lgo": VolumeSettings()}))
    with pytest.raises(Faulty, match=r"did you mean (client|log)"):
        planned(everything(), settings)


def test_a_store_that_is_nowhere_is_refused() -> None:
    with pytest.raises(Faulty, match="store archive of decom"):
        planned(everything(), evolve(everything_settings(), stores={}))


def test_a_caller_that_is_no_stage_is_refused() -> None:
    described = everything()
    stages = [
        evolve(stage, ports=tuple(evolve(port, callers=("nobody",)) for port in stage.ports))
        for stage in described.stages
    ]
    with pytest.raises(UnknownName, match="nobody"):
        planned(evolve(described, stages=tuple(stages)), everything_settings())


@pytest.mark.parametrize("external", [ExternalKafka(), ExternalKafka(bootstrap=("broker.example.com:9093",))])
def test_brokers_of_somebody_else_must_be_somewhere(external: ExternalKafka) -> None:
    kafka = KafkaSettings(kind=KafkaKind.EXTERNAL, external=external)
    with pytest.raises(Faulty):
        planned(everything(), evolve(everything_settings(), kafka=kafka))


@pytest.mark.parametrize("name", ["kafka-kafka", "default", "Scaler"])
def test_a_name_that_something_else_has_in_the_namespace_is_refused(name: str) -> None:
    mission = Mission("m", dictionary=example_dictionary())
    mission.interface("fep", TcpClient("192.0.2.1", 1), protocols=[CcsdsPackets()], targets=["FIREFLY"])
    mission.stage(name, Identifier())
    settings = evolve(everything_settings(), links={}, stores={})
    with pytest.raises(UsageError, match=f"the name of {name}"):
        planned(mission.describe(), settings)


@pytest.mark.parametrize(("port", "mesh", "whose"), [(8080, Mesh.NONE, "health"), (15006, Mesh.SIDECAR, "the mesh")])
def test_a_port_that_something_else_has_in_the_pod_is_refused(port: int, mesh: Mesh, whose: str) -> None:
    told = everything_settings(mesh)
    links = {**told.links, "server": LinkSettings(address=str(port))}
    with pytest.raises(Faulty, match=f"port {port} of server .* is that of .*{whose}"):
        planned(everything(), evolve(told, links=links))


def test_a_port_of_datagrams_is_another_than_that_of_health() -> None:
    told = everything_settings()
    links = {**told.links, "listener": LinkSettings(address="8080")}
    assert planned(everything(), evolve(told, links=links)).unset
