"""What cannot be deployed: settings that nothing belongs to, or that are missing, and names that would become one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.errors import UnknownName, UsageError
from c2kit.pipeline.composition.structuring import Fault, Faulty, nearest
from c2kit.scaffold.link_places import places_of
from c2kit.scaffold.names import OPERATORS_OWN, SCALER
from c2kit.scaffold.plan import HEALTH_PORT
from c2kit.scaffold.settings import KafkaKind, Mesh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from c2kit.pipeline.composition.description import MissionDescription, StageDescription
    from c2kit.scaffold.plan import Identity
    from c2kit.scaffold.settings import ExternalKafka, Settings

__all__ = ["check_labels", "check_settings", "unknown_names"]

_OF_THE_MESH = range(15000, 15100)
"""What proxies keep for themselves in their pods."""


def check_settings(description: MissionDescription, settings: Settings) -> None:
    """Raise UsageError unless the settings are those of this mission, and all that it cannot do without.

    It is a Faulty with all that is wrong with them.
    """
    names = [stage.name for stage in description.stages]
    faults = list(unknown_names(description, settings.links, settings.storage.stages))
    for stage in description.stages:
        _check_callers(stage, names)
        faults += [*_of_stores(stage, settings), *_of_ports(stage, settings)]
    if settings.kafka.kind is KafkaKind.EXTERNAL:
        faults += _of_external(settings.kafka.external)
    if faults:
        raise Faulty(faults)


def unknown_names(description: MissionDescription, links: Iterable[str], sinks: Iterable[str]) -> Iterator[Fault]:
    """Of the names in ``links`` and ``storage.stages`` of settings, those that the mission does not have."""
    interfaces = [stage.name for stage in description.stages if stage.link is not None]
    yield from _unknown(("links",), links, interfaces, "the mission has no such interface")
    stages = [stage.name for stage in description.stages]
    yield from _unknown(("storage", "stages"), sinks, stages, "the mission has no such stage")


def check_labels(identities: Iterable[Identity]) -> None:
    """Raise UsageError for names that become the same one, or that of something else in the namespace."""
    taken: dict[str, str] = {}
    for identity in identities:
        if identity.label in OPERATORS_OWN and identity.role != SCALER:
            raise UsageError(
                f"the name of {identity.name} ({identity.defined_at})",
                expected="one that nothing else has in the namespace",
                found=identity.label,
                remedy="give it another name",
            )
        other = taken.setdefault(identity.label, identity.name)
        if other != identity.name:
            raise UsageError(f"{other} and {identity.name} would both be {identity.label} in a cluster")


def _unknown(path: tuple[str, ...], given: Iterable[str], known: Sequence[str], what: str) -> Iterator[Fault]:
    for name in given:
        if name not in known:
            yield Fault(path=(*path, name), what=what, remedy=nearest(name, known))


def _of_stores(stage: StageDescription, settings: Settings) -> Iterator[Fault]:
    for store in stage.stores:
        told = settings.stores.get(store)
        if told is None or not told.address or not (told.namespace or told.cidrs):
            what = f"store {store} of {stage.name} ({stage.defined_at}) is nowhere"
            yield Fault(path=("stores", store), what=what, expected="an address, and a namespace or cidrs")


def _check_callers(stage: StageDescription, names: Iterable[str]) -> None:
    for port in stage.ports:
        for caller in port.callers:
            if caller not in names:
                raise UnknownName(kind="stage", name=caller, known=names, where=f"port {port.name} of {stage.name}")


def _of_ports(stage: StageDescription, settings: Settings) -> Iterator[Fault]:
    """A pod has one address, which its link, its health and the mesh's proxy share."""
    taken = {HEALTH_PORT: "health and metrics"}
    if settings.mesh is Mesh.SIDECAR:
        taken |= dict.fromkeys(_OF_THE_MESH, "the proxy of the mesh")
    try:
        ports = list(_tcp_ports(stage, settings))
    except Faulty as error:
        yield from error.faults
        return
    for path, port in ports:
        if port in taken:
            what = f"port {port} of {stage.name} ({stage.defined_at}) is that of {taken[port]} in its pod"
            yield Fault(path=path, what=what, expected="another port")


def _tcp_ports(stage: StageDescription, settings: Settings) -> Iterator[tuple[tuple[str, ...], int]]:
    """With the settings that would change them."""
    for place in places_of(stage, settings):
        if place.listens and place.protocol == "TCP":
            yield ("links", stage.name, "address"), place.port
    for port in stage.ports:
        yield (), port.port


def _of_external(kafka: ExternalKafka) -> Iterator[Fault]:
    if not kafka.bootstrap:
        yield Fault(path=("kafka", "external", "bootstrap"), what="no broker is named", expected="host:port")
    if not (kafka.namespace or kafka.cidrs):
        what = "it is not said where all brokers are, and policies of a cluster do not know names"
        yield Fault(path=("kafka", "external"), what=what, expected="namespace or cidrs")
