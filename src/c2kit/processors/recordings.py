"""Whole recordings to telemetry: framing, identification and decommutation in one, with an account of every byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve

from c2kit.processors.account import Account, Amount
from c2kit.processors.decommutate import Decommutator
from c2kit.processors.identify import Identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from c2kit.batches import PacketBatch, TelemetryBatch
    from c2kit.dictionaries import Dictionary
    from c2kit.kernel.contract import Buffer
    from c2kit.processors.account import Name
    from c2kit.protocols import Protocol

__all__ = ["RecordingDecoder"]


class RecordingDecoder:
    """Decodes recordings piece by piece, and keeps :attr:`account` of what became of each byte.

    ::

        decoder = RecordingDecoder(dictionary, CcsdsPackets())
        for telemetry in decoder.decode(iter(lambda: file.read(2**20), b"")):
            ...
        decoder.account.unknown.count

    Each recording is an input of its own: what is incomplete at its end is truncated, and nothing joins the next one.
    Sequence counts do go on from one to the next. Batches are ``stored``, and what a recording does not tell, when a
    packet was received, is 0. Memory is bounded by the pieces and by the framing.

    Args:
        dictionary: the definitions.
        framing: how packets lie in the recording.
        targets: the names of the targets whose packets may come; all by default.
        packets: target and name of the packets to be decommutated; others are only identified. All by default.

    Raises:
        DefinitionError: a packet that can never be identified.
        UnknownName: a target that the dictionary does not have.
    """

    def __init__(
        self,
        dictionary: Dictionary,
        framing: Protocol,
        *,
        targets: Iterable[str] | None = None,
        packets: Collection[Name] | None = None,
    ) -> None:
        self.account = Account()
        self._dictionary = dictionary
        self._framing = framing
        self._identify = Identifier(dictionary, targets)
        self._decommutate = Decommutator(dictionary)
        self._packets = packets

    def decode(self, pieces: Iterable[Buffer]) -> Iterator[TelemetryBatch]:
        """Decode one whole recording, piece by piece."""
        for piece in pieces:
            yield from self.receive(piece)
        yield from self.end()

    def receive(self, data: Buffer) -> Iterator[TelemetryBatch]:
        """Decode what is complete with these bytes."""
        self.account.input_bytes += len(data)
        yield from self._process(self._framing.receive(data))

    def end(self) -> Iterator[TelemetryBatch]:
        """Take note that the recording has ended."""
        yield from self._process(self._framing.end())

    def _process(self, batches: Iterable[PacketBatch]) -> Iterator[TelemetryBatch]:
        for frames in batches:
            stored = evolve(frames, origin="stored")
            self._count_around(stored)
            for packets in self._identify.process(stored):
                self._count(packets)
                wanted = self._wanted(packets)
                if wanted is not None:
                    yield from self._decommutate.process(wanted)
        self._take_asides()

    def _take_asides(self) -> None:
        for discarded in self._framing.take_asides():
            self.account.add_discarded(discarded)
        for aside in (*self._identify.take_asides(), *self._decommutate.take_asides()):
            self.account.add_aside(aside)
        self.account.held_bytes = self._framing.held_bytes

    def _count_around(self, frames: PacketBatch) -> None:
        if frames.spans is not None:
            spanned = int((frames.spans[:, 1] - frames.spans[:, 0]).sum())
            self.account.around_bytes += spanned - frames.size_bytes

    def _count(self, packets: PacketBatch) -> None:
        assert packets.target is not None  # noqa: S101 - that is what identification is
        assert packets.definition is not None  # noqa: S101 - likewise
        defined = self._dictionary.target(packets.target).packets
        counts = np.bincount(packets.definition, minlength=len(defined))
        sizes = np.bincount(packets.definition, packets.ends - packets.starts, len(defined))
        for place in np.flatnonzero(counts).tolist():
            amount = self.account.packets.setdefault((packets.target, defined[place].name), Amount())
            amount.add(int(counts[place]), int(sizes[place]))

    def _wanted(self, packets: PacketBatch) -> PacketBatch | None:
        """The packets to be decommutated, if there are any."""
        if self._packets is None:
            return packets
        assert packets.target is not None  # noqa: S101 - that is what identification is
        defined = self._dictionary.target(packets.target).packets
        wanted = np.array([(packets.target, packet.name) in self._packets for packet in defined])
        mask = wanted[packets.definition]
        if mask.all():
            return packets
        return packets.select(mask) if mask.any() else None
