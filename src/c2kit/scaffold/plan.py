"""The plan of a deployment: what runs, who talks to whom, and why; plain data, before any text is made of it.

Everything that permits something follows from :attr:`Plan.edges`: network policies, authorization policies, what a
sidecar may see, and the page for the security reviewer are views of the same edges, so that they cannot differ.
"""

from __future__ import annotations

from enum import StrEnum, unique
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.bus.topic import Topic
    from c2kit.pipeline.composition.acls import Permissions
    from c2kit.pipeline.composition.description import MissionDescription, Scale, StageDescription
    from c2kit.scaffold.settings import Settings

__all__ = [
    "HEALTH_PORT",
    "KAFKA_PORT",
    "Edge",
    "Encryption",
    "Endpoint",
    "Identity",
    "Listener",
    "Place",
    "Plan",
    "Volume",
    "Workload",
]

HEALTH_PORT = 8080
"""Where each stage serves its health and its metrics."""
KAFKA_PORT = 9093
"""Where brokers serve clients by mutual TLS."""


@unique
class Place(StrEnum):
    """Where an end of an edge is."""

    IDENTITY = "identity"
    """One of the mission's own: a stage, or who writes commands, provisions or looks."""
    KAFKA = "kafka"
    STORE = "store"
    DNS = "dns"
    MESH = "mesh"
    """The mesh's control plane, which gives sidecars their certificates."""
    MONITORING = "monitoring"
    AUTOSCALER = "autoscaler"
    OUTSIDE = "outside"
    """Addresses that are none of the cluster's."""


@frozen(kw_only=True)
class Endpoint:
    """One end of an edge."""

    place: Place
    name: str = ""
    """The label of an identity, the name of a store, the host that a link was told."""
    cidrs: tuple[str, ...] = ()
    """Of what is outside: ranges of addresses; a single host is one of length 32 or 128."""


@unique
class Encryption(StrEnum):
    """What keeps others from reading what goes over an edge."""

    KAFKA_TLS = "mutual TLS by Kafka itself"
    KAFKA_SCRAM = "TLS by Kafka itself, with a password of the client's (SCRAM)"
    MESH_TLS = "mutual TLS by the mesh"
    STORE_TLS = "TLS by the store itself"
    NONE = "nothing"


@frozen(kw_only=True)
class Edge:
    """That ``source`` may open connections, or send datagrams, to one port of ``destination``."""

    source: Endpoint
    destination: Endpoint
    port: int
    protocol: str = "TCP"
    """``TCP`` or ``UDP``."""
    encryption: Encryption
    why: str
    """For people, in a few words."""
    defined_at: str = ""
    """The line of the script that asked for it; empty for what every stage needs."""


@frozen(kw_only=True)
class Listener:
    """A port of an interface that waits for what is outside of the cluster."""

    port: int
    protocol: str
    cidrs: tuple[str, ...]
    """Who may reach it."""
    service_type: str
    """``LoadBalancer``, ``NodePort`` or ``ClusterIP``."""


@frozen(kw_only=True)
class Volume:
    """Files that a workload keeps or reads, mounted at ``path``."""

    name: str
    path: str
    size: str = ""
    storage_class: str = ""
    """Empty for the cluster's default."""
    claim: str = ""
    """The name of a claim that is there already; else each replica gets one of its own."""


@frozen(kw_only=True)
class Identity:
    """Who a part of the mission is to the cluster, the mesh and Kafka."""

    label: str
    """Of its service account, its user of Kafka and the secret with its certificate."""
    name: str
    """In the script."""
    role: str
    permissions: Permissions
    """On Kafka."""
    defined_at: str = ""


@frozen(kw_only=True)
class Workload:
    """A stage as it runs in the cluster."""

    stage: StageDescription
    identity: Identity
    image: str
    arguments: tuple[str, ...]
    """Of the ``c2kit`` of its image."""
    environment: tuple[tuple[str, str], ...]
    replicas: int
    """How many there are when it starts."""
    autoscale: Scale | None = None
    """Where the number of replicas follows the lag."""
    volumes: tuple[Volume, ...] = ()
    listeners: tuple[Listener, ...] = ()
    device: str = ""
    """The resource of a device plugin that gives it a serial port."""
    extras: tuple[str, ...]
    """What of the package its image holds."""
    cpu: str
    memory: str
    drain_seconds: int

    @property
    def label(self) -> str:
        """The name of its objects."""
        return self.identity.label

    @property
    def may_have_several(self) -> bool:
        """Whether more than one replica can exist."""
        return self.replicas > 1 or self.autoscale is not None


@frozen(kw_only=True)
class Plan:
    """A whole deployment."""

    description: MissionDescription
    settings: Settings
    mission: str
    """The label of the mission."""
    namespace: str
    workloads: tuple[Workload, ...]
    identities: tuple[Identity, ...]
    """Those of the workloads, and those that run no workload of their own."""
    topics: tuple[Topic, ...]
    edges: tuple[Edge, ...] = field(repr=False)
    unset: tuple[str, ...] = ()
    """Settings that a link cannot do without in production, each with why, for people."""

    @cached_property
    def identities_by_label(self) -> dict[str, Identity]:
        """All identities, by label."""
        return {identity.label: identity for identity in self.identities}

    def edges_from(self, label: str) -> Iterator[Edge]:
        """What an identity may open."""
        end = Endpoint(place=Place.IDENTITY, name=label)
        return (edge for edge in self.edges if edge.source == end)

    def edges_to(self, label: str) -> Iterator[Edge]:
        """What may be opened to an identity."""
        end = Endpoint(place=Place.IDENTITY, name=label)
        return (edge for edge in self.edges if edge.destination == end)
