"""The component that flies simulated satellites in a cluster, in place of devices that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from c2kit.errors import UsageError
from c2kit.pipeline.settings import LINK_PREFIX, variable_of
from c2kit.scaffold.mesh import allowed_of, hosts_of
from c2kit.scaffold.network import policy_of
from c2kit.scaffold.plan import Edge, Encryption, Endpoint, Place
from c2kit.scaffold.pods import Pod, Port, mesh_annotations, pod_labels
from c2kit.scaffold.satellite import simulated
from c2kit.scaffold.settings import Mesh
from c2kit.scaffold.workloads import about, service_account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.scaffold.plan import Plan, Workload
    from c2kit.scaffold.rendering import Templates

__all__ = ["simulator_files"]

_PORT = 7011
_CPU, _MEMORY = "100m", "128Mi"
_GRACE_SECONDS = 5


@frozen(kw_only=True)
class _Satellite:
    """One that flies, and the interface that connects to it."""

    name: str
    file: str
    interface: str
    variable: str
    address: str
    host: str


def simulator_files(plan: Plan, templates: Templates) -> dict[str, str]:
    """The files of the component by their names; none where nothing of the mission can be simulated.

    Raises UsageError for a stage that is called as a satellite would be.
    """
    flown = {stage.name for stage in simulated(plan.description)}
    workloads = [workload for workload in plan.workloads if workload.stage.name in flown]
    if not workloads:
        return {}
    satellites = [_satellite(plan, workload) for workload in workloads]
    mesh = plan.settings.mesh is Mesh.SIDECAR
    files = {
        satellite.file: "---\n".join(_objects(plan, workload, satellite, templates))
        for workload, satellite in zip(workloads, satellites, strict=True)
    }
    overview = templates.render("simulator-kustomization.yaml.j2", satellites=satellites, mesh=mesh)
    return {"kustomization.yaml": overview, **files}


def _satellite(plan: Plan, workload: Workload) -> _Satellite:
    name = f"{workload.label}-satellite"
    if name in plan.identities_by_label:
        other = plan.identities_by_label[name]
        what = f"the stage {other.name} ({other.defined_at}) has the name of a simulated satellite"
        raise UsageError(what, found=name, remedy="give it another name")
    return _Satellite(
        name=name,
        file=f"{name}.yaml",
        interface=workload.label,
        variable=variable_of(LINK_PREFIX, workload.stage.name),
        address=f"{name}.{plan.namespace}.svc:{_PORT}",
        host=f"./{name}.{plan.namespace}.svc.cluster.local",
    )


def _objects(plan: Plan, workload: Workload, satellite: _Satellite, templates: Templates) -> Iterator[str]:
    told = about(plan, satellite.name)
    with_it = evolve(plan, edges=tuple(_edges(plan, satellite)))
    mesh = plan.settings.mesh is Mesh.SIDECAR
    port = Port(name="tcp-link", port=_PORT)
    yield templates.render(
        "simulator.yaml.j2", about={**told, "what": workload.stage.name}, pod=_pod(plan, workload, satellite, port)
    )
    yield service_account(plan, satellite.name, templates)
    yield templates.render("service.yaml.j2", **told, listeners=(), served=(port,), ports=(port,))
    yield templates.render("networkpolicy.yaml.j2", **told, policy=policy_of(with_it, satellite.name))
    client = {**about(plan, satellite.interface), "name": f"{satellite.name}-client"}
    yield templates.render("networkpolicy.yaml.j2", **client, policy=policy_of(with_it, satellite.interface))
    if mesh:
        yield templates.render("authorizationpolicy.yaml.j2", **told, allowed=allowed_of(with_it, satellite.name))
        yield templates.render("sidecar.yaml.j2", **told, hosts=hosts_of(with_it, satellite.name))


def _edges(plan: Plan, satellite: _Satellite) -> Iterator[Edge]:
    """Those of the satellite: from its interface, and what every pod needs, as the interface has it."""
    end = Endpoint(place=Place.IDENTITY, name=satellite.name)
    interface = Endpoint(place=Place.IDENTITY, name=satellite.interface)
    mesh = plan.settings.mesh is Mesh.SIDECAR
    yield Edge(
        source=interface,
        destination=end,
        port=_PORT,
        encryption=Encryption.MESH_TLS if mesh else Encryption.NONE,
        why=f"the simulated satellite of {satellite.interface}",
    )
    for edge in plan.edges_from(satellite.interface):
        if edge.destination.place in {Place.DNS, Place.MESH}:
            yield evolve(edge, source=end)


def _pod(plan: Plan, workload: Workload, satellite: _Satellite, port: Port) -> Pod:
    return Pod(
        service_account=satellite.name,
        labels=pod_labels(plan, satellite.name),
        annotations=mesh_annotations(plan, satellite.name, _GRACE_SECONDS),
        image=workload.image,
        arguments=("sim", "--tcp", f"0.0.0.0:{port.port}"),
        environment=(),
        cpu=_CPU,
        memory=_MEMORY,
        grace_seconds=_GRACE_SECONDS,
        pull_secret=plan.settings.images.pull_secret,
        ports=(port,),
        has_health=False,
    )
