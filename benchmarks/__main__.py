"""``python -m benchmarks``: decode beside the peers, and load beside the YAML parser."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.environment import ROOT, EnvironmentFailed
from benchmarks.load import measure_loading
from benchmarks.peers import PEERS
from benchmarks.report import Report
from benchmarks.rounds import Plan, ResultsDiffer, measure
from benchmarks.workload import NotHere
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for. Not 0 where results differ or a peer cannot be installed; never because of a time."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    report = Report(" ".join(["python -m benchmarks", *given]))
    rounds = options.rounds or (3 if options.quick else 7)
    try:
        if options.what in {"all", "decode"}:
            plan = Plan(rounds, seconds=0.1 if options.quick else 0.4, batches=tuple(options.batches))
            _decode(report, options, plan)
        if options.what in {"all", "load"}:
            report.loading = measure_loading(options.output / "dictionary", rounds, options.items)
    except (EnvironmentFailed, ResultsDiffer) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    report.write(options.output)
    print(report.markdown())
    return 0


def _decode(report: Report, options: argparse.Namespace, plan: Plan) -> None:
    measured, skipped = [], []
    for name in options.workloads:
        try:
            workload = WORKLOADS[name](options.packets or (20_000 if options.quick else 50_000))
        except NotHere as error:
            skipped.append(f"{name}: {error}")
            print(f"skipped: {skipped[-1]}", file=sys.stderr)
            continue
        print(f"{name}: {workload.count} packets", file=sys.stderr)
        measured.append(measure(workload, options.output / "workloads" / name, options.peers, plan))
    report.measured, report.skipped = measured, skipped


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["all", "decode", "load"], default="all", help="all by default")
    parser.add_argument("--quick", action="store_true", help="under a minute: fewer packets and rounds")
    parser.add_argument("--rounds", type=int, help="how often each is measured")
    parser.add_argument("--packets", type=int, help="how many packets are generated")
    parser.add_argument("--batches", type=_sizes, default=[1000, None], help="how many are decoded at once (1000,all)")
    parser.add_argument("--items", type=int, default=10_000, help="how many items are loaded (%(default)s)")
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
