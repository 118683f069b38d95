"""Where the metrics of a running mission are: read when somebody asks, counted nowhere a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.pipeline.commands.encoder import EncodingStage
from c2kit.pipeline.interfaces.stage import InterfaceStage
from c2kit.pipeline.observing.metrics import Sources
from c2kit.pipeline.observing.table import CommandRow, DeadLetterRow, LinkRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.pipeline.runner import Runner

__all__ = ["links_of", "sources_of"]


def sources_of(runner: Runner) -> Sources:
    """What :class:`~c2kit.pipeline.observing.metrics.Metrics` reads."""
    return Sources(
        ledger=runner.rows,
        bytes=runner.byte_rows,
        edges=runner.edges,
        streams=runner.stream_infos,
        steps=lambda: [stage.steps for stage in runner.running.values()],
        links=lambda: links_of(runner),
        commands=lambda: _commands(runner),
        dead_letters=lambda: _dead_letters(runner),
        tallies=runner.tallies,
        bus_errors=runner.bus_errors,
    )


def links_of(runner: Runner) -> Iterator[LinkRow]:
    """The links that are open or try to be."""
    for stage in runner.running.values():
        if isinstance(stage, InterfaceStage) and stage.interface.is_open:
            interface = stage.interface
            yield LinkRow(
                interface=stage.name,
                state=interface.state,
                counters=interface.counters,
                frames=interface.account.frames,
            )


def _commands(runner: Runner) -> Iterator[CommandRow]:
    for stage in runner.running.values():
        if isinstance(stage, InterfaceStage | EncodingStage):
            for fate, count in stage.fates().items():
                yield CommandRow(stage=stage.name, fate=fate, count=count)


def _dead_letters(runner: Runner) -> Iterator[DeadLetterRow]:
    for stage in runner.running.values():
        yield DeadLetterRow(stage=stage.name, count=stage.dead_letters)
