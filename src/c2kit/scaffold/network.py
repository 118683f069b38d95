"""Network policies: for each identity exactly its edges, as the peers that Kubernetes can select.

All pods of the namespace are denied everything first; a rule here is what remains. The node that a pod runs on may
always reach it, which is how its probes arrive. A policy sees the addresses of pods and hosts, never those of services.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.scaffold import labels
from c2kit.scaffold.plan import Edge, Endpoint, Place, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Peer", "Policy", "Rule", "broker_clients", "policy_of"]

_NAMESPACE = "kubernetes.io/metadata.name"
"""A label that each namespace has by itself."""
_SYSTEM = "kube-system"


@frozen(kw_only=True)
class Peer:
    """A range of addresses, or pods."""

    cidr: str = ""
    namespace: dict[str, str] | None = None
    """Labels of a namespace; ``None`` for the mission's own."""
    pods: dict[str, str] | None = None
    """Labels of pods; ``None`` for all of the namespace."""


@frozen(kw_only=True)
class Rule:
    """That these peers are at the other end of this port."""

    peers: tuple[Peer, ...]
    port: int
    protocol: str
    why: str


@frozen(kw_only=True)
class Policy:
    """What one identity may open, and what may be opened to it."""

    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]


def policy_of(plan: Plan, label: str) -> Policy:
    """The policy of an identity."""
    return Policy(
        ingress=_rules(plan, ((edge, edge.source) for edge in plan.edges_to(label))),
        egress=_rules(plan, ((edge, edge.destination) for edge in plan.edges_from(label))),
    )


def broker_clients(plan: Plan) -> tuple[Peer, ...]:
    """Who uses the bus, as the policies of its brokers select them."""
    sources = [edge.source for edge in plan.edges if edge.destination.place is Place.KAFKA]
    return tuple(peer for source in dict.fromkeys(sources) for peer in _peers(plan, source))


def _rules(plan: Plan, edges: Iterable[tuple[Edge, Endpoint]]) -> tuple[Rule, ...]:
    return tuple(
        Rule(peers=_peers(plan, other), port=edge.port, protocol=edge.protocol, why=edge.why) for edge, other in edges
    )


def _peers(plan: Plan, end: Endpoint) -> tuple[Peer, ...]:
    """The other end, as a policy selects it."""
    if end.cidrs:
        return tuple(Peer(cidr=cidr) for cidr in end.cidrs)
    if end.place is Place.IDENTITY:
        return (Peer(pods=labels.selector(plan, end.name)),)
    if end.place is Place.KAFKA and not end.name:
        return (Peer(pods=labels.KAFKA_BROKERS),)
    pods = {Place.DNS: labels.DNS, Place.MESH: labels.ISTIOD, Place.MONITORING: plan.settings.monitoring.labels}
    return (Peer(namespace={_NAMESPACE: end.name or _SYSTEM}, pods=pods.get(end.place)),)
