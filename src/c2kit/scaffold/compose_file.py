"""``compose.yaml``: the stages of a mission on one machine without Kubernetes, by the same images.

The bus is a file on a volume that all containers share. Their locks hold between containers, since these have one
kernel; a volume on a network would not do, and the bus refuses it.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.errors import UsageError
from c2kit.links.names import address_text
from c2kit.pipeline.settings import DIRECTORY_PREFIX, LINK_PREFIX, variable_of
from c2kit.scaffold.containers import BUS_FOLDER, FILES, LINK_FILES
from c2kit.scaffold.images import PROBE, USER
from c2kit.scaffold.link_places import places_of
from c2kit.scaffold.names import label
from c2kit.scaffold.satellite import simulated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from c2kit.pipeline.composition.description import MissionDescription, StageDescription
    from c2kit.scaffold.images import Image
    from c2kit.scaffold.rendering import Templates
    from c2kit.scaffold.settings import Settings

__all__ = ["Service", "compose_file", "services_of"]

_BUS = "bus"
_SATELLITE_PORT = 7011
_HOST = "host.docker.internal"
"""What containers call the machine that they run on."""
_EXTRA_SECONDS = 10
"""What a container may take to end, beside the drain."""


@frozen(kw_only=True)
class Service:
    """One container, and what differs from the others."""

    name: str
    what: str
    """For people."""
    image: Image
    command: tuple[str, ...] = ()
    """In place of the image's own."""
    environment: tuple[tuple[str, str], ...] = ()
    volumes: tuple[str | dict[str, object], ...] = ()
    """Those that Compose makes, with where they are mounted; files of this machine in the form that is a mapping."""
    ports: tuple[str, ...] = ()
    devices: tuple[str | dict[str, str], ...] = ()
    group_add: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    """What is started before it; what it needs it waits for by itself."""
    is_stage: bool = True
    """Whether it tells its health."""

    @property
    def named_volumes(self) -> tuple[str, ...]:
        """Those that Compose makes."""
        return tuple(volume.partition(":")[0] for volume in self.volumes if isinstance(volume, str))


@frozen
class _Link:
    """What an interface's container needs for its link."""

    address: str = ""
    ports: tuple[str, ...] = ()
    devices: tuple[str | dict[str, str], ...] = ()
    volumes: tuple[dict[str, object], ...] = ()
    to_the_host: bool = False


def compose_file(
    description: MissionDescription, settings: Settings, images: Iterable[Image], templates: Templates
) -> str:
    """The text of it. Raises UsageError for stages that would be one service."""
    services = services_of(description, settings, images)
    return templates.render(
        "compose.yaml.j2",
        mission=description.name,
        project=label(description.name),
        services=services,
        volumes=sorted({volume for service in services for volume in service.named_volumes}),
        user=f"{USER}:{USER}",
        probe=("CMD", *PROBE),
        grace=f"{settings.drain_seconds + _EXTRA_SECONDS}s",
    )


def services_of(description: MissionDescription, settings: Settings, images: Iterable[Image]) -> Sequence[Service]:
    """What runs: satellites, then what processes and keeps, at last what brings bytes in.

    Satellites are simulated in place of those that the script finds on its own machine; a device that is somewhere
    else is meant.
    """
    by_stage = {image.stage: image for image in images}
    flown = {
        stage.name: f"{label(stage.name)}-satellite"
        for stage in simulated(description)
        if not settings.link(stage.name).address and _is_loopback(_host(stage))
    }
    stages = [stage for stage in description.stages if stage.name in by_stage]
    others = [stage for stage in stages if stage.role != "interface"]
    interfaces = [stage for stage in stages if stage.role == "interface"]
    services = [
        _satellite(stage, flown[stage.name], by_stage[stage.name]) for stage in interfaces if stage.name in flown
    ]
    for stage in others:
        services += _replicas(stage, settings, by_stage[stage.name])
    behind = tuple(service.name for service in services if service.is_stage)
    for stage in interfaces:
        satellite = flown.get(stage.name, "")
        link = _link(stage, settings, satellite)
        services.append(_interface(stage, settings, by_stage[stage.name], link, (*behind, *filter(None, [satellite]))))
    _check_names(services)
    return services


def _satellite(stage: StageDescription, name: str, image: Image) -> Service:
    return Service(
        name=name,
        what=f"A simulated satellite for interface {stage.name}, in place of the one at {_host(stage)}.",
        image=image,
        command=("sim", "--tcp", f"0.0.0.0:{_SATELLITE_PORT}"),
        is_stage=False,
    )


def _replicas(stage: StageDescription, settings: Settings, image: Image) -> Iterator[Service]:
    """One container; of a sink with several shares one for each, since each share is kept by its own."""
    count = stage.scale.max if stage.role == "sink" else 1
    for ordinal in range(count):
        name = label(stage.name) if count == 1 else f"{label(stage.name)}-{ordinal}"
        told = {variable_of(DIRECTORY_PREFIX, stage.name): FILES} if stage.directory is not None else {}
        if count > 1:
            told["C2KIT_ORDINAL"] = str(ordinal)
        yield Service(
            name=name,
            what=f"{stage.role.capitalize()} {stage.name} ({stage.defined_at}).",
            image=image,
            environment=_environment(settings, told),
            volumes=(_bus_volume(), *((f"{name}-files:{FILES}",) if stage.directory is not None else ())),
        )


def _interface(
    stage: StageDescription, settings: Settings, image: Image, link: _Link, after: tuple[str, ...]
) -> Service:
    told = {variable_of(LINK_PREFIX, stage.name): link.address} if link.address else {}
    return Service(
        name=label(stage.name),
        what=f"Interface {stage.name} ({stage.defined_at}).",
        image=image,
        environment=_environment(settings, told),
        volumes=(_bus_volume(), *link.volumes),
        ports=link.ports,
        devices=link.devices,
        group_add=("dialout",) if link.devices else (),
        extra_hosts=(f"{_HOST}:host-gateway",) if link.to_the_host else (),
        depends_on=after,
    )


def _environment(settings: Settings, told: dict[str, str]) -> tuple[tuple[str, str], ...]:
    common = {"C2KIT_BUS": f"sqlite:{BUS_FOLDER}/bus.db", "C2KIT_DRAIN_SECONDS": str(settings.drain_seconds)}
    return tuple(sorted({**common, **told}.items()))


def _bus_volume() -> str:
    return f"{_BUS}:{BUS_FOLDER}"


def _link(stage: StageDescription, settings: Settings, satellite: str) -> _Link:
    """What is told in the settings goes before what the script says; a satellite goes before both."""
    link, told = stage.link, settings.link(stage.name).address
    assert link is not None, "it is an interface's"  # noqa: S101 - tells the type checker
    if satellite:
        return _Link(f"{satellite}:{_SATELLITE_PORT}")
    if link.name == "Serial":
        device = _literal(told or str(link.settings["device"]))
        return _Link(_literal(told), devices=(_device(device),))
    if link.name == "File":
        path = _literal(told or str(link.settings["path"]))
        inside = f"{LINK_FILES}/{path.rpartition('/')[2]}"
        return _Link(inside, volumes=(_file(path, inside),))
    places = list(places_of(stage, settings))
    ports = tuple(f"{place.port}:{place.port}/{place.protocol.lower()}" for place in places if place.listens)
    called = next((place for place in places if not place.listens), None)
    if called is None:
        return _Link(f"0.0.0.0:{places[0].port}", ports=ports)
    if _is_loopback(called.host):
        return _Link(f"{_HOST}:{called.port}", ports=ports, to_the_host=True)
    return _Link(address_text((called.host, called.port)), ports=ports)


def _literal(path: str) -> str:
    """A path as Compose reads it, who else puts variables of the environment into it."""
    return path.replace("$", "$$")


def _device(device: str) -> str | dict[str, str]:
    """A colon, as paths by the place of a port have it, ends a path in the short form."""
    return {"source": device, "target": device, "permissions": "rw"} if ":" in device else f"{device}:{device}"


def _file(path: str, inside: str) -> dict[str, object]:
    """A file of this machine, which has to be there; a path that is not absolute is relative to ``compose.yaml``."""
    source = path if path.startswith("/") else f"./{path}"
    there = {"create_host_path": False}
    return {"type": "bind", "source": source, "target": inside, "read_only": True, "bind": there}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _host(stage: StageDescription) -> str:
    """Of a link that calls."""
    return "" if stage.link is None else str(stage.link.settings["host"])


def _check_names(services: Iterable[Service]) -> None:
    seen: dict[str, Service] = {}
    for service in services:
        if service.name in seen:
            raise UsageError(
                f"the services of compose.yaml: {service.what} and {seen[service.name].what}",
                expected="each of another name",
                found=service.name,
                remedy="rename the stage",
            )
        seen[service.name] = service
