"""What a stage is composed of: processors, and at its end perhaps a sink, which keeps what it takes outside the bus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from attrs import field, frozen

from c2kit.batches.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PacketLogger", "Part", "RawLogger"]


class Part(Protocol):
    """What composition asks of a processor or a sink; see :class:`~c2kit.processors.Processor`."""

    @property
    def takes(self) -> Sequence[Kind]:
        """The kinds of records that it takes, the main one first."""

    @property
    def gives(self) -> Kind | None:
        """The kind that it gives; a sink gives none."""

    @property
    def also_gives(self) -> Sequence[Kind]:
        """The kinds of streams that its asides go to."""

    @property
    def settings(self) -> dict[str, Any]:
        """What it was told, as plain data."""


@frozen
class PacketLogger:
    """A sink: writes packets, and commands as they are sent, to the logs in ``directory``."""

    takes: ClassVar[tuple[Kind, ...]] = (Kind.PACKETS, Kind.UPLINK)
    gives: ClassVar[None] = None
    also_gives: ClassVar[tuple[Kind, ...]] = ()
    directory: Path = field(converter=Path)

    @property
    def settings(self) -> dict[str, Any]:
        """The directory."""
        return {"directory": str(self.directory)}


@frozen
class RawLogger:
    """A sink: writes all bytes of both directions of a link, as they came and went, to the log in ``directory``."""

    takes: ClassVar[tuple[Kind, ...]] = (Kind.RAW,)
    gives: ClassVar[None] = None
    also_gives: ClassVar[tuple[Kind, ...]] = ()
    directory: Path = field(converter=Path)

    @property
    def settings(self) -> dict[str, Any]:
        """The directory."""
        return {"directory": str(self.directory)}
