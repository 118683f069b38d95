"""Which packet is it? Frames in, packets of targets out."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from attrs import define, evolve, frozen

from c2kit.batches import Column, PacketBatch
from c2kit.batches.packets import no_times
from c2kit.errors import DefinitionError
from c2kit.kernel import columns
from c2kit.kernel.identity import Identity, identity
from c2kit.kernel.layout import Layout
from c2kit.kernel.time import packet_times, time_fields
from c2kit.processors.asides import Anomalies, UnknownPackets
from c2kit.processors.base import Processor
from c2kit.processors.nearest import likenesses
from c2kit.processors.sequence import SequenceCheck

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    from c2kit.dictionaries import Dictionary
    from c2kit.kernel.leapseconds import LeapSeconds
    from c2kit.kernel.time import Times
    from c2kit.model.fields import Field
    from c2kit.model.packets import Packet
    from c2kit.model.target import Target
    from c2kit.model.time import PacketTime
    from c2kit.processors.asides import Aside

    Indices = npt.NDArray[np.intp]

__all__ = ["Identifier"]


@frozen(eq=False)
class _Candidate:
    """A definition that packets may be of; ``place`` is its index in ``Target.packets``."""

    target: Target
    place: int
    packet: Packet
    identity: Identity


class Identifier(Processor[PacketBatch, PacketBatch]):
    """Tells which definition each packet is of, and when it was made.

    A packet is of the first definition whose identification it meets: those that are no fallback come before those
    that are, then targets and packets by name. (The prover shows where that order would decide.) One that is too short
    for an identification does not meet it. Those of no definition are :class:`~c2kit.processors.asides.UnknownPackets`.

    The sequence counts of space packets are checked per interface and APID, for frames that the framing says are space
    packets; unknown ones too, since a packet that nobody defined is not a missing one.

    Args:
        dictionary: the definitions.
        targets: the names of the targets whose packets may come; all by default.
        check_sequence: whether to check sequence counts.
        leap: the leap-second table, where not the built-in one.

    Raises:
        DefinitionError: a packet that can never be identified.
        UnknownName: a target that the dictionary does not have.
    """

    def __init__(
        self,
        dictionary: Dictionary,
        targets: Iterable[str] | None = None,
        *,
        check_sequence: bool = True,
        leap: LeapSeconds | None = None,
    ) -> None:
        chosen = dictionary.targets if targets is None else [dictionary.target(name) for name in sorted(targets)]
        self._candidates = _candidates(chosen)
        self._tables = _tables(self._candidates)
        self._clocks = _clocks(self._candidates)
        self._sequence = SequenceCheck() if check_sequence else None
        self._leap = leap
        self._asides: list[Aside] = []

    def process(self, batch: PacketBatch) -> Iterator[PacketBatch]:
        """The packets of each target that has some in the batch, in the order received."""
        if self._sequence is not None and batch.space_packets and len(batch):
            self._asides += self._sequence.check(batch)
        ranks = self._ranks(batch)
        unknown = ranks == len(self._candidates)
        if unknown.any():
            packets = batch.select(unknown)
            candidates = [(each.target.name, each.packet, each.identity) for each in self._candidates]
            self._asides.append(UnknownPackets(packets, likenesses(packets, candidates)))
        owners = np.array([id(each.target) for each in self._candidates] + [0], np.int64)[ranks]
        for target in {id(each.target): each.target for each in self._candidates}.values():
            mine = owners == id(target)
            if mine.any():
                yield self._identified(target, batch if mine.all() else batch.select(mine), ranks[mine])

    def _ranks(self, batch: PacketBatch) -> Indices:
        """For each packet the index of its candidate, or the number of candidates where there is none."""
        ranks = np.full(len(batch), len(self._candidates), np.intp)
        for table in self._tables:
            np.minimum(ranks, table.ranks(batch, len(self._candidates)), out=ranks)
        return ranks

    def _identified(self, target: Target, batch: PacketBatch, ranks: Indices) -> PacketBatch:
        places = np.array([each.place for each in self._candidates], np.int32)
        return evolve(
            batch,
            target=target.name,
            dictionary_hash=target.hash,
            definition=places[ranks],
            generated=self._times(batch, ranks),
        )

    def _times(self, batch: PacketBatch, ranks: Indices) -> Column:
        times = no_times(len(batch))
        assert times.valid is not None  # noqa: S101 - nothing has a time yet
        for clock in self._clocks:
            which = np.flatnonzero(clock.members[ranks])
            if len(which):
                told = clock.times(batch, which, self._leap)
                times.values[which] = told.column.values
                times.valid[which] = True if told.column.valid is None else told.column.valid
                if told.tallies:
                    first = self._candidates[ranks[which[0]]]
                    self._asides.append(Anomalies(first.target.name, first.packet.name, told.tallies))
        return times

    def take_asides(self) -> list[Aside]:
        """Unknown packets, sequence breaks, and times that could not be told, since the last call."""
        asides, self._asides = self._asides, []
        return asides

    def snapshot(self) -> bytes:
        """The last sequence count of each interface and APID. It does not depend on the dictionary."""
        return b"" if self._sequence is None else self._sequence.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Go on from the sequence counts of another one."""
        if self._sequence is None:
            super().restore(snapshot)
        else:
            self._sequence.restore(snapshot)


def _candidates(targets: Sequence[Target]) -> list[_Candidate]:
    candidates = [
        _Candidate(target, place, packet, identity(packet))
        for target in targets
        for place, packet in enumerate(target.packets)
    ]
    return sorted(candidates, key=lambda each: each.packet.fallback)


@define(eq=False)
class _Table:
    """All identities with one mask: a packet's bytes under it are looked up among their values."""

    mask: bytes
    keys: npt.NDArray[np.generic]
    """The values, sorted, as far as the mask is not 0."""
    first: Indices
    """For each key the first candidate that has it."""

    def ranks(self, batch: PacketBatch, none: int) -> Indices:
        """For each packet the first candidate whose value it has, else ``none``."""
        ranks = np.full(len(batch), none, np.intp)
        long_enough = np.flatnonzero(batch.ends - batch.starts >= len(self.mask))
        if not any(self.mask):
            ranks[long_enough] = self.first[0]
            return ranks
        if len(long_enough):
            found = _under(batch.buffer, batch.starts[long_enough], self.mask)
            places = np.minimum(np.searchsorted(self.keys, found), len(self.keys) - 1)
            ranks[long_enough] = np.where(self.keys[places] == found, self.first[places], none)
        return ranks


def _under(
    buffer: bytes | bytearray | memoryview, starts: npt.NDArray[np.int64], mask: bytes
) -> npt.NDArray[np.generic]:
    """The bytes under a mask of packets that are long enough, each as one number or as one run of bytes.

    Big-endian numbers sort as the bytes do, and are much faster to sort and compare than runs of bytes.
    """
    where = [index for index, byte in enumerate(mask) if byte]
    view = np.frombuffer(buffer, np.uint8)
    size = max(len(where), 8)
    rows = np.zeros((len(starts), size), np.uint8)
    for column, index in enumerate(where):
        rows[:, column] = view[starts + index] & mask[index]
    return rows.view(f"V{size}" if size > 8 else ">u8").reshape(-1)


def _tables(candidates: Sequence[_Candidate]) -> list[_Table]:
    by_mask: dict[bytes, dict[bytes, int]] = defaultdict(dict)
    for rank, candidate in enumerate(candidates):
        by_mask[candidate.identity.mask].setdefault(candidate.identity.value, rank)
    tables = []
    for mask, values in by_mask.items():
        starts = np.arange(len(values), dtype=np.int64) * len(mask)
        keys = _under(b"".join(values), starts, mask)
        order = np.argsort(keys, kind="stable")
        tables.append(_Table(mask, keys[order], np.array(list(values.values()), np.intp)[order]))
    return tables


@define(eq=False)
class _Clock:
    """One way to tell the time, which many definitions may share."""

    packet: Packet
    layout: Layout
    members: npt.NDArray[np.bool_]
    """Which candidates tell the time this way; one more entry for none."""

    def times(self, batch: PacketBatch, which: Indices, leap: LeapSeconds | None) -> Times:
        decoded = columns.decode(self.layout, batch.buffer, batch.starts[which], batch.ends[which])
        named = {field.name: column for field, column in zip(self.layout.fields, decoded, strict=True)}
        return packet_times(self.packet, named, leap)


def _clocks(candidates: Sequence[_Candidate]) -> list[_Clock]:
    clocks: dict[tuple[PacketTime, tuple[Field, ...]], _Clock] = {}
    for rank, candidate in enumerate(candidates):
        packet = candidate.packet
        if packet.time is None:
            continue
        layout = _time_layout(packet)
        clock = clocks.setdefault(
            (packet.time, layout.fields), _Clock(packet, layout, np.zeros(len(candidates) + 1, np.bool_))
        )
        clock.members[rank] = True
    return list(clocks.values())


def _time_layout(packet: Packet) -> Layout:
    """The fields that tell the time alone, or, where their place varies, the whole packet."""
    layout = Layout(packet.items)
    assert packet.time is not None  # noqa: S101 - asked of packets that tell the time
    try:
        return layout.select(time_fields(packet.time))
    except DefinitionError:
        return layout
