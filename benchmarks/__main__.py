"""``python -m benchmarks``: decode and encode beside the peers, and load beside the YAML parser."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.environment import ROOT
from benchmarks.load import measure_loading
from benchmarks.peers import PEERS
from benchmarks.report import Report
from benchmarks.rounds import SIZES, Plan, ResultsDiffer, Workers
from benchmarks.workload import NotHere
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["main"]

PARTS = ("peers", "kernel", "load")


@dataclass(frozen=True, slots=True)
class _Form:
    """How much is measured where nothing else is said."""

    rounds: int
    seconds: float
    packets: int
    batches: tuple[int | None, ...]
    items: int
    kernel_seconds: float


_FULL = _Form(rounds=7, seconds=0.2, packets=50_000, batches=SIZES, items=10_000, kernel_seconds=0.05)
_QUICK = _Form(rounds=1, seconds=0.01, packets=1_500, batches=(1, 64, None), items=500, kernel_seconds=0.001)


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for. Not 0 where results differ; never because of a time, or of a peer that is not there."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    form = _QUICK if options.quick else _FULL
    rounds = options.rounds or form.rounds
    report = Report(" ".join(["python -m benchmarks", *given]), is_quick=options.quick)
    parts = options.parts or PARTS
    try:
        if "peers" in parts:
            plan = Plan(rounds, form.seconds, tuple(options.batches or form.batches))
            _peers(report, options, plan, options.packets or form.packets)
    except ResultsDiffer as error:
        print(f"results differ: {error}", file=sys.stderr)
        return 1
    if "kernel" in parts:
        _kernel(report, rounds, form.kernel_seconds)
    if "load" in parts:
        report.loading = measure_loading(options.output / "dictionary", rounds, options.items or form.items)
    report.write(options.output)
    print(report.markdown())
    return 0


def _peers(report: Report, options: argparse.Namespace, plan: Plan, packets: int) -> None:
    measured, skipped = [], []
    with Workers(options.peers, install=not options.quick) as workers:
        for name in options.workloads:
            try:
                workload = WORKLOADS[name](packets)
            except NotHere as error:
                skipped.append(f"{name}: {error}")
                print(f"skipped: {skipped[-1]}", file=sys.stderr)
                continue
            print(f"{name}: {workload.count} packets", file=sys.stderr)
            measured.append(workers.measure(workload, options.output / "workloads" / name, plan))
    report.measured, report.skipped = measured, skipped


def _kernel(report: Report, rounds: int, seconds: float) -> None:
    try:
        from benchmarks.kernel import measure_operations  # noqa: PLC0415 - only where it was compiled
    except ImportError as error:
        report.skipped = [*report.skipped, f"the kernel's operations: {error}"]
        return
    report.operations = measure_operations(rounds, seconds)
    if find_spec("bitstruct") is None:
        report.skipped = [*report.skipped, "one call beside bitstruct's: it is not installed where c2kit is"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help="some of peers, kernel, load")
    parser.add_argument(
        "--quick", action="store_true", help="under a minute: little of everything, and no peer that is not installed"
    )
    parser.add_argument("--rounds", type=int, help="how often each is measured (7)")
    parser.add_argument("--packets", type=int, help="how many packets are generated (50000)")
    parser.add_argument("--batches", type=_sizes, help="how many at once (1,8,64,256,1000,4096,all)")
    parser.add_argument("--items", type=int, help="how many items are loaded (10000)")
    parser.add_argument("--peers", type=_names(PEERS), default=list(PEERS), help=f"some of {','.join(PEERS)}")
    parser.add_argument(
        "--workloads", type=_names(WORKLOADS), default=list(WORKLOADS), help=f"some of {','.join(WORKLOADS)}"
    )
    output = ROOT / "build" / "benchmarks"
    parser.add_argument("--output", type=Path, default=output, help="where the report goes (build/benchmarks)")
    return parser


def _names(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    """A converter of names with commas between them."""

    def names(text: str) -> list[str]:
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name} is none of them")
        return chosen

    return names


def _sizes(text: str) -> list[int | None]:
    """Numbers with commas between them; ``all`` is one."""
    return [None if size == "all" else int(size) for size in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
