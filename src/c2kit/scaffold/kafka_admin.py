"""What the owner of a cluster of Kafka that is not the mission's is given: topics and users as objects, or a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.pipeline.composition.acls import as_commands
from c2kit.pipeline.composition.structuring import Fault, Faulty
from c2kit.scaffold.kafka import topics
from c2kit.scaffold.kafka_users import user_of
from c2kit.scaffold.permissions import kafka_user
from c2kit.scaffold.settings import KafkaAuthentication, KafkaKind

if TYPE_CHECKING:
    from c2kit.scaffold.plan import Plan
    from c2kit.scaffold.rendering import Templates

__all__ = ["admin_files", "secrets_to_bring"]


def admin_files(plan: Plan, templates: Templates) -> dict[str, str]:
    """The files, by their names; none where the cluster is the mission's own.

    Where it is not one of Strimzi's, users and their permissions are a script of Kafka's own tool; topics are made by
    the mission's provisioner, which is permitted to. Raises Faulty for a cluster of Strimzi's that is nowhere.
    """
    kafka = plan.settings.kafka
    if kafka.kind is not KafkaKind.EXTERNAL:
        return {}
    if not kafka.external.cluster:
        is_tls = kafka.external.authentication is KafkaAuthentication.TLS
        principal = "User:CN={identity}" if is_tls else "User:{identity}"
        return {"acls.sh": as_commands([identity.permissions for identity in plan.identities], principal)}
    where = kafka.external.namespace
    if not where:
        what = "Strimzi's objects are made in the namespace of its cluster, which is not named"
        raise Faulty([Fault(path=("kafka", "external", "namespace"), what=what, remedy="name it")])
    users = (kafka_user(plan, identity, templates) for identity in plan.identities)
    return {
        "topics.yaml": "---\n".join(topics(plan, templates, cluster_name=kafka.external.cluster, namespace=where)),
        "users.yaml": "---\n".join(users),
    }


def secrets_to_bring(plan: Plan) -> dict[str, str]:
    """The secrets that somebody has to put into the mission's namespace, with where they come from, as far as known."""
    kafka = plan.settings.kafka
    if kafka.kind is not KafkaKind.EXTERNAL:
        return {}
    external = kafka.external
    theirs = {external.ca_secret: f"{external.cluster}-cluster-ca-cert" if external.cluster else ""}
    for identity in plan.identities:
        ours = external.secret.replace("{stage}", identity.label)
        theirs[ours] = user_of(plan, identity.label) if external.cluster else ""
    return theirs
