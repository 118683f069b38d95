"""What was measured, as tables for people and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.goals import Verdict, batches_text, verdicts
from benchmarks.machine import machine, machine_text
from benchmarks.peers import PEERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.kernel import Operation
    from benchmarks.load import Loading
    from benchmarks.rounds import Measured, Timing

__all__ = ["Report"]

_BESIDE = "c2kit-kernel"
"""What all others are told in terms of."""
LOADING_GOAL = 1.5
"""At most so many times as long as the YAML parser alone."""


@dataclass(slots=True)
class Report:
    """All of one run."""

    command: str
    measured: Sequence[Measured] = ()
    skipped: Sequence[str] = ()
    """Workloads that were not there, and why."""
    operations: Sequence[Operation] = ()
    loading: Loading | None = None
    is_quick: bool = False
    """Whether it only shows that everything works."""

    def write(self, folder: Path) -> None:
        """Write ``report.md`` and ``report.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.md").write_text(self.markdown(), encoding="utf-8")
        (folder / "report.json").write_text(json.dumps(self.plain(), indent=1) + "\n", encoding="utf-8")

    def markdown(self) -> str:
        """The tables."""
        parts = [[machine_text(self.command), "", *self._versions()]]
        parts += [["**A quick run: it shows that everything works; its times say nothing.**"]] if self.is_quick else []
        parts += [list(_goals(list(self._verdicts())))]
        for measured in self.measured:
            parts += [list(_table(measured))]
            parts += [list(_threads(measured))] if measured.threads else []
        parts += [[f"- skipped: {reason}" for reason in self.skipped]] if self.skipped else []
        parts += [list(_operations(self.operations))] if self.operations else []
        parts += [list(self.loading.table())] if self.loading is not None else []
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"

    def plain(self) -> dict[str, Any]:
        """The same for programs, with every round."""
        return {
            "command": self.command,
            "machine": machine(),
            "workloads": [_plain(measured) for measured in self.measured],
            "skipped": list(self.skipped),
            "operations": [asdict(operation) | {"ratio": operation.ratio} for operation in self.operations],
            "loading": None if self.loading is None else asdict(self.loading),
            "goals": [asdict(verdict) for verdict in self._verdicts()],
        }

    def _versions(self) -> Iterator[str]:
        versions = {
            f"{name} {version}"
            for measured in self.measured
            for known in measured.versions.values()
            for name, version in known.items()
        }
        if versions:
            yield f"With {', '.join(sorted(versions))}."

    def _verdicts(self) -> Iterator[Verdict]:
        """What became of the goals."""
        yield from verdicts(self.measured)
        yield from (operation.verdict for operation in self.operations if operation.verdict is not None)
        if self.loading is not None:
            ratio = self.loading.ratio("load")
            yield Verdict(
                what="load a dictionary, beside the YAML parser in C alone",
                wanted=f"takes at most {LOADING_GOAL:g} times as long",
                found=f"{ratio:.3g} times",
                where=f"{self.loading.items:_} items".replace("_", " "),
                is_met=ratio <= LOADING_GOAL,
            )


def _table(measured: Measured) -> Iterator[str]:
    sizes = list(measured.timings)
    titles = {peer: known.encodes if measured.is_encoded else known.title for peer, known in PEERS.items()}
    done = "Encoded" if measured.is_encoded else "Decoded"
    yield f"### {measured.workload}: {_grouped(measured.packets)} packets"
    yield ""
    yield f"{measured.description}. {done} in batches; medians, in microseconds of processor time a packet. In"
    yield f"parentheses: how many times as long as {_BESIDE} takes."
    yield ""
    yield f"| | {' | '.join(map(batches_text, sizes))} | values compared |"
    yield f"|---|{'---:|' * (len(sizes) + 1)}"
    for peer, title in titles.items():
        if peer in measured.not_measured and title:
            yield f"| {title} | not measured: {measured.not_measured[peer]} |{' |' * len(sizes)}"
        elif peer in measured.values:
            cells = (_cell(measured.timings[size], peer) for size in sizes)
            yield f"| {title} | {' | '.join(cells)} | {_grouped(measured.values[peer])} |"
    if measured.notes:
        yield from ["", *(f"- {titles[peer]}: {note}." for peer, note in measured.notes.items())]


def _cell(timings: Mapping[str, Timing], peer: str) -> str:
    beside = f" ({_times(timings[peer].cpu / timings[_BESIDE].cpu)})" if _BESIDE in timings else ""
    return f"{_number(timings[peer].cpu)}{beside}"


def _threads(measured: Measured) -> Iterator[str]:
    yield f"#### {measured.workload}: a second thread"
    yield ""
    yield "| | one thread, µs a packet of time that passed | two | gain |"
    yield "|---|---:|---:|---:|"
    for peer, one in measured.threads[1].items():
        two = measured.threads[2][peer]
        yield f"| {PEERS[peer].title} | {_number(one.wall)} | {_number(two.wall)} | x{one.wall / two.wall:.2f} |"


def _operations(operations: Sequence[Operation]) -> Iterator[str]:
    yield "### the kernel's operations, and the fastest known way to do the same"
    yield ""
    yield "| what | µs each | beside | µs each | ratio |"
    yield "|---|---:|---|---:|---:|"
    for each in operations:
        yield f"| {each.what} | {each.us:.4f} | {each.than} | {each.than_us:.4f} | {each.ratio:.2f} |"


def _goals(found: Sequence[Verdict]) -> Iterator[str]:
    if not found:
        return
    yield "### goals, where they are hardest to reach"
    yield ""
    yield "| | wanted | found | where | the whole chain | |"
    yield "|---|---|---|---|---|---|"
    for each in found:
        met = "met" if each.is_met else "**missed**"
        yield f"| {each.what} | {each.wanted} | {each.found} | {each.where} | {each.whole} | {met} |"


def _plain(measured: Measured) -> dict[str, Any]:
    plain = asdict(measured)
    plain["batches"] = [
        {
            "packets": size,
            "peers": {
                peer: {"cpu_us": timing.cpu, "wall_us": timing.wall, "rounds": asdict(timing)}
                for peer, timing in timings.items()
            },
            "times_as_long": _ratios(timings) if _BESIDE in timings else {},
        }
        for size, timings in measured.timings.items()
    ]
    del plain["timings"]
    return plain


def _ratios(timings: Mapping[str, Timing]) -> dict[str, float]:
    return {peer: timing.cpu / timings[_BESIDE].cpu for peer, timing in timings.items()}


def _grouped(number: int) -> str:
    return f"{number:_}".replace("_", " ")


def _number(value: float) -> str:
    return f"{value:.4f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"
