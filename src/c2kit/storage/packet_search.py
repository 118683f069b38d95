"""Finding packets in bytes of which no index tells any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, frozen

from c2kit.batches import PacketBatch
from c2kit.kernel.chosen import kernel
from c2kit.kernel.contract import Column, LengthRule
from c2kit.processors import Identifier
from c2kit.protocols.ccsds import MAXIMUM_BYTES, MINIMUM_BYTES, PRIMARY_HEADER_BYTES
from c2kit.storage.block import Source
from c2kit.storage.index import NOT_IDENTIFIED, UNKNOWN_TIME, Rows
from c2kit.storage.pending import block_header

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from c2kit.dictionaries import Dictionary
    from c2kit.storage.block import BlockHeader, Totals

__all__ = ["PacketSearch"]

# CCSDS 133.0-B-2, 4.1.3.5.3: the packet data length is the number of octets in the packet data field, less one.
_CCSDS = LengthRule(
    length_bit_offset=32,
    length_bits=16,
    adjustment_bytes=PRIMARY_HEADER_BYTES + 1,
    minimum_bytes=MINIMUM_BYTES,
    maximum_bytes=MAXIMUM_BYTES,
)
_BLOCK_BYTES = 1_000_000
_UNKNOWN = Source(origin="stored")


@frozen
class PacketSearch:
    """Takes bytes for packets that tell their length by ``rule`` (``None``: CCSDS packets), and identifies them."""

    rule: LengthRule | None = None
    dictionary: Dictionary | None = None

    def bounds(self, data: bytes, *, must_fill: bool) -> npt.NDArray[np.int64]:
        """Where packets begin, and where the last one ends. None, where they must fill the bytes and do not."""
        split = kernel.split(data, self.rule or _CCSDS)
        bounds = np.append(split.starts, split.next_byte)
        is_sound = not must_fill or split.next_byte == len(data)
        if self.rule is None:
            # 4.1.3.2: the packet version number of a space packet is 0.
            first_bytes = np.frombuffer(data, np.uint8)[split.starts]
            is_sound &= not (first_bytes >> 5).any()
        return bounds if is_sound else np.zeros(1, np.int64)

    def blocks(
        self, data: bytes, bounds: npt.NDArray[np.int64], offset: int, before: Totals, schema_crc32: int
    ) -> Iterator[tuple[BlockHeader, Rows]]:
        """The packets within these bounds as blocks, of which the first byte stands at ``offset`` of the data file."""
        while len(bounds) > 1:
            count = max(1, int(np.searchsorted(bounds, bounds[0] + _BLOCK_BYTES, side="right")) - 1)
            part = bounds[: count + 1]
            rows, sources = self._rows(data, part)
            first, last = int(part[0]), int(part[-1])
            header = block_header(
                rows,
                [data[first:last]],
                sources,
                schema_crc32=schema_crc32,
                offset=offset + first,
                before=before,
                positions=None,
            )
            yield evolve(header, is_rebuilt=True), rows
            before = header.segment
            bounds = bounds[count:]

    def _rows(self, data: bytes, bounds: npt.NDArray[np.int64]) -> tuple[Rows, tuple[Source, ...]]:
        starts, ends = bounds[:-1], bounds[1:]
        count = len(starts)
        definition = np.full(count, NOT_IDENTIFIED, np.int32)
        source = np.zeros(count, np.uint16)
        times, has_time = np.zeros(count, np.int64), np.zeros(count, np.bool_)
        sources = [_UNKNOWN]
        for batch in self._identified(
            PacketBatch(buffer=data, starts=starts, ends=ends, received=np.zeros(count, np.int64))
        ):
            which = np.searchsorted(starts, batch.starts)
            assert batch.definition is not None  # noqa: S101 - it was identified
            definition[which] = batch.definition
            source[which] = len(sources)
            times[which] = batch.generated.values.view(np.int64)
            has_time[which] = True if batch.generated.valid is None else batch.generated.valid
            sources.append(evolve(_UNKNOWN, target=batch.target, dictionary_hash=batch.dictionary_hash))
        rows = Rows(
            lengths=(ends - starts).astype(np.uint32),
            definition=definition,
            source=source,
            flags=np.zeros(count, np.uint8),
            received=np.full(count, UNKNOWN_TIME, np.int64),
            generated=Column(times, has_time),
        )
        return rows, tuple(sources)

    def _identified(self, batch: PacketBatch) -> Iterator[PacketBatch]:
        if self.dictionary is not None:
            yield from Identifier(self.dictionary, check_sequence=False).process(batch)
