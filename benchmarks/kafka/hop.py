"""Packets through one hop: a source commits steps, a worker copies them to the next stream, a sink reads that.

The same packets are in the same steps in both forms; only how many of them share a record differs. A record with
several is a batch as c2kit writes it, one with a single packet is that packet. Beside it bare clients carry the same
records.
"""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.bus import through_bus
from benchmarks.kafka.bare import Bare
from benchmarks.pipeline.throughput import Passage
from benchmarks.rounds import ResultsDiffer
from benchmarks.workloads import WORKLOADS
from c2kit.batches import PacketBatch
from c2kit.batches.arrow import PacketSchema
from c2kit.bus import open_bus

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["bare_hop", "hop", "steps_of"]

_DISTINCT_PACKETS = 1_000


def steps_of(steps: int, packets: int, a_record: int) -> list[list[bytes]]:
    """The records of so many steps of so many packets, ``a_record`` of which share a record."""
    workload = WORKLOADS["housekeeping"](min(packets, _DISTINCT_PACKETS))
    size, data = len(workload.data) // workload.count, workload.data * (packets // workload.count)
    parts = [data[start : start + a_record * size] for start in range(0, len(data), a_record * size)]
    values = [_value(part, size) if a_record > 1 else part for part in parts]
    # All steps differ, so that one that comes twice, or in the place of another, is found.
    numbers = count()
    return [[value[:-8] + next(numbers).to_bytes(8) for value in values] for _ in range(steps)]


def _value(data: bytes, size: int) -> bytes:
    ends = np.arange(size, len(data) + 1, size, dtype=np.int64)
    batch = PacketBatch(
        buffer=data, starts=ends - size, ends=ends, received=np.zeros(len(ends), np.int64), interface="fep"
    )
    return PacketSchema.of(batch).to_message(batch)


def hop(brokers: str, steps: int, packets: int, a_record: int) -> Passage:
    """By c2kit's bus. Fails where other records arrive than were sent."""
    values = steps_of(steps, packets, a_record)
    with open_bus(f"kafka:{brokers}") as bus:
        cpu = time.process_time_ns()
        seconds, _ = through_bus(bus, values)
        return Passage(steps * packets, int(seconds * 1e9), time.process_time_ns() - cpu)


def bare_hop(brokers: str, steps: int, packets: int, a_record: int) -> Passage:
    """By bare clients. Fails likewise."""
    values = steps_of(steps, packets, a_record)
    with Bare(brokers, 2) as bare:
        source, cpu, began = bare.source(), time.process_time_ns(), time.monotonic_ns()
        for step in values:
            for value in step:
                source.add(value)
            source.commit()
        expected = [value for step in values for value in step]
        bare.reader.wait(lambda: len(bare.reader.seen) >= len(expected))
        wall, cpu = time.monotonic_ns() - began, time.process_time_ns() - cpu
        _compare(expected, [value for _, value in bare.reader.seen])
    return Passage(steps * packets, wall, cpu)


def _compare(expected: Sequence[bytes], found: Sequence[bytes]) -> None:
    if found != expected:
        raise ResultsDiffer(f"bare clients gave {len(found)} records for {len(expected)}, or other ones")
