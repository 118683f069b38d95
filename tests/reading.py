"""Reading streams of any bus to their present end, also where records take a while to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from c2kit.bus import Received, StreamBus

__all__ = ["all_of"]


def all_of(bus: StreamBus, stream: str) -> list[Received]:
    """All records of a stream that there are now."""
    (info,) = [each for each in bus.streams(stream) if each.spec.name == stream]
    with bus.view([stream], from_oldest=True) as view:
        found: list[Received] = []
        while any(view.reached[stream, number] < offset for number, offset in enumerate(info.next_offsets)):
            found += view.receive(0.1)
    return found
