"""Which object runs a stage of a mission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.pipeline.commands.encoder import EncodingStage
from c2kit.pipeline.interfaces.stage import InterfaceStage
from c2kit.pipeline.sinks.log_stage import LogStage
from c2kit.pipeline.stage import ProcessingStage
from c2kit.processors import CommandEncoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from c2kit.links import SelectorLoop
    from c2kit.pipeline.stage import Stage
    from c2kit.pipeline.surroundings import StageSurroundings

__all__ = ["make_stage"]


def make_stage(
    surroundings: StageSurroundings,
    *,
    loop: SelectorLoop | None = None,
    sender: Executor | None = None,
    on_news: Callable[[], None] | None = None,
) -> Stage:
    """The stage, which takes its place on the bus at once; a link that it has opens with its first turn.

    ``loop`` and ``sender`` are for the links of the process. Raises as :meth:`~c2kit.pipeline.stage.Stage.turn` does.
    """
    stage = surroundings.stage
    if stage.role == "interface":
        return InterfaceStage(surroundings, loop=loop, sender=sender, on_news=on_news)
    if stage.role == "sink":
        return LogStage(surroundings)
    if isinstance(surroundings.mission.stages[stage.name].processors[0], CommandEncoder):
        return EncodingStage(surroundings)
    return ProcessingStage(surroundings)
