"""A processor of your own in the chain: it keeps the attitude from filling a slow archive, and says what it left out.

`python 05_own_processor.py` runs it on recorded packets, without a bus: a processor is a plain object.
`c2kit run 05_own_processor.py` runs it in a mission, where its memory is committed with what it gave: whichever process
dies when, every eighth sample goes on, and none of them twice.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from c2kit import CcsdsPackets, Decommutator, Dictionary, Identifier, Mission, TcpClient, TelemetryBatch
from c2kit.batches.kinds import Kind
from c2kit.processors import Aside, Asides, Processor

HERE = Path(__file__).parent


class EveryNth(Processor[TelemetryBatch, TelemetryBatch]):
    """Gives every n-th sample of one packet, and all of others."""

    takes = (Kind.TELEMETRY,)
    gives = Kind.TELEMETRY

    def __init__(self, packet: str, n: int) -> None:
        self.packet, self.n = packet, n
        self._seen = 0
        self._asides = Asides()

    def process(self, batch: TelemetryBatch) -> Iterator[TelemetryBatch]:
        if batch.packet.name != self.packet:
            yield batch
            return
        chosen = np.flatnonzero((self._seen + np.arange(len(batch))) % self.n == 0)
        self._seen += len(batch)
        if len(chosen) < len(batch):  # what is left out on purpose is said, or the ledger would call it lost
            self._asides.add_refused(f"{self.packet} is thinned out", len(batch) - len(chosen))
        if len(chosen):
            yield batch.select(chosen)

    def take_asides(self) -> list[Aside]:
        return self._asides.take()

    def snapshot(self) -> bytes:
        return json.dumps(self._seen).encode()

    def restore(self, snapshot: bytes) -> None:
        self._seen = json.loads(snapshot or b"0")


mission = Mission("thinned", dictionary=Dictionary.load(HERE / "dictionary"))
mission.interface("fep", TcpClient("localhost", 7011), protocols=[CcsdsPackets()], targets=["FIREFLY"])
mission.stage("decom", Identifier(), Decommutator(), EveryNth("ATTITUDE", 8))


def main() -> None:
    sys.path.insert(0, str(HERE))
    import simulated  # noqa: PLC0415 - it lies beside this file, and is only needed here

    framing, identify, decommutate = (
        CcsdsPackets(),
        Identifier(mission.dictionary, ["FIREFLY"]),
        Decommutator(mission.dictionary),
    )
    thin = EveryNth("ATTITUDE", 8)
    taken = given = 0
    for frames in framing.receive(simulated.recording(seconds=60)):
        for packets in identify.process(frames):
            for telemetry in decommutate.process(packets):
                taken += len(telemetry) * (telemetry.packet.name == "ATTITUDE")
                for thinned in thin.process(telemetry):
                    given += len(thinned) * (thinned.packet.name == "ATTITUDE")
    print(f"{given} of {taken} samples of ATTITUDE")
    print(*thin.take_asides(), sep="\n")


if __name__ == "__main__":
    main()
