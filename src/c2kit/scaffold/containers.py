"""What a container of a stage holds and is told: the same for its image and for what runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from c2kit.pipeline.composition.description import StageDescription

__all__ = ["BUS_FOLDER", "FILES", "LINK_FILES", "SCRIPT", "arguments_of", "extras_of"]

SCRIPT = "mission.py"
"""What the script is called in an image, whatever its name is."""
FILES = "/var/lib/c2kit"
"""Where the volume of a stage that keeps files is mounted."""
BUS_FOLDER = "/var/lib/bus"
"""Where the file of an embedded bus is, if several containers share one."""

LINK_FILES = "/var/lib/link"
"""Where an interface that reads a file finds it."""


def arguments_of(stage: StageDescription) -> tuple[str, ...]:
    """What ``c2kit`` is told in a container of the stage, beside the mission."""
    return ("run", SCRIPT, "--stage", stage.name)


def extras_of(stage: StageDescription) -> tuple[str, ...]:
    """What of c2kit its image installs: a cluster's bus is Kafka, whatever the script's own is."""
    return tuple(sorted({*stage.extras, "kafka"}))
