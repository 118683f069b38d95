"""All manifests of a plan, a readable file for each part of the mission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.pipeline.composition.names import PROVISIONER
from c2kit.scaffold.administration import namespace, roles
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

__all__ = ["base_files", "catalogue_of", "component_files", "overlay_files"]


def base_files(plan: Plan, templates: Templates) -> dict[str, str]:
    """What ``base/`` holds, by paths within it."""
    files = dict(_parts(plan, templates))
    files["namespace.yaml"] = namespace(plan, catalogue_of(files), templates)
    files["kustomization.yaml"] = base(files, templates)
    return files


def component_files(plan: Plan, digests: Mapping[str, str], templates: Templates) -> dict[str, str]:
    """What is added to the base where it is wanted, by paths."""
    simulator = simulator_files(plan, templates)
    files = {f"components/simulator/{name}": text for name, text in simulator.items()}
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
