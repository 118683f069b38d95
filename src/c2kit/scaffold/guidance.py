"""What people are told of a deployment: what its cluster must offer, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.pipeline.composition.names import OBSERVER
from c2kit.scaffold.images import wheel_command
from c2kit.scaffold.kafka_admin import secrets_to_bring
from c2kit.scaffold.settings import KafkaKind, Mesh

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c2kit.scaffold.images import Image, ImageSources
    from c2kit.scaffold.plan import Plan

__all__ = ["Requirement", "Step", "requirements_of", "steps_of"]


@frozen(kw_only=True)
class Requirement:
    """Something that has to be there before, and why."""

    what: str
    why: str


@frozen(kw_only=True)
class Step:
    """Something to do, and the commands that do it."""

    what: str
    commands: tuple[str, ...]


def requirements_of(plan: Plan) -> tuple[Requirement, ...]:
    """What the cluster must offer."""
    return (
        Requirement(what="Kubernetes 1.33 or later", why="a replica learns its number from a label of its pod"),
        Requirement(
            what="a network plug-in that enforces network policies, such as Calico or Cilium",
            why="what is not permitted is denied by it",
        ),
        *_kafka(plan),
        *_mesh(plan),
        *_scaling(plan),
        *_storage(plan),
        *_outside(plan),
    )


def _kafka(plan: Plan) -> Iterator[Requirement]:
    kafka = plan.settings.kafka
    if kafka.kind is KafkaKind.STRIMZI:
        yield Requirement(
            what=f"Strimzi 1.0 or later in namespace {kafka.strimzi.operator_namespace}, "
            f"which watches namespace {plan.namespace}",
            why=f"it makes Apache Kafka {kafka.strimzi.version}, topics, users and their certificates",
        )
        return
    names = kafka.external.secret.replace("{stage}", "STAGE")
    yield Requirement(
        what=f"Apache Kafka at {', '.join(kafka.external.bootstrap)}, by TLS",
        why=f"it is the bus; each stage has secret {names}, and all of them {kafka.external.ca_secret}",
    )


def _mesh(plan: Plan) -> Iterator[Requirement]:
    if plan.settings.mesh is Mesh.SIDECAR:
        yield Requirement(
            what=f"Istio 1.27 or later in namespace {plan.settings.mesh_namespace}, with its CNI node agent",
            why="without the agent its pods would need what restricted pods may not have (pilot.cni.enabled=true)",
        )


def _scaling(plan: Plan) -> Iterator[Requirement]:
    scaled = [workload.label for workload in plan.workloads if workload.autoscale is not None]
    if scaled:
        what = f"KEDA 2.18 or later in namespace {plan.settings.scaler_namespace}"
        yield Requirement(what=what, why=f"it says how many replicas there are of {', '.join(scaled)}")


def _storage(plan: Plan) -> Iterator[Requirement]:
    volumes = [volume for workload in plan.workloads for volume in workload.volumes]
    classes = {volume.storage_class for volume in volumes if not volume.claim}
    if plan.settings.kafka.kind is KafkaKind.STRIMZI:
        classes.add(plan.settings.kafka.strimzi.storage_class)
    if classes:
        names = ", ".join(name or "the default one" for name in sorted(classes))
        why = "brokers keep streams; volumes of sinks are ReadWriteOncePod, which drivers of the CSI know"
        yield Requirement(what=f"storage classes: {names}", why=why)
    for claim in sorted({volume.claim for volume in volumes if volume.claim}):
        yield Requirement(what=f"the claim {claim}", why="an interface reads a file in it")


def _outside(plan: Plan) -> Iterator[Requirement]:
    balanced = [
        f"{workload.stage.name} on port {listener.port}"
        for workload in plan.workloads
        for listener in workload.listeners
        if listener.service_type == "LoadBalancer"
    ]
    if balanced:
        why = f"outside of the cluster it is by it that one reaches {', '.join(balanced)}"
        yield Requirement(what="a load balancer that keeps the addresses of senders", why=why)
    for workload in plan.workloads:
        if workload.device:
            what = f"a device plugin that offers {workload.device}"
            yield Requirement(what=what, why=f"{workload.stage.name} has a serial port")


def steps_of(plan: Plan, images: Sequence[Image], sources: ImageSources, folder: str) -> Iterator[Step]:
    """What to do, in order, from the folder with the deployment called ``folder``."""
    if not sources.wheels:
        command = wheel_command(plan.description, sources, f"{folder}/images/wheels")
        yield Step(
            what="Fill the folder of wheels, once, and run c2kit scaffold again"
            " (first export PIP_FIND_LINKS=DIR where no index has the wheel of c2kit)",
            commands=(command,),
        )
    if not sources.mission.is_complete:
        where = f"{folder}/images/mission"
        what = (
            f"Put the mission's script, as mission.py, and all that it reads into {where}, and run c2kit scaffold again"
        )
        yield Step(what=what, commands=())
    compose = f"docker compose -f {folder}/compose.yaml"
    what = f"Build and push all images ({len(images)})"
    yield Step(what=what, commands=(f"{compose} build", f"{compose} push"))
    secrets = secrets_to_bring(plan)
    if secrets:
        names = ", ".join(f"{theirs} as {ours}" if theirs else ours for ours, theirs in secrets.items())
        what = f"Let the owner of Kafka apply {folder}/kafka-admin; copy secrets to namespace {plan.namespace}: {names}"
        yield Step(what=what, commands=())
    yield Step(what="Try it", commands=(f"kubectl apply -k {folder}/overlays/local",))
    look = f"kubectl -n {plan.namespace} exec -it {OBSERVER}-0 -- python3 -m c2kit streams ls"
    yield Step(what="Look at it, in a pod of components/console", commands=(look,))
    yield Step(what="Go to production", commands=(f"kubectl apply -k {folder}/overlays/production",))
