"""``python -m benchmarks.packet_log``: the packet log beside bare writes of the same bytes in the same group commits.

The log is written once more for each round, and beside it, in turn, what it wrote is written again by nothing but
``os.write`` and ``os.fdatasync``:

* *same files*: packets and index to two files, each synced once a commit, as the log does it;
* *one file*: packets and index to one file, synced once a commit;
* *packets only*: the packets to one file, synced once a commit: no index, no times, no positions.

The log also checks, copies, indexes and sums what it is given. A share is the time of the bare write in that of the
log.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from c2kit.batches import PacketBatch
from c2kit.bus.base import Position
from c2kit.kernel.contract import Column
from c2kit.model.packets import Packet
from c2kit.model.target import Target
from c2kit.storage import LogSettings, PacketLogReader, PacketLogWriter, sync_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["main"]

GOAL = 0.8
"""At least this share for the same bytes in the same files."""
PACKET_BYTES = 70
STREAM = "benchmark.packets.FIREFLY"
TARGET = Target(name="FIREFLY", packets=(Packet(name="HEALTH", items=()), Packet(name="MODE", items=())))


@dataclass(frozen=True, slots=True)
class Load:
    """What is written: in each of ``logs`` logs ``commits`` commits of ``batches`` batches of ``packets`` packets."""

    name: str
    packets: int
    batches: int
    commits: int
    logs: int = 1

    @property
    def packet_bytes(self) -> int:
        """The bytes of all packets."""
        return PACKET_BYTES * self.packets * self.batches * self.commits * self.logs


LOADS = (
    Load("1 MB a commit, batches of 1 000 packets", packets=1_000, batches=15, commits=60),
    Load("1 MB a commit, batches of 10 packets", packets=10, batches=1_500, commits=20),
    Load("1 MB a commit, 8 logs", packets=1_000, batches=2, commits=60, logs=8),
    Load("1 packet a commit", packets=1, batches=1, commits=300),
)

Commits = list[list[tuple[bytes, bytes]]]
"""For each commit, for each log: the packets and the index that were written."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of each round, and the shares of the medians."""

    load: Load
    written_bytes: int
    log: list[float]
    bare: dict[str, list[float]]

    @property
    def shares(self) -> dict[str, float]:
        """By the kind of bare write."""
        return {name: statistics.median(times) / statistics.median(self.log) for name, times in self.bare.items()}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print. Not 0 where bytes differ; never because of a time."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packet_log", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each is measured (%(default)s)")
    parser.add_argument("--directory", type=Path, default=Path(), help="on the disk to measure (here)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    measured = []
    for load in LOADS:
        print(f"{load.name} ...", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=options.directory, prefix="packet-log-") as folder:
            measured.append(measure(load, Path(folder), options.rounds))
    print(
        json.dumps([asdict(each) | {"shares": each.shares} for each in measured]) if options.json else table(measured)
    )
    return 0


def measure(load: Load, folder: Path, rounds: int) -> Measured:
    """Write the log, then what it wrote by each bare way, and again."""
    log: list[float] = []
    bare: dict[str, list[float]] = {name: [] for name in BARE}
    written = 0
    for number in range(rounds):
        root = folder / f"log-{number}"
        log.append(write_log(load, root))
        commits = commits_of(load, root)
        written = sum(len(data) + len(index) for commit in commits for data, index in commit)
        for name, write in BARE.items():
            bare[name].append(write(commits, folder / f"{name}-{number}"))
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    return Measured(load, written, log, bare)


def batch_of(load: Load, first: int) -> PacketBatch:
    """Packets as the bus gives them: one buffer, times, definitions."""
    numbers = first + np.arange(load.packets)
    data = np.zeros((load.packets, PACKET_BYTES), np.uint8)
    data[:, :8] = numbers[:, None] >> np.arange(56, -8, -8)
    ends = PACKET_BYTES * np.arange(1, load.packets + 1)
    return PacketBatch(
        buffer=data.tobytes(),
        starts=ends - PACKET_BYTES,
        ends=ends,
        received=1_700_000_000_000_000_000 + 1000 * numbers,
        generated=Column(1_600_000_000_000_000_000 + 1000 * numbers),
        interface="fep",
        target=TARGET.name,
        dictionary_hash=TARGET.hash,
        definition=(numbers % 2).astype(np.int32),
    )


def write_log(load: Load, root: Path) -> float:
    """Write all commits; gives the seconds, without those of opening and of the segment's beginning."""
    logs = [
        PacketLogWriter(root, STREAM, number, settings=LogSettings(segment_bytes=2**40)) for number in range(load.logs)
    ]
    for partition, log in enumerate(logs):
        log.define(TARGET)
        log.passed([Position(STREAM, "benchmark", partition, 0)], now_ns=0)
    sync_all(logs)
    batches = [batch_of(load, load.packets * number) for number in range(load.batches)]
    begun = time.perf_counter()
    for commit in range(load.commits):
        for partition, log in enumerate(logs):
            for number, batch in enumerate(batches):
                offset = commit * load.batches + number + 1
                log.append(batch, [Position(STREAM, "benchmark", partition, offset)], now_ns=commit)
        sync_all(logs)
    seconds = time.perf_counter() - begun
    for log in logs:
        log.close()
    return seconds


def commits_of(load: Load, root: Path) -> Commits:
    """What was written in each commit. Fails where it is not what it should be."""
    per_log = [list(_blocks_of(load, root / STREAM / str(number))) for number in range(load.logs)]
    return [[log[number] for log in per_log] for number in range(load.commits)]


def _blocks_of(load: Load, directory: Path) -> Iterator[tuple[bytes, bytes]]:
    reader = PacketLogReader(directory)
    assert not list(reader.verify())
    assert sum(len(batch) for batch in reader.read()) == load.packets * load.batches * load.commits
    (data_path,) = directory.glob("*.pkts")
    data, index = data_path.read_bytes(), data_path.with_suffix(".idx").read_bytes()
    size = PACKET_BYTES * load.packets * load.batches
    position = len(index)
    found = []
    for number in reversed(range(load.commits)):
        begin = position - int.from_bytes(index[position - 8 : position - 4], "little")
        found.append((data[size * number : size * (number + 1)], index[begin:position]))
        position = begin
    yield from reversed(found)


def bare_same_files(commits: Commits, folder: Path) -> float:
    """Packets and index to two files for each log; first all packets are synced, then all indices."""
    return _bare(folder, len(commits[0]), commits, lambda both: both)


def bare_one_file(commits: Commits, folder: Path) -> float:
    """Packets and index of all logs to one file."""
    return _bare(folder, 1, [[(b"".join(map(b"".join, commit)), b"")] for commit in commits], lambda both: both[:1])


def bare_packets(commits: Commits, folder: Path) -> float:
    """The packets of all logs to one file."""
    return _bare(
        folder, 1, [[(b"".join(data for data, _ in commit), b"")] for commit in commits], lambda both: both[:1]
    )


BARE = {"same files": bare_same_files, "one file": bare_one_file, "packets only": bare_packets}


def _bare(folder: Path, logs: int, commits: Commits, chosen: Callable[[tuple[bytes, bytes]], Sequence[bytes]]) -> float:
    folder.mkdir()
    kinds = len(chosen(commits[0][0]))
    files = [
        [os.open(folder / f"{log}.{kind}", os.O_WRONLY | os.O_CREAT | os.O_EXCL) for log in range(logs)]
        for kind in range(kinds)
    ]
    for descriptor in (each for some in files for each in some):
        os.write(descriptor, b"begun")  # as the log's files were
        os.fsync(descriptor)
    begun = time.perf_counter()
    for commit in commits:
        for kind, descriptors in enumerate(files):
            for descriptor, both in zip(descriptors, commit, strict=True):
                os.write(descriptor, both[kind])
            for descriptor in descriptors:
                os.fdatasync(descriptor)
    seconds = time.perf_counter() - begun
    for descriptor in (each for some in files for each in some):
        os.close(descriptor)
    return seconds


def table(measured: Sequence[Measured]) -> str:
    """A table in Markdown."""
    names = list(BARE)
    lines = [
        f"| load | packets | with index | log | packets/s | commit | {' | '.join(f'bare: {name}' for name in names)} |",
        f"|---|{'---:|' * (5 + len(names))}",
    ]
    for each in measured:
        seconds = statistics.median(each.log)
        load = each.load
        count = load.packet_bytes // PACKET_BYTES
        cells = [
            load.name,
            f"{load.packet_bytes / 1e6:.2f} MB",
            f"{each.written_bytes / 1e6:.2f} MB",
            f"{load.packet_bytes / 1e6 / seconds:.1f} MB/s",
            f"{count / seconds:,.0f}",
            f"{seconds / load.commits * 1e3:.2f} ms",
            *(f"{each.shares[name]:.0%}" for name in names),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    rounds = len(measured[0].log)
    goal = f"Shares of bare writes in the log's time, medians of {rounds} rounds; goal for the same files: {GOAL:.0%}."
    return "\n".join([*lines, "", goal])


if __name__ == "__main__":
    sys.exit(main())
