"""All manifests of a plan, a readable file for each part of the mission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.pipeline.composition.names import PROVISIONER
from c2kit.scaffold.administration import namespace, roles
from c2kit.scaffold.console import console_files
from c2kit.scaffold.documents import objects_in
from c2kit.scaffold.kafka import cluster, topics
from c2kit.scaffold.names import SCALER
from c2kit.scaffold.overlays import base, overlays, production_files
from c2kit.scaffold.permissions import denied, permitted
from c2kit.scaffold.provisioner import provisioner_objects
from c2kit.scaffold.scaling import authentication
from c2kit.scaffold.settings import KafkaKind
from c2kit.scaffold.simulator import simulator_files
from c2kit.scaffold.validation import Catalogue
from c2kit.scaffold.workloads import service_account, workload_objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from c2kit.scaffold.plan import Identity, Plan
    from c2kit.scaffold.rendering import Templates

__all__ = ["Base", "base_files", "base_of", "catalogue_of", "component_files", "overlay_files"]


@frozen(kw_only=True)
class Base:
    """What ``base/`` holds."""

    files: dict[str, str]
    """By paths within it."""
    objects: Catalogue
    """All of them, read back once: that takes as long as all the rest."""


def base_of(plan: Plan, templates: Templates) -> Base:
    """The base of a plan. Raises UsageError for what a user's template made that is no object."""
    files = dict(_parts(plan, templates))
    parts = catalogue_of(files)
    asking = Catalogue((*parts.objects, *catalogue_of(console_files(plan, templates)).objects))
    bounds = {"namespace.yaml": namespace(plan, asking, templates)}
    objects = Catalogue((*catalogue_of(bounds).objects, *parts.objects))
    files |= bounds
    return Base(files={**files, "kustomization.yaml": base(files, templates)}, objects=objects)


def base_files(plan: Plan, templates: Templates) -> dict[str, str]:
    """What ``base/`` holds, by paths within it."""
    return base_of(plan, templates).files


def component_files(plan: Plan, digests: Mapping[str, str], templates: Templates) -> dict[str, str]:
    """What is added to the base where it is wanted, by paths."""
    parts = {"simulator": simulator_files(plan, templates), "console": console_files(plan, templates)}
    files = {f"components/{part}/{name}": text for part, of in parts.items() for name, text in of.items()}
    return {**files, **production_files(plan, digests, templates)}


def overlay_files(components: Mapping[str, str], templates: Templates) -> dict[str, str]:
    """What is made once, by paths."""
    return overlays(templates, simulated="components/simulator/kustomization.yaml" in components)


def catalogue_of(files: Mapping[str, str]) -> Catalogue:
    """All objects in files, as a cluster reads them; raises UsageError for what is none."""
    manifests = {name: text for name, text in files.items() if not name.endswith("kustomization.yaml")}
    return Catalogue([each for name, text in manifests.items() for each in objects_in(text, name)])


def _parts(plan: Plan, templates: Templates) -> Iterator[tuple[str, str]]:
    yield "default-deny.yaml", denied(plan, templates)
    yield "rbac.yaml", roles(plan, templates)
    if plan.settings.kafka.kind is KafkaKind.STRIMZI:
        yield "kafka.yaml", _joined(cluster(plan, templates))
        yield "topics.yaml", _joined(topics(plan, templates))
    running = {workload.label for workload in plan.workloads}
    for workload in plan.workloads:
        objects = (*workload_objects(plan, workload, templates), *permitted(plan, workload.identity, templates))
        yield f"stages/{workload.label}.yaml", _joined(objects)
    for identity in plan.identities:
        if identity.label not in running:
            yield f"others/{identity.label}.yaml", _joined(_other(plan, identity, templates))


def _other(plan: Plan, identity: Identity, templates: Templates) -> Iterator[str]:
    """Who is no stage: who provisions, scales, issues commands or looks."""
    if identity.role == PROVISIONER:
        yield from provisioner_objects(plan, templates)
    elif identity.role == SCALER:
        yield authentication(plan, templates)
    else:
        yield service_account(plan, identity.label, templates)
    yield from permitted(plan, identity, templates)


def _joined(documents: Iterable[str]) -> str:
    return "---\n".join(documents)
