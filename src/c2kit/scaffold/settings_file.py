"""The user's file of settings: made once, read by every run; what is wrong with it is told with its line."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from c2kit.dictionaries.yaml.plain import plain_data
from c2kit.errors import DefinitionError
from c2kit.links.names import address_text
from c2kit.model.source import Source
from c2kit.pipeline.composition.structuring import Fault, Faulty, structured
from c2kit.scaffold.refusals import unknown_names
from c2kit.scaffold.settings import KafkaKind, Mesh, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from c2kit.pipeline.composition.description import LinkDescription, MissionDescription
    from c2kit.scaffold.rendering import Templates

__all__ = ["Flags", "SettingsFile", "address_of", "first_settings", "overridden", "read_settings"]


@frozen(kw_only=True)
class SettingsFile:
    """The settings with the places where they stand."""

    name: str
    settings: Settings
    places: Mapping[tuple[str | int, ...], Source] = field(repr=False)

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """What is raised as Faulty within, with paths of settings, becomes a DefinitionError with their lines."""
        try:
            yield
        except Faulty as error:
            raise _with_places(error, self.name, self.places) from None


def read_settings(text: str, name: str, mission: str, description: MissionDescription | None = None) -> SettingsFile:
    """The settings that a text says, of the mission with that label; in errors the text is called ``name``.

    With a ``description``, names that this mission does not have are told beside whatever else is wrong.

    Raises:
        DefinitionError: it is no YAML, has keys that there are not, or values that cannot be; tells all of them, each
            with its line.
    """
    data, places = plain_data(text, name)
    if isinstance(data, dict):
        data = {"namespace": mission, "registry": f"localhost/{mission}", **data}
    try:
        settings = structured(Settings, data)
    except Faulty as error:
        unknown = [] if description is None else _unknown_names(data, description)
        raise _with_places(Faulty([*error.faults, *unknown]), name, places) from None
    return SettingsFile(name=name, settings=settings, places=places)


def _unknown_names(data: object, description: MissionDescription) -> list[Fault]:
    """Of what stands in a text that cannot be settings."""
    return list(unknown_names(description, _keys(data, "links"), _keys(data, "storage", "stages")))


def _keys(data: object, *path: str) -> list[str]:
    """Of the mapping there; none where something else is."""
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    return [str(key) for key in data] if isinstance(data, dict) else []


def _with_places(error: Faulty, name: str, places: Mapping[tuple[str | int, ...], Source]) -> DefinitionError:
    """All faults, each where it stands, or at what it would stand in."""
    problems = []
    for fault in error.faults:
        path = fault.path
        while path and path not in places:
            path = path[:-1]
        problems.append(
            DefinitionError(
                f"{fault.place}: {fault.what}" if fault.place else fault.what,
                source=places.get(path, Source(name)),
                expected=fault.expected,
                found=fault.found,
                remedy=fault.remedy,
            )
        )
    return DefinitionError.of_many(problems)


def first_settings(templates: Templates, description: MissionDescription, mission: str, flags: Flags) -> str:
    """The text of the file as it is made: all keys explained, with what the command line said already."""
    return templates.render(
        "settings.yaml.j2",
        namespace=flags.namespace or mission,
        registry=flags.registry or f"localhost/{mission}",
        mesh=flags.mesh or Mesh.SIDECAR,
        kafka=flags.kafka or KafkaKind.STRIMZI,
        links=[
            {
                "name": stage.name,
                "kind": stage.link.name,
                "address": address_of(stage.link),
                "defined_at": stage.defined_at,
            }
            for stage in description.stages
            if stage.link is not None
        ],
        sinks=[stage for stage in description.stages if stage.directory is not None],
        stores=description.stores,
    )


def address_of(link: LinkDescription) -> str:
    """Where a link goes by the script, for people."""
    host, port = link.settings.get("host"), link.settings.get("port")
    if port is not None:
        return address_text((str(host), int(port)))
    return str(link.settings.get("device") or link.settings.get("path") or "?")


@frozen(kw_only=True)
class Flags:
    """What options of the command line say; None where they say nothing."""

    namespace: str | None = None
    registry: str | None = None
    mesh: Mesh | None = None
    kafka: KafkaKind | None = None


def overridden(settings: Settings, flags: Flags) -> Settings:
    """The same with what options of the command line say otherwise. Raises UsageError for what cannot be."""
    return evolve(
        settings,
        namespace=flags.namespace or settings.namespace,
        registry=flags.registry or settings.registry,
        mesh=flags.mesh or settings.mesh,
        kafka=evolve(settings.kafka, kind=flags.kafka or settings.kafka.kind),
    )
