"""Many packets in one buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define, evolve, field

from c2kit.kernel.contract import Buffer, Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

__all__ = ["Origin", "PacketBatch", "joined", "no_times"]

Origin = str
"""``realtime``, ``stored`` or ``replay:<id>``. What is not realtime never moves limits or staleness."""


def no_times(count: int) -> Column:
    """A time column in which no packet has a time."""
    return Column(np.zeros(count, np.int64), np.zeros(count, np.bool_))


@define(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class PacketBatch:
    """``n`` packets (before identification: frames), in the order received; ``batch[i]`` is the bytes of one.

    Packet ``i`` lies at ``buffer[starts[i]:ends[i]]``.

    Nothing here is a Python object per packet; selecting and grouping make new offset arrays over the same buffer.
    """

    buffer: Buffer
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    received: npt.NDArray[np.int64]
    """When each packet was received: POSIX nanoseconds, UTC."""
    interface: str = ""
    origin: Origin = "realtime"
    space_packets: bool = False
    """Whether the framing knows that each is a CCSDS space packet, with a primary header to be looked at."""
    is_uplink: bool = False
    """Whether these bytes went to the device; otherwise they came from it."""
    spans: npt.NDArray[np.int64] | None = None
    """``(n, 2)``: the input bytes, counted from the first ever received, that each frame was made of; framing sets
    it."""
    target: str | None = None
    dictionary_hash: str | None = None
    """The hash of the target's definitions, after identification."""
    definition: npt.NDArray[np.int32] | None = None
    """After identification: for each packet the index of its definition in ``Target.packets``."""
    generated: Column = field()
    """When the spacecraft made each packet: POSIX nanoseconds, UTC; no value where the packet does not tell."""

    @generated.default
    def _generated(self) -> Column:
        return no_times(len(self.starts))

    def __len__(self) -> int:
        """The number of packets."""
        return len(self.starts)

    def __repr__(self) -> str:
        what = self.target or self.interface or "frames"
        return f"<PacketBatch of {len(self)} packet{'s' * (len(self) != 1)}, {self.size_bytes} bytes: {what}>"

    def __getitem__(self, index: int) -> bytes:
        """The bytes of one packet, copied."""
        return bytes(self.buffer[self.starts[index] : self.ends[index]])

    def __iter__(self) -> Iterator[bytes]:
        """The bytes of each packet, copied. For people and tests: the pipeline never loops over packets."""
        view = memoryview(self.buffer)
        for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True):
            yield bytes(view[start:end])

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The batch for other libraries in this process, such as ``pyarrow.table(batch)``.

        Arrow's PyCapsule interface; ``requested_schema`` is disregarded, as it allows.
        """
        from c2kit.batches.arrow import PacketSchema  # noqa: PLC0415 - it imports this module, and nanoarrow

        return PacketSchema.of(self).c_stream(self)

    @property
    def size_bytes(self) -> int:
        """The bytes of all packets together."""
        return int((self.ends - self.starts).sum())

    def pieces(self) -> list[memoryview]:
        """The bytes of all packets in their order, not copied: one piece for all that lie back to back."""
        begins = np.ones(len(self) + 1, np.bool_)
        begins[1:-1] = self.starts[1:] != self.ends[:-1]
        firsts, lasts = self.starts[begins[:-1]], self.ends[begins[1:]]
        view = memoryview(self.buffer)
        return [view[first:last] for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]

    def select(self, which: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> PacketBatch:
        """The packets at these indices or where the mask holds, over the same buffer."""
        generated = self.generated
        valid = None if generated.valid is None else generated.valid[which]
        return evolve(
            self,
            starts=self.starts[which],
            ends=self.ends[which],
            received=self.received[which],
            spans=None if self.spans is None else self.spans[which],
            definition=None if self.definition is None else self.definition[which],
            generated=Column(generated.values[which], valid),
        )

    def divided(self, max_bytes: int) -> list[PacketBatch]:
        """The same packets in their order, over the same buffer, in batches of at most so many bytes, or one packet."""
        if len(self) < 2 or self.size_bytes <= max_bytes:
            return [self]
        halves = np.array_split(np.arange(len(self)), 2)
        return [batch for half in halves for batch in self.select(half).divided(max_bytes)]


def joined(batches: Iterable[PacketBatch], *, max_bytes: int) -> list[PacketBatch]:
    """The same packets in their order: consecutive batches that are alike become one, of at most so many bytes.

    Alike are those that differ in nothing but their packets. A batch that is larger already stays as it is.
    """
    runs: list[list[PacketBatch]] = []
    size_bytes = 0
    for batch in batches:
        size_bytes += batch.size_bytes
        if runs and size_bytes <= max_bytes and _common(batch) == _common(runs[-1][0]):
            runs[-1].append(batch)
        else:
            runs.append([batch])
            size_bytes = batch.size_bytes
    return [run[0] if len(run) == 1 else _concatenated(run) for run in runs]


def _common(batch: PacketBatch) -> tuple[object, ...]:
    """What is said of all packets of a batch at once."""
    has = (batch.spans is None, batch.definition is None)
    whose = (batch.interface, batch.origin, batch.target, batch.dictionary_hash)
    return (batch.space_packets, batch.is_uplink, *whose, *has)


def _concatenated(batches: Sequence[PacketBatch]) -> PacketBatch:
    """One of batches that are alike: all packets lie back to back in a new buffer."""
    ends = np.cumsum(np.concatenate([batch.ends - batch.starts for batch in batches]))
    spans = [batch.spans for batch in batches if batch.spans is not None]
    definitions = [batch.definition for batch in batches if batch.definition is not None]
    return evolve(
        batches[0],
        buffer=b"".join(piece for batch in batches for piece in batch.pieces()),
        starts=np.concatenate((np.zeros(1, np.int64), ends[:-1])),
        ends=ends,
        received=np.concatenate([batch.received for batch in batches]),
        spans=np.concatenate(spans) if spans else None,
        definition=np.concatenate(definitions) if definitions else None,
        generated=Column(
            np.concatenate([batch.generated.values for batch in batches]),
            np.concatenate([_has_value(batch.generated) for batch in batches]),
        ),
    )


def _has_value(column: Column) -> npt.NDArray[np.bool_]:
    return np.ones(len(column), np.bool_) if column.valid is None else column.valid
