"""Streams of records: the contract, and :func:`open_bus`, which imports an implementation when it is asked for."""

from __future__ import annotations

from c2kit.bus.base import (
    BusError,
    BusUnavailable,
    Delivery,
    Fenced,
    PartitionId,
    PartitionsLost,
    Position,
    PositionLost,
    Received,
    Record,
    Sink,
    StateKey,
    Step,
    StreamBus,
    StreamInfo,
    StreamSpec,
    Tally,
    View,
    Worker,
    WorkerFailed,
)
from c2kit.bus.opening import open_bus

__all__ = [
    "BusError",
    "BusUnavailable",
    "Delivery",
    "Fenced",
    "PartitionId",
    "PartitionsLost",
    "Position",
    "PositionLost",
    "Received",
    "Record",
    "Sink",
    "StateKey",
    "Step",
    "StreamBus",
    "StreamInfo",
    "StreamSpec",
    "Tally",
    "View",
    "Worker",
    "WorkerFailed",
    "open_bus",
]
