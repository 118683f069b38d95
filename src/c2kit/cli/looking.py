"""``--bus`` and ``--mission``: which bus a command looks at, and whose streams. Looking never makes a bus."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from c2kit.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c2kit.bus import StreamBus, StreamInfo
    from c2kit.model.target import Target

__all__ = ["Look", "looking", "looking_options"]


def looking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options ``--bus`` and ``--mission``, which are given to :func:`looking`."""
    bus = click.option("--bus", metavar="URL", help="Such as sqlite:var/bus.db. The default is C2KIT_BUS.")
    mission = click.option(
        "--mission", metavar="NAME", help="The default is C2KIT_MISSION, or else the only mission on the bus."
    )
    return bus(mission(command))


@frozen(kw_only=True, eq=False)
class Look:
    """A bus that is there, and a mission on it."""

    bus: StreamBus
    mission: str

    def streams(self) -> list[StreamInfo]:
        """The streams of the mission as they stand, by name."""
        return list(self.bus.streams(f"{self.mission}."))

    def shown(self, stream: str) -> str:
        """The name of one of its streams as people know it: without the mission."""
        return stream.removeprefix(f"{self.mission}.")

    def targets(self) -> list[Target]:
        """All targets of the mission that ever were on the bus, in the order in which they came there."""
        from c2kit.batches.kinds import Kind
        from c2kit.model.restore import from_canonical
        from c2kit.pipeline.composition.names import stream_name
        from c2kit.pipeline.definitions import read_compacted

        values = read_compacted(self.bus, stream_name(self.mission, Kind.DICTIONARIES))
        return [from_canonical(value) for value in values.values()]


@contextmanager
def looking(bus: str | None, mission: str | None) -> Iterator[Look]:
    """The bus and the mission that are meant by the options, or else by the environment.

    Raises:
        UsageError: nothing says which bus, or which of several missions; no other process can look at it.
        UnknownName: the mission is not on the bus.
        BusUnavailable: there is no bus, or no mission on it; it does not answer.
    """
    from c2kit.bus import open_bus
    from c2kit.pipeline.settings import Settings

    settings = Settings.from_environment(os.environ)
    url = bus or settings.bus
    if url is None:
        raise UsageError("which bus shall be looked at", remedy="give --bus URL, or set C2KIT_BUS")
    _check_that_it_is_there(url)
    with open_bus(url, secrets=settings.kafka_secrets) as opened:
        yield Look(bus=opened, mission=_chosen(mission or settings.mission, _missions_on(opened), url))


def _check_that_it_is_there(url: str) -> None:
    from c2kit.bus import BusUnavailable

    kind, _, path = url.partition(":")
    if kind == "memory":
        raise UsageError(
            f"bus {url} is within the process that runs the mission, and no other can look at it",
            remedy="run the mission on sqlite:PATH",
        )
    if kind == "sqlite" and path and (not Path(path).is_file() or not Path(path).stat().st_size):
        raise BusUnavailable(f"there is no bus at {path}; start the mission first, or give the path that it uses")


def _missions_on(bus: StreamBus) -> list[str]:
    """By what each has exactly one of."""
    from c2kit.batches.kinds import Kind
    from c2kit.pipeline.composition.names import kind_and_scope

    names = [each.spec.name for each in bus.streams()]
    return [name.partition(".")[0] for name in names if kind_and_scope(name) == (Kind.DICTIONARIES, "")]


def _chosen(mission: str | None, there: list[str], url: str) -> str:
    from c2kit.bus import BusUnavailable

    if not there:
        raise BusUnavailable(f"there is no mission on bus {url} yet; start it first")
    if mission is not None:
        if mission not in there:
            raise UnknownName(kind="mission", name=mission, known=there, where=f"bus {url}")
        return mission
    if len(there) > 1:
        remedy = "choose one with --mission, or set C2KIT_MISSION"
        raise UsageError(f"there are several missions on bus {url}", found=", ".join(there), remedy=remedy)
    return there[0]
