"""What a stage is composed of: processors, and at its end perhaps a sink, which keeps what it takes outside the bus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from attrs import field, frozen

from c2kit.batches.kinds import Kind, Scope
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["PacketLogger", "Part", "RawLogger", "a_list", "check_part"]

_DATA = (Scope.INTERFACE, Scope.TARGET)


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


def check_part(where: str, part: object) -> None:
    """Raise UsageError for what no stage can be composed of."""
    found = f"the class {part.__name__}" if isinstance(part, type) else repr(part)
    told = [name for name in ("takes", "gives", "also_gives", "settings") if not hasattr(part, name)]
    if isinstance(part, type) or told:
        remedy = f"write {part.__name__}()" if isinstance(part, type) else f"it does not say its {' or '.join(told)}"
        raise UsageError(
            f"{where} is composed of processors", expected="such as Identifier()", found=found, remedy=remedy
        )
    takes, gives, also_gives = (getattr(part, name) for name in ("takes", "gives", "also_gives"))
    if not takes or not all(isinstance(kind, Kind) and kind.scope in _DATA for kind in takes):
        expected = "a tuple of kinds that belong to interfaces or targets"
        raise UsageError(f"takes of {type(part).__name__} in {where}", expected=expected, found=repr(takes))
    for kind in (*([] if gives is None else [gives]), *also_gives):
        if not isinstance(kind, Kind) or kind.scope is Scope.MISSION:
            expected = "kinds of records, but of definitions"
            raise UsageError(f"what {type(part).__name__} in {where} gives", expected=expected, found=repr(kind))
    try:
        json.dumps(getattr(part, "settings"))  # noqa: B009 - `part` is anything, as far as it is known
    except TypeError as error:
        raise UsageError(f"settings of {type(part).__name__} in {where}", expected="plain data", found=error) from error


def a_list(what: str, values: Iterable[Any], example: str) -> list[Any]:
    """The values in a list. Raises UsageError for a text, whose letters they would be, and for a value alone."""
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise UsageError(what, expected=f"a list, such as {example}", found=repr(values))
    return list(values)
