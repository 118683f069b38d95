"""Batches of packets as Arrow messages."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from c2kit.batches.arrow.columns import packet_columns
from c2kit.batches.arrow.form import FORMAT, Form
from c2kit.batches.packets import PacketBatch
from c2kit.errors import MessageError, UsageError
from c2kit.kernel.contract import Column

if TYPE_CHECKING:
    import numpy.typing as npt

    from c2kit.kernel.contract import Buffer

__all__ = ["PacketSchema"]


@frozen(kw_only=True, eq=False)
class PacketSchema:
    """The schema of batches of packets: of one target after identification, of none before.

    ``packet_count`` is how many packets the target defines, where the reader knows; a higher index is refused.
    ``is_large`` gives the packets 64-bit offsets, for batches of 2 GiB and more.
    """

    target: str | None = None
    dictionary_hash: str | None = None
    packet_count: int | None = None
    is_large: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse a target without its definitions."""
        if (self.target is None) != (self.dictionary_hash is None):
            remedy = "give both or neither"
            raise UsageError("identified packets have a target and the hash of its definitions", remedy=remedy)

    @classmethod
    def of(cls, batch: PacketBatch) -> PacketSchema:
        """The schema of a batch."""
        is_large = batch.size_bytes >= 2**31
        return cls(target=batch.target, dictionary_hash=batch.dictionary_hash, is_large=is_large)

    @cached_property
    def form(self) -> Form:
        """The columns, in their order, and the metadata of the schema message."""
        columns = packet_columns(is_identified=self.target is not None, is_large=self.is_large)
        large = "yes" if self.is_large else "no"
        common = {"c2kit.format": FORMAT, "c2kit.kind": "packets", "c2kit.large": large}
        if self.target is None or self.dictionary_hash is None:
            return Form(columns, common)
        return Form(columns, common | {"c2kit.target": self.target, "c2kit.dictionary": self.dictionary_hash})

    def schema_message(self) -> bytes:
        """The message that begins a stream of these batches."""
        return self.form.message

    def to_message(self, batch: PacketBatch) -> bytes:
        """A batch as one message; ``spans`` do not travel. Raises UsageError where it is not of this schema."""
        ours, theirs = (self.target, self.dictionary_hash), (batch.target, batch.dictionary_hash)
        if theirs != ours:
            raise UsageError("the batch is of other definitions than the schema", expected=ours, found=theirs)
        columns = [_joined(batch), Column(batch.received), batch.generated]
        if self.target is not None:
            if batch.definition is None:
                raise UsageError("the batch does not tell which packet each one is", remedy="identify it first")
            columns.append(Column(batch.definition))
        return self.form.write(batch, columns)

    def from_message(self, message: Buffer) -> PacketBatch:
        """A batch whose buffer is a read-only view of the message, all packets back to back.

        Raises MessageError where the message is not of this schema or is damaged.
        """
        contents = self.form.read(message)
        packet, received, generated, *definition = contents.columns
        assert packet.offsets is not None  # noqa: S101 - for the type checker
        return PacketBatch(
            buffer=packet.values.data,
            starts=packet.offsets[:-1],
            ends=packet.offsets[1:],
            received=received.values.view(np.int64),
            generated=generated,
            interface=contents.interface,
            origin=contents.origin,
            space_packets=contents.space_packets,
            is_uplink=contents.is_uplink,
            target=self.target,
            dictionary_hash=self.dictionary_hash,
            definition=self._checked(definition[0]) if definition else None,
        )

    def _checked(self, definition: Column) -> npt.NDArray[np.int32]:
        indices = definition.values.view(np.int32)
        count = 2**31 if self.packet_count is None else self.packet_count
        if len(indices) and not 0 <= indices.min() <= indices.max() < count:
            found = f"{indices.min()} to {indices.max()}"
            raise MessageError("the target does not define such packets", expected=f"0 to {count - 1}", found=found)
        return indices

    def c_stream(self, batch: PacketBatch) -> object:
        """A batch as a PyCapsule of Arrow's C stream interface."""
        return self.form.c_stream([self.to_message(batch)])


def _joined(batch: PacketBatch) -> Column:
    """All packets back to back. What lies so already is taken in one piece, which usually is the whole batch."""
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(batch.ends - batch.starts)))
    pieces = batch.pieces()
    joined = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    return Column(np.frombuffer(joined, np.uint8), offsets=offsets, is_bytes=True)
