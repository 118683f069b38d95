"""The mesh: who may call whom by identity, and which hosts a proxy knows at all.

The mesh sees TCP alone. Brokers and databases are outside of it and prove by TLS of their own who they are; a link
of an interface ends at a device, which proves nothing. What the mesh permits is therefore not enough without the
network policies, which also bind what goes around a proxy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.scaffold.names import API_GROUP, KAFKA_CLUSTER
from c2kit.scaffold.plan import Encryption, Place, Plan
from c2kit.scaffold.settings import KafkaKind

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Allowed", "Entry", "allowed_of", "entries_of", "hosts_of", "listening_ports"]


@frozen(kw_only=True)
class Allowed:
    """That these identities may call this port."""

    principals: tuple[str, ...]
    port: int
    why: str


@frozen(kw_only=True)
class Entry:
    """Addresses outside of the mesh that an identity's proxy lets through."""

    name: str
    host: str
    """Of our own making: a proxy knows a place by some name."""
    cidrs: tuple[str, ...]
    port: int
    protocol: str
    """``TCP``, or ``TLS`` where the client speaks it by itself."""
    why: str


def allowed_of(plan: Plan, label: str) -> tuple[Allowed, ...]:
    """Who may call an identity through the mesh."""
    callers: dict[tuple[int, str], list[str]] = {}
    for edge in plan.edges_to(label):
        if edge.encryption is Encryption.MESH_TLS:
            callers.setdefault((edge.port, edge.why), []).append(principal(plan, edge.source.name))
    return tuple(Allowed(principals=tuple(who), port=port, why=why) for (port, why), who in callers.items())


def principal(plan: Plan, label: str) -> str:
    """Whom the mesh takes an identity for."""
    return f"{plan.settings.trust_domain}/ns/{plan.namespace}/sa/{label}"


def entries_of(plan: Plan, label: str) -> tuple[Entry, ...]:
    """What an identity reaches by TCP that is no service of the mesh's."""
    return tuple(_entries(plan, label))


def _entries(plan: Plan, label: str) -> Iterator[Entry]:
    for edge in plan.edges_from(label):
        end = edge.destination
        if edge.protocol != "TCP" or not end.cidrs or end.place not in {Place.OUTSIDE, Place.KAFKA, Place.STORE}:
            continue
        name = f"{label}-{_place(end.place)}-{edge.port}"
        yield Entry(
            name=name,
            host=f"{name}.{API_GROUP}",
            cidrs=end.cidrs,
            port=edge.port,
            protocol="TCP" if edge.encryption is Encryption.NONE else "TLS",
            why=edge.why,
        )


def _place(place: Place) -> str:
    return "link" if place is Place.OUTSIDE else place.value


def hosts_of(plan: Plan, label: str) -> tuple[str, ...]:
    """The hosts that an identity's proxy knows: what it calls, and nothing else.

    Never empty: a proxy that is told of no host is told of all. Who calls nothing in the mesh knows only itself.
    """
    hosts = [f"./{entry.host}" for entry in entries_of(plan, label)]
    inside = f"{plan.namespace}.svc.cluster.local"
    for edge in plan.edges_from(label):
        end = edge.destination
        if end.place is Place.IDENTITY:
            hosts.append(f"./{end.name}.{inside}")
        elif end.place is Place.KAFKA and not end.cidrs:
            hosts += _brokers(plan, inside)
        elif end.place is Place.STORE and not end.cidrs:
            hosts.append(f"{end.name}/*")
    return tuple(dict.fromkeys(hosts)) or (f"./{label}.{inside}",)


def _brokers(plan: Plan, inside: str) -> Iterator[str]:
    if plan.settings.kafka.kind is KafkaKind.STRIMZI:
        yield f"./{KAFKA_CLUSTER}-kafka-bootstrap.{inside}"
        yield f"./{KAFKA_CLUSTER}-kafka-brokers.{inside}"
    else:
        yield f"{plan.settings.kafka.external.namespace}/*"


def listening_ports(plan: Plan, label: str) -> tuple[int, ...]:
    """Ports that what is outside reaches: no proxy stands before them, since what calls has no certificate."""
    ports = (
        edge.port for edge in plan.edges_to(label) if edge.source.place is Place.OUTSIDE and edge.protocol == "TCP"
    )
    return tuple(sorted(set(ports)))
