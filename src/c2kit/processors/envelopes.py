"""What is around telemetry on its way to a stream, so that columns are decoded right into the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.kernel.envelope import Envelope

if TYPE_CHECKING:
    from c2kit.batches import PacketBatch
    from c2kit.batches.arrow import TelemetrySchema
    from c2kit.kernel.envelope import Head
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target

__all__ = ["Envelopes"]

_MOST_HEADS = 1_000
"""Of replays there may come ever more; what is forgotten is made again."""


@define(eq=False)
class Envelopes:
    """The envelopes of one definition's batches."""

    target: Target
    packet: Packet
    _schema: TelemetrySchema | None = field(default=None, init=False)
    _heads: dict[tuple[str, str], Head] = field(factory=dict, init=False)

    @property
    def fingerprint(self) -> str:
        """The schema that messages are of which have these envelopes: all items, raw and engineering."""
        return self._known_schema().form.fingerprint

    def around(self, batch: PacketBatch) -> Envelope:
        """What is around the telemetry of these packets."""
        key = (batch.interface, batch.origin)
        head = self._heads.get(key)
        if head is None:
            if len(self._heads) >= _MOST_HEADS:
                self._heads.clear()
            head = self._heads[key] = self._known_schema().head(*key)
        return Envelope(head, batch.received, batch.generated)

    def _known_schema(self) -> TelemetrySchema:
        if self._schema is None:
            from c2kit.batches.arrow import TelemetrySchema  # noqa: PLC0415 - it imports nanoarrow

            self._schema = TelemetrySchema(
                target=self.target.name, packet=self.packet, dictionary_hash=self.target.hash
            )
        return self._schema
