"""The processors of a stage for one lane, and what each of them did with what it was given.

A processor that raises stops nothing: its memory is taken back to before the batch, the batch is halved until the one
packet is found that it fails on, and that packet is set aside.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, field, frozen

from c2kit.bus.records import LaneState
from c2kit.errors import C2kitError, MessageError
from c2kit.processors.asides import Merged, Refused, UnknownPackets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from c2kit.batches.kinds import Kind
    from c2kit.dictionaries import Dictionary
    from c2kit.pipeline.wire import Batch
    from c2kit.processors import Aside, Processor

__all__ = ["Chain", "Poison", "ProcessorFailed", "StateRefused", "keys_of"]


class ProcessorFailed(C2kitError):
    """A processor raised; the cause is what it raised."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"processor {key} failed")


class StateRefused(C2kitError):
    """A processor does not take back what was kept of it; its stage cannot go on without losing count."""

    def __init__(self, key: str, lane: str, error: MessageError) -> None:
        super().__init__(
            f"the state of {key} in lane {lane} cannot be restored: {error}. "
            "Run the version that wrote it, or remove the state by hand to begin anew"
        )


@frozen(eq=False)
class Poison:
    """A packet on which a processor fails, alone in a batch, and the exception."""

    key: str
    takes: Kind
    batch: Batch
    error: Exception | SystemExit


def keys_of(processors: Sequence[Any]) -> list[str]:
    """What each processor of a chain goes by: its class, and its number where there are several of one."""
    seen: Counter[str] = Counter()
    keys = []
    for processor in processors:
        name = type(processor).__name__
        seen[name] += 1
        keys.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return keys


@define(eq=False)
class _Seat:
    """A processor at its place in the chain, and what it did so far."""

    key: str
    spec: Processor[Any, Any]
    processor: Processor[Any, Any]
    is_last_of_kind: bool
    """Whether no later one gives the same kind, which then takes the place of what this one gives."""
    taken: int = 0
    given: int = 0
    refused: int = 0
    merged: int = 0
    asides: list[Aside] = field(factory=list)

    def take_asides(self) -> None:
        """Take what fell aside, and count what became of no batch."""
        for aside in self.processor.take_asides():
            match aside:
                case UnknownPackets():
                    self.refused += len(aside.packets)
                case Refused():
                    self.refused += aside.count
                case Merged():
                    self.merged += aside.count
            self.asides.append(aside)

    @property
    def state(self) -> LaneState:
        return LaneState(
            taken=self.taken,
            given=self.given,
            refused=self.refused,
            merged=self.merged,
            held=self.processor.held,
            snapshot=self.processor.snapshot(),
        )

    def restore(self, state: LaneState) -> None:
        self.processor.restore(state.snapshot)
        self.taken, self.given, self.refused, self.merged = state.taken, state.given, state.refused, state.merged


class Chain:
    """Processors one after the other, for one lane and one thread.

    Args:
        specs: as a mission has them, without a dictionary.
        dictionary: the definitions that they work by; :meth:`use` changes them.
        targets: those that the stage serves.
        lane: for people.
    """

    def __init__(
        self, specs: Sequence[Processor[Any, Any]], dictionary: Dictionary, targets: Sequence[str], lane: str = ""
    ) -> None:
        self.lane = lane
        self._dictionary, self._targets = dictionary, targets
        self._poison: list[Poison] = []
        kinds = [spec.gives for spec in specs]
        self._seats = [
            _Seat(key, spec, spec.bind(dictionary, targets), is_last_of_kind=spec.gives not in kinds[place + 1 :])
            for place, (key, spec) in enumerate(zip(keys_of(specs), specs, strict=True))
        ]

    @property
    def dictionary(self) -> Dictionary:
        """The definitions that it works by."""
        return self._dictionary

    def use(self, dictionary: Dictionary, targets: Sequence[str]) -> None:
        """Work by other definitions from now on; what processors remember stays."""
        self._dictionary, self._targets = dictionary, targets
        for seat in self._seats:
            self._renew(seat, seat.processor.snapshot())

    def process(self, batch: Batch, *, isolates: bool = False) -> Iterator[tuple[Kind, Batch]]:
        """What the last processor that gives a kind gives for a batch, inner kinds too, each before what is made of it.

        With ``isolates``, a packet that a processor fails on is set aside (:meth:`take_poison`) and all others go on;
        without, ProcessorFailed is raised, and the chain must not be used any more.
        """
        return self._process(0, batch, isolates=isolates)

    def _process(self, place: int, batch: Batch, *, isolates: bool) -> Iterator[tuple[Kind, Batch]]:
        seat = self._seats[place]
        seat.taken += len(batch)
        for given in self._isolated(seat, batch) if isolates else _guarded(seat, batch):
            seat.given += len(given)
            if seat.is_last_of_kind:
                yield seat.processor.gives, given
            if place + 1 < len(self._seats):
                yield from self._process(place + 1, given, isolates=isolates)

    def _isolated(self, seat: _Seat, batch: Batch) -> list[Batch]:
        seat.take_asides()
        before = seat.processor.snapshot()
        try:
            return list(seat.processor.process(batch))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's processor raises is poison
            self._renew(seat, before)
            if len(batch) == 1:
                seat.refused += 1
                self._poison.append(Poison(seat.key, seat.processor.takes[0], batch, error))
                return []
        halves = np.array_split(np.arange(len(batch)), 2)
        return [given for half in halves for given in self._isolated(seat, batch.select(half))]

    def _renew(self, seat: _Seat, snapshot: bytes) -> None:
        seat.processor = seat.spec.bind(self._dictionary, self._targets)
        seat.processor.restore(snapshot)

    def take_asides(self) -> list[Aside]:
        """What fell aside in all processors since the last call."""
        taken: list[Aside] = []
        for seat in self._seats:
            seat.take_asides()
            taken += seat.asides
            seat.asides = []
        return taken

    def take_poison(self) -> list[Poison]:
        """The packets that were set aside since the last call."""
        taken, self._poison = self._poison, []
        return taken

    def states(self) -> dict[str, LaneState]:
        """What is to be kept of each processor, by its key. Take asides before: taking counts them."""
        return {seat.key: seat.state for seat in self._seats}

    def restore(self, state_of: Callable[[str], LaneState | None]) -> None:
        """Go on from what was kept of each processor by its key. Raises StateRefused."""
        for seat in self._seats:
            state = state_of(seat.key)
            if state is not None:
                try:
                    seat.restore(state)
                except MessageError as error:
                    raise StateRefused(seat.key, self.lane, error) from error


def _guarded(seat: _Seat, batch: Batch) -> Iterator[Batch]:
    given = iter(seat.processor.process(batch))
    while True:
        try:
            each = next(given)
        except StopIteration:
            return
        except (Exception, SystemExit) as error:  # a thread that is left by SystemExit ends without a word
            raise ProcessorFailed(seat.key) from error
        yield each
