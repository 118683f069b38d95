"""What the owner of somebody else's cluster of Kafka is given is the same as `c2kit acls` says."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from c2kit.pipeline.composition.acls import as_commands
from c2kit.pipeline.composition.structuring import Faulty
from c2kit.scaffold.documents import objects_in
from c2kit.scaffold.kafka_admin import admin_files, secrets_to_bring
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import ExternalKafka, KafkaAuthentication, KafkaKind, KafkaSettings
from tests.scaffolding import everything, everything_settings, planned, planned_everything


def external(**told: Any) -> KafkaSettings:  # noqa: ANN401 - any setting
    return KafkaSettings(kind=KafkaKind.EXTERNAL, external=ExternalKafka(bootstrap=("b1:9094",), **told))


def plan_with(kafka: KafkaSettings) -> Any:  # noqa: ANN401 - a plan
    return planned(everything(), evolve(everything_settings(), kafka=kafka))


def test_the_missions_own_cluster_has_no_other_owner() -> None:
    assert admin_files(planned_everything(), Templates()) == {}
    assert secrets_to_bring(planned_everything()) == {}


def test_a_cluster_of_strimzis_is_given_objects_in_its_own_namespace() -> None:
    plan = plan_with(external(namespace="brokers", cluster="shared"))
    files = admin_files(plan, Templates())
    objects = [each for name, text in files.items() for each in objects_in(text, name)]
    assert {each["metadata"]["namespace"] for each in objects} == {"brokers"}
    assert {each["metadata"]["labels"]["strimzi.io/cluster"] for each in objects} == {"shared"}
    topics = {each["spec"]["topicName"] for each in objects if each["kind"] == "KafkaTopic"}
    users = {each["metadata"]["name"] for each in objects if each["kind"] == "KafkaUser"}
    assert topics == {topic.name for topic in plan.topics}
    assert users == {f"all-of-it-{identity.label}" for identity in plan.identities}, "other missions are there, too"
    brought = secrets_to_bring(plan)
    assert brought["kafka-ca"] == "shared-cluster-ca-cert"
    assert {theirs for ours, theirs in brought.items() if ours != "kafka-ca"} == users


def test_where_strimzis_cluster_is_has_to_be_known() -> None:
    with pytest.raises(Faulty, match=r"kafka\.external\.namespace: .* is not named; name it"):
        admin_files(plan_with(external(cidrs=("203.0.113.0/24",), cluster="shared")), Templates())


@pytest.mark.parametrize(
    ("authentication", "principal"),
    [(KafkaAuthentication.TLS, "User:CN={identity}"), (KafkaAuthentication.SCRAM, "User:{identity}")],
)
def test_any_other_cluster_is_given_a_script(authentication: KafkaAuthentication, principal: str) -> None:
    plan = plan_with(external(cidrs=("203.0.113.0/24",), authentication=authentication))
    script = as_commands([identity.permissions for identity in plan.identities], principal)
    assert admin_files(plan, Templates()) == {"acls.sh": script}
