"""Which values are within their limits?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c2kit.batches import TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.kernel.chosen import kernel
from c2kit.processors.base import Processor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.model.limits import Limits
    from c2kit.model.packets import DerivedItem, Item
    from c2kit.processors.asides import Aside

__all__ = ["LimitsMonitor"]

DEFAULT_SET = "default"


class LimitsMonitor(Processor[TelemetryBatch, TelemetryBatch]):
    """Adds the limit state of each value of each item that has limits. It has no memory: each value by itself.

    ``limits_set`` is the named set to hold values to; an item that does not have it is held to its ``default`` set, and
    one that has neither has no limit states.
    """

    takes = (Kind.TELEMETRY,)
    gives = Kind.TELEMETRY

    def __init__(self, limits_set: str = DEFAULT_SET) -> None:
        self.limits_set = limits_set
        self._chosen: dict[tuple[str, str, str, str], dict[str, Limits]] = {}

    @property
    def settings(self) -> dict[str, Any]:
        """The named set."""
        return {"limits_set": self.limits_set}

    def process(self, batch: TelemetryBatch) -> Iterator[TelemetryBatch]:
        """The same batch, with a column of :class:`~c2kit.model.limits.LimitState` for each item that has limits."""
        key = (self.limits_set, batch.target, batch.packet.name, batch.dictionary_hash)
        if key not in self._chosen:
            items = batch.packet.items_by_name.values()
            self._chosen[key] = {item.name: limits for item in items if (limits := self._limits_of(item)) is not None}
        states = {name: kernel.limit_states(limits, batch[name]) for name, limits in self._chosen[key].items()}
        yield batch.with_limits(states) if states else batch

    def _limits_of(self, item: Item | DerivedItem) -> Limits | None:
        named = {limits.name: limits for limits in item.limits}
        return named.get(self.limits_set, named.get(DEFAULT_SET))

    def take_asides(self) -> list[Aside]:
        """Nothing falls aside here."""
        return []
