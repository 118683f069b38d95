"""Which packet is it? Frames in, packets of targets out."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from c2kit.batches import PacketBatch
from c2kit.batches.kinds import Kind
from c2kit.dictionaries import Dictionary
from c2kit.errors import MessageError
from c2kit.kernel.chosen import kernel
from c2kit.kernel.identity import Identities
from c2kit.processors.asides import Asides
from c2kit.processors.base import Processor, needs_dictionary, pack_snapshot, unpack_snapshot
from c2kit.processors.clocks import Clocks
from c2kit.processors.matching import definitions_of
from c2kit.processors.nearest import Explainer
from c2kit.processors.sequence import SequenceCheck

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    from c2kit.kernel.leapseconds import LeapSeconds
    from c2kit.model.target import Target
    from c2kit.processors.asides import Aside

__all__ = ["Identifier", "Totals"]

_VERSION = 1


@frozen(kw_only=True)
class Totals:
    """What an identifier did since it began, restarts included. What came in was identified or is unknown."""

    packets_in: int = 0
    packets_out: int = 0
    unknown: int = 0

    @property
    def unaccounted(self) -> int:
        """0, unless a batch was not processed to its end."""
        return self.packets_in - self.packets_out - self.unknown


class Identifier(Processor[PacketBatch, PacketBatch]):
    """Tells which definition each packet is of, and when it was made.

    A packet is of the first definition whose identification it meets: those that are no fallback come before those
    that are, then targets and packets by name. (The prover shows where that order would decide.) One that is too short
    for an identification does not meet it. Those of no definition are :class:`~c2kit.processors.asides.UnknownPackets`.

    The sequence counts of space packets are checked per interface, origin and APID, for frames that the framing says
    are space packets; unknown ones too, since a packet that nobody defined is not a missing one.

    Args:
        dictionary: the definitions; only a specification for a mission has none.
        targets: the names of the targets whose packets may come; all by default.
        check_sequence: whether to check sequence counts.
        leap: the leap-second table, where not the built-in one.

    Raises:
        DefinitionError: a packet that can never be identified.
        UnknownName: a target that the dictionary does not have.
    """

    takes = (Kind.FRAMES,)
    gives = Kind.PACKETS
    also_gives = (Kind.UNKNOWN,)

    def __init__(
        self,
        dictionary: Dictionary | None = None,
        targets: Iterable[str] | None = None,
        *,
        check_sequence: bool = True,
        leap: LeapSeconds | None = None,
    ) -> None:
        self._is_bound = dictionary is not None
        self._check_sequence = check_sequence
        self._leap = leap
        dictionary = dictionary or Dictionary()
        chosen = dictionary.targets if targets is None else [dictionary.target(name) for name in sorted(set(targets))]
        self._targets = tuple(chosen)
        self._definitions = definitions_of(self._targets)
        self._identities = Identities(tuple(definition.identity for definition in self._definitions))
        self._clocks = Clocks(self._definitions, leap)
        self._places = np.array([definition.place for definition in self._definitions], np.int32)
        numbers = {target.name: number for number, target in enumerate(self._targets)}
        owners = [numbers[definition.target.name] for definition in self._definitions]
        # One more entry: packets of no definition belong to nobody.
        self._owners = np.array([*owners, len(numbers)], np.intp)
        self._sequence = SequenceCheck() if check_sequence else None
        self._asides = Asides()
        self.totals = Totals()

    def bind(self, dictionary: Dictionary, targets: Sequence[str]) -> Identifier:
        """Another one that identifies packets of these targets."""
        return Identifier(dictionary, targets, check_sequence=self._check_sequence, leap=self._leap)

    @property
    def settings(self) -> dict[str, Any]:
        """Whether it checks sequence counts."""
        return {"check_sequence": self._check_sequence}

    @cached_property
    def _explainer(self) -> Explainer:
        # Made when the first unknown packet comes: it takes as long as all the rest.
        return Explainer(self._definitions)

    def process(self, batch: PacketBatch) -> Iterator[PacketBatch]:
        """The packets of each target that has some in the batch, in the order received."""
        if not self._is_bound:
            raise needs_dictionary("Identifier")
        ranks = kernel.match(self._identities, batch.buffer, batch.starts, batch.ends)
        self._count(packets_in=len(batch))
        if self._sequence is not None and batch.space_packets and len(batch):
            for breaks in self._sequence.check(batch):
                self._asides.add_breaks(breaks)
        groups = kernel.group(self._owners[ranks], len(self._targets) + 1)
        for number, members in groups.present():
            some, its_ranks = (batch, ranks) if len(members) == len(batch) else (batch.select(members), ranks[members])
            if number == len(self._targets):
                self._set_aside(some)
            else:
                self._count(packets_out=len(some))
                yield self._identified(self._targets[number], some, its_ranks)

    def _identified(self, target: Target, batch: PacketBatch, ranks: npt.NDArray[np.int64]) -> PacketBatch:
        generated, anomalies = self._clocks.times(batch, ranks)
        for each in anomalies:
            self._asides.add_anomalies(each)
        return evolve(
            batch,
            target=target.name,
            dictionary_hash=target.hash,
            definition=self._places[ranks],
            generated=generated,
        )

    def _set_aside(self, packets: PacketBatch) -> None:
        self._count(unknown=len(packets))
        self._asides.add_unknown(self._explainer.explain(packets))

    def _count(self, *, packets_in: int = 0, packets_out: int = 0, unknown: int = 0) -> None:
        totals = self.totals
        self.totals = Totals(
            packets_in=totals.packets_in + packets_in,
            packets_out=totals.packets_out + packets_out,
            unknown=totals.unknown + unknown,
        )

    def take_asides(self) -> list[Aside]:
        """Unknown packets, sequence breaks, and times that could not be told, since the last call."""
        return self._asides.take()

    def snapshot(self) -> bytes:
        """The totals, and the last sequence count of each interface, origin and APID."""
        totals = self.totals
        memory = {
            "totals": [totals.packets_in, totals.packets_out, totals.unknown],
            "counts": [] if self._sequence is None else self._sequence.memory(),
        }
        return pack_snapshot("Identifier", _VERSION, self._targets, memory)

    def restore(self, snapshot: bytes) -> None:
        """Go on from where another one was; it may have had other definitions."""
        memory = unpack_snapshot(snapshot, "Identifier", _VERSION)
        match memory:
            case {"totals": [int(packets_in), int(packets_out), int(unknown)], "counts": list(counts)}:
                if self._sequence is not None:
                    self._sequence.remember(counts)
                self.totals = Totals(packets_in=packets_in, packets_out=packets_out, unknown=unknown)
            case _:
                raise MessageError("a snapshot for Identifier", expected="totals and counts", found=memory)
