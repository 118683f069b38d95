"""Opening a log without knowing what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from c2kit.errors import UsageError
from c2kit.storage.commands import CommandLogReader
from c2kit.storage.names import LogKind
from c2kit.storage.packets import PacketLogReader
from c2kit.storage.raw import RawLogReader
from c2kit.storage.segment_reader import schema_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from c2kit.model.target import Target

__all__ = ["open_log"]


def open_log(
    directory: str | PathLike[str], *, targets: Iterable[Target] = ()
) -> PacketLogReader | CommandLogReader | RawLogReader:
    """The reader of the log in a directory, with more definitions than it has a copy of.

    Raises UsageError where no index tells what it is.
    """
    schema = schema_in(Path(directory))
    if schema is None:
        raise UsageError("this is no log, or none of its indices can be read", found=str(directory))
    match schema.kind:
        case LogKind.PACKETS:
            return PacketLogReader(directory, targets=targets)
        case LogKind.COMMANDS:
            return CommandLogReader(directory, targets=targets)
        case LogKind.RAW:
            return RawLogReader(directory)
