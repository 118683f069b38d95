"""The objects that permit: what each identity may do, and before it, that nobody may do anything.

All of it is made of the plan's edges and of the permissions of ``c2kit acls``; nothing is decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.scaffold import labels
from c2kit.scaffold.kafka_users import grants_of, user_of
from c2kit.scaffold.mesh import allowed_of, entries_of, hosts_of
from c2kit.scaffold.names import KAFKA_CLUSTER, SCALER
from c2kit.scaffold.network import policy_of
from c2kit.scaffold.settings import KafkaKind, Mesh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.scaffold.plan import Identity, Plan
    from c2kit.scaffold.rendering import Templates

__all__ = ["denied", "kafka_user", "permitted"]


def denied(plan: Plan, templates: Templates) -> str:
    """That nobody in the namespace may do anything."""
    return templates.render(
        "denied.yaml.j2",
        namespace=plan.namespace,
        labels=labels.of_mission(plan),
        mesh=plan.settings.mesh is Mesh.SIDECAR,
        mesh_namespace=plan.settings.mesh_namespace,
    )


def permitted(plan: Plan, identity: Identity, templates: Templates) -> Iterator[str]:
    """What an identity may do all the same: documents of YAML."""
    about = {
        "name": identity.label,
        "namespace": plan.namespace,
        "labels": labels.of(plan, identity.label),
        "selector": labels.selector(plan, identity.label),
    }
    if identity.role != SCALER:  # which runs elsewhere
        policy = policy_of(plan, identity.label)
        yield templates.render("networkpolicy.yaml.j2", **about, policy=policy)
    if identity.role != SCALER and plan.settings.mesh is Mesh.SIDECAR:
        yield templates.render("authorizationpolicy.yaml.j2", **about, allowed=allowed_of(plan, identity.label))
        yield templates.render("sidecar.yaml.j2", **about, hosts=hosts_of(plan, identity.label))
        for entry in entries_of(plan, identity.label):
            yield templates.render("serviceentry.yaml.j2", **about, entry=entry)
    if plan.settings.kafka.kind is KafkaKind.STRIMZI:
        yield kafka_user(plan, identity, templates)


def kafka_user(plan: Plan, identity: Identity, templates: Templates) -> str:
    """The user of Kafka that an identity is, as an object of Strimzi's, in the namespace of its cluster."""
    is_external = plan.settings.kafka.kind is KafkaKind.EXTERNAL
    external = plan.settings.kafka.external
    cluster = external.cluster if is_external else KAFKA_CLUSTER
    return templates.render(
        "kafkauser.yaml.j2",
        name=user_of(plan, identity.label),
        namespace=external.namespace if is_external else plan.namespace,
        labels={**labels.of(plan, identity.label), "strimzi.io/cluster": cluster},
        authentication=external.authentication.value if is_external else "tls",
        grants=grants_of(identity.permissions),
    )
