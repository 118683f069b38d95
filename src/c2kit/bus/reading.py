"""Reading what streams have, to where they end now: a view alone gives what has come so far, which may be nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from c2kit.bus.base import Received, StreamBus

__all__ = ["records_of"]

_WAIT_SECONDS = 0.1


def records_of(bus: StreamBus, streams: Collection[str]) -> Iterator[Received]:
    """All records that these streams have when this is called, in the order of each partition.

    Some that came later may follow. Raises UsageError for a stream that is not there, BusUnavailable.
    """
    ends = {
        (info.spec.name, number): end
        for name in streams
        for info in bus.streams(name)
        if info.spec.name == name
        for number, end in enumerate(info.next_offsets)
    }
    with bus.view(streams, from_oldest=True) as view:
        while any(view.reached[key] < end for key, end in ends.items()):
            yield from view.receive(_WAIT_SECONDS)
