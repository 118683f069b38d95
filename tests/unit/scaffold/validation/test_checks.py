"""Each check finds what it is for: what is generated is changed in one place at a time, and the change is told."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from c2kit.scaffold.manifests import base_files, catalogue_of
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import Mesh
from c2kit.scaffold.validation import Catalogue, findings
from tests.scaffolding import planned_everything, planned_example

if TYPE_CHECKING:
    from collections.abc import Callable

Object = dict[str, Any]
ELSEWHERE = ("archive", "recordings")


@cache
def generated() -> Catalogue:
    return evolve(catalogue_of(base_files(planned_everything(), Templates())), elsewhere=ELSEWHERE)


def container(thing: Object) -> Object:
    found: Object = thing["spec"]["template"]["spec"]["containers"][0]
    return found


def pod(thing: Object) -> Object:
    found: Object = thing["spec"]["template"]["spec"]
    return found


def put(*path: str | int, to: object) -> Callable[[Object], None]:
    """A change: this value at that path."""

    def change(thing: Object) -> None:
        for step in path[:-1]:
            thing = thing[step]  # type: ignore[index]
        thing[path[-1]] = to  # type: ignore[index]

    return change


def without(*path: str | int) -> Callable[[Object], None]:
    """A change: nothing at that path."""

    def change(thing: Object) -> None:
        for step in path[:-1]:
            thing = thing[step]  # type: ignore[index]
        del thing[path[-1]]  # type: ignore[arg-type]

    return change


SPEC = ("spec", "template", "spec")
CHANGES: list[tuple[str, str, Callable[[Object], None], str]] = [
    # -- workloads
    ("StatefulSet", "decom", put(*SPEC, "serviceAccountName", to="decmo"), "there is no service account decmo"),
    ("StatefulSet", "decom", put(*SPEC, "automountServiceAccountToken", to=True), "gets a token of Kubernetes"),
    ("ServiceAccount", "decom", put("automountServiceAccountToken", to=True), "gets a token of Kubernetes"),
    ("StatefulSet", "decom", put("spec", "serviceName", to="else"), "there is no service else"),
    ("StatefulSet", "decom", put("spec", "selector", "matchLabels", to={"a": "b"}), "does not select its own pods"),
    (
        "StatefulSet",
        "decom",
        lambda thing: container(thing)["volumeMounts"].append({"name": "else", "mountPath": "/x"}),
        "mounts else, which is no volume",
    ),
    (
        "StatefulSet",
        "decom",
        lambda thing: pod(thing)["volumes"].append({"name": "x", "secret": {"secretName": "else"}}),
        "there is no secret else",
    ),
    (
        "StatefulSet",
        "decom",
        lambda thing: pod(thing)["volumes"].append({"name": "x", "secret": {"secretName": "decom", "optional": True}}),
        "starts without the secret decom",
    ),
    (
        "StatefulSet",
        "file",
        lambda thing: pod(thing)["volumes"].append({"name": "x", "persistentVolumeClaim": {"claimName": "else"}}),
        "there is no claim else",
    ),
    (
        "StatefulSet",
        "serial",
        lambda thing: pod(thing)["volumes"].append({"name": "x", "hostPath": {"path": "/dev"}}),
        "mounts a folder of its node",
    ),
    (
        "StatefulSet",
        "decom",
        lambda thing: container(thing)["env"].append({"name": "P", "valueFrom": {"secretKeyRef": {"name": "decom"}}}),
        "a secret is in its environment",
    ),
    (
        "StatefulSet",
        "decom",
        lambda thing: container(thing)["env"].append(container(thing)["env"][0]),
        "is there 2 times",
    ),
    (
        "StatefulSet",
        "decom",
        lambda thing: container(thing)["readinessProbe"]["httpGet"].update(port=1),
        "its readinessProbe asks port 1",
    ),
    ("Service", "decom", put("metadata", "name", to="1st"), "begins with a letter"),
    ("Service", "decom", put("spec", "selector", to={"a": "b"}), "it selects no pods"),
    ("Service", "decom", put("spec", "ports", 0, "targetPort", to="else"), "leads to else, which no container serves"),
    ("PodDisruptionBudget", "log", put("spec", "maxUnavailable", to=0), "no node could ever be drained"),
    ("PodDisruptionBudget", "log", put("spec", "selector", "matchLabels", to={"a": "b"}), "it selects no pods"),
    ("ResourceQuota", "", put("spec", "hard", "pods", to="3"), "it has room for 3 pods"),
    (
        "RoleBinding",
        "",
        put("subjects", to=[{"kind": "ServiceAccount", "name": "decom"}]),
        "gives a role to the stage decom",
    ),
    # -- the network
    ("NetworkPolicy", "decom", put("spec", "podSelector", "matchLabels", to={"a": "b"}), "it is for no pods"),
    ("NetworkPolicy", "decom", without("spec", "egress", 0, "to"), "a rule of its egress is for whoever there is"),
    ("NetworkPolicy", "decom", without("spec", "egress", 0, "ports"), "a rule of its egress is for all ports"),
    ("NetworkPolicy", "decom", put("spec", "ingress", 0, "ports", 0, "port", to=1), "lets in to port 1"),
    ("NetworkPolicy", "client", put("spec", "egress", -1, "to", 0, "ipBlock", "cidr", to="192.0.2.7/24"), "host bits"),
    (
        "NetworkPolicy",
        "decom",
        put("spec", "egress", 0, "to", to=[{"podSelector": {"matchLabels": {"a": "b"}}}]),
        "there are no pods with the labels",
    ),
    (
        "NetworkPolicy",
        "decom",
        put("spec", "egress", 0, "to", to=[{"namespaceSelector": {}}]),
        "it is for all namespaces",
    ),
    ("NetworkPolicy", "default-deny", put("spec", "policyTypes", to=["Ingress"]), "none denies everything first"),
    # -- the mesh
    ("AuthorizationPolicy", "decom", without("spec", "rules", 0, "from"), "a rule is for whoever there is"),
    ("AuthorizationPolicy", "decom", without("spec", "rules", 0, "to"), "a rule is for all ports"),
    (
        "AuthorizationPolicy",
        "decom",
        put("spec", "rules", 0, "from", 0, "source", "principals", to=["cluster.local/ns/all-of-it/sa/*"]),
        "is more than one identity",
    ),
    (
        "AuthorizationPolicy",
        "decom",
        put("spec", "rules", 0, "from", 0, "source", "principals", to=["cluster.local/ns/all-of-it/sa/else"]),
        "there is no service account of",
    ),
    (
        "AuthorizationPolicy",
        "decom",
        put("spec", "rules", 0, "to", 0, "operation", "ports", to=["1"]),
        "it permits port 1",
    ),
    ("AuthorizationPolicy", "decom", put("spec", "selector", "matchLabels", to={"a": "b"}), "it is for no pods"),
    ("AuthorizationPolicy", "default-deny", put("spec", to={"rules": []}), "none denies everything first"),
    ("PeerAuthentication", "default", put("spec", "mtls", "mode", to="PERMISSIVE"), "talks to what has no certificate"),
    ("Sidecar", "decom", put("spec", "workloadSelector", "labels", to={"a": "b"}), "it is for no pods"),
    ("Sidecar", "decom", without("spec", "workloadSelector"), "2 Sidecars are for it"),
    ("Sidecar", "decom", without("spec", "outboundTrafficPolicy"), "lets everything through"),
    ("Sidecar", "decom", put("spec", "egress", to=[]), "knows every host of the mesh"),
    ("Sidecar", "decom", put("spec", "egress", 0, "hosts", to=["*/*"]), "is more than what it calls"),
    ("Sidecar", "decom", put("spec", "egress", 0, "hosts", to=["./else.all-of-it.svc"]), "there is no host else"),
    ("ServiceEntry", "client-link-7011", without("spec", "addresses"), "it takes its port on every destination"),
    ("ServiceEntry", "client-link-7011", put("spec", "exportTo", to=["*"]), "other namespaces see it"),
    ("ServiceEntry", "client-link-7011", put("spec", "hosts", to=["else.example.com"]), "no proxy knows else"),
    # -- Kafka
    ("KafkaUser", "decom", put("metadata", "labels", "strimzi.io/cluster", to="else"), "the cluster else"),
    (
        "KafkaUser",
        "decom",
        lambda thing: thing["spec"]["authorization"]["acls"].append(
            {"resource": {"type": "topic", "name": "else"}, "operations": ["Read"]}
        ),
        "there is no topic else",
    ),
    (
        "KafkaUser",
        "decom",
        lambda thing: thing["spec"]["authorization"]["acls"].append(
            {"resource": {"type": "transactionalId", "name": "a", "patternType": "prefix"}, "operations": ["Write"]}
        ),
        "is more than its own",
    ),
    (
        "KafkaUser",
        "decom",
        lambda thing: thing["spec"]["authorization"]["acls"][0].update(operations=["All"]),
        "it may do more than a stage needs",
    ),
    ("KafkaNodePool", "brokers", put("spec", "roles", to=[]), "its nodes have no role"),
    ("KafkaNodePool", "brokers", put("spec", "storage", "volumes", 0, "size", to=""), "its storage has no size"),
    ("KafkaNodePool", "brokers", put("spec", "replicas", to=1), "3 replicas on 1 brokers"),
    ("KafkaTopic", "", put("spec", "replicas", to=1), "more replicas must be in sync than there are"),
    ("ScaledObject", "identify", put("spec", "scaleTargetRef", "name", to="else"), "there is no else to scale"),
    ("ScaledObject", "identify", put("spec", "maxReplicaCount", to=99), "99 replicas for"),
    (
        "ScaledObject",
        "identify",
        put("spec", "triggers", 0, "metadata", "consumerGroup", to="else"),
        "as the group else",
    ),
    ("ScaledObject", "identify", put("spec", "triggers", 0, "metadata", "topic", to="else"), "there is no topic else"),
    ("ScaledObject", "identify", without("spec", "triggers", 0, "authenticationRef"), "no way to be let in"),
    ("StatefulSet", "identify", put("spec", "replicas", to=1), "says how many replicas there are, too"),
]


@pytest.mark.parametrize("mesh", list(Mesh))
def test_nothing_is_found_in_what_is_generated(mesh: Mesh) -> None:
    for plan in (planned_everything(mesh), planned_example()):
        catalogue = evolve(catalogue_of(base_files(plan, Templates())), elsewhere=ELSEWHERE)
        assert findings(catalogue) == []


@pytest.mark.parametrize(
    ("kind", "name", "change", "told"), CHANGES, ids=lambda value: None if callable(value) else str(value)[:40]
)
def test_a_change_that_cannot_work_is_found(kind: str, name: str, change: Callable[[Object], None], told: str) -> None:
    objects = copy.deepcopy(generated().objects)
    changed = next(each for each in objects if each["kind"] == kind and each["metadata"]["name"].startswith(name))
    change(changed)
    found = findings(Catalogue(objects, elsewhere=ELSEWHERE))
    assert any(told in str(each) for each in found), [str(each) for each in found]


def test_the_same_object_twice_is_found() -> None:
    objects = generated().objects
    found = findings(Catalogue((*objects, objects[3]), elsewhere=ELSEWHERE))
    assert any("it is there 2 times" in str(each) for each in found)


@pytest.mark.parametrize("kind", ["ServiceAccount", "Service", "KafkaUser", "KafkaTopic", "ServiceEntry", "Kafka"])
def test_an_object_that_others_name_is_missed(kind: str) -> None:
    objects = [each for each in generated().objects if each["kind"] != kind]
    assert findings(Catalogue(objects, elsewhere=ELSEWHERE)) != []


def test_a_claim_and_a_secret_of_somebody_else_must_be_told() -> None:
    assert [str(each) for each in findings(evolve(generated(), elsewhere=("archive",)))] == [
        "StatefulSet file: there is no claim recordings"
    ]
