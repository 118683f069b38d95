"""The user's file of settings: made once, read by every run; what is wrong with it is told with its line."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from c2kit.dictionaries.yaml.plain import plain_data
from c2kit.errors import DefinitionError
from c2kit.model.source import Source
from c2kit.pipeline.composition.structuring import Faulty, structured
from c2kit.scaffold.settings import KafkaKind, Mesh, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SettingsFile", "overridden", "read_settings"]


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


def read_settings(text: str, name: str) -> SettingsFile:
    """The settings that a text says; in errors it is called ``name``.

    Raises:
        DefinitionError: it is no YAML, has keys that there are not, or values that cannot be; tells all of them, each
            with its line.
    """
    data, places = plain_data(text, name)
    try:
        settings = structured(Settings, data)
    except Faulty as error:
        raise _with_places(error, name, places) from None
    return SettingsFile(name=name, settings=settings, places=places)


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


def overridden(
    settings: Settings,
    *,
    namespace: str | None = None,
    registry: str | None = None,
    mesh: str | None = None,
    kafka: str | None = None,
) -> Settings:
    """The same with what options of the command line say otherwise. Raises UsageError for what cannot be."""
    return evolve(
        settings,
        namespace=namespace or settings.namespace,
        registry=registry or settings.registry,
        mesh=settings.mesh if mesh is None else Mesh(mesh),
        kafka=settings.kafka if kafka is None else evolve(settings.kafka, kind=KafkaKind(kafka)),
    )
