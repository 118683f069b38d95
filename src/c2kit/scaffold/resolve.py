"""From the description of a mission and the settings of a cluster to the plan of its deployment.

Everything is decided here; what follows turns decisions into text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from c2kit.pipeline.composition.acls import Acl, Operation, Permissions, Resource, permissions_of
from c2kit.pipeline.composition.names import COMMAND_SOURCE, OBSERVER, PROVISIONER, stage_identity
from c2kit.pipeline.composition.topics import topics_of
from c2kit.pipeline.settings import DIRECTORY_PREFIX, LINK_PREFIX, variable_of
from c2kit.scaffold.containers import FILES, LINK_FILES, arguments_of, extras_of
from c2kit.scaffold.edges import edges_of
from c2kit.scaffold.link_places import address_in_pod, places_of, unset_of
from c2kit.scaffold.names import KAFKA_CLUSTER, SCALER, label
from c2kit.scaffold.plan import HEALTH_PORT, KAFKA_PORT, Identity, Listener, Plan, Volume, Workload
from c2kit.scaffold.refusals import check_labels, check_settings
from c2kit.scaffold.settings import KafkaKind, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from c2kit.pipeline.composition.description import MissionDescription, StageDescription

__all__ = ["SECRETS", "resolve"]

SECRETS = "/run/secrets/kafka"
"""Where the certificate of a stage is mounted."""
_CPU, _MEMORY = "250m", "256Mi"
_WITHOUT_WORKLOAD = (COMMAND_SOURCE, PROVISIONER)


def resolve(description: MissionDescription, settings: Settings, images: Mapping[str, str]) -> Plan:
    """The plan. ``images`` are those of the stages, by their names.

    Raises:
        UsageError: names that become one, an address that no policy can express, a store without settings.
    """
    check_settings(description, settings)
    permissions = {each.identity: each for each in permissions_of(description)}
    identities = [_identity(stage, permissions) for stage in description.stages]
    identities += _without_stage(description, permissions)
    check_labels(identities)
    by_name = {identity.name: identity for identity in identities}
    running = [stage for stage in description.stages if stage.name not in _WITHOUT_WORKLOAD]
    workloads = [_workload(stage, by_name[stage.name], settings, images[stage.name]) for stage in running]
    stages = {workload.label: workload.stage for workload in workloads}
    return Plan(
        description=description,
        settings=settings,
        mission=label(description.name),
        namespace=settings.namespace,
        workloads=tuple(workloads),
        identities=tuple(identities),
        topics=topics_of(description, brokers=settings.kafka.strimzi.brokers),
        edges=edges_of(identities, stages, settings),
        unset=tuple(text for stage in running if (text := unset_of(stage, settings))),
    )


# -- who there is -------------------------------------------------------------------------------


def _identity(stage: StageDescription, permissions: Mapping[str, Permissions]) -> Identity:
    return Identity(
        label=label(stage.name),
        name=stage.name,
        role=stage.role,
        permissions=permissions[stage.identity],
        defined_at=stage.defined_at,
    )


def _without_stage(description: MissionDescription, permissions: Mapping[str, Permissions]) -> Iterable[Identity]:
    """Who is none of the mission's stages: people who look, and what scales stages where some are to be scaled."""
    looking = permissions[stage_identity(description.name, OBSERVER)]
    yield Identity(label=OBSERVER, name=OBSERVER, role=OBSERVER, permissions=looking)
    scaled = [stage for stage in description.stages if _is_scaled(stage)]
    if scaled:
        yield Identity(label=SCALER, name=SCALER, role=SCALER, permissions=_scaler(description, scaled, permissions))


def _scaler(
    description: MissionDescription, scaled: Iterable[StageDescription], permissions: Mapping[str, Permissions]
) -> Permissions:
    """It sees how far groups have read and where streams end, and no record."""
    seen = (
        evolve(acl, operation=Operation.DESCRIBE)
        for stage in scaled
        for acl in permissions[stage.identity].acls
        if acl.resource is Resource.GROUP and acl.operation is Operation.READ
    )
    ends = (
        Acl(resource=Resource.TOPIC, name=name, operation=Operation.DESCRIBE)
        for stage in scaled
        for name in stage.reads
    )
    return Permissions(identity=stage_identity(description.name, SCALER), role=SCALER, acls=(*seen, *ends))


# -- what runs ----------------------------------------------------------------------------------


def _workload(stage: StageDescription, identity: Identity, settings: Settings, image: str) -> Workload:
    volumes = _volumes(stage, settings)
    return Workload(
        stage=stage,
        identity=identity,
        image=image,
        arguments=arguments_of(stage),
        environment=tuple(sorted(_environment(stage, settings).items())),
        replicas=stage.scale.max if stage.role == "sink" else stage.scale.min,
        autoscale=stage.scale if _is_scaled(stage) else None,
        volumes=volumes,
        listeners=tuple(
            Listener(
                port=place.port,
                protocol=place.protocol,
                cidrs=place.cidrs,
                service_type=settings.link(stage.name).service.value,
            )
            for place in places_of(stage, settings)
            if place.listens
        ),
        device=settings.link(stage.name).device if _has_link(stage, "Serial") else "",
        extras=extras_of(stage),
        cpu=stage.resources.cpu or _CPU,
        memory=stage.resources.memory or _MEMORY,
        drain_seconds=settings.drain_seconds,
    )


def _is_scaled(stage: StageDescription) -> bool:
    return stage.role == "stage" and not stage.exclusive and stage.scale.max > stage.scale.min


def _has_link(stage: StageDescription, kind: str) -> bool:
    return stage.link is not None and stage.link.name == kind


def _volumes(stage: StageDescription, settings: Settings) -> tuple[Volume, ...]:
    if stage.directory is not None:
        told = settings.storage.volume(stage.name)
        return (Volume(name="files", path=FILES, size=told.size, storage_class=told.storage_class),)
    claim = settings.link(stage.name).claim
    return (Volume(name="link", path=LINK_FILES, claim=claim),) if _has_link(stage, "File") and claim else ()


def _environment(stage: StageDescription, settings: Settings) -> dict[str, str]:
    """What differs from the script's own: the bus, where files are, where the device is."""
    told = {
        "C2KIT_BUS": f"kafka:{_bootstrap(settings)}",
        "C2KIT_DRAIN_SECONDS": str(settings.drain_seconds),
        "C2KIT_HTTP": f"0.0.0.0:{HEALTH_PORT}",
        "C2KIT_KAFKA_SECRETS": SECRETS,
        "C2KIT_LOG": "json",
    }
    if stage.directory is not None:
        told[variable_of(DIRECTORY_PREFIX, stage.name)] = FILES
    address = address_in_pod(stage, settings)
    if address:
        told[variable_of(LINK_PREFIX, stage.name)] = address
    return told


def _bootstrap(settings: Settings) -> str:
    if settings.kafka.kind is KafkaKind.EXTERNAL:
        return ",".join(settings.kafka.external.bootstrap)
    return f"{KAFKA_CLUSTER}-kafka-bootstrap.{settings.namespace}.svc:{KAFKA_PORT}"
