"""Replay: what was logged, once more as frames, as if it came from its interfaces again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from c2kit.batches.packets import no_times
from c2kit.errors import UsageError
from c2kit.storage import LogKind, PacketLogReader, find_logs
from c2kit.storage.merge import merged
from c2kit.storage.packets import refuse_unknown_packets
from c2kit.storage.segment_reader import schema_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from os import PathLike
    from pathlib import Path

    from c2kit.batches import PacketBatch
    from c2kit.storage import Finding

__all__ = ["logged_frames"]


def logged_frames(
    root: str | PathLike[str],
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
    packets: Iterable[str] | None = None,
    on_damage: Callable[[Finding], object] | None = None,
) -> Iterator[PacketBatch]:
    """Packets of all packet logs at or below ``root`` as they were before identification, in the order received.

    From ``start_ns`` up to, not including, ``end_ns`` (POSIX nanoseconds); ``packets`` are names, as the logs' own
    definitions have them. Each batch is of one interface, which it names, and of the origin ``stored``; target,
    definition and generated time are left to whoever identifies it. Packets of one log and source keep their order; no
    more than a block of each log is in memory. Packets of rebuilt blocks have the received time ``UNKNOWN_TIME``, and
    come where they were written.

    Damaged blocks are left out where ``on_damage`` is given, and called. Raises:
        UsageError: there is no packet log.
        UnknownName: no log knows a packet of that name.
        LogDamaged: at the first damage, where there is no ``on_damage``.
    """
    logs = [PacketLogReader(directory) for directory in find_logs(root) if _holds_packets(directory)]
    if not logs:
        raise UsageError(f"there is no log of packets at or below {root}")
    names = None if packets is None else set(packets)
    if names is not None:
        refuse_unknown_packets(logs, names)
    read = [
        log.read(start_ns=start_ns, end_ns=end_ns, packets=wanted, on_damage=on_damage)
        for log in logs
        if (wanted := names if names is None else names & log.packet_names) is None or wanted
    ]
    return (_as_frames(batch) for _, batch in merged(read))


def _holds_packets(directory: Path) -> bool:
    """Whether to read it; packets that lost all of their indices are read too, so that they are missed."""
    schema = schema_in(directory)
    if schema is None:
        return any(directory.glob(f"*{LogKind.PACKETS.suffix}"))
    return schema.kind is LogKind.PACKETS


def _as_frames(batch: PacketBatch) -> PacketBatch:
    return evolve(batch, target=None, dictionary_hash=None, definition=None, generated=no_times(len(batch)))
