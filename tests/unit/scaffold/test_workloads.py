"""Stages as objects of a cluster: what runs, who it is, how it is asked whether it is well, and how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from c2kit.scaffold.documents import objects_in
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import (
    ExternalKafka,
    ImageSettings,
    KafkaAuthentication,
    KafkaKind,
    KafkaSettings,
    LinkSettings,
    Mesh,
    StorageSettings,
    VolumeSettings,
)
from c2kit.scaffold.workloads import workload_objects
from tests.scaffolding import everything, everything_settings, planned, planned_everything

if TYPE_CHECKING:
    from c2kit.scaffold.plan import Plan
    from c2kit.scaffold.settings import Settings

Objects = dict[str, dict[str, Any]]
"""By their kinds: a stage has one of each."""


def objects(plan: Plan, label: str) -> Objects:
    templates = Templates()
    workload = next(workload for workload in plan.workloads if workload.label == label)
    found = [each for text in workload_objects(plan, workload, templates) for each in objects_in(text, label)]
    by_kind = {each["kind"]: each for each in found}
    assert len(by_kind) == len(found)
    return by_kind


def pod(of: Objects) -> dict[str, Any]:
    spec: dict[str, Any] = of["StatefulSet"]["spec"]["template"]["spec"]
    return spec


def container(of: Objects) -> dict[str, Any]:
    (only,) = pod(of)["containers"]
    assert isinstance(only, dict)
    return only


def variables(of: Objects) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(of)["env"] if "value" in each}


def with_settings(**changed: Any) -> Plan:  # noqa: ANN401 - any setting
    settings: Settings = evolve(everything_settings(), **changed)
    return planned(everything(), settings)


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Return the plan of a mission with every kind of stage."""
    return planned_everything()


def test_every_stage_is_a_stateful_set_with_an_identity_and_a_service_of_its_name(plan: Plan) -> None:
    for workload in plan.workloads:
        of = objects(plan, workload.label)
        assert {"ServiceAccount", "Service", "StatefulSet"} <= of.keys()
        assert {each["metadata"]["name"] for each in of.values()} == {workload.label}
        assert {each["metadata"]["namespace"] for each in of.values()} == {plan.namespace}
        assert of["StatefulSet"]["spec"]["serviceName"] == workload.label
        assert pod(of)["serviceAccountName"] == workload.label
        selector = of["StatefulSet"]["spec"]["selector"]["matchLabels"]
        assert selector.items() <= of["StatefulSet"]["spec"]["template"]["metadata"]["labels"].items()
        assert of["Service"]["spec"]["selector"] == selector


def test_every_pod_is_restricted_and_has_no_token(plan: Plan) -> None:
    for workload in plan.workloads:
        of = objects(plan, workload.label)
        assert of["ServiceAccount"]["automountServiceAccountToken"] is False
        spec, only = pod(of), container(of)
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsUser"] not in {0, 1337}
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= only["resources"]["requests"].keys()
        assert only["resources"]["limits"]["memory"] == only["resources"]["requests"]["memory"]


def test_a_pod_has_longer_to_end_than_the_process_takes_to_drain() -> None:
    of = objects(with_settings(drain_seconds=77), "decom")
    assert variables(of)["C2KIT_DRAIN_SECONDS"] == "77"
    assert pod(of)["terminationGracePeriodSeconds"] == 92


def test_the_environment_is_the_works_own_and_the_ordinal_that_of_the_pod(plan: Plan) -> None:
    of = objects(plan, "decom")
    assert variables(of) == {
        "C2KIT_BUS": "kafka:kafka-kafka-bootstrap.all-of-it.svc:9093",
        "C2KIT_DRAIN_SECONDS": "30",
        "C2KIT_HTTP": "0.0.0.0:8080",
        "C2KIT_KAFKA_SECRETS": "/run/secrets/kafka",
        "C2KIT_LOG": "json",
    }
    (ordinal,) = (each for each in container(of)["env"] if each["name"] == "C2KIT_ORDINAL")
    field = ordinal["valueFrom"]["fieldRef"]["fieldPath"]
    assert field == "metadata.labels['apps.kubernetes.io/pod-index']"
    assert container(of)["args"] == ["run", "mission.py", "--stage", "decom"]
    assert variables(objects(plan, "log"))["C2KIT_DIR_LOG"] == "/var/lib/c2kit"


def test_it_is_killed_for_what_the_process_does_not_do_and_never_for_a_broker_that_is_away(plan: Plan) -> None:
    only = container(objects(plan, "client"))
    paths = {kind: only[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    ports = {only[f"{kind}Probe"]["httpGet"]["port"] for kind in paths}
    assert ports == {8080}
    assert ports <= {port["containerPort"] for port in only["ports"]}


def test_an_interface_is_one_that_nothing_scales_and_no_budget_holds(plan: Plan) -> None:
    for label in ("client", "server", "listener", "serial", "file", "both-ways", "encode"):
        of = objects(plan, label)
        assert of["StatefulSet"]["spec"]["replicas"] == 1
        assert of.keys() == {"ServiceAccount", "Service", "StatefulSet"}


def test_what_follows_the_lag_says_its_number_in_one_place(plan: Plan) -> None:
    of = objects(plan, "identify")
    assert "replicas" not in of["StatefulSet"]["spec"]
    scaled = of["ScaledObject"]["spec"]
    assert scaled["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "identify"}
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (1, 4)
    (trigger,) = scaled["triggers"]
    assert trigger["metadata"]["lagThreshold"] == "500"
    assert trigger["metadata"]["consumerGroup"] == "all-of-it.identify"
    assert trigger["metadata"]["bootstrapServers"] == "kafka-kafka-bootstrap.all-of-it.svc:9093"
    assert trigger["metadata"]["tls"] == "enable"


def test_a_budget_never_holds_up_a_node_that_is_drained(plan: Plan) -> None:
    for label in ("identify", "log"):
        spec = objects(plan, label)["PodDisruptionBudget"]["spec"]
        assert spec["maxUnavailable"] == 1
        assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        assert pod(objects(plan, label))["topologySpreadConstraints"]
    assert "PodDisruptionBudget" not in objects(plan, "decom")


def test_a_sink_has_a_volume_for_each_replica_which_outlives_it() -> None:
    own = {"log": VolumeSettings(size="1Ti", storage_class="fast")}
    of = objects(with_settings(storage=StorageSettings(size="5Gi", stages=own)), "log")
    assert of["StatefulSet"]["spec"]["replicas"] == 2
    retention = of["StatefulSet"]["spec"]["persistentVolumeClaimRetentionPolicy"]
    assert set(retention.values()) == {"Retain"}
    (claim,) = of["StatefulSet"]["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"]["requests"]["storage"] == "1Ti"
    mounts = {mount["name"]: mount["mountPath"] for mount in container(of)["volumeMounts"]}
    assert mounts[claim["metadata"]["name"]] == variables(of)["C2KIT_DIR_LOG"]


def test_a_file_is_read_from_the_claim_that_the_settings_name(plan: Plan) -> None:
    of = objects(plan, "file")
    volume = next(volume for volume in pod(of)["volumes"] if "persistentVolumeClaim" in volume)
    assert volume["persistentVolumeClaim"] == {"claimName": "recordings", "readOnly": True}
    assert "volumeClaimTemplates" not in of["StatefulSet"]["spec"]
    mount = next(mount for mount in container(of)["volumeMounts"] if mount["name"] == volume["name"])
    assert variables(of)["C2KIT_LINK_FILE"] == f"{mount['mountPath']}/recording.bin"


def test_a_serial_port_comes_from_a_device_plugin(plan: Plan) -> None:
    assert container(objects(plan, "serial"))["resources"]["limits"]["example.com/tty"] == 1


@pytest.mark.parametrize(("label", "protocol", "port"), [("server", "TCP", 7013), ("listener", "UDP", 7014)])
def test_a_listener_is_reached_from_where_it_may_be_by_the_addresses_of_senders(
    plan: Plan, label: str, protocol: str, port: int
) -> None:
    spec = objects(plan, label)["Service"]["spec"]
    assert spec["type"] == "LoadBalancer"
    assert spec["externalTrafficPolicy"] == "Local"
    assert spec["loadBalancerSourceRanges"] == ["198.51.100.0/24"]
    assert [(each["protocol"], each["port"]) for each in spec["ports"]] == [(protocol, port)]
    assert spec["publishNotReadyAddresses"] is True


def test_a_listener_that_nobody_may_reach_is_not_shown_to_the_world() -> None:
    links = {**everything_settings().links, "server": LinkSettings()}
    spec = objects(with_settings(links=links), "server")["Service"]["spec"]
    assert spec["type"] == "ClusterIP"
    assert "externalTrafficPolicy" not in spec


def test_what_nobody_calls_has_a_service_without_an_address_and_what_is_called_has_one(plan: Plan) -> None:
    assert objects(plan, "encode")["Service"]["spec"]["clusterIP"] == "None"
    served = objects(plan, "decom")["Service"]["spec"]
    assert "clusterIP" not in served
    assert [(each["name"], each["port"]) for each in served["ports"]] == [("http-0", 8443)]


def test_ports_that_devices_reach_go_around_the_proxy_and_others_do_not(plan: Plan) -> None:
    def annotations(label: str) -> dict[str, str]:
        told: dict[str, str] = objects(plan, label)["StatefulSet"]["spec"]["template"]["metadata"]["annotations"]
        return told

    assert annotations("server")["traffic.sidecar.istio.io/excludeInboundPorts"] == "7013"
    assert "traffic.sidecar.istio.io/excludeInboundPorts" not in annotations("listener")  # a mesh sees no UDP
    assert "traffic.sidecar.istio.io/excludeInboundPorts" not in annotations("decom")


def test_without_a_mesh_nothing_speaks_of_it() -> None:
    text = str(objects(planned_everything(Mesh.NONE), "server"))
    assert "istio" not in text


def secret_files(of: Objects) -> dict[tuple[str, str], str]:
    volume = next(volume for volume in pod(of)["volumes"] if volume["name"] == "kafka")
    secrets = [source["secret"] for source in volume["projected"]["sources"] if "secret" in source]
    assert all(secret["optional"] is False for secret in secrets)
    return {(secret["name"], item["key"]): item["path"] for secret in secrets for item in secret["items"]}


def external(**told: Any) -> Plan:  # noqa: ANN401 - any setting
    kafka = ExternalKafka(bootstrap=("b1:9094",), cidrs=("203.0.113.0/24",), **told)
    return with_settings(kafka=KafkaSettings(kind=KafkaKind.EXTERNAL, external=kafka))


def test_who_a_stage_is_to_kafka_is_in_the_files_that_c2kit_reads(plan: Plan) -> None:
    assert secret_files(objects(plan, "decom")) == {
        ("decom", "user.crt"): "tls.crt",
        ("decom", "user.key"): "tls.key",
        ("kafka-cluster-ca-cert", "ca.crt"): "ca.crt",
    }
    elsewhere = external(secret="kafka-{stage}", ca_secret="their-ca")  # noqa: S106 - names of secrets
    assert secret_files(objects(elsewhere, "decom")) == {
        ("kafka-decom", "tls.crt"): "tls.crt",
        ("kafka-decom", "tls.key"): "tls.key",
        ("their-ca", "ca.crt"): "ca.crt",
    }
    scram = external(authentication=KafkaAuthentication.SCRAM)
    assert set(secret_files(objects(scram, "decom")).values()) == {"username", "password", "ca.crt"}


def test_the_name_of_a_user_of_strimzis_is_that_of_its_object() -> None:
    of = objects(external(authentication=KafkaAuthentication.SCRAM, cluster="shared"), "decom")
    assert set(secret_files(of).values()) == {"password", "ca.crt"}
    volume = next(volume for volume in pod(of)["volumes"] if volume["name"] == "kafka")
    (told,) = (source["downwardAPI"]["items"] for source in volume["projected"]["sources"] if "downwardAPI" in source)
    assert told == [{"path": "username", "fieldRef": {"fieldPath": "metadata.annotations['c2kit.io/kafka-user']"}}]
    annotations = of["StatefulSet"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["c2kit.io/kafka-user"] == "all-of-it-decom"


def test_a_registry_that_asks_who_pulls_is_told() -> None:
    of = objects(with_settings(images=ImageSettings(pull_secret="pull")), "decom")  # noqa: S106 - the name of one
    assert pod(of)["imagePullSecrets"] == [{"name": "pull"}]


def test_the_line_of_the_script_that_asked_for_it_is_on_the_object(plan: Plan) -> None:
    annotations = objects(plan, "decom")["StatefulSet"]["metadata"]["annotations"]
    assert annotations["c2kit.io/defined-at"].startswith("scaffolding.py:")
