"""``python -m tests.kill --kills 1000 --seed 7``: the long form of the kill test, also on Apache Kafka."""

# ruff: noqa: T201 - printing is what it does

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kill.campaign import RoundResult, campaign, on_kafka, on_sqlite
from tests.kill.report import report

if TYPE_CHECKING:
    from collections.abc import Iterator


def main() -> None:
    """Run a campaign and print what it came to. What failed is left behind, with the logs of all processes."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument("--bus", choices=("sqlite", "kafka"), default="sqlite", help="where (default: sqlite)")
    parser.add_argument("--kills", type=int, help="how often a process is struck (default: 1000, on Kafka 200)")
    parser.add_argument("--broker-kills", type=int, help="how often a broker is killed (default: as many)")
    parser.add_argument("--seed", type=int, default=7, help="what the schedule is drawn from (default: 7)")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("c2kit").setLevel(logging.ERROR)  # sequence gaps, of which there are many
    folder = given.folder or Path(tempfile.mkdtemp(prefix="c2kit-kill-"))
    count = given.kills or (200 if given.bus == "kafka" else 1000)
    print(f"{count} strikes, seed {given.seed}, on {given.bus}, in {folder}", flush=True)
    results: list[RoundResult] = []
    try:
        for result in _campaign(given, folder, count):
            results.append(result)
            struck = f"{len(result.blows)} strikes, {len(result.broker_blows)} on brokers"
            print(f"round {len(results)}: {struck}, {result.packets:,} packets", flush=True)
        folder.rmdir()
    finally:  # also of the rounds before the one that failed, or was interrupted
        print(f"\n{report(results)}")


def _campaign(given: argparse.Namespace, folder: Path, count: int) -> Iterator[RoundResult]:
    if given.bus == "sqlite":
        return campaign(folder, given.seed, count, on_sqlite)
    brokers = count if given.broker_kills is None else given.broker_kills
    return campaign(folder, given.seed, count, on_kafka(given.seed, brokers, with_rare=True))


if __name__ == "__main__":
    main()
