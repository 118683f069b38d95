"""Decode a recording: from a file of any size to columns of engineering values, and every byte accounted for."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from c2kit import CcsdsPackets, Dictionary, RecordingDecoder

HERE = Path(__file__).parent


def make_recording(path: Path) -> None:
    """Write a recording of a spacecraft that does not exist, so that there is something to decode."""
    sys.path.insert(0, str(HERE))
    import simulated  # noqa: PLC0415 - it lies beside this file, and is only needed here

    path.write_bytes(simulated.recording(seconds=120))


def main(path: Path) -> None:
    dictionary = Dictionary.load(HERE / "dictionary")
    decoder = RecordingDecoder(dictionary, CcsdsPackets(), targets=["FIREFLY"])

    # Read it in pieces: memory stays the same however long the recording is. Each batch has many packets of one
    # definition, in columns.
    volts, rows = [], []
    with path.open("rb") as file:
        for telemetry in decoder.decode(iter(lambda: file.read(2**20), b"")):
            if telemetry.packet.name == "HEALTH":
                volts.append(telemetry["BATTERY_VOLTAGE"].values)  # a NumPy array, in volts
                rows.append(telemetry.row(0))  # one packet of the batch, as a dict

    battery, first = np.concatenate(volts), rows[0]
    print(f"{len(battery)} packets of HEALTH: the battery has {battery.min():.3f} V to {battery.max():.3f} V")
    print(f"the first one: mode {first['MODE']}, {first['BATTERY_VOLTAGE']:.3f} V, {first['BATTERY_POWER']:.2f} W")

    # Where each byte went.
    account = decoder.account
    for (target, packet), amount in sorted(account.packets.items()):
        print(f"{target} {packet}: {amount.count} packets, {amount.size_bytes} bytes")
    print(f"unknown: {account.unknown.count} packet, {account.unknown.size_bytes} bytes")
    for reason, amount in account.discarded.items():
        print(f"discarded, {reason.value}: {amount.size_bytes} bytes")
    for breaks in account.breaks.values():
        print(breaks)
    assert account.accounted_bytes == account.input_bytes == path.stat().st_size


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            recording = Path(folder) / "firefly.tlm"
            make_recording(recording)
            main(recording)
