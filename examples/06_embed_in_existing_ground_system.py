"""c2kit inside a ground system that exists: its event loop owns the sockets, and c2kit makes values of the bytes.

The other system is played by asyncio: a server that some front-end processor connects to. For each connection there is
one chain of plain objects. They never block, know no clock and open nothing, so any event loop can call them.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

from c2kit import CcsdsPackets, CommandEncoder, Decommutator, Dictionary, Identifier, LimitsMonitor, TelemetryBatch

HERE = Path(__file__).parent
dictionary = Dictionary.load(HERE / "dictionary")


class Telemetry(asyncio.Protocol):
    """What the existing system does with a connection: it hands on bytes, and gets batches of values."""

    def __init__(self, wanted: Callable[[TelemetryBatch], None]) -> None:
        self._wanted = wanted
        self._framing = CcsdsPackets()
        self._identify = Identifier(dictionary, ["FIREFLY"])
        self._decommutate, self._watch = Decommutator(dictionary), LimitsMonitor()
        self.ended = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        for frames in self._framing.receive(data, time.time_ns()):
            for packets in self._identify.process(frames):
                for telemetry in self._decommutate.process(packets):
                    for checked in self._watch.process(telemetry):
                        self._wanted(checked)
        self._tell_asides()

    def connection_lost(self, _: Exception | None) -> None:
        list(self._framing.end())  # an incomplete packet is discarded as truncated
        self._tell_asides()
        self.ended.set_result(None)

    def _tell_asides(self) -> None:
        for discarded in self._framing.take_asides():
            print(f"discarded {discarded.size_bytes} bytes: {discarded.reason.value}")
        for aside in self._identify.take_asides():
            print(aside)


class Display:
    """Somebody's display: it wants the newest value of some items, nothing else."""

    def __init__(self) -> None:
        self.samples = 0
        self.newest: dict[str, object] = {}

    def show(self, telemetry: TelemetryBatch) -> None:
        self.samples += len(telemetry)
        if telemetry.packet.name == "HEALTH":
            self.newest = {name: telemetry.row(-1)[name] for name in ("MODE", "BATTERY_VOLTAGE", "CPU_LOAD")}


async def main() -> None:
    sys.path.insert(0, str(HERE))
    import simulated  # noqa: PLC0415 - it lies beside this file, and is only needed here

    display = Display()
    connections: list[Telemetry] = []

    def accepted() -> Telemetry:
        connections.append(Telemetry(display.show))
        return connections[-1]

    server = await asyncio.get_running_loop().create_server(accepted, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())  # the front-end processor
    received = simulated.recording(seconds=120)
    for start in range(0, len(received), 777):
        writer.write(received[start : start + 777])
        await writer.drain()
    writer.close()
    await writer.wait_closed()
    await connections[0].ended
    server.close()
    print(f"{display.samples} samples; {display.newest}")

    # The way up: bytes for the system's own uplink, with counts and checksums.
    command = CommandEncoder(dictionary).encode("FIREFLY", "SET_MODE", {"MODE": "SAFE"})
    print(f"to send: {command.data.hex(' ')}")


if __name__ == "__main__":
    asyncio.run(main())
