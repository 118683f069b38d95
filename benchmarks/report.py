"""What was measured, as tables for people and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.machine import machine, machine_text
from benchmarks.peers import PEERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.load import Loading
    from benchmarks.rounds import Measured

__all__ = ["GOALS", "Goal", "Report"]


_OURS = ("c2kit-kernel", "c2kit")


@dataclass(frozen=True, slots=True)
class Goal:
    """How many times faster one decoder is to be than another, in batches of 1 000 packets and more."""

    decoder: str
    than: str
    factor: float


GOALS = tuple(Goal(ours, *than) for ours in _OURS for than in (("space_packet_parser", 50), ("ccsdspy", 1)))
LOADING_GOAL = 1.5
"""At most so many times as long as the YAML parser alone."""


@dataclass(slots=True)
class Report:
    """All of one run."""

    command: str
    measured: Sequence[Measured] = ()
    skipped: Sequence[str] = ()
    """Workloads that were not there, and why."""
    loading: Loading | None = None

    def write(self, folder: Path) -> None:
        """Write ``report.md`` and ``report.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.md").write_text(self.markdown(), encoding="utf-8")
        (folder / "report.json").write_text(json.dumps(self.plain(), indent=1) + "\n", encoding="utf-8")

    def markdown(self) -> str:
        """The tables."""
        lines = [
            machine_text(self.command),
            "",
            "Medians of shuffled rounds, in microseconds of processor time per packet. Ratios hold within one table.",
        ]
        for measured in self.measured:
            for size in measured.timings:
                lines += ["", *_table(measured, size)]
        lines += ["", *(f"- skipped: {reason}" for reason in self.skipped)] if self.skipped else []
        lines += ["", *self.loading.table()] if self.loading is not None else []
        return "\n".join([*lines, "", *(f"- {text}" for text in self._verdicts())]) + "\n"

    def plain(self) -> dict[str, Any]:
        """The same for programs, with every round."""
        return {
            "command": self.command,
            "machine": machine(),
            "workloads": [_plain(measured) for measured in self.measured],
            "skipped": list(self.skipped),
            "loading": None if self.loading is None else asdict(self.loading),
            "verdicts": list(self._verdicts()),
        }

    def _verdicts(self) -> Iterator[str]:
        """What became of the goals."""
        for measured in self.measured:
            for size, timings in measured.timings.items():
                for goal in GOALS:
                    if (size is None or size >= 1000) and {goal.decoder, goal.than} <= timings.keys():
                        ratio = timings[goal.than].cpu / timings[goal.decoder].cpu
                        what = f"{measured.workload}, {_batches(size)}: {goal.decoder} to {goal.than}"
                        yield f"{_met(ratio >= goal.factor)}: {what} {_times(ratio)}, at least {goal.factor:g}"
        if self.loading is not None:
            ratio = self.loading.ratio("load")
            what = f"loading {self.loading.items:_} items".replace("_", " ")
            what += f" takes {ratio:.2f} times what the YAML parser alone takes"
            yield f"{_met(ratio <= LOADING_GOAL)}: {what}, at most {LOADING_GOAL:g}"


def _table(measured: Measured, size: int | None) -> Iterator[str]:
    timings = measured.timings[size]
    ours = [peer for peer in _OURS if peer in timings]
    yield f"### {measured.workload}: {measured.packets:_} packets, {_batches(size)}".replace("_", " ")
    yield ""
    yield f"{measured.description}. All {measured.values:_} values of each decoder are as expected.".replace("_", " ")
    yield ""
    yield f"| decoder | CPU, µs | all rounds | wall, µs |{''.join(f' {peer} is faster |' for peer in ours)}"
    yield f"|---|---:|---:|---:|{'---:|' * len(ours)}"
    for peer, timing in sorted(timings.items(), key=lambda entry: entry[1].cpu):
        span = f"{_number(min(timing.cpu_us))} to {_number(max(timing.cpu_us))}"
        ratios = "".join(f" {_times(timing.cpu / timings[mine].cpu)} |" for mine in ours)
        yield f"| {PEERS[peer].title} | {_number(timing.cpu)} | {span} | {_number(timing.wall)} |{ratios}"
    if measured.not_measured:
        yield ""
        yield from (f"- not measured: {PEERS[peer].title}: {why}" for peer, why in measured.not_measured.items())


def _plain(measured: Measured) -> dict[str, Any]:
    return {
        "workload": measured.workload,
        "description": measured.description,
        "packets": measured.packets,
        "values_verified": measured.values,
        "versions": measured.versions,
        "not_measured": measured.not_measured,
        "batches": [
            {
                "packets": size,
                "decoders": {
                    peer: {"cpu_us": timing.cpu, "wall_us": timing.wall, "rounds": asdict(timing)}
                    for peer, timing in timings.items()
                },
                "ratios_to": {mine: _ratios(timings, mine) for mine in _OURS if mine in timings},
            }
            for size, timings in measured.timings.items()
        ],
    }


def _ratios(timings: Mapping[str, Any], mine: str) -> dict[str, float]:
    return {peer: timing.cpu / timings[mine].cpu for peer, timing in timings.items()}


def _batches(size: int | None) -> str:
    return "all at once" if size is None else f"{size:_} at once".replace("_", " ")


def _number(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def _times(ratio: float) -> str:
    return f"x{ratio:.2f}" if ratio < 10 else f"x{ratio:.0f}"


def _met(is_met: bool) -> str:  # noqa: FBT001 - what it says
    return "goal met" if is_met else "GOAL MISSED"
