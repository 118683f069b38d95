"""A sink with replicas, each on a disk of its own, for tests on any bus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from c2kit.batches.kinds import Kind
from c2kit.links import UdpListener
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.sinks.log_stage import LogStage
from c2kit.processors import Identifier
from c2kit.protocols import CcsdsPackets
from c2kit.storage import PacketLogReader, find_logs
from tests.missions import example_dictionary, flown, frames_of, publish, run_until_idle, surroundings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from c2kit.bus import Position, StreamBus

__all__ = ["STREAM", "Replicas"]

LANES = tuple(f"link-{number}" for number in range(6))
STREAM = "firefly.packets.FIREFLY"
"""Of six partitions, one for each link."""
_IN_A_ROUND = 12


def six_links() -> Mission:
    """A mission whose packets come over six links, and are logged."""
    mission = Mission("firefly", dictionary=example_dictionary())
    for name in LANES:
        mission.interface(name, UdpListener(0), protocols=[CcsdsPackets()], targets=["FIREFLY"])
    mission.stage("identify", Identifier())
    mission.stage("log", PacketLogger("var/log"))
    return mission


@define
class Replicas:
    """The log stage of a mission on a bus that has its streams, at so many replicas; more packets at each call."""

    bus: StreamBus
    folder: Path
    mission: Mission = field(factory=six_links)
    sent: dict[str, list[bytes]] = field(factory=lambda: {name: [] for name in LANES})
    """By link."""

    def publish(self) -> None:
        """Some packets more of each link, each another one."""
        identify = Identifier(self.mission.dictionary, ["FIREFLY"])
        for place, name in enumerate(LANES):
            begin = 37 * place + len(self.sent[name])
            some = list(flown(120)[begin : begin + _IN_A_ROUND])
            publish(self.bus, self.mission, "identify", Kind.PACKETS, identify.process(frames_of(some, name)))
            self.sent[name] += some

    def start(
        self, ordinal: int, replicas: int, disk: str | None = None, resume_from: Sequence[Position] = ()
    ) -> LogStage:
        """One of them. Each has a disk of its own, which is the same whenever it has the same ordinal."""
        place = surroundings(self.bus, self.mission, "log")
        place = evolve(place, ordinal=ordinal, replicas=replicas, now=time.time_ns)
        return LogStage(place, directory=self.folder / (disk or f"disk-{ordinal}"), resume_from=resume_from)

    def start_all(self, replicas: int) -> list[LogStage]:
        """All of them."""
        return [self.start(ordinal, replicas) for ordinal in range(replicas)]

    def logged(self) -> dict[str, list[bytes]]:
        """By link, what is in the logs of all disks, those that began first first."""
        parts: list[tuple[int, str, list[bytes]]] = []
        for directory in find_logs(self.folder):
            for batch in PacketLogReader(directory).read():
                sent = self.sent[batch.interface]
                parts += [(sent.index(packet), batch.interface, [packet]) for packet in batch]
        found: dict[str, list[bytes]] = {name: [] for name in LANES}
        for _, name, packets in sorted(parts, key=lambda part: part[:2]):
            found[name] += packets
        return found


def finish(*stages: LogStage) -> None:
    """As a runner ends them in good order."""
    for stage in stages:
        run_until_idle(stage)
        stage.drain()
        stage.close()
