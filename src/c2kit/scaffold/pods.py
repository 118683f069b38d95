"""Pods: what all of them have in common, whoever makes them. A stage's pod holds one process and nothing it may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from c2kit.scaffold import labels
from c2kit.scaffold.images import USER
from c2kit.scaffold.kafka_users import user_of
from c2kit.scaffold.mesh import listening_ports
from c2kit.scaffold.names import API_GROUP, KAFKA_CLUSTER
from c2kit.scaffold.plan import HEALTH_PORT
from c2kit.scaffold.resolve import SECRETS
from c2kit.scaffold.settings import KafkaKind, Mesh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.scaffold.plan import Plan, Volume, Workload

__all__ = [
    "GRACE_SECONDS",
    "Pod",
    "Port",
    "SecretFiles",
    "has_username",
    "kafka_files",
    "mesh_annotations",
    "pod_labels",
    "pod_of",
    "pod_without_stage",
]

KAFKA_USER = f"{API_GROUP}/kafka-user"
"""An annotation of pods."""
GRACE_SECONDS = 15
"""What a process has left after its drain, before it is killed."""

_OF_THE_BUS = ("C2KIT_BUS", "C2KIT_KAFKA_SECRETS")
_DRAIN_SECONDS = 5
"""How long the proxy beside a process that ends at once may finish what it sends."""


@frozen(kw_only=True)
class Port:
    """A port that is served. Where a service has it, its name begins with its protocol: a mesh need not guess."""

    name: str
    port: int
    protocol: str = "TCP"


@frozen(kw_only=True)
class SecretFiles:
    """Files from a secret: its keys, and what they are called where they are mounted."""

    name: str
    files: dict[str, str]


@frozen(kw_only=True)
class Pod:
    """All that templates show of a pod."""

    service_account: str
    labels: dict[str, str]
    annotations: dict[str, str]
    image: str
    arguments: tuple[str, ...]
    """Of the program of its image."""
    environment: tuple[tuple[str, str], ...]
    cpu: str
    memory: str
    grace_seconds: int
    command: tuple[str, ...] = ()
    """What runs in place of the program of its image."""
    pull_secret: str = ""
    ports: tuple[Port, ...] = ()
    volumes: tuple[Volume, ...] = ()
    device: str = ""
    secrets: tuple[SecretFiles, ...] = ()
    user_annotation: str = ""
    """The annotation that a file is made of which says who it is to Kafka; empty where its secret does."""
    is_spread: bool = False
    """Whether replicas keep away from each other."""
    has_ordinal: bool = False
    has_health: bool = True
    restarts: bool = True
    user: int = USER
    secrets_path: str = SECRETS
    health_port: int = HEALTH_PORT
    selector: dict[str, str] = field(factory=dict)


def pod_of(plan: Plan, workload: Workload) -> Pod:
    """The pod of a stage."""
    return Pod(
        service_account=workload.label,
        labels=pod_labels(plan, workload.label),
        annotations=_annotations(plan, workload.label, workload.drain_seconds),
        image=workload.image,
        arguments=workload.arguments,
        environment=workload.environment,
        cpu=workload.cpu,
        memory=workload.memory,
        grace_seconds=workload.drain_seconds + GRACE_SECONDS,
        pull_secret=plan.settings.images.pull_secret,
        ports=tuple(_ports(workload)),
        volumes=workload.volumes,
        device=workload.device,
        secrets=kafka_files(plan, workload.label),
        user_annotation=KAFKA_USER if has_username(plan) else "",
        is_spread=workload.may_have_several,
        has_ordinal=True,
        selector=labels.selector(plan, workload.label),
    )


def pod_without_stage(plan: Plan, label: str, *, cpu: str, memory: str, grace_seconds: int) -> Pod:
    """The pod of an identity that runs no stage and uses the bus; what it runs is the caller's to say.

    Any stage's image will do: all of them hold the whole mission.
    """
    some = plan.workloads[0]
    return Pod(
        service_account=label,
        labels=pod_labels(plan, label),
        annotations=_user_annotations(plan, label) | mesh_annotations(plan, label, _DRAIN_SECONDS),
        image=some.image,
        arguments=(),
        environment=tuple((name, value) for name, value in some.environment if name in _OF_THE_BUS),
        cpu=cpu,
        memory=memory,
        grace_seconds=grace_seconds,
        pull_secret=plan.settings.images.pull_secret,
        secrets=kafka_files(plan, label),
        user_annotation=KAFKA_USER if has_username(plan) else "",
        has_health=False,
    )


def pod_labels(plan: Plan, label: str) -> dict[str, str]:
    """Of the pods of an identity; the mesh is asked for by the pod, not for the whole namespace."""
    mesh = {"sidecar.istio.io/inject": "true"} if plan.settings.mesh is Mesh.SIDECAR else {}
    return {**labels.of(plan, label), **mesh}


def _annotations(plan: Plan, label: str, drain_seconds: int) -> dict[str, str]:
    told = {
        "kubectl.kubernetes.io/default-container": "stage",
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(HEALTH_PORT),
        "prometheus.io/path": "/metrics",
        **_user_annotations(plan, label),
    }
    return told | mesh_annotations(plan, label, drain_seconds)


def _user_annotations(plan: Plan, label: str) -> dict[str, str]:
    """Whom Kafka takes an identity for, where no secret says it: a file of the pod is made of it."""
    return {KAFKA_USER: user_of(plan, label)} if has_username(plan) else {}


def mesh_annotations(plan: Plan, label: str, drain_seconds: int) -> dict[str, str]:
    """What the proxy beside a process is told: to be there before it, until after it, and not in the way of devices.

    Nothing where there is no mesh.
    """
    if plan.settings.mesh is Mesh.NONE:
        return {}
    hold = f'{{"holdApplicationUntilProxyStarts": true, "terminationDrainDuration": "{drain_seconds}s"}}'
    ports = ",".join(map(str, listening_ports(plan, label)))
    around = {"traffic.sidecar.istio.io/excludeInboundPorts": ports} if ports else {}
    return {"proxy.istio.io/config": hold, **around}


def _ports(workload: Workload) -> Iterator[Port]:
    yield Port(name="health", port=HEALTH_PORT)  # by this name what scrapes finds it
    for number, port in enumerate(workload.stage.ports):
        yield Port(name=f"{port.protocol}-{number}", port=port.port)
    for number, listener in enumerate(workload.listeners):
        yield Port(name=f"{listener.protocol.lower()}-link-{number}", port=listener.port, protocol=listener.protocol)


# -- who it is to Kafka -------------------------------------------------------------------------


def kafka_files(plan: Plan, label: str) -> tuple[SecretFiles, ...]:
    """The secrets that an identity's pod mounts, as the files that c2kit expects."""
    kafka = plan.settings.kafka
    if kafka.kind is KafkaKind.STRIMZI:
        authority = SecretFiles(name=f"{KAFKA_CLUSTER}-cluster-ca-cert", files={"ca.crt": "ca.crt"})
        return (SecretFiles(name=label, files={"user.crt": "tls.crt", "user.key": "tls.key"}), authority)
    external = kafka.external
    if kafka.has_passwords:
        keys = {"password": "password"} if external.cluster else {"username": "username", "password": "password"}
    elif external.cluster:
        keys = {"user.crt": "tls.crt", "user.key": "tls.key"}
    else:
        keys = {"tls.crt": "tls.crt", "tls.key": "tls.key"}
    own = SecretFiles(name=external.secret.replace("{stage}", label), files=keys)
    return (own, SecretFiles(name=external.ca_secret, files={"ca.crt": "ca.crt"}))


def has_username(plan: Plan) -> bool:
    """Strimzi's secrets hold a password alone: the name of the user is that of the object."""
    kafka = plan.settings.kafka
    return kafka.has_passwords and bool(kafka.external.cluster)
