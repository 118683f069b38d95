"""From a socket through one and three hops to a reader of what is committed: each packet carries when it was sent.

One hop is an interface, which publishes frames; three are an interface and two stages. Beside them bare clients carry
the same packets: each link has a thread and a producer of its own there, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.kafka.bare import Bare
from benchmarks.kafka.ground import applied, last_streams
from benchmarks.pipeline.device import Device
from benchmarks.pipeline.ground import stamped, wait_until_up
from benchmarks.pipeline.latency import Watch, paced
from c2kit.bus import open_bus
from c2kit.pipeline.runner import Runner

if TYPE_CHECKING:
    from benchmarks.pipeline.latency import Delays, Pace

__all__ = ["bare_latency", "latency"]


def latency(brokers: str, hops: int, pace: Pace) -> Delays:
    """Send at that pace, and tell how long each packet took. Fails where one is missing or doubled."""
    with Device() as device, open_bus(f"kafka:{brokers}") as bus:
        mission = applied(stamped(), device.port, brokers, hops, pace.links)
        with Runner(mission, bus=bus) as runner:
            wait_until_up(runner)
            device.ask({"accept": pace.links})
            with Watch(bus, mission, last_streams(mission)) as watch:
                return paced(device, watch.take, pace)


def bare_latency(brokers: str, hops: int, pace: Pace) -> Delays:
    """The same by bare clients."""
    size = len(stamped().data)
    with Device() as device, Bare(brokers, hops, pace.links) as bare:
        for _ in range(pace.links):
            bare.link(device.port)
        device.ask({"accept": pace.links})
        return paced(device, lambda packets: bare.reader.delays(packets, size), pace)
