"""``python -m benchmarks.pipeline``: the live pipeline beside copying, beside openc3, and beside its goals."""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import packet_log
from benchmarks.environment import ROOT, EnvironmentFailed
from benchmarks.peers import OPENC3
from benchmarks.pipeline.ground import BUSES, apart
from benchmarks.pipeline.idle import idle
from benchmarks.pipeline.latency import bare, latency
from benchmarks.pipeline.plan import FULL, QUICK
from benchmarks.pipeline.report import BARE, Report
from benchmarks.pipeline.throughput import Passage, copy, pipeline, verify
from benchmarks.rounds import ResultsDiffer, Worker
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.pipeline.plan import Plan

__all__ = ["main"]

PARTS = ("throughput", "latency", "log", "idle")
_PEER = "openc3"


def main(arguments: list[str] | None = None, plan: Plan | None = None) -> int:
    """Run what was asked for. Not 0 where results differ; never because of a time."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    plan = plan or (QUICK if options.quick else FULL)
    plan = replace(plan, rounds=options.rounds or plan.rounds)
    report = Report(" ".join(["python -m benchmarks.pipeline", *given]))
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.directory, prefix="pipeline-") as folder:
        bench = _Bench(report, plan, Path(folder), options.buses, peer=not options.no_peer, installs=not options.quick)
        try:
            for part in options.parts or PARTS:
                getattr(bench, part)()
        except ResultsDiffer as error:
            print(f"results differ: {error}", file=sys.stderr)
            return 1
    (options.output / "pipeline.md").write_text(report.markdown(), encoding="utf-8")
    (options.output / "pipeline.json").write_text(json.dumps(report.plain(), indent=1) + "\n", encoding="utf-8")
    print(report.markdown())
    return 0


class _Bench:
    """The parts. Each measurement has a process and a folder of its own."""

    def __init__(
        self, report: Report, plan: Plan, folder: Path, buses: list[str], *, peer: bool, installs: bool
    ) -> None:
        self._report = report
        self._plan = plan
        self._folder = folder
        self._buses = buses
        self._wants_peer = peer
        self._installs = installs
        self._numbers = itertools.count()

    def throughput(self) -> None:
        """Verify, then measure the pipeline, the copy and the peer in shuffled rounds."""
        report, plan = self._report, self._plan
        workload = WORKLOADS["housekeeping"](plan.packets)
        file = self._folder / "packets"
        file.write_bytes(workload.data)
        for bus in self._buses:
            report.values = apart(verify, bus, workload, file, self._new())

        def passage(bus: str, what: str, measured: Callable[..., Passage]) -> None:
            found = apart(measured, bus, workload, file, plan.times[bus], self._new())
            report.passages.setdefault((bus, what), []).append(found)

        turns: list[Callable[[], None]] = []
        for bus in self._buses:
            for what, measured in (("pipeline", pipeline), ("copy", copy)):
                report.passages[bus, what] = []
                turns.append(lambda bus=bus, what=what, measured=measured: passage(bus, what, measured))  # type: ignore[misc]
        with ExitStack() as stack:
            if self._wants_peer:
                turns += self._peer(stack)
            for number in range(plan.rounds):
                _say(f"throughput: round {number + 1} of {plan.rounds}")
                for turn in random.sample(turns, len(turns)):
                    turn()

    def _peer(self, stack: ExitStack) -> Iterable[Callable[[], None]]:
        """What measures the peer once; nothing where it cannot be installed."""
        workload = WORKLOADS["housekeeping"](self._plan.peer_packets)
        folder = self._new()
        workload.save(folder)
        try:
            worker = stack.enter_context(Worker(OPENC3, install=self._installs))
        except EnvironmentFailed as error:
            return self._without(f"{_PEER} cannot be installed: {error}")
        if worker.not_here:
            return self._without(f"{_PEER}: {worker.not_here}")
        worker.prepare(folder)
        answer = worker.ask({"verify": 1000})
        if "difference" in answer:
            raise ResultsDiffer(f"{_PEER}: {answer['difference']}")

        def measure() -> None:
            found = worker.ask({"measure": 1000, "seconds": 0.0})
            self._report.peer.append(Passage(found["packets"], found["wall_ns"], found["cpu_ns"]))

        return [measure]

    def _without(self, reason: str) -> list[Callable[[], None]]:
        self._report.skipped.append(reason)
        _say(reason)
        return []

    def latency(self) -> None:
        """At each rate, on each bus and without any."""
        for number in range(min(3, self._plan.rounds)):
            for bus, pace in itertools.product([*self._buses, BARE], self._plan.paces):
                _say(f"latency: round {number + 1}: {bus} at {pace.rate:g} packets/s")
                found = apart(bare if bus == BARE else latency, bus, pace, self._new())
                self._report.delays.setdefault((bus, pace), []).append(found)

    def log(self) -> None:
        """The packet log beside bare writes, as :mod:`benchmarks.packet_log` does it."""
        for load in packet_log.LOADS if self._plan.log_rounds else ():
            _say(f"packet log: {load.name}")
            self._report.logs.append(packet_log.measure(load, self._new(), self._plan.log_rounds))

    def idle(self) -> None:
        """As many as were planned."""
        plan = self._plan
        for number in range(min(3, plan.rounds)):
            for bus, interfaces in itertools.product(self._buses, plan.interfaces):
                _say(f"idle: round {number + 1}: {interfaces} interfaces on {bus}")
                found = apart(idle, bus, interfaces, plan.idle_seconds, plan.singles, self._new())
                self._report.idle.setdefault((bus, interfaces), []).append(found)

    def _new(self) -> Path:
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        return folder


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="about half a minute: to see that it works")
    parser.add_argument("--rounds", type=int, help="how often each is measured")
    parser.add_argument("--buses", nargs="+", choices=BUSES, default=list(BUSES), help="both by default")
    parser.add_argument("--no-peer", action="store_true", help="without openc3, whose licence is not everybody's")
    parser.add_argument("--directory", type=Path, default=Path(), help="on the disk to measure (here)")
    output = ROOT / "build" / "benchmarks"
    parser.add_argument("--output", type=Path, default=output, help="where the report goes (build/benchmarks)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
