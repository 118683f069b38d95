"""The cluster of brokers as Strimzi makes it: what its users may do is what the mission's permissions are."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from attrs import evolve

from c2kit.bus.topic import Cluster
from c2kit.pipeline.composition.acls import Acl, Operation, Resource, permissions_of
from c2kit.pipeline.composition.topic_checks import check_cluster
from c2kit.pipeline.composition.topics import topics_of
from c2kit.scaffold import kafka
from c2kit.scaffold.permissions import kafka_user
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import KafkaSettings, StrimziKafka
from tests.scaffolding import everything, everything_settings, planned, planned_everything

RESOURCES = {
    "topic": Resource.TOPIC,
    "group": Resource.GROUP,
    "transactionalId": Resource.TRANSACTIONAL_ID,
    "cluster": Resource.CLUSTER,
}


def objects(*texts: str) -> list[dict[str, Any]]:
    return [each for text in texts for each in yaml.safe_load_all(text)]


def read_back(user: dict[str, Any]) -> set[Acl]:
    """What Strimzi makes of a user: "KafkaUser: simple authorization"."""
    return {
        Acl(
            resource=RESOURCES[entry["resource"]["type"]],
            name=entry["resource"].get("name", "kafka-cluster"),
            operation=Operation(operation),
            is_prefix=entry["resource"].get("patternType", "literal") == "prefix",
        )
        for entry in user["spec"]["authorization"]["acls"]
        for operation in entry["operations"]
    }


def test_users_may_exactly_what_the_missions_permissions_say() -> None:
    plan = planned_everything()
    users = {each.name: objects(kafka_user(plan, each, Templates()))[0] for each in plan.identities}
    for permissions in permissions_of(plan.description):
        name = permissions.identity.split(".", 1)[1]
        assert read_back(users.pop(name)) == set(permissions.acls)
    assert {acl.operation for acl in read_back(users.pop("scaler"))} == {Operation.DESCRIBE}
    assert users == {}


def test_what_scales_stages_sees_the_groups_and_topics_of_those_that_are_scaled() -> None:
    plan = planned_everything()
    scaler = next(each for each in plan.identities if each.role == "scaler")
    identify = plan.description.stage("identify")
    names = {acl.name for acl in scaler.permissions.acls}
    assert names == {"all-of-it.identify", *identify.reads}


@pytest.mark.parametrize("brokers", [1, 3, 5])
def test_topics_and_brokers_are_what_the_check_of_streams_wants(brokers: int) -> None:
    settings = everything_settings()
    settings = evolve(settings, kafka=KafkaSettings(strimzi=StrimziKafka(brokers=brokers)))
    plan = planned(everything(), settings)
    made = objects(*kafka.topics(plan, Templates()))
    wanted = {topic.name: topic for topic in topics_of(plan.description, brokers=brokers)}
    assert {each["spec"]["topicName"] for each in made} == wanted.keys()
    for each in made:
        topic, spec = wanted[each["spec"]["topicName"]], each["spec"]
        assert (spec["partitions"], spec["replicas"], spec["config"]) == (
            topic.partitions,
            topic.replication_factor,
            dict(topic.settings),
        )
    told = next(each for each in objects(*kafka.cluster(plan, Templates())) if each["kind"] == "Kafka")
    config = {key: str(value).lower() for key, value in told["spec"]["kafka"]["config"].items()}
    found = Cluster(brokers=dict.fromkeys(range(brokers), config), topics=wanted)
    complaints = {each.setting for each in check_cluster("all-of-it", wanted.values(), found) if each.breaks}
    assert complaints.isdisjoint(config), "a setting that is told must be right"


def test_brokers_are_reached_by_the_missions_identities_and_what_scales_them() -> None:
    plan = planned_everything()
    made = objects(*kafka.cluster(plan, Templates()))
    (told,) = [each for each in made if each["kind"] == "Kafka"]
    (listener,) = told["spec"]["kafka"]["listeners"]
    assert (listener["port"], listener["tls"], listener["authentication"]) == (9093, True, {"type": "tls"})
    peers = listener["networkPolicyPeers"]
    names = {peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for peer in peers if "podSelector" in peer}
    assert names == {each.label for each in plan.identities if each.role != "scaler"}
    nodes = next(each for each in made if each["metadata"]["name"] == "kafka-nodes")
    assert nodes["spec"]["ingress"][0]["from"] == peers


def test_what_is_recorded_outlives_its_cluster() -> None:
    plan = planned_everything()
    pools = [each for each in objects(*kafka.cluster(plan, Templates())) if each["kind"] == "KafkaNodePool"]
    assert {pool["spec"]["roles"][0] for pool in pools} == {"broker", "controller"}
    assert {volume["deleteClaim"] for pool in pools for volume in pool["spec"]["storage"]["volumes"]} == {False}


def test_a_small_cluster_can_be_told_how_little_brokers_and_controllers_ask_for() -> None:
    strimzi = StrimziKafka(cpu="200m", memory="1Gi", controller_cpu="100m", controller_memory="512Mi")
    settings = evolve(everything_settings(), kafka=KafkaSettings(strimzi=strimzi))
    found = objects(*kafka.cluster(planned(everything(), settings), Templates()))
    asked = {each["metadata"]["name"]: each["spec"]["resources"] for each in found if each["kind"] == "KafkaNodePool"}
    assert asked == {
        "brokers": {"requests": {"cpu": "200m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
        "controllers": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}},
    }
