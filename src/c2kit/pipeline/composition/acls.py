"""Who may do what on Apache Kafka: for each identity of a mission the least that its work needs.

Topics and groups are permitted by name. Only transactional ids have a pattern: what begins with the identity and a dot,
which an ordinal follows; no name of a stage has a dot in it, so that no other stage's ids begin so. What is not listed
is refused by a cluster whose authorizer permits nothing by default, which is how one has to be set up.
"""

from __future__ import annotations

import json
import shlex
from enum import StrEnum, unique
from itertools import groupby
from typing import TYPE_CHECKING

from attrs import asdict, field, frozen

from c2kit.batches.kinds import Kind
from c2kit.bus.naming import READER_GROUP, catalogue_name, group_of, state_name, transactional_prefix
from c2kit.errors import UsageError
from c2kit.pipeline.composition.names import COMMAND_SOURCE, OBSERVER, PROVISIONER, stage_identity
from c2kit.pipeline.composition.topics import keeps_state, topics_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c2kit.pipeline.composition.description import MissionDescription, StageDescription

__all__ = [
    "PRINCIPAL",
    "Acl",
    "Operation",
    "Permissions",
    "Resource",
    "as_commands",
    "as_json",
    "permissions_of",
    "principal_of",
]

PRINCIPAL = "User:{identity}"
"""Whom a cluster takes an identity for. With mutual TLS it is the subject of the certificate, ``User:CN={identity}``
unless the brokers' ``ssl.principal.mapping.rules`` say otherwise."""
_INTERNAL = ("__consumer_offsets", "__transaction_state")
_CLUSTER = "kafka-cluster"


@unique
class Resource(StrEnum):
    """What is permitted to be used, by Kafka's words."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"
    CLUSTER = "cluster"


@unique
class Operation(StrEnum):
    """What is permitted to be done. Who may read or write may describe, without being told so."""

    READ = "Read"
    WRITE = "Write"
    DESCRIBE = "Describe"
    CREATE = "Create"
    DESCRIBE_CONFIGS = "DescribeConfigs"


@frozen(kw_only=True, order=True)
class Acl:
    """One permission. ``is_prefix``: not the resource of that name, but those whose names begin so."""

    resource: Resource
    name: str
    operation: Operation
    is_prefix: bool = False


def _in_order(acls: Iterable[Acl]) -> tuple[Acl, ...]:
    return tuple(sorted(set(acls)))


@frozen(kw_only=True)
class Permissions:
    """All that one identity may do."""

    identity: str
    """Who it is to the bus, such as ``firefly.decom``."""
    role: str
    """As in the description, and ``observer``."""
    acls: tuple[Acl, ...] = field(converter=_in_order)


def permissions_of(description: MissionDescription) -> tuple[Permissions, ...]:
    """The identities of a mission with what each may do, in the order of the description; the observer is the last."""
    stages = [
        Permissions(identity=stage.identity, role=stage.role, acls=_of_stage(description, stage))
        for stage in description.stages
    ]
    observer = stage_identity(description.name, OBSERVER)
    return (*stages, Permissions(identity=observer, role=OBSERVER, acls=_of_observer(description)))


def _of_stage(description: MissionDescription, stage: StageDescription) -> Iterator[Acl]:
    yield from _looking(description)
    yield from _topics(stage.reads, Operation.READ)
    yield from _topics(stage.writes, Operation.WRITE)
    prefix = transactional_prefix(stage.identity)
    yield Acl(resource=Resource.TRANSACTIONAL_ID, name=prefix, operation=Operation.WRITE, is_prefix=True)
    own = (Operation.READ, Operation.WRITE) if keeps_state(stage) else (Operation.DESCRIBE,)
    yield from _topics([state_name(stage.identity)], *own)
    if any(not description.streams_by_name[name].compacted for name in stage.reads):
        yield Acl(resource=Resource.GROUP, name=group_of(stage.identity), operation=Operation.READ)
    if stage.role == COMMAND_SOURCE:
        yield from _topics(_of_kind(description, Kind.COMMAND_STATUS), Operation.READ)
    if stage.role == PROVISIONER:
        yield from _of_provisioner(description, stage)


def _looking(description: MissionDescription) -> Iterator[Acl]:
    """What whoever reads anything needs: what streams there are, and to be answered where it names no group."""
    yield from _topics([catalogue_name(description.name)], Operation.READ)
    yield Acl(resource=Resource.GROUP, name=READER_GROUP, operation=Operation.DESCRIBE)


def _of_provisioner(description: MissionDescription, stage: StageDescription) -> Iterator[Acl]:
    """It creates topics and looks at their settings and the brokers'; of what they hold it has definitions alone."""
    names = [topic.name for topic in topics_of(description)]
    yield from _topics(names, Operation.CREATE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)
    yield from _topics([catalogue_name(description.name)], Operation.WRITE)
    yield from _topics(stage.writes, Operation.READ)
    yield from _topics(_INTERNAL, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)
    yield Acl(resource=Resource.CLUSTER, name=_CLUSTER, operation=Operation.DESCRIBE_CONFIGS)


def _of_observer(description: MissionDescription) -> Iterator[Acl]:
    """It reads all streams, but for the state of stages, and sees how far each stage has read."""
    yield from _looking(description)
    yield from _topics((stream.name for stream in description.streams), Operation.READ)
    for stage in description.stages:
        if any(not description.streams_by_name[name].compacted for name in stage.reads):
            yield Acl(resource=Resource.GROUP, name=group_of(stage.identity), operation=Operation.DESCRIBE)


def _of_kind(description: MissionDescription, kind: Kind) -> list[str]:
    return [stream.name for stream in description.streams if stream.kind == str(kind)]


def _topics(names: Iterable[str], *operations: Operation) -> Iterator[Acl]:
    for name in names:
        for operation in operations:
            yield Acl(resource=Resource.TOPIC, name=name, operation=operation)


# -- for programs that set them -----------------------------------------------------------------


def principal_of(identity: str, template: str = PRINCIPAL) -> str:
    """Whom the cluster takes an identity for. Raises UsageError for a template without ``{identity}``."""
    if "{identity}" not in template or ":" not in template:
        raise UsageError("the principal of an identity", expected=f"such as {PRINCIPAL}", found=repr(template))
    return template.replace("{identity}", identity)


def as_json(permissions: Iterable[Permissions], principal: str = PRINCIPAL) -> str:
    """All of it, for programs."""
    told = [{"principal": principal_of(each.identity, principal), **asdict(each)} for each in permissions]
    return json.dumps(told, indent=2)


def as_commands(permissions: Iterable[Permissions], principal: str = PRINCIPAL) -> str:
    """A shell script of Kafka's own tool, which is given how to reach the cluster: doing it twice is doing it once."""
    lines = [
        "#!/bin/sh",
        "# Arguments are those that kafka-acls needs to reach the cluster, such as:",
        "#   sh -s -- --bootstrap-server localhost:9092 --command-config admin.properties",
        "set -e",
    ]
    for each in permissions:
        lines += ["", f"# {each.identity} ({each.role})"]
        lines += [shlex.join(words).replace("'$@'", '"$@"', 1) for words in _commands(each, principal)]
    return "\n".join(lines) + "\n"


def _commands(permissions: Permissions, principal: str) -> Iterator[list[str]]:
    """A command for all resources of a kind with which the same may be done."""
    who = ["--allow-principal", principal_of(permissions.identity, principal)]
    operations: dict[tuple[Resource, bool, str], list[Operation]] = {}
    for acl in permissions.acls:
        operations.setdefault((acl.resource, acl.is_prefix, acl.name), []).append(acl.operation)
    by_operations = sorted(operations.items(), key=lambda entry: (*entry[0][:2], entry[1], entry[0][2]))
    for (resource, is_prefix, allowed), group in groupby(
        by_operations, key=lambda entry: (*entry[0][:2], tuple(entry[1]))
    ):
        words = ["kafka-acls", "$@", "--add", *who]
        words += [word for operation in allowed for word in ("--operation", operation)]
        if resource is Resource.CLUSTER:
            yield [*words, "--cluster"]
            continue
        if is_prefix:
            words += ["--resource-pattern-type", "prefixed"]
        yield [*words, *(word for (_, _, name), _ in group for word in (f"--{resource}", name))]
