"""Embed c2kit in software of your own: three plain objects, no threads, no sockets, no runner.

Your software has the bytes, from wherever it has them, cut anywhere. Each object takes a batch and yields batches; what
falls aside is taken from the side.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from c2kit import CcsdsPackets, Decommutator, Dictionary, Identifier, LimitsMonitor
from c2kit.model.limits import LimitState

HERE = Path(__file__).parent


def bytes_as_they_come() -> Iterator[bytes]:
    """A link, as far as this example is concerned: pieces of 1000 bytes, which know nothing of packets."""
    sys.path.insert(0, str(HERE))
    import simulated  # noqa: PLC0415 - it lies beside this file, and is only needed here

    received = simulated.recording(seconds=120)
    for start in range(0, len(received), 1000):
        yield received[start : start + 1000]


dictionary = Dictionary.load(HERE / "dictionary")
framing, identify, decommutate = CcsdsPackets(), Identifier(dictionary, targets=["FIREFLY"]), Decommutator(dictionary)
watch = LimitsMonitor()
lowest = None

for data in bytes_as_they_come():
    for frames in framing.receive(data):
        for packets in identify.process(frames):
            for telemetry in decommutate.process(packets):
                if telemetry.packet.name != "HEALTH":
                    continue
                volts = telemetry["BATTERY_VOLTAGE"]  # a column of engineering values
                lowest = min(volts.values.min(), lowest or 99.0)

                # Any number of processors can follow. This one tells which values are outside their limits.
                for checked in watch.process(telemetry):
                    states = checked.limits["BATTERY_VOLTAGE"].values
                    if (states != LimitState.GREEN).any():
                        row = int((states != LimitState.GREEN).argmax())
                        print(f"{volts.values[row]:.3f} V is {LimitState(states[row]).name}")

    # Wrong bytes never raise. They are here, with the reason, and with where in the input they were.
    for discarded in framing.take_asides():
        print(f"discarded bytes {discarded.span[0]} to {discarded.span[1]}: {discarded.reason.value}")
    for aside in identify.take_asides():
        print(aside)

print(f"the battery had {lowest:.3f} V at least")
