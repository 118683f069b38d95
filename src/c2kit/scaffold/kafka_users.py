"""Users of Apache Kafka, as Strimzi's operator makes them: each identity with exactly the permissions of its own.

They are those of ``c2kit acls``, in the words of the operator.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.pipeline.composition.acls import Acl, Resource
from c2kit.scaffold.names import shared_user
from c2kit.scaffold.settings import KafkaKind

if TYPE_CHECKING:
    from c2kit.pipeline.composition.acls import Permissions
    from c2kit.scaffold.plan import Plan

__all__ = ["Grant", "grants_of", "user_of"]

_TYPES = {Resource.TRANSACTIONAL_ID: "transactionalId"}


@frozen(kw_only=True)
class Grant:
    """All that may be done with one resource."""

    resource: str
    """``topic``, ``group``, ``transactionalId`` or ``cluster``."""
    name: str
    """Empty for the cluster, of which there is one."""
    pattern: str
    operations: tuple[str, ...]


def user_of(plan: Plan, label: str) -> str:
    """Whom Kafka takes an identity for: on a cluster that other missions use, too, the mission is in the name."""
    is_shared = plan.settings.kafka.kind is KafkaKind.EXTERNAL
    return shared_user(plan.mission, label) if is_shared else label


def grants_of(permissions: Permissions) -> tuple[Grant, ...]:
    """The permissions of one identity, by resource."""
    return tuple(
        Grant(
            resource=_TYPES.get(resource, resource.value),
            name="" if resource is Resource.CLUSTER else name,
            pattern="prefix" if is_prefix else "literal",
            operations=tuple(acl.operation.value for acl in acls),
        )
        for (resource, name, is_prefix), acls in groupby(permissions.acls, key=_what)
    )


def _what(acl: Acl) -> tuple[Resource, str, bool]:
    return acl.resource, acl.name, acl.is_prefix
