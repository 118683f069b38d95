"""What the script cannot know of a cluster: addresses of devices, storage, names that others have given.

The user's file ``settings.yaml`` says it; :mod:`c2kit.scaffold.settings_file` reads it. An empty text is a default.
"""

from __future__ import annotations

from enum import StrEnum, unique

from attrs import field, frozen

from c2kit.scaffold.setting_checks import (
    a_cpu,
    a_label,
    a_name,
    a_quantity,
    a_range,
    a_registry,
    a_resource,
    a_version,
    an_address,
    an_image,
    at_least,
    labels_of_pods,
    matching,
)

__all__ = [
    "ExternalKafka",
    "ImageSettings",
    "KafkaAuthentication",
    "KafkaKind",
    "KafkaSettings",
    "LinkSettings",
    "Mesh",
    "MonitoringSettings",
    "ServiceType",
    "Settings",
    "StorageSettings",
    "StoreSettings",
    "StrimziKafka",
    "VolumeSettings",
]


@unique
class Mesh(StrEnum):
    """Whether there is a service mesh."""

    SIDECAR = "sidecar"
    """Istio, with a proxy beside each stage."""
    NONE = "none"


@unique
class KafkaKind(StrEnum):
    """Who runs Apache Kafka."""

    STRIMZI = "strimzi"
    """A cluster of the mission's own, made by Strimzi's operator."""
    EXTERNAL = "external"
    """Somebody else."""


@unique
class KafkaAuthentication(StrEnum):
    """How a client proves to a cluster that is not the mission's who it is; all of it is encrypted."""

    TLS = "tls"
    SCRAM = "scram-sha-512"


@unique
class ServiceType(StrEnum):
    """How what is outside of the cluster reaches a port."""

    LOAD_BALANCER = "LoadBalancer"
    NODE_PORT = "NodePort"
    CLUSTER_IP = "ClusterIP"


@frozen(kw_only=True)
class ImageSettings:
    """What images are built from. None is ever looked up: who names them by digest gets the same each time."""

    python: str = field(default="3.13", validator=matching(r"3\.(1[1-9])", "3.11 or later, in quotes"))
    build: str = field(default="docker.io/library/python:3.13-slim-trixie", validator=an_image)
    """Has pip, and the same Python and C library as ``runtime``."""
    runtime: str = field(default="gcr.io/distroless/python3-debian13", validator=an_image)
    """What stages run on; it needs no shell."""
    machine: str = field(default="x86_64", validator=matching("x86_64|aarch64", "x86_64 or aarch64"))
    """Of the nodes that stages run on."""
    files: tuple[str, ...] = ()
    """What a mission reads only once it runs, so that nobody sees it before: relative to its script's folder."""
    pull_secret: str = field(default="", validator=a_name)


@frozen(kw_only=True)
class StrimziKafka:
    """The mission's own cluster."""

    version: str = field(default="4.3.1", validator=a_version)
    brokers: int = field(default=3, validator=at_least(1))
    controllers: int = field(default=3, validator=at_least(1))
    storage: str = field(default="100Gi", validator=a_quantity)
    """Of each broker."""
    storage_class: str = field(default="", validator=a_name)
    cpu: str = field(default="500m", validator=a_cpu)
    """Of each broker; so is the memory."""
    memory: str = field(default="4Gi", validator=a_quantity)
    controller_cpu: str = field(default="500m", validator=a_cpu)
    controller_memory: str = field(default="2Gi", validator=a_quantity)
    operator_namespace: str = field(default="strimzi", validator=a_label)
    """Where the operator runs that makes the cluster."""


@frozen(kw_only=True)
class ExternalKafka:
    """Somebody else's cluster."""

    bootstrap: tuple[str, ...] = field(default=(), validator=an_address)
    """``host:port`` of some brokers."""
    namespace: str = field(default="", validator=a_label)
    """Where the brokers are, if they run in the same Kubernetes cluster."""
    cidrs: tuple[str, ...] = field(default=(), validator=a_range)
    """Where all brokers are, if they do not."""
    authentication: KafkaAuthentication = KafkaAuthentication.TLS
    cluster: str = field(default="", validator=a_name)
    """What Strimzi calls it, if it is one of Strimzi's; then topics and users are written as objects for it."""
    ca_secret: str = field(default="kafka-ca", validator=a_name)
    """With ``ca.crt``, which signs the certificates of brokers."""
    secret: str = field(
        default="{stage}", validator=matching(r"[a-z0-9.-]*\{stage\}[a-z0-9.-]*", "a name with {stage} in it")
    )
    """The name of each stage's own secret."""


@frozen(kw_only=True)
class KafkaSettings:
    """Where the bus is."""

    kind: KafkaKind = KafkaKind.STRIMZI
    strimzi: StrimziKafka = field(factory=StrimziKafka)
    external: ExternalKafka = field(factory=ExternalKafka)

    @property
    def has_passwords(self) -> bool:
        """Whether clients prove by a password who they are, and else by a certificate."""
        return self.kind is KafkaKind.EXTERNAL and self.external.authentication is KafkaAuthentication.SCRAM


@frozen(kw_only=True)
class LinkSettings:
    """Where an interface's link goes from the cluster."""

    address: str = ""
    """As ``C2KIT_LINK_<INTERFACE>`` takes it; empty for that of the script."""
    cidrs: tuple[str, ...] = field(default=(), validator=a_range)
    """Of what connects, where the device is, if its address is a name; of what listens, who may reach it."""
    service: ServiceType = ServiceType.LOAD_BALANCER
    """Of what listens."""
    device: str = field(default="", validator=a_resource)
    """Of a serial port, the resource of the device plugin that gives it."""
    claim: str = field(default="", validator=a_name)
    """Of a file, the claim of the volume that holds it."""


@frozen(kw_only=True)
class VolumeSettings:
    """A volume; what is empty is as for all."""

    size: str = field(default="", validator=a_quantity)
    storage_class: str = field(default="", validator=a_name)


@frozen(kw_only=True)
class StorageSettings:
    """Volumes of stages that keep files."""

    size: str = field(default="20Gi", validator=a_quantity)
    storage_class: str = field(default="", validator=a_name)
    """Empty for the cluster's default."""
    stages: dict[str, VolumeSettings] = field(factory=dict)
    """Those of single stages, by their names."""

    def volume(self, stage: str) -> VolumeSettings:
        """The volume of a stage."""
        own = self.stages.get(stage, VolumeSettings())
        return VolumeSettings(size=own.size or self.size, storage_class=own.storage_class or self.storage_class)


@frozen(kw_only=True)
class StoreSettings:
    """A database."""

    address: str = field(default="", validator=an_address)
    namespace: str = field(default="", validator=a_label)
    """Where it is, if it runs in the same Kubernetes cluster."""
    cidrs: tuple[str, ...] = field(default=(), validator=a_range)
    """Where it is, if it does not."""
    secret: str = field(default="", validator=a_name)
    """With what is needed to be let in."""


@frozen(kw_only=True)
class MonitoringSettings:
    """Who may read metrics."""

    namespace: str = field(default="monitoring", validator=a_label)
    labels: dict[str, str] = field(factory=lambda: {"app.kubernetes.io/name": "prometheus"}, validator=labels_of_pods)
    """Of its pods."""


@frozen(kw_only=True)
class Settings:
    """All of it."""

    namespace: str = field(validator=a_label)
    registry: str = field(validator=a_registry)
    """What the names of images begin with."""
    mesh: Mesh = Mesh.SIDECAR
    trust_domain: str = field(default="cluster.local", validator=a_name)
    mesh_namespace: str = field(default="istio-system", validator=a_label)
    scaler_namespace: str = field(default="keda", validator=a_label)
    api_server_cidrs: tuple[str, ...] = field(default=("0.0.0.0/0",), validator=a_range)
    """Where Kubernetes' own API is; of a mission only the operators of Kafka's users and topics call it."""
    drain_seconds: int = field(default=30, validator=at_least(1))
    images: ImageSettings = field(factory=ImageSettings)
    kafka: KafkaSettings = field(factory=KafkaSettings)
    links: dict[str, LinkSettings] = field(factory=dict)
    """By interface."""
    storage: StorageSettings = field(factory=StorageSettings)
    stores: dict[str, StoreSettings] = field(factory=dict)
    """By name."""
    monitoring: MonitoringSettings = field(factory=MonitoringSettings)

    def link(self, interface: str) -> LinkSettings:
        """What is said of an interface's link, if only the defaults."""
        return self.links.get(interface, LinkSettings())
