"""``python -m tests.kill --kills 1000 --seed 7``: the long form of the kill test."""

# ruff: noqa: T201 - printing is what it does

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path

from tests.kill.campaign import RoundResult, campaign
from tests.kill.report import report


def main() -> None:
    """Run a campaign and print what it came to. What failed is left behind, with the logs of all processes."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="how often a process is struck (default: 1000)")
    parser.add_argument("--seed", type=int, default=7, help="what the schedule is drawn from (default: 7)")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    given = parser.parse_args()
    logging.getLogger("c2kit").setLevel(logging.ERROR)  # sequence gaps, of which there are many
    folder = given.folder or Path(tempfile.mkdtemp(prefix="c2kit-kill-"))
    print(f"{given.kills} strikes, seed {given.seed}, in {folder}", flush=True)
    results: list[RoundResult] = []
    try:
        for result in campaign(folder, given.seed, given.kills):
            results.append(result)
            print(f"round {len(results)}: {len(result.blows)} strikes, {result.packets:,} packets", flush=True)
        folder.rmdir()
    finally:  # also of the rounds before the one that failed, or was interrupted
        print(f"\n{report(results)}")


if __name__ == "__main__":
    main()
