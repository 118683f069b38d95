"""All objects of a deployment, to be looked up by what others name them by."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from c2kit.scaffold.names import KAFKA_CLUSTER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Catalogue", "Finding", "Object", "Pods", "name_of", "selects"]

Object = dict[str, Any]
"""An object as a cluster reads it."""

_POD_PARENTS = ("StatefulSet", "Deployment", "Job", "Pod")
_OPERATORS_SERVICES = (f"{KAFKA_CLUSTER}-kafka-bootstrap", f"{KAFKA_CLUSTER}-kafka-brokers")
_OPERATORS_SECRETS = (f"{KAFKA_CLUSTER}-cluster-ca-cert", f"{KAFKA_CLUSTER}-clients-ca-cert")


@frozen(kw_only=True, order=True)
class Finding:
    """Something that cannot work, or permits what it should not."""

    of: str
    """``Kind name``."""
    what: str

    def __str__(self) -> str:
        return f"{self.of}: {self.what}"


@frozen(kw_only=True)
class Pods:
    """What a workload makes pods of."""

    parent: Object
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def containers(self) -> Iterator[dict[str, Any]]:
        """All of its containers."""
        yield from self.spec.get("initContainers", [])
        yield from self.spec["containers"]

    @property
    def ports(self) -> set[int]:
        """Those that its containers say they serve."""
        return {port["containerPort"] for container in self.containers for port in container.get("ports", [])}

    @property
    def port_names(self) -> set[str]:
        """The names of these ports."""
        return {port.get("name", "") for container in self.containers for port in container.get("ports", [])}


def name_of(thing: Object) -> str:
    """``Kind name``."""
    return f"{thing['kind']} {thing['metadata']['name']}"


def selects(selector: dict[str, Any] | None, labels: dict[str, str]) -> bool:
    """Whether a selector selects what has these labels; an empty one selects everything, as Kubernetes has it."""
    wanted: dict[str, str] = (selector or {}).get("matchLabels", {})
    present = [each["key"] for each in (selector or {}).get("matchExpressions", []) if each["operator"] == "Exists"]
    return wanted.items() <= labels.items() and all(key in labels for key in present)


def _objects(given: Iterable[Object]) -> tuple[Object, ...]:
    return tuple(given)


def _names(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@frozen
class Catalogue:
    """All objects of a deployment. ``elsewhere`` are secrets and claims that somebody else makes."""

    objects: tuple[Object, ...] = field(converter=_objects)
    elsewhere: tuple[str, ...] = field(default=(), converter=_names)

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        """All objects of these kinds."""
        return (thing for thing in self.objects if thing["kind"] in kinds)

    def names(self, *kinds: str) -> set[str]:
        """The names of all objects of these kinds."""
        return {thing["metadata"]["name"] for thing in self.of_kind(*kinds)}

    @cached_property
    def pods(self) -> tuple[Pods, ...]:
        """The pods of all workloads, one for all replicas of each."""
        return tuple(self._pods())

    def _pods(self) -> Iterator[Pods]:
        for thing in self.of_kind(*_POD_PARENTS):
            template = thing if thing["kind"] == "Pod" else thing["spec"]["template"]
            yield Pods(parent=thing, labels=template["metadata"].get("labels", {}), spec=template["spec"])

    @cached_property
    def secrets(self) -> set[str]:
        """Names of secrets that there will be: an operator makes one for each user of Kafka."""
        ours = self.names("Secret", "KafkaUser") | set(self.elsewhere)
        return ours | set(_OPERATORS_SECRETS) if self.names("Kafka") else ours

    @cached_property
    def services(self) -> set[str]:
        """Names of services that there will be."""
        ours = self.names("Service")
        return ours | set(_OPERATORS_SERVICES) if self.names("Kafka") else ours

    @cached_property
    def label_sets(self) -> tuple[dict[str, str], ...]:
        """The labels of all pods that there will be, operators' included."""
        operators = _operators_pods(self.of_kind("KafkaNodePool", "Kafka"))
        return (*(pods.labels for pods in self.pods), *self._visitors(), *operators)

    def _visitors(self) -> Iterator[dict[str, str]]:
        """The labels of pods that people start: accounts that no workload has are there for them."""
        used = {pods.spec.get("serviceAccountName", "default") for pods in self.pods}
        for account in self.of_kind("ServiceAccount"):
            if account["metadata"]["name"] not in used:
                yield account["metadata"].get("labels", {})

    def is_for_some(self, selector: dict[str, Any] | None) -> bool:
        """Whether a selector selects any pods that there will be."""
        return any(selects(selector, labels) for labels in self.label_sets)

    def selected(self, selector: dict[str, Any] | None) -> list[Pods]:
        """The pods of ours that a selector selects."""
        return [pods for pods in self.pods if selects(selector, pods.labels)]


def _operators_pods(things: Iterable[Object]) -> Iterator[dict[str, str]]:
    """Labels that Strimzi gives its pods."""
    for thing in things:
        name = thing["metadata"]["name"]
        if thing["kind"] == "Kafka":
            yield {"strimzi.io/cluster": name, "strimzi.io/name": f"{name}-entity-operator"}
            continue
        cluster = thing["metadata"].get("labels", {}).get("strimzi.io/cluster", "")
        roles = thing["spec"].get("roles", [])
        yield {
            "strimzi.io/cluster": cluster,
            "strimzi.io/pool-name": name,
            "strimzi.io/name": f"{cluster}-kafka",
            "strimzi.io/kind": "Kafka",
            **{f"strimzi.io/{role}-role": "true" for role in roles},
        }
