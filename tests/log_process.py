"""A process that writes two logs as fast as it can, and says what it has committed: to be killed.

``python -m tests.log_process ROOT RECORDS`` writes records of a stream from where the logs say that they were; each
line that it prints is how far both logs are committed.
"""

from __future__ import annotations

import os
import random
import sys
from typing import TYPE_CHECKING

from c2kit.storage import LogSettings, PacketLogWriter, sync_all
from tests.logs import STREAM, batch_of, position, space_packets

if TYPE_CHECKING:
    from tests.logs import Logged

PARTITIONS = (0, 1)
SETTINGS = LogSettings(segment_bytes=60_000)


def record(partition: int, offset: int) -> list[Logged]:
    """The packets of a record of the stream; sometimes many."""
    return space_packets(1000 * partition + offset, random.Random(offset).choice([1, 1, 3, 40]), largest=60)


def write(root: str, records: int) -> None:
    """Write what is missing of all records."""
    logs = [PacketLogWriter(root, STREAM, partition, settings=SETTINGS) for partition in PARTITIONS]
    reached = [log.positions[0].offset if log.positions else 0 for log in logs]
    rhythm = random.Random()
    while min(reached) < records:
        for partition, log in zip(PARTITIONS, logs, strict=True):
            for _ in range(rhythm.randint(0, 5)):
                if reached[partition] < records:
                    batch = batch_of(record(partition, reached[partition]))
                    reached[partition] += 1
                    log.append(batch, [position(reached[partition], partition=partition)], now_ns=0)
        sync_all(logs)
        os.write(1, f"{reached[0]} {reached[1]}\n".encode())


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]))
