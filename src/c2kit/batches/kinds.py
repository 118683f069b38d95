"""The kinds of records that move through a pipeline, and what a stream of each kind belongs to."""

from __future__ import annotations

from enum import Enum, StrEnum, unique

__all__ = ["Kind", "Scope"]


@unique
class Scope(StrEnum):
    """What a stream's name ends with."""

    INTERFACE = "interface"
    TARGET = "target"
    STAGE = "stage"
    MISSION = "mission"
    """Nothing: the mission has one."""


@unique
class Kind(Enum):
    """A kind of record: its label in a stream's name, the scope, and whether it is telemetry, which waits for room.

    Of a compacted kind the newest record of each lane is kept for ever.
    """

    RAW = ("raw", Scope.INTERFACE, True)
    """Bytes as they came and went."""
    FRAMES = ("frames", Scope.INTERFACE, True)
    UNKNOWN = ("unknown", Scope.INTERFACE, True)
    """Packets that no definition matches."""
    PACKETS = ("packets", Scope.TARGET, True)
    TELEMETRY = ("telemetry", Scope.TARGET, True)
    COMMANDS = ("commands", Scope.TARGET, False)
    AUTO_COMMANDS = ("auto-commands", Scope.INTERFACE, False)
    """An interface's own commands, on connect and periodic ones."""
    UPLINK = ("uplink", Scope.INTERFACE, False)
    """Encoded commands on their way to the link."""
    LINK_CONTROL = ("link-control", Scope.INTERFACE, False)
    """Whether an interface's link is to be up."""
    COMMAND_STATUS = ("command-status", Scope.STAGE, False)
    EVENTS = ("events", Scope.STAGE, False)
    DEAD_LETTER = ("dead-letter", Scope.STAGE, False)
    DICTIONARIES = ("dictionaries", Scope.MISSION, False, True)
    """Definitions of targets, each in a lane of its hash."""
    SCHEMAS = ("schemas", Scope.MISSION, False, True)
    """Arrow schemas of batches, each in a lane of its hash."""

    def __init__(
        self,
        label: str,
        scope: Scope,
        is_telemetry: bool,  # noqa: FBT001 - how members are made
        is_compacted: bool = False,  # noqa: FBT001, FBT002 - how members are made
    ) -> None:
        self.label = label
        self.scope = scope
        self.is_telemetry = is_telemetry
        self.is_compacted = is_compacted

    def __str__(self) -> str:
        return self.label
