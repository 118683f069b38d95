"""The logs below a directory, and what is wanted of them; what is damaged is told and passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field, frozen

from c2kit.cli.options import tell
from c2kit.errors import UsageError
from c2kit.storage import CommandLogReader, LogKind, PacketLogReader, RawLogReader, find_logs, open_log
from c2kit.storage.packets import refuse_unknown_packets
from c2kit.storage.segment_reader import schema_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from c2kit.batches import PacketBatch
    from c2kit.model.target import Target
    from c2kit.storage import Finding

    Log = PacketLogReader | CommandLogReader | RawLogReader

__all__ = ["Choice", "Reading", "kind_of", "logs_in"]

_MOST_FINDINGS = 10
"""So much of the damage is told while reading; ``c2kit log verify`` tells all of it."""


def logs_in(directory: Path, targets: Iterable[Target] = ()) -> list[Log]:
    """All logs at or below a directory, by name, even those that lost all of their indices."""
    known = tuple(targets)
    found = [_opened(each, known) for each in find_logs(directory)]
    if not found:
        remedy = "give the directory of a log, <root>/<stream>/<partition>, or one above it"
        raise UsageError(f"there is no log at or below {directory}", remedy=remedy)
    return found


def _opened(directory: Path, targets: tuple[Target, ...]) -> Log:
    """Where no index tells what it is, the names of its data files do; for all else they are lost."""
    if schema_in(directory) is not None:
        return open_log(directory, targets=targets)
    is_raw = any(directory.glob(f"*{LogKind.RAW.suffix}"))
    return RawLogReader(directory, targets=targets) if is_raw else PacketLogReader(directory, targets=targets)


def kind_of(log: Log) -> str:
    """What it holds, in a word."""
    return log.kind.name.lower()


@frozen(kw_only=True)
class Choice:
    """Which packets are wanted; ``None``, and no names, is all."""

    start_ns: int | None = None
    end_ns: int | None = None
    packets: tuple[str, ...] = ()
    limit: int | None = None


@define(eq=False)
class Reading:
    """Reads logs as far as they are whole."""

    logs: Sequence[Log]
    choice: Choice
    damaged: dict[Path, int] = field(factory=dict)
    """How much damage was found in which log."""

    def __attrs_post_init__(self) -> None:
        """Refuse names of packets that none of the logs knows."""
        logs = self.packet_logs
        if self.choice.packets and not any(log.packet_names for log in logs):
            where = ", ".join(str(log.directory) for log in self.logs)
            raise UsageError(f"no definitions of packets are kept in {where}", remedy="give them with --dictionary")
        refuse_unknown_packets(logs, self.choice.packets)

    @property
    def packet_logs(self) -> list[PacketLogReader]:
        """The logs of packets."""
        return [log for log in self.logs if isinstance(log, PacketLogReader)]

    def batches(self, log: PacketLogReader) -> Iterator[PacketBatch]:
        """What is wanted of the packets of a log."""
        chosen = self.choice
        names = log.packet_names.intersection(chosen.packets)
        if chosen.packets and not names:
            return iter(())
        return log.read(
            start_ns=chosen.start_ns,
            end_ns=chosen.end_ns,
            packets=names or None,
            on_damage=lambda finding: self.found(log, finding),
        )

    def found(self, log: Log, finding: Finding) -> None:
        """Tell of damage, and take note of it."""
        total = sum(self.damaged.values())
        if total < _MOST_FINDINGS:
            tell(f"left out: {finding}")
        elif total == _MOST_FINDINGS:
            tell("left out: ... and more")
        self.damaged[log.directory] = self.damaged.get(log.directory, 0) + 1

    def tell_remedy(self) -> None:
        """Say what to do about the damage."""
        for directory in self.damaged:
            tell(f"damaged: {directory}: c2kit log verify tells all of it, c2kit log repair rebuilds a lost index")
