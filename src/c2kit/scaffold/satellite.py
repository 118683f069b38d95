"""Which links the simulated satellite can stand in for, so that a mission can be tried with no device at all."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from c2kit.dictionaries import Dictionary

if TYPE_CHECKING:
    from c2kit.pipeline.composition.description import MissionDescription, StageDescription

__all__ = ["TARGET", "simulated"]

TARGET = "FIREFLY"
"""What it flies as."""


def simulated(description: MissionDescription) -> tuple[StageDescription, ...]:
    """The interfaces that connect to a satellite which is defined exactly as the simulated one is."""
    candidates = [
        stage
        for stage in description.stages
        if stage.link is not None and stage.link.name == "TcpClient" and TARGET in stage.targets
    ]
    if not candidates or description.dictionary_hashes[TARGET] != _hash():
        return ()
    return tuple(candidates)


def _hash() -> str:
    """Of the definitions that the simulator has."""
    folder = files("c2kit") / "sim" / "dictionary"
    return Dictionary.load(Path(str(folder))).target(TARGET).hash
