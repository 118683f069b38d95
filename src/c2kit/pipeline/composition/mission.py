"""A mission: links and processors, composed. The composition is data; nothing here opens or starts anything."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from c2kit.errors import UsageError
from c2kit.links import Interface
from c2kit.pipeline.composition.description import Resources, Scale
from c2kit.pipeline.composition.names import check_name, check_stage_name
from c2kit.pipeline.composition.parts import a_list, check_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from c2kit.dictionaries import Dictionary
    from c2kit.links import LinkSpec
    from c2kit.pipeline.composition.description import MissionDescription
    from c2kit.pipeline.composition.parts import Part
    from c2kit.protocols import Protocol

__all__ = ["InterfaceSpec", "Mission", "StageSpec"]

LANES = ("target", "packet")
"""Within what order is kept of what a stage publishes of a target that is behind an interface."""


@frozen(kw_only=True)
class InterfaceSpec:
    """A link with its protocols, and the targets that live behind it."""

    name: str
    link: LinkSpec
    protocols: tuple[Protocol, ...]
    targets: tuple[str, ...]
    raw_log: str | None
    group: str | None
    on_connect: tuple[str, ...]
    periodic: tuple[tuple[str, float], ...]
    resources: Resources
    defined_at: str

    @property
    def place(self) -> str:
        """The name and the line of the script that asked for it."""
        return f"interface {self.name} ({self.defined_at})"

    @property
    def raw_log_name(self) -> str:
        """The name of the stage that ``raw_log=`` makes."""
        return f"{self.name}-raw-log"

    @property
    def has_commands(self) -> bool:
        """Whether it sends commands of its own."""
        return bool(self.on_connect or self.periodic)


@frozen(kw_only=True)
class StageSpec:
    """A chain of processors that is deployed together."""

    name: str
    processors: tuple[Part, ...]
    targets: tuple[str, ...] | None
    publish: tuple[str, ...]
    lane: str
    scale: Scale
    resources: Resources
    defined_at: str

    @property
    def place(self) -> str:
        """The name and the line of the script that asked for it."""
        return f"stage {self.name} ({self.defined_at})"


@frozen
class Mission:
    """What a mission is made of: interfaces to its targets, and stages that process what comes and goes.

    Each stage's streams follow from its processors and from what it serves: the targets that it is given, or else
    whatever no other stage with the same first processor names. What does not fit together is refused by
    :meth:`describe`, and so before anything starts, with both sides named.

    Args:
        name: letters, digits and hyphens, at most 40.
        dictionary: the definitions of all targets.
        bus: ``memory:``, ``sqlite:PATH`` or ``kafka:BROKERS``.
    """

    name: str = field(validator=lambda _, __, name: check_name("mission", name) and None)
    dictionary: Dictionary = field(kw_only=True)
    bus: str = field(kw_only=True, default="memory:")
    interfaces: dict[str, InterfaceSpec] = field(factory=dict, init=False)
    stages: dict[str, StageSpec] = field(factory=dict, init=False)

    def interface(  # noqa: PLR0913 - what an interface is made of
        self,
        name: str,
        link: LinkSpec,
        *,
        protocols: Sequence[Protocol],
        targets: Sequence[str],
        raw_log: str | Path | None = None,
        group: str | None = None,
        on_connect: Sequence[str] = (),
        periodic: Iterable[tuple[str, float]] = (),
        resources: Resources | None = None,
    ) -> InterfaceSpec:
        """Add a link, framed by ``protocols`` (the outermost first), with the targets that live behind it.

        ``raw_log`` is the directory of a log of all bytes of both directions. Interfaces of one ``group``, and the
        targets behind them, share one stream of each kind: so there may be thousands of small ones. ``on_connect`` are
        commands to be sent whenever the link comes up, ``periodic`` those to be sent every so many seconds, each
        written as a person types it: ``"FIREFLY NOOP"``.

        Raises:
            UsageError: a name that is none or is taken; what is no link, protocol or target, or none of them.
            UnknownName: a target that the dictionary does not have.
        """
        check_stage_name("interface", name, self._taken)
        if group is not None:
            self._check_group(name, group, raw_log)
        a_list(f"protocols of interface {name}", protocols, "[CcsdsPackets()]")
        a_list(f"targets of interface {name}", targets, '["FIREFLY"]')
        if not protocols:
            raise UsageError(
                f"interface {name} has no protocols", remedy="Burst() makes a frame of each piece of input"
            )
        if not targets:
            raise UsageError(f"interface {name} has no targets", remedy="name the targets that live behind it")
        Interface(name, link, protocols)  # raises for what is no link and no protocol
        spec = InterfaceSpec(
            name=name,
            link=link,
            protocols=tuple(protocols),
            targets=tuple(dict.fromkeys(self.dictionary.target(target).name for target in targets)),
            raw_log=None if raw_log is None else str(raw_log),
            group=group,
            on_connect=tuple(a_list(f"on_connect of interface {name}", on_connect, '["FIREFLY NOOP"]')),
            periodic=tuple((words, seconds) for words, seconds in periodic),
            resources=resources or Resources(),
            defined_at=_caller(),
        )
        if raw_log is not None:
            check_stage_name("stage that raw_log= makes", spec.raw_log_name, self._taken)
        self.interfaces[name] = spec
        return spec

    def stage(
        self,
        name: str,
        *processors: Part,
        targets: Sequence[str] | None = None,
        publish: Sequence[str] = (),
        lane: str = "target",
        scale: Scale | None = None,
        resources: Resources | None = None,
    ) -> StageSpec:
        """Add a stage: processors that are deployed together, each taking what the one before gives.

        ``targets`` are those that it serves; an inner kind of record is published if another stage reads it, or if
        ``publish`` names it. With ``lane="packet"``, where a target is too much for one replica of those that read it,
        each of its packets has a lane of its own in what this stage publishes of it; different packets of a target may
        then overtake each other.

        Raises:
            UsageError: a name that is none or is taken; what is no processor, or none of them; no such lane.
            UnknownName: a target that the dictionary does not have.
        """
        check_stage_name("stage", name, self._taken)
        if not processors:
            raise UsageError(f"stage {name} has no processors", remedy="give it at least one, such as Identifier()")
        for processor in processors:
            check_part(f"stage {name}", processor)
        if lane not in LANES:
            raise UsageError(f"the lane of stage {name}", expected=" or ".join(LANES), found=repr(lane))
        spec = StageSpec(
            name=name,
            processors=processors,
            targets=None if targets is None else self._targets(name, targets),
            publish=tuple(str(kind) for kind in a_list(f"publish of stage {name}", publish, '["packets"]')),
            lane=lane,
            scale=scale or Scale(),
            resources=resources or Resources(),
            defined_at=_caller(),
        )
        self.stages[name] = spec
        return spec

    def _check_group(self, interface: str, group: str, raw_log: str | Path | None) -> None:
        """Streams are named by it, and so it is no name of anything else that they are named by."""
        if raw_log is not None:
            raise UsageError(
                f"raw_log= of interface {interface} is a log of its own, but the bytes of group {group} are in one",
                remedy='log those of the whole group: mission.stage("raw", RawLogger(directory))',
            )
        if group not in self._groups:
            targets = [target.name for target in self.dictionary.targets]
            check_stage_name("group", group, [interface, *self._taken, *targets])

    def _targets(self, stage: str, targets: Sequence[str]) -> tuple[str, ...]:
        names = a_list(f"targets of stage {stage}", targets, '["FIREFLY"]')
        return tuple(dict.fromkeys(self.dictionary.target(target).name for target in names))

    @property
    def _taken(self) -> list[str]:
        raw_logs = [spec.raw_log_name for spec in self.interfaces.values() if spec.raw_log is not None]
        return [*self.interfaces, *raw_logs, *self.stages, *self._groups]

    @property
    def _groups(self) -> list[str]:
        return list(dict.fromkeys(spec.group for spec in self.interfaces.values() if spec.group is not None))

    def describe(self, *, replay: str | None = None) -> MissionDescription:
        """The whole mission as plain data, checked. Raises UsageError for whatever does not fit together.

        ``replay`` is the id of a replay: streams are named ``<mission>.replay.<id>.*``, ``replay`` writes the frames,
        and what has to do with links or commands is left out.
        """
        from c2kit.pipeline.composition.compose import compose  # noqa: PLC0415 - it takes missions apart, and so imports this module

        return compose(self, replay)


def _caller() -> str:
    """``file:line`` of who called the caller."""
    frame = inspect.currentframe()
    for _ in range(2):
        frame = frame.f_back if frame is not None else None
    return "" if frame is None else f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
