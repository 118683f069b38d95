"""How a running mission does, for people: what each stage did, how fast, and what waits for it."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from c2kit.bus import BusUnavailable
from c2kit.links import State
from c2kit.pipeline.observing.ledger import total_unaccounted
from c2kit.pipeline.sources import links_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from c2kit.pipeline.observing.ledger import EdgeRow
    from c2kit.pipeline.runner import Runner

__all__ = ["LinkStatus", "StageStatus", "Status", "StatusMeter"]


@frozen(kw_only=True)
class StageStatus:
    """A stage of the process. Packets are those that its first processor took."""

    name: str
    role: str
    problem: str
    """Why it cannot go on now; empty where it can."""
    packets: int
    packets_a_second: float
    refused: int
    lag: int
    """Records that wait for it."""


@frozen(kw_only=True)
class LinkStatus:
    """An interface's link."""

    name: str
    state: State
    reason: str
    received_bytes: int
    bytes_a_second: float
    discarded_bytes: int


@frozen(kw_only=True)
class Status:
    """All stages and links of the process."""

    stages: tuple[StageStatus, ...]
    links: tuple[LinkStatus, ...]
    unaccounted: int


@define(eq=False)
class StatusMeter:
    """Tells the status of a runner, with rates since it was told last.

    While the bus is not available, what waits is told as it was last known.
    """

    runner: Runner
    monotonic: Callable[[], float] = time.monotonic
    _taken_at: float | None = field(default=None, init=False)
    _before: Counter[str] = field(factory=Counter, init=False)
    _edges: Sequence[EdgeRow] = field(default=(), init=False)

    def take(self) -> Status:
        """The status now."""
        now = self.monotonic()
        seconds = 0.0 if self._taken_at is None else now - self._taken_at
        with suppress(BusUnavailable):
            self._edges = self.runner.edges()
        rows, edges, byte_rows = self.runner.rows(), self._edges, self.runner.byte_rows()
        amounts: Counter[str] = Counter({f"link {row.interface}": row.received for row in byte_rows})
        firsts: dict[tuple[str, str], str] = {}
        refused: Counter[str] = Counter()
        for row in rows:
            if firsts.setdefault((row.stage, row.partition), row.processor) == row.processor:
                amounts[row.stage] += row.taken
            refused[row.stage] += row.refused
        rates = {
            name: max(0.0, (amount - self._before[name]) / seconds) if seconds else 0.0
            for name, amount in amounts.items()
        }
        self._before, self._taken_at = amounts, now
        problems = {each.name: each.reason for each in self.runner.health.unready}
        lags: Counter[str] = Counter()
        for edge in edges:
            lags[edge.consumer] += edge.lag
        stages = tuple(
            StageStatus(
                name=stage.name,
                role=stage.role,
                problem=problems.get(stage.name, ""),
                packets=amounts[stage.name],
                packets_a_second=rates.get(stage.name, 0.0),
                refused=refused[stage.name],
                lag=lags[stage.name],
            )
            for stage in self.runner.stages
        )
        states = {link.interface: link.state for link in links_of(self.runner)}
        links = tuple(
            LinkStatus(
                name=row.interface,
                state=states[row.interface].state if row.interface in states else State.DOWN,
                reason=states[row.interface].reason if row.interface in states else "not open",
                received_bytes=row.received,
                bytes_a_second=rates[f"link {row.interface}"],
                discarded_bytes=row.discarded,
            )
            for row in byte_rows
        )
        unaccounted = total_unaccounted(rows, edges, byte_rows)
        return Status(stages=stages, links=links, unaccounted=unaccounted)
