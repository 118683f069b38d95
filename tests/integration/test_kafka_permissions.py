"""With mutual TLS and the standard authorizer each identity does its work with exactly its permissions, and no more."""

from __future__ import annotations

import json
import logging
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are public
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, open_bus
from c2kit.bus.kafka.provisioner import Provisioner
from c2kit.bus.kafka.security import Secrets
from c2kit.cli import main
from c2kit.pipeline.composition.acls import Acl, Operation, Resource, permissions_of
from c2kit.pipeline.composition.script import load_mission
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.composition.topic_checks import check_cluster
from c2kit.pipeline.composition.topics import topics_of
from c2kit.pipeline.runner import Runner
from c2kit.pipeline.settings import Settings
from tests.authorities import Authority
from tests.kafka_brokers import cluster_of, wait_for
from tests.missions import flown, frames_of, publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from click.testing import Result

    from c2kit.bus import StreamSpec
    from c2kit.pipeline.composition.description import MissionDescription
    from dev.kafka import Cluster

pytestmark = pytest.mark.slow
SCRIPT = """
from c2kit.processors import Decommutator, Identifier
from tests.missions import one_satellite

mission = one_satellite()
mission.stage("decom", Identifier(), Decommutator(), targets=["FIREFLY"])
mission.interface(
    "second", mission.interfaces["fep"].link, protocols=mission.interfaces["fep"].protocols, targets=["ANTENNA"]
)
mission.stage("decom-2", Identifier(), Decommutator(), targets=["ANTENNA"])
"""
NOT_YET = {"NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE", "COORDINATOR_LOAD_IN_PROGRESS"}
"""What the first to ask about a group may be told."""
OPERATIONS = {
    Operation.READ: AclOperation.READ,
    Operation.WRITE: AclOperation.WRITE,
    Operation.DESCRIBE: AclOperation.DESCRIBE,
    Operation.CREATE: AclOperation.CREATE,
    Operation.DESCRIBE_CONFIGS: AclOperation.DESCRIBE_CONFIGS,
}
RESOURCES = {
    Resource.TOPIC: ResourceType.TOPIC,
    Resource.GROUP: ResourceType.GROUP,
    Resource.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
    Resource.CLUSTER: ResourceType.BROKER,
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mission") / "mission.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture(scope="module")
def description(script: Path) -> MissionDescription:
    return load_mission(script).describe()


@pytest.fixture(scope="module")
def cluster(authority: Authority, description: MissionDescription) -> Iterator[Cluster]:
    """A broker that permits nothing but what follows from the description."""
    store = authority.store("broker")
    properties = {
        "listeners": "SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": "SSL://127.0.0.1:{port}",
        "inter.broker.listener.name": "SSL",
        "ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.folder / "ca.crt"),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:CN=broker;User:CN=admin;User:ANONYMOUS",  # the last one is of the controllers' listener
    }
    clients = Secrets.load(authority.secret("admin")).client_settings()
    with cluster_of(1, properties=properties, clients=clients) as cluster:
        futures = cluster.admin.create_acls(
            [_binding(each.identity, acl) for each in permissions_of(description) for acl in each.acls]
        )
        for future in futures.values():
            future.result(30)
        yield cluster


def _binding(identity: str, acl: Acl) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if acl.is_prefix else ResourcePatternType.LITERAL
    return AclBinding(
        RESOURCES[acl.resource],
        acl.name,
        pattern,
        f"User:CN={identity}",
        "*",
        OPERATIONS[acl.operation],
        AclPermissionType.ALLOW,
    )


@pytest.fixture(scope="module")
def provisioned(cluster: Cluster, authority: Authority, description: MissionDescription) -> Provisioner:
    """All topics, made by who provisions and with exactly what that is permitted."""
    provisioner = Provisioner(cluster.addresses, Secrets.load(authority.secret("firefly.provisioner")))
    wanted = topics_of(description, brokers=1)
    provisioner.create(wanted)
    names = {topic.name for topic in wanted}
    wait_for(lambda: set(cluster.admin.list_topics(timeout=30).topics), lambda found: names <= found)
    return provisioner


@pytest.fixture(scope="module")
def decom(authority: Authority, cluster: Cluster) -> Mapping[str, str]:
    """What a client of stage ``decom`` is given."""
    settings = Secrets.load(authority.secret("firefly.decom")).client_settings()
    return {"bootstrap.servers": cluster.addresses, "log_level": "0", **settings}


def test_who_provisions_makes_and_checks_all_of_it(provisioned: Provisioner, description: MissionDescription) -> None:
    found = provisioned.cluster(lambda name: name.startswith("firefly."))
    wanted = topics_of(description, brokers=1)
    assert not [each for each in check_cluster("firefly", wanted, found) if each.breaks]
    specs = {spec.name: spec for spec in specs_of(description)}
    wait_for(lambda: _described(provisioned, list(specs.values())), bool)
    assert provisioned.described("firefly") == specs


def _described(provisioner: Provisioner, specs: list[StreamSpec]) -> bool:
    try:
        provisioner.describe("firefly", specs)
    except BusUnavailable:  # a topic that is new
        return False
    return True


def _delivered(settings: Mapping[str, str], topic: str) -> str:
    """What became of a record, by the name of the error."""
    told: list[KafkaError | None] = []
    producer = Producer({**settings, "enable.idempotence": True})
    producer.produce(topic, b"x", b"key", on_delivery=lambda error, _: told.append(error))
    producer.flush(60)
    return "delivered" if told[0] is None else told[0].name()


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize(
    ("topic", "fate"),
    [
        ("firefly.telemetry.FIREFLY", "delivered"),
        ("firefly.state.decom", "delivered"),
        ("firefly.telemetry.ANTENNA", "TOPIC_AUTHORIZATION_FAILED"),
        ("firefly.state.decom-2", "TOPIC_AUTHORIZATION_FAILED"),
        ("firefly.frames.fep", "TOPIC_AUTHORIZATION_FAILED"),
        ("firefly.dictionaries", "TOPIC_AUTHORIZATION_FAILED"),
        ("firefly.streams", "TOPIC_AUTHORIZATION_FAILED"),
    ],
)
def test_a_stage_writes_its_own_streams_and_no_others(decom: Mapping[str, str], topic: str, fate: str) -> None:
    assert _delivered(decom, topic) == fate


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize(
    ("transactional_id", "fate"),
    [
        ("firefly.decom.0", "begun"),
        ("firefly.decom.17", "begun"),
        ("firefly.decom-2.0", "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"),
        ("firefly.decom", "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"),
        ("firefly.fep.0", "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"),
    ],
)
def test_a_stage_has_the_transactional_ids_of_its_replicas(
    decom: Mapping[str, str], transactional_id: str, fate: str
) -> None:
    producer = Producer({**decom, "transactional.id": transactional_id})
    try:
        producer.init_transactions(60)
    except KafkaException as error:
        told = error.args[0].name()
    else:
        told = "begun"
    assert told == fate


def _committed(settings: Mapping[str, str], group: str) -> str:
    """What became of saying how far a group got, by the name of the error."""
    told: list[str] = []
    consumer = Consumer(
        {
            **settings,
            "group.id": group,
            "enable.auto.commit": False,
            "on_commit": lambda error, _: told.append("committed" if error is None else error.name()),
        }
    )
    with closing(consumer):
        consumer.commit(offsets=[TopicPartition("firefly.frames.fep", 0, 0)], asynchronous=True)
        while not told:
            message = consumer.poll(0.1)
            error = None if message is None else message.error()
            if error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                told.append(error.name())  # it does not even learn who coordinates that group
    return told[0]


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize(
    ("group", "fate"),
    [
        ("firefly.decom", "committed"),
        ("firefly.decom-2", "GROUP_AUTHORIZATION_FAILED"),
        ("c2kit.none", "GROUP_AUTHORIZATION_FAILED"),
    ],
)
def test_a_stage_says_how_far_it_has_read_and_not_how_far_another_has(
    decom: Mapping[str, str], group: str, fate: str
) -> None:
    assert wait_for(lambda: _committed(decom, group), lambda told: told not in NOT_YET) == fate


@pytest.mark.usefixtures("provisioned")
def test_a_certificate_of_nobody_is_permitted_nothing(authority: Authority, cluster: Cluster) -> None:
    settings = Secrets.load(authority.secret("nobody")).client_settings()
    security = {"bootstrap.servers": cluster.addresses, "log_level": "0", **settings}
    assert _delivered(security, "firefly.telemetry.FIREFLY") == "TOPIC_AUTHORIZATION_FAILED"


def _c2kit(cluster: Cluster, secret: Path, *words: str) -> Result:
    """A command under an identity."""
    environment = {"C2KIT_BUS": f"kafka:{cluster.addresses}", "C2KIT_KAFKA_SECRETS": str(secret)}
    return CliRunner().invoke(main, words, env=environment)


@pytest.mark.usefixtures("provisioned")
def test_a_mission_is_applied_run_and_looked_at_by_who_may_and_no_secret_is_told(
    script: Path, cluster: Cluster, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url, observer = f"kafka:{cluster.addresses}", authority.secret("firefly.observer")
    applied = _c2kit(cluster, authority.secret("firefly.provisioner"), "streams", "apply", str(script))
    assert applied.exit_code == 0, applied.stderr
    mission = load_mission(script)
    with open_bus(url, secrets=authority.secret("firefly.fep")) as bus:
        publish(bus, mission, "fep", Kind.FRAMES, [frames_of([packet for packet in flown(20) if packet])])
    settings = Settings(bus=url, kafka_secrets=authority.secret("firefly.decom"))
    with Runner(mission, stage="decom", settings=settings):
        tail = ["tail", "telemetry.FIREFLY", "--from-oldest", "-f", "jsonl", "-n", "3", "--seconds", "60"]
        tailed = _c2kit(cluster, observer, *tail)
    assert tailed.exit_code == 0, tailed.stderr
    assert [json.loads(line)["target"] for line in tailed.stdout.splitlines()] == ["FIREFLY"] * 3
    listed = _c2kit(cluster, observer, "streams", "ls", "--json", "--over", "0")
    assert listed.exit_code == 0, listed.stderr
    said = [caplog.text, *(each.output for each in (applied, tailed, listed)), repr(settings)]
    for key in (line for file in authority.folder.glob("*/tls.key") for line in file.read_text().splitlines()[1:-1]):
        assert not any(key in text for text in said)


@pytest.mark.usefixtures("provisioned")
def test_how_far_others_got_is_left_out_at_once_where_it_may_not_be_known(
    cluster: Cluster, authority: Authority
) -> None:
    url = f"kafka:{cluster.addresses}"
    known = {}
    began = time.monotonic()
    for identity in ("firefly.observer", "firefly.fep"):
        with open_bus(url, secrets=authority.secret(identity)) as bus:
            known[identity] = {stage for info in bus.streams("firefly.") for stage in info.lag}
    assert time.monotonic() - began < 25  # the library itself would ask for 30 s
    assert known["firefly.observer"] >= {"firefly.decom", "firefly.decom-2"}
    assert "firefly.decom" not in known["firefly.fep"]
