"""Who talks to whom: every connection that a mission needs, from its description and the user's settings.

This is the one place that says what is permitted; whatever is not here is denied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.scaffold.link_places import LinkPlace, places_of
from c2kit.scaffold.names import SCALER
from c2kit.scaffold.plan import HEALTH_PORT, KAFKA_PORT, Edge, Encryption, Endpoint, Identity, Place
from c2kit.scaffold.settings import KafkaKind, Mesh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from c2kit.pipeline.composition.description import StageDescription
    from c2kit.scaffold.settings import Settings

__all__ = ["AGENT_METRICS_PORT", "edges_of"]

AGENT_METRICS_PORT = 15020
"""Where the mesh's agent beside a stage serves the stage's metrics with the proxy's own, and answers its probes."""
_DNS_PORT = 53
_MESH_PORT = 15012


def edges_of(
    identities: Iterable[Identity], stages: Mapping[str, StageDescription], settings: Settings
) -> tuple[Edge, ...]:
    """All edges, in the order of the identities. ``stages`` are those that run, by their labels."""
    by_name = {stage.name: label for label, stage in stages.items()}
    edges: list[Edge] = []
    for identity in identities:
        end = Endpoint(place=Place.IDENTITY, name=identity.label)
        if identity.role == SCALER:
            edges += _bus(identity, Endpoint(place=Place.AUTOSCALER, name=settings.scaler_namespace), settings)
            continue
        edges += _bus(identity, end, settings)
        edges += _needed_by_all(end, settings)
        stage = stages.get(identity.label)
        if stage is not None:
            edges += _metrics(end, settings)
            edges += _links(stage, end, settings)
            edges += _served(stage, end, by_name, settings)
            edges += _stores(stage, end, settings)
    return tuple(edges)


def _bus(identity: Identity, end: Endpoint, settings: Settings) -> Iterator[Edge]:
    kafka, ports = _brokers(settings)
    encryption = Encryption.KAFKA_SCRAM if settings.kafka.has_passwords else Encryption.KAFKA_TLS
    for port in ports:
        where = identity.defined_at
        yield Edge(source=end, destination=kafka, port=port, encryption=encryption, why="the bus", defined_at=where)


def _needed_by_all(end: Endpoint, settings: Settings) -> Iterator[Edge]:
    for protocol in ("UDP", "TCP"):
        yield Edge(
            source=end,
            destination=Endpoint(place=Place.DNS),
            port=_DNS_PORT,
            protocol=protocol,
            encryption=Encryption.NONE,
            why="names of brokers",
        )
    if settings.mesh is Mesh.SIDECAR:
        mesh = Endpoint(place=Place.MESH, name=settings.mesh_namespace)
        why = "certificates and configuration of its proxy"
        yield Edge(source=end, destination=mesh, port=_MESH_PORT, encryption=Encryption.MESH_TLS, why=why)


def _brokers(settings: Settings) -> tuple[Endpoint, Iterable[int]]:
    if settings.kafka.kind is KafkaKind.STRIMZI:
        return Endpoint(place=Place.KAFKA), [KAFKA_PORT]
    external = settings.kafka.external
    ports = {int(address.rpartition(":")[2]) for address in external.bootstrap}
    return Endpoint(place=Place.KAFKA, name=external.namespace, cidrs=external.cidrs), sorted(ports)


def _metrics(end: Endpoint, settings: Settings) -> Iterator[Edge]:
    monitoring = Endpoint(place=Place.MONITORING, name=settings.monitoring.namespace)
    port = AGENT_METRICS_PORT if settings.mesh is Mesh.SIDECAR else HEALTH_PORT
    yield Edge(source=monitoring, destination=end, port=port, encryption=Encryption.NONE, why="metrics")


def _links(stage: StageDescription, end: Endpoint, settings: Settings) -> Iterator[Edge]:
    """An interface's own: to the device, or from whoever may reach its port. A place that is not set has none yet."""
    for place in places_of(stage, settings):
        if place.cidrs:
            yield _link(stage, place, end)


def _link(stage: StageDescription, place: LinkPlace, end: Endpoint) -> Edge:
    outside = Endpoint(place=Place.OUTSIDE, name=place.host, cidrs=place.cidrs)
    return Edge(
        source=outside if place.listens else end,
        destination=end if place.listens else outside,
        port=place.port,
        protocol=place.protocol,
        encryption=Encryption.NONE,
        why=f"link of interface {stage.name}",
        defined_at=stage.defined_at,
    )


def _served(stage: StageDescription, end: Endpoint, labels: Mapping[str, str], settings: Settings) -> Iterator[Edge]:
    encryption = Encryption.MESH_TLS if settings.mesh is Mesh.SIDECAR else Encryption.NONE
    for port in stage.ports:
        for caller in port.callers:
            yield Edge(
                source=Endpoint(place=Place.IDENTITY, name=labels[caller]),
                destination=end,
                port=port.port,
                encryption=encryption,
                why=f"{port.name} of {stage.name}",
                defined_at=stage.defined_at,
            )


def _stores(stage: StageDescription, end: Endpoint, settings: Settings) -> Iterator[Edge]:
    for name in stage.stores:
        store = settings.stores[name]
        yield Edge(
            source=end,
            destination=Endpoint(place=Place.STORE, name=store.namespace, cidrs=store.cidrs),
            port=int(store.address.rpartition(":")[2]),
            encryption=Encryption.STORE_TLS,
            why=f"store {name}",
            defined_at=stage.defined_at,
        )
