"""Lanes of packets: where a target is too much for one replica, order is kept within each of its packets alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from c2kit.batches import TelemetryBatch
from c2kit.pipeline.wire import lane_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.pipeline.definitions import Definitions
    from c2kit.pipeline.wire import Batch

__all__ = ["packet_lanes", "without_packet"]


def packet_lanes(batch: Batch, definitions: Definitions) -> Iterator[tuple[str, Batch]]:
    """A batch of a target in parts, each of one packet, with the lane of that: ``<interface>/<target>/<packet>``.

    Raises DefinitionsMissing.
    """
    lane = lane_of(batch)
    if isinstance(batch, TelemetryBatch):
        yield f"{lane}/{batch.packet.name}", batch
        return
    assert batch.definition is not None  # noqa: S101 - it is of a target, and so it was identified
    assert batch.dictionary_hash is not None  # noqa: S101 - likewise
    target = definitions.target(batch.dictionary_hash)
    for index in np.unique(batch.definition):
        yield f"{lane}/{target.packets[index].name}", batch.select(batch.definition == index)


def without_packet(lane: str) -> str:
    """A lane without the packet that it may be of."""
    return "/".join(lane.split("/")[:2])
