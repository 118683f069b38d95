"""Live workers, and rounds over all of them in an order that is shuffled each time."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from benchmarks.environment import ROOT, python_of
from benchmarks.peers import PEERS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from benchmarks.peers import Peer
    from benchmarks.workload import Workload

__all__ = ["Measured", "Plan", "ResultsDiffer", "Timing", "Worker", "measure"]


class ResultsDiffer(Exception):
    """A decoder's values are not those expected: there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How thoroughly to measure."""

    rounds: int
    seconds: float
    """How long each decoder works in a round, at least."""
    batches: tuple[int | None, ...] = (1000, None)
    """How many packets are decoded at once; ``None`` for all."""


@dataclass(slots=True)
class Timing:
    """What all rounds gave for one decoder and one size of batch, in microseconds per packet."""

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


@dataclass(slots=True)
class Measured:
    """One workload, decoded by everybody."""

    workload: str
    description: str
    packets: int
    values: int
    """How many values each decoder's results were compared with, and were equal to."""
    versions: dict[str, dict[str, str]]
    not_measured: dict[str, str]
    """Why a peer was not measured."""
    timings: dict[int | None, dict[str, Timing]]
    """By size of batch, and by peer."""


def measure(workload: Workload, folder: Path, peers: Iterable[str], plan: Plan) -> Measured:
    """Verify that all peers give the expected values, then measure them.

    Raises:
        ResultsDiffer: a peer does not.
        EnvironmentFailed: a peer cannot be installed.
    """
    workload.save(folder)
    with ExitStack() as stack:
        started = {peer: stack.enter_context(Worker(PEERS[peer], folder)) for peer in peers}
        workers = {peer: worker for peer, worker in started.items() if not worker.not_here}
        return Measured(
            workload=workload.name,
            description=workload.description,
            packets=workload.count,
            values=_verify(workload, workers, plan),
            versions={peer: worker.versions for peer, worker in workers.items()},
            not_measured={peer: worker.not_here for peer, worker in started.items() if worker.not_here},
            timings=_rounds(workers, plan),
        )


def _verify(workload: Workload, workers: dict[str, Worker], plan: Plan) -> int:
    values = 0
    for peer, worker in workers.items():
        for size in plan.batches:
            answer = worker.ask({"verify": size})
            if "difference" in answer:
                raise ResultsDiffer(f"{workload.name}: {peer}: {answer['difference']}")
            values = answer["values"]
    return values


def _rounds(workers: dict[str, Worker], plan: Plan) -> dict[int | None, dict[str, Timing]]:
    timings = {size: {peer: Timing() for peer in workers} for size in plan.batches}
    turns = [(size, peer) for size in plan.batches for peer in workers]
    for number in range(plan.rounds):
        random.shuffle(turns)
        for size, peer in turns:
            answer = workers[peer].ask({"measure": size, "seconds": plan.seconds})
            timings[size][peer].wall_us.append(answer["wall_ns"] / answer["packets"] / 1000)
            timings[size][peer].cpu_us.append(answer["cpu_ns"] / answer["packets"] / 1000)
        print(f"round {number + 1} of {plan.rounds}", file=sys.stderr)
    return timings


class Worker:
    """The other end of :mod:`benchmarks.worker`.

    Raises:
        EnvironmentFailed: the peer cannot be installed.
    """

    def __init__(self, peer: Peer, folder: Path) -> None:
        python = python_of(peer.requirements)
        self._peer = peer
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.worker", peer.module, folder.resolve()],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.versions: dict[str, str] = {}
        self.not_here = ""

    def __enter__(self) -> Self:
        try:
            first = self._answer()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.versions = first.get("versions", {})
        self.not_here = first.get("not_here", "")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask, and wait for the answer."""
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
