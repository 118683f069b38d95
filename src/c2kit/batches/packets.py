"""Many packets in one buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import define, evolve, field

from c2kit.kernel.contract import Buffer, Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

__all__ = ["Origin", "PacketBatch", "no_times"]

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
