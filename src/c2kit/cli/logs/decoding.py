"""Packets of a log to values, each by the definitions that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define, field

from c2kit.cli.options import tell
from c2kit.errors import MessageError
from c2kit.processors import Decommutator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c2kit.batches import PacketBatch, TelemetryBatch
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target
    from c2kit.storage import PacketLogReader

__all__ = ["LogDecoder"]


@define(eq=False)
class LogDecoder:
    """Decodes the batches of one log, which may be of several versions of the definitions."""

    log: PacketLogReader
    _known: dict[str, tuple[Target, Decommutator] | None] = field(factory=dict, init=False)

    def target_of(self, batch: PacketBatch) -> Target | None:
        """By what the packets of a batch are known; ``None`` where nobody knows. Missing definitions are told once."""
        if batch.dictionary_hash is None or batch.definition is None:
            return None
        if batch.dictionary_hash not in self._known:
            self._known[batch.dictionary_hash] = self._look_up(batch)
        known = self._known[batch.dictionary_hash]
        return None if known is None else known[0]

    def _look_up(self, batch: PacketBatch) -> tuple[Target, Decommutator] | None:
        try:
            dictionary = self.log.dictionary_of(batch)
        except MessageError as error:
            tell(f"not decoded: {error}; or give the definitions with --dictionary")
            return None
        return dictionary.targets[0], Decommutator(dictionary)

    def decode(
        self, batch: PacketBatch, wants: Callable[[Packet], bool]
    ) -> Iterator[tuple[Target, list[int], TelemetryBatch]]:
        """The packets of each definition that is wanted, with their places in the batch."""
        target = self.target_of(batch)
        if target is None or batch.definition is None or batch.dictionary_hash is None:
            return
        known = self._known[batch.dictionary_hash]
        assert known is not None  # noqa: S101 - its target was found
        for place in np.unique(batch.definition).tolist():
            if wants(target.packets[place]):
                rows = np.flatnonzero(batch.definition == place)
                for telemetry in known[1].process(batch.select(rows)):
                    yield target, rows.tolist(), telemetry
