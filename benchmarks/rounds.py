"""Live workers, and rounds over all of them in an order that is shuffled each time."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from benchmarks.environment import ROOT, EnvironmentFailed, python_of
from benchmarks.peers import PEERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import TracebackType

    from benchmarks.peers import Peer
    from benchmarks.workload import Workload

__all__ = ["SIZES", "Measured", "Plan", "ResultsDiffer", "Timing", "Worker", "Workers"]

SIZES = (1, 8, 64, 256, 1_000, 4_096, None)
"""How many packets are taken at once; ``None`` for all."""


class ResultsDiffer(Exception):
    """What a peer gives is not what is expected: there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How thoroughly to measure."""

    rounds: int
    seconds: float
    """How long each peer works in a round, at least."""
    batches: tuple[int | None, ...] = SIZES
    threads_batch: int = 4_096
    """How many packets are taken at once where two threads are beside one."""


@dataclass(slots=True)
class Timing:
    """What all rounds gave for one peer and one size of batch, in microseconds per packet."""

    wall_us: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """The median of the time that passed."""
        return statistics.median(self.wall_us)

    @property
    def cpu(self) -> float:
        """The median of the processor's time, which other programs on the machine take less from."""
        return statistics.median(self.cpu_us)

    def add(self, answer: dict[str, Any]) -> None:
        """Take what a worker measured."""
        self.wall_us.append(answer["wall_ns"] / answer["packets"] / 1000)
        self.cpu_us.append(answer["cpu_ns"] / answer["packets"] / 1000)


@dataclass(slots=True)
class Measured:
    """One workload, decoded or encoded by everybody."""

    workload: str
    description: str
    packets: int
    is_encoded: bool
    versions: dict[str, dict[str, str]]
    values: dict[str, int] = field(default_factory=dict)
    """With how many values each peer's results were compared, over all sizes of batches, and were equal to."""
    notes: dict[str, str] = field(default_factory=dict)
    """What a peer was given instead of the workload."""
    not_measured: dict[str, str] = field(default_factory=dict)
    """Why a peer was not measured."""
    timings: dict[int | None, dict[str, Timing]] = field(default_factory=dict)
    """By size of batch, and by peer."""
    threads: dict[int, dict[str, Timing]] = field(default_factory=dict)
    """By number of threads, and by peer."""


class Workers(AbstractContextManager["Workers"]):
    """A process for each peer, for as long as all workloads take.

    A peer that cannot be installed or imported is one that is not measured, and says why.
    """

    def __init__(self, peers: Iterable[str], *, install: bool = True) -> None:
        self._peers = list(peers)
        self._install = install
        self._workers: dict[str, Worker] = {}
        self._not_here: dict[str, str] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for peer in self._peers:
                try:
                    self._workers[peer] = stack.enter_context(Worker(PEERS[peer], install=self._install))
                except EnvironmentFailed as error:
                    self._not_here[peer] = f"it cannot be installed: {error}"
            # They import what they measure side by side; only then is each asked.
            for peer, worker in list(self._workers.items()):
                if worker.not_here:
                    is_missing = PEERS[peer].environment is not None and not self._install
                    hint = "; without --quick it is installed" if is_missing else ""
                    self._not_here[peer] = worker.not_here + hint
                    del self._workers[peer]
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def measure(self, workload: Workload, folder: Path, plan: Plan) -> Measured:
        """Verify that all peers give what is expected, then measure them.

        Raises:
            ResultsDiffer: a peer does not.
        """
        workload.save(folder)
        measured = Measured(
            workload=workload.name,
            description=workload.description,
            packets=workload.count,
            is_encoded=workload.is_encoded,
            versions={peer: worker.versions for peer, worker in self._workers.items()},
            not_measured=dict(self._not_here),
        )
        workers = {}
        for peer, worker in self._workers.items():
            answer = worker.prepare(folder)
            if "not_here" in answer:
                measured.not_measured[peer] = answer["not_here"]
                continue
            workers[peer] = worker
            if answer["note"]:
                measured.notes[peer] = answer["note"]
            measured.values[peer] = sum(_verified(workload, peer, worker, size) for size in plan.batches)
        _rounds(measured, workers, plan)
        return measured


def _verified(workload: Workload, peer: str, worker: Worker, size: int | None) -> int:
    answer = worker.ask({"verify": size})
    if "difference" in answer:
        raise ResultsDiffer(f"{workload.name}: {peer}: {answer['difference']}")
    values: int = answer["values"]
    return values


def _rounds(measured: Measured, workers: dict[str, Worker], plan: Plan) -> None:
    turns: list[Callable[[], None]] = []

    def turn(timings: dict[str, Timing], peer: str, request: dict[str, Any]) -> None:
        timing = timings[peer] = Timing()
        turns.append(lambda: timing.add(workers[peer].ask(request | {"seconds": plan.seconds})))

    for size in plan.batches:
        for peer in workers:
            turn(measured.timings.setdefault(size, {}), peer, {"measure": size})
    for threads in () if measured.is_encoded else (1, 2):
        for peer in (peer for peer in workers if PEERS[peer].has_threads):
            request = {"measure": plan.threads_batch, "threads": threads}
            turn(measured.threads.setdefault(threads, {}), peer, request)
    for number in range(plan.rounds):
        random.shuffle(turns)
        for each in turns:
            each()
        print(f"round {number + 1} of {plan.rounds}", file=sys.stderr)


class Worker:
    """The other end of :mod:`benchmarks.worker`.

    Raises:
        EnvironmentFailed: the peer cannot be installed.
    """

    def __init__(self, peer: Peer, *, install: bool = True) -> None:
        python = python_of(peer.environment, install=install)
        self._peer = peer
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.worker", peer.module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @cached_property
    def _first(self) -> dict[str, Any]:
        return self._answer()

    @property
    def versions(self) -> dict[str, str]:
        """Of what is measured."""
        versions: dict[str, str] = self._first.get("versions", {})
        return versions

    @property
    def not_here(self) -> str:
        """Why it cannot be measured; empty where it can."""
        reason: str = self._first.get("not_here", "")
        return reason

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def prepare(self, folder: Path) -> dict[str, Any]:
        """Let it read the workload that was saved there."""
        return self.ask({"prepare": str(folder.resolve()), "packets": self._peer.packets})

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        assert not self.not_here
        assert self._process.stdin is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker of {self._peer.module} ended; what it said stands above")
        answer: dict[str, Any] = json.loads(line)
        return answer
