"""A stream, as users of the bus know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from c2kit.bus.base import PartitionId, StreamSpec

__all__ = ["KnownStream"]


@define
class KnownStream:
    """A stream that is on the bus. ``uuid`` is the id that the cluster gave its topic."""

    spec: StreamSpec
    uuid: str
    _numbers: dict[str, int] = field(factory=dict)

    def number_of(self, lane: str) -> int:
        """The number of a lane's partition, looked up once."""
        number = self._numbers.get(lane)
        if number is None:
            number = self._numbers[lane] = self.spec.partition_of(lane)
        return number

    @property
    def partitions(self) -> list[PartitionId]:
        """All of them."""
        return [(self.spec.name, number) for number in range(self.spec.partitions)]
