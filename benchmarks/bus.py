"""``python -m benchmarks.bus``: records through the buses in one process, beside what has to be done at the least.

Three stages work as threads: one publishes steps, a worker copies what waits to a second stream, a sink reads that and
tells how far it is. Beside it, in turn:

* of ``memory:``, *queue*: the same values handed through two ``queue.SimpleQueue`` by the same threads, one by one: no
  order of lanes, no positions, no bound, nothing kept for who comes later;
* of ``sqlite:``, *plain sqlite3*: the same records, one ``INSERT`` each, into one table of one file by one thread with
  one commit for each step that the stages made (``journal_mode=WAL``, ``synchronous=FULL``): no index, nothing read,
  nothing deleted, no positions.

What arrives is compared with what was sent. A share is the time of what is beside in that of the bus.
"""

from __future__ import annotations

import argparse
import json
import queue
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from c2kit.bus import Record, Step, StreamSpec, open_bus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from c2kit.bus import Received, StreamBus

__all__ = ["LOADS", "Load", "Measured", "main", "measure"]

GOAL = 0.8
"""At least this share for ``sqlite:``."""
PATIENCE_SECONDS = 60.0
IN, OUT = "benchmark.in", "benchmark.out"
STREAMS = (
    StreamSpec(name=IN, writer="source", consumers=("copy",)),
    StreamSpec(name=OUT, writer="copy", consumers=("sink",)),
)


@dataclass(frozen=True, slots=True)
class Load:
    """What is published: ``steps`` steps of ``records`` records of ``record_bytes`` bytes."""

    record_bytes: int
    records: int
    steps: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.record_bytes:_} bytes, {self.records} a step".replace("_", " ")

    def values(self) -> list[list[bytes]]:
        """The values of each step; all differ."""
        numbers = iter(range(self.steps * self.records))
        return [
            [next(numbers).to_bytes(8, "big") + bytes(self.record_bytes - 8) for _ in range(self.records)]
            for _ in range(self.steps)
        ]


LOADS = (
    Load(300, records=1, steps=2_000),
    Load(300, records=50, steps=400),
    Load(7_000, records=1, steps=2_000),
    Load(7_000, records=10, steps=200),
    Load(70_000, records=1, steps=500),
)


@dataclass(slots=True)
class Measured:
    """Seconds of each round: of the bus, and of what is beside it."""

    bus: str
    load: Load
    seconds: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    steps: int = 0
    """How many steps the source and the copying stage made in the last round."""

    @property
    def share(self) -> float:
        """Of the medians."""
        return statistics.median(self.beside) / statistics.median(self.seconds)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print. Fails where what arrives is not what was sent; never because of a time."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bus", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each is measured (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the steps, once: to see that it works")
    parser.add_argument("--directory", type=Path, default=Path(), help="on the disk to measure (here)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    loads = [Load(load.record_bytes, load.records, load.steps // 100) for load in LOADS] if options.quick else LOADS
    measured = []
    for bus in ("memory", "sqlite"):
        for load in loads:
            print(f"{bus}: {load.name} ...", file=sys.stderr)
            measured.append(measure(bus, load, options.directory, 1 if options.quick else options.rounds))
    print(json.dumps([asdict(each) | {"share": each.share} for each in measured]) if options.json else table(measured))
    return 0


def measure(bus: str, load: Load, directory: Path, rounds: int) -> Measured:
    """Send the load through the bus and through what is beside it, in turn."""
    measured = Measured(bus, load)
    steps = load.values()
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=directory, prefix="bus-") as folder:
            url = "memory:" if bus == "memory" else f"sqlite:{folder}/bus.db"
            with open_bus(url) as opened:
                seconds, copied = through_bus(opened, steps)
            measured.seconds.append(seconds)
            measured.steps = len(steps) + len(copied)
            if bus == "memory":
                measured.beside.append(through_queues(steps))
            else:
                measured.beside.append(plain_sqlite3(Path(folder) / "plain.db", steps, copied))
    return measured


def through_bus(bus: StreamBus, steps: Sequence[Sequence[bytes]]) -> tuple[float, list[int]]:
    """Seconds from the first step to the last record read, and how many records each step of the copier had."""
    count = sum(map(len, steps))
    copied: list[int] = []
    arrived: list[bytes] = []
    bus.apply(STREAMS)
    source, copier = bus.worker("source", (), outputs=(IN,)), bus.worker("copy", (IN,), outputs=(OUT,))
    sink = bus.sink("sink", [(OUT, 0)], [])
    while not copier.assigned:
        copier.receive(PATIENCE_SECONDS)

    def publish() -> None:
        for values in steps:
            source.commit(Step(publish=[Record(IN, "lane", value) for value in values]))

    def copy() -> None:
        while sum(copied) < count:
            records = copier.receive(PATIENCE_SECONDS).records
            assert records
            copied.append(len(records))
            out = [Record(OUT, record.lane, record.value) for record in records]
            copier.commit(Step(publish=out, passed=passed(records)))

    def read() -> None:
        while len(arrived) < count:
            records = sink.receive(PATIENCE_SECONDS)
            assert records
            arrived.extend(record.value for record in records)
            sink.passed(passed(records))

    seconds = in_threads(publish, copy, read)
    assert arrived == [value for values in steps for value in values]
    return seconds, copied


def passed(records: Iterable[Received]) -> dict[tuple[str, int], int]:
    """The positions after these records."""
    return {(record.stream, record.partition): record.offset + 1 for record in records}


def through_queues(steps: Sequence[Sequence[bytes]]) -> float:
    """The same by queues."""
    first: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    second: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    count = sum(map(len, steps))
    arrived: list[bytes] = []

    def publish() -> None:
        for values in steps:
            for value in values:
                first.put(value)

    def copy() -> None:
        for _ in range(count):
            second.put(first.get(timeout=PATIENCE_SECONDS))

    def read() -> None:
        arrived.extend(second.get(timeout=PATIENCE_SECONDS) for _ in range(count))

    seconds = in_threads(publish, copy, read)
    assert arrived == [value for values in steps for value in values]
    return seconds


def plain_sqlite3(path: Path, steps: Sequence[Sequence[bytes]], copied: Iterable[int]) -> float:
    """The same records, in as many commits."""
    every = [value for values in steps for value in values]
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE records (id INTEGER PRIMARY KEY, lane TEXT, value BLOB)")
    begun = time.perf_counter()
    for sizes in (map(len, steps), copied):
        position = 0
        for size in sizes:
            database.execute("BEGIN IMMEDIATE")
            for value in every[position : position + size]:
                database.execute("INSERT INTO records (lane, value) VALUES (?, ?)", ("lane", value))
            database.execute("COMMIT")
            position += size
    seconds = time.perf_counter() - begun
    assert database.execute("SELECT count(*) FROM records").fetchone() == (2 * len(every),)
    database.close()
    return seconds


def in_threads(*works: Callable[[], None]) -> float:
    """The seconds until all are done. Raises what one of them raised."""
    failed: list[Exception] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - it is raised where it ends the measurement
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    if failed:
        raise failed[0]
    return seconds


def table(measured: Sequence[Measured]) -> str:
    """A table in Markdown."""
    lines = ["| bus | load | records/s | MB/s | steps/s | share |", "|---|---|---:|---:|---:|---:|"]
    for each in measured:
        seconds = statistics.median(each.seconds)
        records = each.load.records * each.load.steps
        cells = [
            f"`{each.bus}:`",
            each.load.name,
            f"{records / seconds:,.0f}",
            f"{records * each.load.record_bytes / 1e6 / seconds:.1f}",
            f"{each.steps / seconds:,.0f}",
            f"{each.share:.0%} of {'queues' if each.bus == 'memory' else 'plain sqlite3'}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    rounds = len(measured[0].seconds)
    return "\n".join([*lines, "", f"Medians of {rounds} rounds. Goal for `sqlite:`: {GOAL:.0%} of plain sqlite3."])


if __name__ == "__main__":
    sys.exit(main())
