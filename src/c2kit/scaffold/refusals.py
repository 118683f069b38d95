"""What cannot be deployed: settings that nothing belongs to, or that are missing, and names that would become one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from c2kit.errors import UnknownName, UsageError
from c2kit.pipeline.composition.structuring import Fault, Faulty
from c2kit.scaffold.link_places import places_of
from c2kit.scaffold.names import OPERATORS_OWN, SCALER
from c2kit.scaffold.plan import HEALTH_PORT
from c2kit.scaffold.settings import KafkaKind, Mesh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from c2kit.pipeline.composition.description import MissionDescription, StageDescription
    from c2kit.scaffold.plan import Identity
    from c2kit.scaffold.settings import ExternalKafka, Settings

__all__ = ["check_labels", "check_settings"]

_OF_THE_MESH = range(15000, 15100)
"""What proxies keep for themselves in their pods."""


def check_settings(description: MissionDescription, settings: Settings) -> None:
    """Raise UsageError unless the settings are those of this mission, and all that it cannot do without."""
    names = [stage.name for stage in description.stages]
    _check_known("links", settings.links, [stage.name for stage in description.stages if stage.link is not None])
    _check_known("storage.stages", settings.storage.stages, names)
    for stage in description.stages:
        _check_stores(stage, settings)
        _check_callers(stage, names)
        _check_ports(stage, settings)
    if settings.kafka.kind is KafkaKind.EXTERNAL:
        _check_external(settings.kafka.external)


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


def _check_known(key: str, given: Iterable[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            what = "the mission has no such interface" if key == "links" else "the mission has no such stage"
            remedy = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise Faulty([Fault(path=(*key.split("."), name), what=what, remedy=remedy)])


def _check_stores(stage: StageDescription, settings: Settings) -> None:
    for store in stage.stores:
        told = settings.stores.get(store)
        if told is None or not told.address or not (told.namespace or told.cidrs):
            what = f"store {store} of {stage.name} ({stage.defined_at}) is nowhere"
            expected = "an address, and a namespace or cidrs"
            raise Faulty([Fault(path=("stores", store), what=what, expected=expected)])


def _check_callers(stage: StageDescription, names: Iterable[str]) -> None:
    for port in stage.ports:
        for caller in port.callers:
            if caller not in names:
                raise UnknownName(kind="stage", name=caller, known=names, where=f"port {port.name} of {stage.name}")


def _check_ports(stage: StageDescription, settings: Settings) -> None:
    """A pod has one address, which its link, its health and the mesh's proxy share."""
    taken = {HEALTH_PORT: "health and metrics"}
    if settings.mesh is Mesh.SIDECAR:
        taken |= dict.fromkeys(_OF_THE_MESH, "the proxy of the mesh")
    for path, port in _tcp_ports(stage, settings):
        if port in taken:
            what = f"port {port} of {stage.name} ({stage.defined_at}) is that of {taken[port]} in its pod"
            raise Faulty([Fault(path=path, what=what, expected="another port")])


def _tcp_ports(stage: StageDescription, settings: Settings) -> Iterator[tuple[tuple[str, ...], int]]:
    """With the settings that would change them."""
    for place in places_of(stage, settings):
        if place.listens and place.protocol == "TCP":
            yield ("links", stage.name, "address"), place.port
    for port in stage.ports:
        yield (), port.port


def _check_external(kafka: ExternalKafka) -> None:
    if not kafka.bootstrap:
        raise Faulty([Fault(path=("kafka", "external", "bootstrap"), what="no broker is named", expected="host:port")])
    if not (kafka.namespace or kafka.cidrs):
        what = "it is not said where all brokers are, and policies of a cluster do not know names"
        raise Faulty([Fault(path=("kafka", "external"), what=what, expected="namespace or cidrs")])
