"""Users of Apache Kafka, as Strimzi's operator makes them: each identity with exactly the permissions of its own.

They are those of ``c2kit acls``, in the words of the operator.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.pipeline.composition.acls import Acl, Resource

if TYPE_CHECKING:
    from c2kit.pipeline.composition.acls import Permissions

__all__ = ["Grant", "grants_of"]

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
