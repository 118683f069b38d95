"""``python -m benchmarks.kafka``: Apache Kafka as the bus, beside bare clients of the same brokers and beside goals."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from benchmarks.environment import ROOT
from benchmarks.kafka.choices import choose
from benchmarks.kafka.ground import empty, measured_cluster
from benchmarks.kafka.hop import bare_hop, hop
from benchmarks.kafka.latency import bare_latency, latency
from benchmarks.kafka.passage import bare_passage, passage, verify
from benchmarks.kafka.plan import FULL, QUICK, STEP_PACKETS
from benchmarks.kafka.report import BARE, OURS, Report
from benchmarks.pipeline.ground import apart
from benchmarks.rounds import ResultsDiffer
from benchmarks.workloads import WORKLOADS
from dev.kafka import NotInstallable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.kafka.plan import Plan
    from dev.kafka import Cluster

__all__ = ["main"]

PARTS = ("packing", "hops", "latency", "choices")
_ON_THE_FIRST = ("packing", "hops")
"""Parts that are measured on the first cluster alone."""
Given = TypeVar("Given")


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for. Not 0 where results differ or there is no Kafka; never because of a time."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    plan = QUICK if options.quick else FULL
    plan = replace(plan, rounds=options.rounds or plan.rounds, brokers=tuple(options.brokers or ()) or plan.brokers)
    report = Report(" ".join(["python -m benchmarks.kafka", *given]))
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        _measure(report, plan, options.parts or PARTS)
    except NotInstallable as error:
        print(error, file=sys.stderr)
        return 3
    except ResultsDiffer as error:
        print(f"results differ: {error}", file=sys.stderr)
        return 1
    (options.output / "kafka.md").write_text(report.markdown(), encoding="utf-8")
    (options.output / "kafka.json").write_text(json.dumps(report.plain(), indent=1) + "\n", encoding="utf-8")
    print(report.markdown())
    return 0


def _measure(report: Report, plan: Plan, parts: Sequence[str]) -> None:
    for brokers in plan.brokers:
        mine = [part for part in parts if brokers == plan.brokers[0] or part not in _ON_THE_FIRST]
        if mine:
            _say(f"starting {brokers} broker{'s' * (brokers > 1)}")
            with measured_cluster(brokers) as cluster:
                bench = _Bench(report, plan, cluster)
                bench.warm()
                for part in mine:
                    getattr(bench, part)()


class _Bench:
    """The parts, on one cluster. Each measurement has topics of its own and, but for the quick form, a process."""

    def __init__(self, report: Report, plan: Plan, cluster: Cluster) -> None:
        self._report = report
        self._plan = plan
        self._cluster = cluster

    def warm(self) -> None:
        """Let brokers do once what they will be measured at: the first transactions of a cluster take seconds."""
        for measured in (hop, bare_hop):
            self._once(measured, 1, STEP_PACKETS, 1)

    def packing(self) -> None:
        """One hop with one packet and with many packets a record."""
        turns: list[Callable[[], None]] = []
        for a_record, steps in self._plan.steps.items():
            for who, measured in ((OURS, hop), (BARE, bare_hop)):
                found = self._report.hops.setdefault((who, a_record), [])
                turns.append(self._turn(found, measured, steps, STEP_PACKETS, a_record))
        self._rounds("packing", turns)

    def hops(self) -> None:
        """Verify, then measure three hops."""
        report, plan = self._report, self._plan
        workload = WORKLOADS["housekeeping"](plan.packets)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "packets"
            file.write_bytes(workload.data)
            report.values = self._once(verify, workload, file)
            measured = ((OURS, passage), (BARE, bare_passage))
            passages = [(report.passages.setdefault(who, []), function) for who, function in measured]
            self._rounds("hops", [self._turn(*each, workload, file, plan.times) for each in passages])

    def latency(self) -> None:
        """One and three hops."""
        turns: list[Callable[[], None]] = []
        for hops in (1, 3):
            for who, measured in ((OURS, latency), (BARE, bare_latency)):
                found = self._report.delays.setdefault((len(self._cluster.brokers), hops, who), [])
                turns.append(self._turn(found, measured, hops, self._plan.pace))
        self._rounds("latency", turns)

    def choices(self) -> None:
        """Sizes, intervals and compression."""
        turns: list[Callable[[], None]] = []
        for choice in self._plan.choices:
            found = self._report.choices.setdefault((len(self._cluster.brokers), choice), [])
            turns.append(self._turn(found, choose, choice, self._plan.choice_seconds))
        self._rounds("choices", turns)

    def _turn(self, found: list[Given], measured: Callable[..., Given], *arguments: object) -> Callable[[], None]:
        return lambda: found.append(self._once(measured, *arguments))

    def _once(self, measured: Callable[..., Given], *arguments: object) -> Given:
        addresses = self._cluster.addresses
        try:
            if self._plan.is_apart:
                return apart(measured, addresses, *arguments)
            return measured(addresses, *arguments)
        finally:
            empty(self._cluster)

    def _rounds(self, part: str, turns: Sequence[Callable[[], None]]) -> None:
        for number in range(self._plan.rounds):
            _say(f"{part}, {len(self._cluster.brokers)} broker(s): round {number + 1} of {self._plan.rounds}")
            for turn in random.sample(turns, len(turns)):
                turn()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kafka", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="about half a minute: to see that it works")
    parser.add_argument("--rounds", type=int, help="how often each is measured")
    parser.add_argument("--brokers", type=int, nargs="+", help="clusters of so many (1 3)")
    output = ROOT / "build" / "benchmarks"
    parser.add_argument("--output", type=Path, default=output, help="where the report goes (build/benchmarks)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
