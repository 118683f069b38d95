"""What an interface publishes of its link: frames, and raw bytes of both directions, in records of a fit size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from c2kit.batches import PacketBatch
from c2kit.batches.kinds import Kind
from c2kit.batches.packets import joined
from c2kit.bus import Record
from c2kit.pipeline.wire import JOINED_BYTES, Wire, lane_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from c2kit.links import Arrival
    from c2kit.pipeline.surroundings import StageSurroundings

__all__ = ["LinkRecords"]

_MOST_BYTES = 4_000_000


class LinkRecords:
    """Makes the records of one interface, in its one lane. For one thread."""

    def __init__(self, surroundings: StageSurroundings) -> None:
        name = surroundings.name
        self._interface = name
        self._frames = surroundings.stream(Kind.FRAMES, name)
        self._raw = surroundings.stream(Kind.RAW, name)
        self._wire = Wire(surroundings.definitions, surroundings.bus.largest_value_bytes)
        self._too_large: list[bytes] = []

    def frames(self, batches: Iterable[PacketBatch]) -> list[Record]:
        """Frames in their order, in as few records as can be."""
        return self._records(self._frames, joined(batches, max_bytes=JOINED_BYTES))

    def take_too_large(self) -> list[bytes]:
        """The frames since the last call that no record of the bus can hold."""
        taken, self._too_large = self._too_large, []
        return taken

    def received(self, arrivals: Iterable[Arrival]) -> list[Record]:
        """Raw bytes as they came, each piece a packet; nothing where nobody reads them."""
        pieces = [(arrival.data, arrival.received) for arrival in arrivals if arrival.data]
        return self._raw_records([data for data, _ in pieces], [time for _, time in pieces], is_uplink=False)

    def sent(self, pieces: Sequence[bytes], time_ns: int) -> list[Record]:
        """Raw bytes as they went, alike."""
        return self._raw_records(pieces, [time_ns] * len(pieces), is_uplink=True)

    def _raw_records(self, pieces: Sequence[bytes], times: Sequence[int], *, is_uplink: bool) -> list[Record]:
        if self._raw is None or not pieces:
            return []
        ends = np.cumsum([len(piece) for piece in pieces])
        batch = PacketBatch(
            buffer=b"".join(pieces),
            starts=np.concatenate((np.zeros(1, np.int64), ends[:-1])),
            ends=ends,
            received=np.array(times, np.int64),
            interface=self._interface,
            is_uplink=is_uplink,
        )
        return self._records(self._raw, [batch])

    def _records(self, stream: str | None, batches: Iterable[PacketBatch]) -> list[Record]:
        if stream is None:
            return []
        records = []
        for part in (part for batch in batches for part in batch.divided(_MOST_BYTES)):
            written = self._wire.written(part)
            records += [Record(stream, lane_of(part), value) for value in written.values]
            self._too_large += [b"".join(batch) for batch in written.too_large if isinstance(batch, PacketBatch)]
        return records
