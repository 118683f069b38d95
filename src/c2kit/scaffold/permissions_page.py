"""The page for whoever reviews what a mission permits: every edge, every permission on Kafka, every volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from c2kit.scaffold.administration import deployers_of, observers_of
from c2kit.scaffold.kafka_users import grants_of
from c2kit.scaffold.names import SCALER
from c2kit.scaffold.plan import Edge, Encryption, Endpoint, Place
from c2kit.scaffold.settings import KafkaKind, Mesh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c2kit.scaffold.kafka_users import Grant
    from c2kit.scaffold.plan import Identity, Plan
    from c2kit.scaffold.rendering import Templates

__all__ = ["permissions_page"]

_EACH_IDENTITY, _EACH_STAGE = "each identity", "each stage"
_FOR_ALL = {Place.KAFKA, Place.DNS, Place.MESH, Place.MONITORING}
_BY_CLASS = "the class of its volume, if anything: that is the cluster's to decide"
_PLACES = {
    Place.KAFKA: "the brokers",
    Place.DNS: "the cluster's DNS",
    Place.MESH: "the mesh's control plane",
    Place.MONITORING: "Prometheus",
    Place.AUTOSCALER: "KEDA",
    Place.STORE: "a database",
    Place.OUTSIDE: "outside",
}


def permissions_page(plan: Plan, templates: Templates) -> str:
    """The page, in Markdown."""
    return templates.render(
        "permissions.md.j2",
        mission=_cell(plan.description.name),
        stages=_listed(_stages(plan)),
        others=_listed(_pods(plan) - _stages(plan)),
        shared=list(_shared(plan)),
        edges=[_edge(edge) for edge in plan.edges if not _is_shared(edge)],
        deployers=deployers_of(plan),
        observers=observers_of(plan),
        proof="a password" if plan.settings.kafka.has_passwords else "a certificate",
        remarks=tuple(_remarks(plan)),
        identities=[_identity(identity) for identity in plan.identities],
        volumes=tuple(_volumes(plan)),
    )


def _is_shared(edge: Edge) -> bool:
    """Whether it is what identities need by being there, and not for what the mission's graph has them do."""
    ends = {edge.source.place, edge.destination.place}
    return Place.IDENTITY in ends and bool(ends & _FOR_ALL)


def _shared(plan: Plan) -> Iterator[dict[str, object]]:
    """What several identities need alike: a row for all who have the same edge, as it is told of the first."""
    alike: dict[Edge, set[str]] = {}
    anybody = Endpoint(place=Place.IDENTITY)
    for edge in filter(_is_shared, plan.edges):
        if edge.source.place is Place.IDENTITY:
            alike.setdefault(evolve(edge, source=anybody, defined_at=""), set()).add(edge.source.name)
        else:
            alike.setdefault(evolve(edge, destination=anybody, defined_at=""), set()).add(edge.destination.name)
    for edge, names in alike.items():
        side = "source" if edge.source == anybody else "destination"
        yield _edge(edge) | {side: _who(plan, names)}


def _who(plan: Plan, names: Iterable[str]) -> str:
    """Those identities, in as few words as tell exactly them."""
    whole = {frozenset(_pods(plan)): _EACH_IDENTITY, frozenset(_stages(plan)): _EACH_STAGE}
    return whole.get(frozenset(names)) or _listed(names)


def _pods(plan: Plan) -> set[str]:
    """The identities that have pods here; what scales stages runs elsewhere."""
    return {identity.label for identity in plan.identities if identity.role != SCALER}


def _stages(plan: Plan) -> set[str]:
    return {workload.label for workload in plan.workloads}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _edge(edge: Edge) -> dict[str, object]:
    return {
        "source": _end(edge.source),
        "destination": _end(edge.destination),
        "port": edge.port,
        "protocol": edge.protocol,
        "encryption": edge.encryption.value,
        "why": _cell(edge.why),
        "defined_at": _cell(edge.defined_at),
    }


def _end(end: Endpoint) -> str:
    if end.place is Place.IDENTITY:
        return f"`{end.name}`"
    where = ", ".join(end.cidrs) or (f"namespace {end.name}" if end.name else "")
    return _PLACES[end.place] + (f" ({where})" if where else "")


def _identity(identity: Identity) -> dict[str, object]:
    return {
        "name": _cell(identity.name),
        "role": identity.role,
        "place": f", {_cell(identity.defined_at)}" if identity.defined_at else "",
        "grants": [_grant(grant) for grant in grants_of(identity.permissions)],
    }


def _grant(grant: Grant) -> dict[str, str]:
    name = f"`{grant.name}`" if grant.name else "the cluster"
    return {
        "resource": grant.resource,
        "name": f"whatever begins with {name}" if grant.pattern == "prefix" else name,
        "operations": ", ".join(grant.operations),
    }


def _volumes(plan: Plan) -> Iterator[dict[str, str]]:
    for workload in plan.workloads:
        for volume in workload.volumes:
            yield {"of": f"`{workload.label}`", "path": f"`{volume.path}`", "encryption": _BY_CLASS}
    if plan.settings.kafka.kind is KafkaKind.STRIMZI:
        yield {"of": "the brokers and controllers", "path": "`/var/lib/kafka`", "encryption": _BY_CLASS}


def _remarks(plan: Plan) -> Iterator[str]:
    """What a table does not tell."""
    links = [edge for edge in plan.edges if Place.OUTSIDE in {edge.source.place, edge.destination.place}]
    if any(edge.protocol == "UDP" for edge in links):
        yield (
            "UDP: the mesh does not see it. No identity is proven, nothing is encrypted, and a sender's address can be "
            "forged; the range of addresses in the network policy is all there is. Where that is too little, protect "
            "the link itself, such as by IPsec, WireGuard or CCSDS SDLS."
        )
    if any(edge.encryption is Encryption.NONE and edge.protocol == "TCP" for edge in links):
        yield "Links by TCP end at a device that has no certificate: they are as safe as the network between."
    if plan.settings.mesh is Mesh.NONE:
        yield "There is no mesh: metrics, and calls between stages, are not encrypted."
    else:
        yield (
            "Metrics are read from the agent beside each stage without encryption, since Prometheus need not be in "
            "the mesh. A stage that goes around its own proxy is still bound by its network policy."
        )
    yield "The node that a pod runs on may always reach it; that is how probes arrive."
    for text in plan.unset:
        yield f"Not set yet: {_cell(text)}."


def _cell(text: str) -> str:
    """A text that cannot end a cell, a line or a code span of Markdown."""
    return " ".join(text.replace("|", "\\|").replace("`", "'").split())
