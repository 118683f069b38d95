"""Places of a stage, within one process: two of its workers in one place would fence each other for ever."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.bus.base import Fenced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.bus.base import PartitionId

__all__ = ["Place", "Places"]


@frozen(eq=False)
class Place:
    """What a worker or sink holds. ``owned`` are partitions that are its own, whoever else comes."""

    stage: str
    ordinal: int
    is_exclusive: bool = False
    owned: frozenset[PartitionId] = frozenset()

    def excludes(self, other: Place) -> bool:
        """Whether the two cannot be there at once."""
        return self.stage == other.stage and (
            self.is_exclusive or other.is_exclusive or self.ordinal == other.ordinal or bool(self.owned & other.owned)
        )


class Places:
    """The places that are held through one bus."""

    def __init__(self) -> None:
        self._used = threading.Lock()
        self._held: list[Place] = []

    @contextmanager
    def entering(self, place: Place) -> Iterator[None]:
        """Hold a place, and give it back if what is done within fails. Raises Fenced where somebody is there."""
        with self._used:
            other = next((held for held in self._held if held.excludes(place)), None)
            if other is not None:
                raise Fenced(
                    f"stage {place.stage} already has a live worker {other.ordinal} in this process; "
                    "stop that one first, or give this replica an ordinal and partitions of its own"
                )
            self._held.append(place)
        try:
            yield
        except BaseException:
            self.leave(place)
            raise

    def leave(self, place: Place) -> None:
        """Give it back."""
        with self._used:
            if place in self._held:
                self._held.remove(place)
