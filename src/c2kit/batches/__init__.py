"""What moves through a pipeline: many packets, or many samples of one packet's items, in columns."""

from __future__ import annotations

from c2kit.batches.packets import Origin, PacketBatch
from c2kit.batches.telemetry import TelemetryBatch
from c2kit.kernel.contract import Column

__all__ = ["Column", "Origin", "PacketBatch", "TelemetryBatch"]
