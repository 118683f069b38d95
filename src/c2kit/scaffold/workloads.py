"""A stage as objects of Kubernetes: who it is, what runs, who finds it, and how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.bus.naming import group_of
from c2kit.scaffold import labels
from c2kit.scaffold.names import API_GROUP, SCALER
from c2kit.scaffold.pods import Port, pod_of
from c2kit.scaffold.scaling import access_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c2kit.scaffold.plan import Plan, Workload
    from c2kit.scaffold.pods import Pod
    from c2kit.scaffold.rendering import Templates

__all__ = ["DEFINED_AT", "about", "service_account", "workload_objects"]

DEFINED_AT = f"{API_GROUP}/defined-at"
"""An annotation: the line of the script that asked for it."""


def about(plan: Plan, label: str) -> dict[str, object]:
    """What templates of an identity's objects are told."""
    return {
        "name": label,
        "namespace": plan.namespace,
        "labels": labels.of(plan, label),
        "selector": labels.selector(plan, label),
    }


def service_account(plan: Plan, label: str, templates: Templates) -> str:
    """Who an identity is to the cluster, and so to the mesh."""
    return templates.render("serviceaccount.yaml.j2", **about(plan, label))


def workload_objects(plan: Plan, workload: Workload, templates: Templates) -> Iterator[str]:
    """All that runs a stage, without what it may do: documents of YAML."""
    told = about(plan, workload.label)
    pod = pod_of(plan, workload)
    yield service_account(plan, workload.label, templates)
    yield templates.render(
        "service.yaml.j2",
        **told,
        listeners=workload.listeners,
        served=workload.stage.ports,
        ports=_service_ports(workload, pod.ports),
    )
    yield _stateful_set(plan, workload, pod, templates)
    if workload.may_have_several:
        yield templates.render("poddisruptionbudget.yaml.j2", **told)
    if workload.autoscale is not None:
        yield templates.render(
            "scaledobject.yaml.j2",
            **told,
            scale=workload.autoscale,
            bootstrap=dict(workload.environment)["C2KIT_BUS"].partition(":")[2],
            group=group_of(workload.stage.identity),
            access=access_of(plan),
            scaler=SCALER,
        )


def _stateful_set(plan: Plan, workload: Workload, pod: Pod, templates: Templates) -> str:
    return templates.render(
        "statefulset.yaml.j2",
        **about(plan, workload.label),
        defined_at_key=DEFINED_AT,
        defined_at=workload.identity.defined_at,
        autoscaled=workload.autoscale is not None,
        replicas=workload.replicas,
        claims=[volume for volume in workload.volumes if not volume.claim],
        pod=pod,
    )


def _service_ports(workload: Workload, ports: Sequence[Port]) -> list[Port]:
    """What is reached by the service's name: what is served, or else health, which only names the pods."""
    health, *others = ports
    return others if workload.listeners or workload.stage.ports else [Port(name="http-health", port=health.port)]
