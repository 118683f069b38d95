"""What the namespace may use: what all objects in it ask for together, and some air to replace each of them.

A fixed quota would stop a mission that grew; none would let a mistake take the whole cluster. It follows from the
objects as they are, whatever template made them.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from attrs import frozen

from c2kit.scaffold.quantities import amount, cpu_text, memory_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c2kit.scaffold.validation.catalogue import Catalogue, Object

__all__ = ["Share", "quota_of", "shares_of"]

_AIR = Fraction(5, 4)
_PROXY = {"cpu": amount("100m"), "memory": amount("128Mi"), "limit": amount("1Gi")}
"""What Istio asks for each of its proxies, unless it is told otherwise."""
_IN_MESH = "sidecar.istio.io/inject"


@frozen(kw_only=True)
class Share:
    """So many pods that are alike, and what each of them asks for."""

    pods: int
    cpu: Fraction
    memory: Fraction
    limit: Fraction
    """Of memory."""
    claims: tuple[Fraction, ...] = ()
    """The sizes of its own volumes."""

    def behind_a_proxy(self) -> Share:
        """The same with a proxy of the mesh beside each."""
        return Share(
            pods=self.pods,
            cpu=self.cpu + _PROXY["cpu"],
            memory=self.memory + _PROXY["memory"],
            limit=self.limit + _PROXY["limit"],
            claims=self.claims,
        )


def shares_of(all_of: Catalogue) -> Iterator[Share]:
    """All pods that there will be, as many as there ever are."""
    most = {
        scaled["spec"]["scaleTargetRef"]["name"]: scaled["spec"]["maxReplicaCount"]
        for scaled in all_of.of_kind("ScaledObject")
    }
    for pods in all_of.pods:
        spec = pods.parent.get("spec", {})
        claims = (claim["spec"]["resources"]["requests"] for claim in spec.get("volumeClaimTemplates", ()))
        replicas = most.get(pods.parent["metadata"]["name"], spec.get("replicas", 1))
        share = _share(replicas, [container["resources"] for container in pods.containers], claims)
        yield share.behind_a_proxy() if pods.labels.get(_IN_MESH) == "true" else share
    for pool in all_of.of_kind("KafkaNodePool"):
        volumes = ({"storage": volume["size"]} for volume in pool["spec"]["storage"]["volumes"])
        yield _share(pool["spec"]["replicas"], [pool["spec"]["resources"]], volumes)
    for kafka in all_of.of_kind("Kafka"):
        operators = kafka["spec"]["entityOperator"]
        yield _share(1, [operators[name]["resources"] for name in ("topicOperator", "userOperator")], ())


def _share(pods: int, containers: Iterable[dict[str, Any]], claims: Iterable[dict[str, str]]) -> Share:
    containers = list(containers)
    return Share(
        pods=pods,
        cpu=_sum(each["requests"]["cpu"] for each in containers),
        memory=_sum(each["requests"]["memory"] for each in containers),
        limit=_sum(each["limits"]["memory"] for each in containers),
        claims=tuple(amount(claim["storage"]) for claim in claims),
    )


def _sum(texts: Iterable[str]) -> Fraction:
    return sum(map(amount, texts), Fraction(0))


def quota_of(all_of: Catalogue) -> dict[str, str]:
    """The hard limits of a ResourceQuota."""
    shares = list(shares_of(all_of))
    services = list(all_of.of_kind("Service"))
    balanced = [each for each in services if each["spec"].get("type") == "LoadBalancer"]
    on_nodes = [each for each in services if each["spec"].get("type") in {"LoadBalancer", "NodePort"}]
    return {
        "pods": str(_with_air(sum(share.pods for share in shares))),
        "requests.cpu": cpu_text(_AIR * sum(share.pods * share.cpu for share in shares)),
        "requests.memory": memory_text(_AIR * sum(share.pods * share.memory for share in shares)),
        "limits.memory": memory_text(_AIR * sum(share.pods * share.limit for share in shares)),
        "persistentvolumeclaims": str(_with_air(sum(share.pods * len(share.claims) for share in shares))),
        "requests.storage": memory_text(_AIR * sum(share.pods * sum(share.claims) for share in shares)),
        "services.loadbalancers": str(len(balanced)),
        "services.nodeports": str(sum(_ports(service) for service in on_nodes)),
    }


def _with_air(count: int) -> int:
    return math.ceil(count * _AIR)


def _ports(service: Object) -> int:
    return len(service["spec"]["ports"])
