"""Many packets against many identifications at once, by the bits of :mod:`c2kit.kernel.identity`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, frozen

from c2kit.kernel.identity import Identity, identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from c2kit.batches import PacketBatch
    from c2kit.kernel.contract import Buffer
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target

    Indices = npt.NDArray[np.intp]

__all__ = ["Definition", "Matcher", "definitions_of", "gathered"]


@frozen(eq=False)
class Definition:
    """A packet definition that packets may be of; ``place`` is its index in ``Target.packets``."""

    target: Target
    place: int
    packet: Packet
    identity: Identity


def definitions_of(targets: Sequence[Target]) -> list[Definition]:
    """All definitions in the order in which they are tried: fallbacks last, then by name of target and packet.

    Raises :class:`~c2kit.errors.DefinitionError` for a packet that can never be identified.
    """
    definitions = [
        Definition(target, place, packet, identity(packet))
        for target in sorted(targets, key=lambda target: target.name)
        for place, packet in enumerate(target.packets)
    ]
    return sorted(definitions, key=lambda definition: definition.packet.fallback)


class Matcher:
    """Finds the first of some definitions that each packet is of.

    Definitions that look at the same bits share a sorted table of what they expect there, so that the work grows with
    the number of different sets of bits, and hardly with that of definitions.
    """

    def __init__(self, definitions: Sequence[Definition]) -> None:
        self._none = len(definitions)
        by_mask: dict[bytes, dict[bytes, int]] = defaultdict(dict)
        for rank, definition in enumerate(definitions):
            by_mask[definition.identity.mask].setdefault(definition.identity.value, rank)
        self._tables = [_Table.of(mask, values) for mask, values in by_mask.items()]

    def ranks(self, batch: PacketBatch) -> Indices:
        """For each packet the index of its definition, or the number of definitions where it is of none."""
        ranks = np.full(len(batch), self._none, np.intp)
        for table in self._tables:
            if (ranks > table.first).any():
                np.minimum(ranks, table.ranks(batch, self._none), out=ranks)
        return ranks


@define(eq=False)
class _Table:
    """All identifications by the same bits: a packet's bytes under the mask are looked up among their values."""

    size_bytes: int
    where: npt.NDArray[np.int64]
    """Which bytes are looked at at all."""
    mask: npt.NDArray[np.uint8]
    """Their part of the mask."""
    keys: npt.NDArray[Any]
    """What definitions expect under it, sorted."""
    ranks_of_keys: Indices
    first: int
    """The least of those ranks."""

    @classmethod
    def of(cls, mask: bytes, values: dict[bytes, int]) -> _Table:
        where = np.flatnonzero(np.frombuffer(mask, np.uint8))
        table = cls(
            size_bytes=len(mask),
            where=where,
            mask=np.frombuffer(mask, np.uint8)[where],
            keys=np.zeros(0, np.uint64),
            ranks_of_keys=np.fromiter(values.values(), np.intp),
            first=min(values.values()),
        )
        keys = table.keys_in(b"".join(values), np.arange(len(values)) * len(mask))
        order = np.argsort(keys, kind="stable")
        table.keys, table.ranks_of_keys = keys[order], table.ranks_of_keys[order]
        return table

    def keys_in(self, buffer: Buffer, starts: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """The bytes under the mask, each packet's as one number or, where they are too many, as one run of bytes."""
        size = max(8, len(self.where))
        rows = np.zeros((len(starts), size), np.uint8)
        gathered(buffer, starts, self.where, self.mask, rows)
        return rows.view(f"V{size}" if size > 8 else np.uint64).reshape(-1)

    def ranks(self, batch: PacketBatch, none: int) -> Indices:
        """For each packet the first definition whose value it has, else ``none``."""
        long_enough = batch.ends - batch.starts >= self.size_bytes
        which: Any = slice(None) if long_enough.all() else np.flatnonzero(long_enough)
        found = self.keys_in(batch.buffer, batch.starts[which])
        places = np.minimum(np.searchsorted(self.keys, found), len(self.keys) - 1)
        ranks = np.full(len(batch), none, np.intp)
        ranks[which] = np.where(self.keys[places] == found, self.ranks_of_keys[places], none)
        return ranks


def gathered(
    buffer: Buffer,
    starts: npt.NDArray[np.int64],
    where: npt.NDArray[np.int64],
    mask: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.uint8],
) -> None:
    """Write bytes ``where`` of each packet, under the mask, into its row."""
    view = np.frombuffer(buffer, np.uint8)
    for column, (byte, bits) in enumerate(zip(where.tolist(), mask.tolist(), strict=True)):
        rows[:, column] = view[starts + byte] & bits
