"""Network policies say of each edge exactly what it is, and nothing of any other."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
import yaml

from c2kit.scaffold.permissions import denied, permitted
from c2kit.scaffold.plan import Place, Plan
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import Mesh
from tests.scaffolding import planned_everything

Labels = dict[str, str]


def policies(plan: Plan) -> list[dict[str, Any]]:
    templates = Templates()
    texts = [denied(plan, templates)]
    for identity in plan.identities:
        texts += permitted(plan, identity, templates)
    objects = [each for text in texts for each in yaml.safe_load_all(text)]
    return [each for each in objects if each["kind"] == "NetworkPolicy"]


def selects(selector: dict[str, Any], labels: Labels) -> bool:
    """Kubernetes, "Labels and Selectors": an empty selector selects everything."""
    wanted: Labels = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


def is_peer(peer: dict[str, Any], own_namespace: str, namespace: str, labels: Labels, address: str) -> bool:
    """Kubernetes, NetworkPolicyPeer: a range of addresses, or pods, here or in namespaces that are selected."""
    if "ipBlock" in peer:
        return bool(address) and ipaddress.ip_address(address) in ipaddress.ip_network(peer["ipBlock"]["cidr"])
    if address:
        return False
    if "namespaceSelector" in peer:
        there = selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": namespace})
    else:
        there = namespace == own_namespace
    return there and selects(peer.get("podSelector", {}), labels)


def allows(
    found: list[dict[str, Any]], direction: str, pod: Labels, other: tuple[str, Labels, str], port: tuple[str, int]
) -> bool:
    """Whether some policy of the pod permits this."""
    peers = {"ingress": "from", "egress": "to"}[direction]
    for policy in found:
        if not selects(policy["spec"]["podSelector"], pod):
            continue
        for rule in policy["spec"].get(direction, []):
            ports = {(each["protocol"], each["port"]) for each in rule["ports"]}
            if port in ports and any(is_peer(peer, "all-of-it", *other) for peer in rule[peers]):
                return True
    return False


def pod(label: str) -> Labels:
    return {"app.kubernetes.io/name": label, "app.kubernetes.io/part-of": "all-of-it"}


@pytest.mark.parametrize("mesh", list(Mesh))
def test_between_identities_what_is_allowed_is_exactly_what_is_served_to_whom(mesh: Mesh) -> None:
    plan = planned_everything(mesh)
    found = policies(plan)
    ports = [*range(7011, 7017), 8080, 8443, 9093, 15020]
    seen = {
        (a.label, b.label, port)
        for a in plan.identities
        for b in plan.identities
        for port in ports
        if allows(found, "egress", pod(a.label), ("all-of-it", pod(b.label), ""), ("TCP", port))
        and allows(found, "ingress", pod(b.label), ("all-of-it", pod(a.label), ""), ("TCP", port))
    }
    assert seen == {("encode", "decom", 8443), ("log", "decom", 8443)}


def test_outside_each_link_reaches_its_own_device_alone() -> None:
    plan = planned_everything()
    found = policies(plan)
    hosts = ["192.0.2.10", "192.0.2.11", "192.0.2.12", "203.0.113.9", "198.51.100.1", "8.8.8.8"]
    seen = {
        (identity.label, direction, host, *port)
        for identity in plan.identities
        for direction in ("egress", "ingress")
        for host in hosts
        for port in [(protocol, number) for protocol in ("TCP", "UDP") for number in range(7010, 7018)]
        if allows(found, direction, pod(identity.label), ("", {}, host), port)
    }
    assert seen == {
        ("client", "egress", "192.0.2.10", "TCP", 7011),
        ("named", "egress", "203.0.113.9", "TCP", 7012),
        ("server", "ingress", "198.51.100.1", "TCP", 7013),
        ("listener", "ingress", "198.51.100.1", "UDP", 7014),
        ("both-ways", "egress", "192.0.2.11", "UDP", 7015),
        ("both-ways", "ingress", "192.0.2.11", "UDP", 7016),
    }


def test_everything_is_denied_first_in_both_directions() -> None:
    first = policies(planned_everything())[0]
    assert first["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_metrics_are_asked_for_by_the_pods_that_are_named_and_no_others() -> None:
    plan = planned_everything()
    found = policies(plan)
    prometheus = {"app.kubernetes.io/name": "prometheus"}
    asked = ("TCP", 15020)
    assert all(allows(found, "ingress", pod(w.label), ("monitoring", prometheus, ""), asked) for w in plan.workloads)
    assert not allows(found, "ingress", pod("decom"), ("monitoring", {"app": "else"}, ""), asked)
    assert not allows(found, "ingress", pod("decom"), ("default", prometheus, ""), asked)


def test_only_identities_with_pods_here_have_a_policy() -> None:
    plan = planned_everything()
    selected = {each["metadata"]["name"] for each in policies(plan)}
    assert selected == {"default-deny", *(each.label for each in plan.identities if each.role != "scaler")}
    assert any(edge.source.place is Place.AUTOSCALER for edge in plan.edges)
