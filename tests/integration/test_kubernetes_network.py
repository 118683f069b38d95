"""Network policies alone allow exactly the graph: computed from the manifests by somebody else's analyser."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from attrs import frozen

from c2kit.scaffold.manifests import base_files, catalogue_of
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import Mesh
from tests.kubernetes import require_checker
from tests.scaffolding import CONTROL_ROOM, planned_everything, planned_example

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from c2kit.scaffold.plan import Plan

Object = dict[str, Any]
Allowed = tuple[str, str, str]
"""From, to, and the port with its protocol."""
NAMESPACES = ("kube-system", "istio-system", "monitoring", "keda", "databases", "strimzi", "elsewhere")
pytestmark = pytest.mark.slow


@frozen(kw_only=True)
class Pod:
    """A pod that there could be."""

    name: str
    namespace: str
    labels: dict[str, str]

    def as_object(self) -> Object:
        about = {"name": self.name, "namespace": self.namespace, "labels": self.labels}
        spec = {"containers": [{"name": "main", "image": "none"}]}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec}


def pods_of(plan: Plan) -> list[Pod]:
    """One of each identity, of whatever else is in the namespace, and of what stages talk to in others."""
    here = {
        "broker": {"strimzi.io/cluster": "kafka", "strimzi.io/broker-role": "true", "strimzi.io/pool-name": "brokers"},
        "entity-operator": {"strimzi.io/cluster": "kafka", "strimzi.io/name": "kafka-entity-operator"},
        "stranger": {"app": "stranger"},
    }
    for identity in plan.identities:
        if identity.role != "scaler":
            here[identity.label] = {
                "app.kubernetes.io/name": identity.label,
                "app.kubernetes.io/part-of": plan.mission,
            }
    there = {
        "dns": ("kube-system", {"k8s-app": "kube-dns"}),
        "istiod": ("istio-system", {"app": "istiod"}),
        "prometheus": ("monitoring", {"app.kubernetes.io/name": "prometheus"}),
        "keda": ("keda", {"app": "keda"}),
        "database": ("databases", {"app": "database"}),
        "operator": ("strimzi", {"app": "operator"}),
    }
    found = [Pod(name=name, namespace=plan.namespace, labels=labels) for name, labels in here.items()]
    found += [Pod(name=name, namespace=namespace, labels=labels) for name, (namespace, labels) in there.items()]
    return found + [Pod(name=f"other-{name}", namespace=name, labels={"app": "other"}) for name in NAMESPACES]


def analysed(plan: Plan, pods: list[Pod], folder: Path) -> set[Allowed]:
    """What the analyser says is allowed from or to the mission's pods; what is outside are ranges of addresses."""
    nca = require_checker("nca", "analyser.txt")
    objects = [each for each in catalogue_of(base_files(plan, Templates())).objects if each["kind"] == "NetworkPolicy"]
    names = {"kubernetes.io/metadata.name": ""}
    for name in (plan.namespace, *NAMESPACES):
        about = {"name": name, "labels": dict.fromkeys(names, name)}
        objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": about})
    objects += [pod.as_object() for pod in pods]
    (folder / "all.yaml").write_text(yaml.safe_dump_all(objects))
    answer = folder / "answer.json"
    options = ["--connectivity", folder, "--resource_list", folder, "--output_format", "json", "--file_out", answer]
    command = [str(word) for word in (nca, *options)]
    subprocess.run(command, capture_output=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
    rules = json.loads(answer.read_text())[0]["explanation"][0]["rules"]
    return {
        (source, destination, port)
        for rule in rules
        for source in ends(rule, "src", pods)
        for destination in ends(rule, "dst", pods)
        for port in ports_of(rule["connection"])
        if concerns(plan, pods, source, destination)
    }


def concerns(plan: Plan, pods: list[Pod], source: str, destination: str) -> bool:
    """Whether it is about the mission: what other namespaces do among themselves is theirs."""
    ours = {pod.name for pod in pods if pod.namespace == plan.namespace}
    return bool({source, destination} & ours) and source != destination


def ends(rule: Object, side: str, pods: list[Pod]) -> Iterator[str]:
    yield from rule.get(f"{side}_ip_block", [])
    for pod in pods:
        if pod.namespace in rule.get(f"{side}_ns", []) and any(
            is_meant(expression, pod) for expression in rule[f"{side}_pods"]
        ):
            yield pod.name


def is_meant(expression: str, pod: Pod) -> bool:
    """Whether an expression of the analyser's, which shortens lists of pods by their labels, means a pod."""
    if expression in {"*", pod.name}:
        return True
    either = re.findall(r"\{!has\(([^)]+)\) or [\w./-]+=([\w./-]+)\}", expression)
    expression = re.sub(r"\{[^}]*\}", "", expression)
    assert " or " not in expression, expression
    terms = re.findall(r"(!?)has\(([^)]+)\)|([\w./-]+) (not in|in) \(([^)]*)\)|([\w./-]+)=([\w./-]+)", expression)
    return (
        bool(terms or either)
        and all(pod.labels.get(key, value) == value for key, value in either)
        and all(_holds(term, pod.labels) for term in terms)
    )


def _holds(term: tuple[str, ...], labels: dict[str, str]) -> bool:
    negated, present, key, how, values, equal_key, equal_value = term
    if present:
        return (present in labels) != bool(negated)
    if equal_key:
        return labels.get(equal_key) == equal_value
    return (labels.get(key) in [value.strip() for value in values.split(",")]) == (how == "in")


def ports_of(connections: list[Object | str]) -> Iterator[str]:
    for connection in connections:
        if isinstance(connection, str):
            yield connection
            continue
        for protocol in str(connection["protocols"]).replace(" ", "").split(","):
            for span in connection.get("dst_ports", ["all"]):
                yield f"{protocol} {span}"


def expected(plan: Plan, own: set[Allowed]) -> set[Allowed]:
    """The graph, written down once more by hand: what all identities have, what brokers have, and ``own``."""
    labels = [identity.label for identity in plan.identities if identity.role != "scaler"]
    running = [workload.label for workload in plan.workloads]
    has_mesh = plan.settings.mesh is Mesh.SIDECAR
    found = {(name, "broker", "TCP 9093") for name in labels}
    found |= {
        (name, "dns", f"{protocol} 53")
        for name in (*labels, "broker", "entity-operator")
        for protocol in ("TCP", "UDP")
    }
    found |= {(name, "istiod", "TCP 15012") for name in labels if has_mesh}
    found |= {("prometheus", name, f"TCP {15020 if has_mesh else 8080}") for name in running}
    if any(identity.role == "scaler" for identity in plan.identities):
        found |= {(name, "broker", "TCP 9093") for name in ("keda", "other-keda")}
    for name in ("operator", "other-strimzi"):
        found |= {(name, "broker", f"TCP {port}") for port in ("8443", "9090-9091")}
    found |= {("entity-operator", "broker", "TCP 9091")}
    found |= {("entity-operator", "0.0.0.0/0", f"TCP {port}") for port in (443, 6443)}
    return found | own


EVERYTHING: set[Allowed] = {
    ("client", "192.0.2.10/32", "TCP 7011"),
    ("named", "203.0.113.0/24", "TCP 7012"),
    (CONTROL_ROOM, "server", "TCP 7013"),
    (CONTROL_ROOM, "listener", "UDP 7014"),
    ("both-ways", "192.0.2.11/32", "UDP 7015"),
    ("192.0.2.11/32", "both-ways", "UDP 7016"),
    ("encode", "decom", "TCP 8443"),
    ("log", "decom", "TCP 8443"),
    ("decom", "database", "TCP 5432"),
    ("decom", "other-databases", "TCP 5432"),
}


@pytest.mark.parametrize(
    ("plan", "own"),
    [(planned_everything(), EVERYTHING), (planned_everything(Mesh.NONE), EVERYTHING), (planned_example(), set())],
    ids=["everything", "without a mesh", "example"],
)
def test_exactly_the_graph_is_allowed(plan: Plan, own: set[Allowed], tmp_path: Path) -> None:
    found = analysed(plan, pods_of(plan), tmp_path)
    wanted = expected(plan, own)
    assert (sorted(found - wanted), sorted(wanted - found)) == ([], [])
