"""Where a round is fought: the bus, and what is peculiar to it. The mission and the verdict are the same everywhere."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from types import TracebackType
    from typing import Any, Self

    from c2kit.bus import StreamBus, StreamInfo
    from tests.kill.attack import Attack
    from tests.kill.broker_attack import BrokerBlow
    from tests.kill.progress import Progress

__all__ = ["PUBLISHED", "STORED", "Ground", "Look", "SqliteGround"]

PUBLISHED = {"fep": "frames.fep", "decom": "telemetry.FIREFLY", "encode": "uplink.fep"}
"""By what is seen how far a stage got: a stream that it writes."""
STORED = {"log": "packets.FIREFLY", "fep-raw-log": "raw.fep"}
"""Likewise: a stream of which it stores everything."""


class Look(ABC):
    """How far all stages are, as seen from outside. Raises BusUnavailable where that cannot be told now."""

    @abstractmethod
    def positions(self) -> Mapping[str, int]:
        """How far each stage got; what is committed alone counts."""

    @abstractmethod
    def waiting(self) -> int:
        """How many records wait, over all streams and consumers."""


class Ground(ABC):
    """The bus of one round. It is there for as long as its ``with`` block."""

    url: str
    restarted: frozenset[int] = frozenset()
    """Exit codes of stages with which they ask to be started again, though nobody struck them."""
    patience_seconds: float = 120.0
    """After so long without any progress a stage will never make any."""

    @abstractmethod
    def look(self, bus: StreamBus) -> Look:
        """What is to be seen of its stages, for as long as the bus is open."""

    @abstractmethod
    def await_commit(self) -> None:
        """Wait until somebody commits; not for long, if nobody does."""

    @abstractmethod
    def can_stop_now(self) -> bool:
        """Whether a process that was just stopped holds nothing that all others need."""

    def strikes(self, progress: Progress, attacks: Sequence[Attack]) -> Sequence[Coroutine[Any, Any, None]]:  # noqa: ARG002
        """What befalls the bus itself, beside the attacks on the stages."""
        return ()

    @property
    def blows(self) -> Sequence[BrokerBlow]:
        """What did."""
        return ()

    def close(self) -> None:  # noqa: B027 - a file needs no end
        """Let nothing run on."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SqliteGround(Ground):
    """A file."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "bus.db"
        self.url = f"sqlite:{self._file}"

    def look(self, bus: StreamBus) -> Look:
        """See :meth:`Ground.look`."""
        return _Told(bus)

    def await_commit(self) -> None:
        """See :meth:`Ground.await_commit`: the journal changes."""
        journal = Path(f"{self._file}-wal")
        before, deadline = journal.stat().st_mtime_ns, time.monotonic() + 1.0
        while journal.stat().st_mtime_ns == before and time.monotonic() < deadline:
            time.sleep(0.0005)

    def can_stop_now(self) -> bool:
        """See :meth:`Ground.can_stop_now`: nobody has the file locked for longer than a commit takes."""
        with contextlib.closing(sqlite3.connect(self._file, timeout=1.0, isolation_level=None)) as probe:
            try:
                probe.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            probe.execute("ROLLBACK")
            return True


@frozen
class _Told(Look):
    """What a bus says that counts records, and is quick to ask."""

    _bus: StreamBus

    def _infos(self) -> dict[str, StreamInfo]:
        return {info.spec.name.removeprefix("firefly."): info for info in self._bus.streams("firefly.")}

    def positions(self) -> Mapping[str, int]:
        infos = self._infos()
        published = {stage: sum(infos[name].next_offsets) for stage, name in PUBLISHED.items()}
        return published | {
            stage: sum(infos[name].next_offsets) - infos[name].lag[f"firefly.{stage}"] for stage, name in STORED.items()
        }

    def waiting(self) -> int:
        return sum(sum(info.lag.values()) for info in self._infos().values())
