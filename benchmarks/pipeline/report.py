"""What was measured of the pipeline, as tables for people and as JSON."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.machine import machine, machine_text
from benchmarks.packet_log import table as packet_log_table
from benchmarks.peers import OPENC3
from benchmarks.pipeline.plan import (
    IDLE_BYTES_GOAL,
    LATENCY_GOAL_RATE,
    LATENCY_GOALS,
    LOG_GOAL,
    LOG_GOAL_PACKETS,
    THROUGHPUT_GOALS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks import packet_log
    from benchmarks.pipeline.idle import Idle
    from benchmarks.pipeline.latency import Delays, Pace
    from benchmarks.pipeline.throughput import Passage

__all__ = ["BARE", "Report"]

BARE = "bare socket"
"""Stands where the name of a bus stands."""


@dataclass(slots=True)
class Report:
    """All of one run."""

    command: str
    values: int = 0
    """How many values of each bus were compared with those expected, and were equal."""
    passages: dict[tuple[str, str], list[Passage]] = field(default_factory=dict)
    """By the bus, and ``pipeline`` or ``copy``."""
    peer: list[Passage] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    delays: dict[tuple[str, Pace], list[Delays]] = field(default_factory=dict)
    idle: dict[tuple[str, int], list[Idle]] = field(default_factory=dict)
    logs: list[packet_log.Measured] = field(default_factory=list)

    def rate(self, bus: str, what: str = "pipeline") -> float:
        """Packets a second, the median."""
        return statistics.median(each.rate for each in self.passages[bus, what])

    def markdown(self) -> str:
        """The tables."""
        parts = [[machine_text(self.command)]]
        parts += [list(self._throughput())] if self.passages else []
        parts += [[f"- skipped: {reason}" for reason in self.skipped]] if self.skipped else []
        parts += [list(self._latency())] if self.delays else []
        parts += [["### packet log", "", *packet_log_table(self.logs).splitlines()]] if self.logs else []
        parts += [list(self._idle())] if self.idle else []
        return "\n\n".join("\n".join(part) for part in [*parts, [f"- {text}" for text in self.verdicts()]]) + "\n"

    def plain(self) -> dict[str, Any]:
        """The same for programs, with every round."""
        return {
            "command": self.command,
            "machine": machine(),
            "values_verified": self.values,
            "throughput": [
                {"bus": bus, "what": what, "rounds": [asdict(each) for each in rounds]}
                for (bus, what), rounds in self.passages.items()
            ],
            "openc3": [asdict(each) for each in self.peer],
            "skipped": self.skipped,
            "latency": [
                {"bus": bus, "pace": asdict(pace), "rounds": [asdict(each) for each in rounds]}
                for (bus, pace), rounds in self.delays.items()
            ],
            "packet_log": [asdict(each) | {"shares": each.shares} for each in self.logs],
            "idle": [
                {"bus": bus, "rounds": [asdict(each) for each in rounds]} for (bus, _), rounds in self.idle.items()
            ],
            "verdicts": list(self.verdicts()),
        }

    def _throughput(self) -> Iterator[str]:
        rounds = max(map(len, self.passages.values()))
        yield "### throughput: socket, framing, identification, decommutation, telemetry stream, log"
        yield ""
        yield f"All {self.values:_} values of each bus are as expected; medians of {rounds} rounds.".replace("_", " ")
        yield ""
        yield "| | packets/s | all rounds | CPU, µs/packet | share of copying | times openc3 |"
        yield "|---|---:|---:|---:|---:|---:|"
        for (bus, what), passages in self.passages.items():
            if what == "copy":
                yield f"| copying only, `{bus}:` {_cells(passages)} | |"
                continue
            share = f"{self.rate(bus) / self.rate(bus, 'copy'):.0%}"
            times = f"x{self.rate(bus) / _rate(self.peer):.0f}" if self.peer else ""
            yield f"| **c2kit, `{bus}:`** {_cells(passages)} {share} | {times} |"
        if self.peer:
            yield f"| {OPENC3.title}; no socket, bus or log {_cells(self.peer)} | |"

    def _latency(self) -> Iterator[str]:
        yield "### latency from sending to the record on the telemetry stream, ms"
        yield ""
        yield "| bus | packets/s on each link | links | samples | median | p99 | longest | sender late by |"
        yield "|---|---:|---:|---:|---:|---:|---:|---:|"
        for (bus, pace), rounds in self.delays.items():
            cells = [
                bus if bus == BARE else f"`{bus}:`",
                f"{pace.rate:g}",
                f"{pace.links}",
                f"{len(rounds)} x {len(rounds[0].ms)}",
                _ms(statistics.median(each.median for each in rounds)),
                _ms(statistics.median(each.p99 for each in rounds)),
                _ms(max(each.most for each in rounds)),
                _ms(max(each.late_ms for each in rounds)),
            ]
            yield f"| {' | '.join(cells)} |"

    def _idle(self) -> Iterator[str]:
        yield "### idle interfaces in one process"
        yield ""
        yield "| bus | interfaces | kB each | threads | CPU | start, s | stop, s | a packet, ms | longest |"
        yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
        for (bus, interfaces), rounds in self.idle.items():
            cells = [
                f"`{bus}:`",
                f"{interfaces}",
                f"{_each(rounds) / 1e3:.0f}",
                f"{max(each.threads for each in rounds)}",
                f"{statistics.median(each.cpu_share for each in rounds):.1%}",
                f"{statistics.median(each.start_seconds for each in rounds):.1f}",
                f"{statistics.median(each.stop_seconds for each in rounds):.1f}",
                _ms(statistics.median(each.delays.median for each in rounds)),
                _ms(max(each.delays.most for each in rounds)),
            ]
            yield f"| {' | '.join(cells)} |"

    def verdicts(self) -> Iterator[str]:
        """What became of the goals."""
        for bus in dict.fromkeys(bus for bus, _ in self.passages):
            rate, goal = self.rate(bus), THROUGHPUT_GOALS[bus]
            yield _verdict(f"{bus}: {rate:_.0f} packets/s, at least {goal:_}".replace("_", " "), is_met=rate >= goal)
        for (bus, pace), rounds in self.delays.items():
            if bus != BARE and pace.rate <= LATENCY_GOAL_RATE:
                p99, most = statistics.median(each.p99 for each in rounds), LATENCY_GOALS[bus]
                what = f"{bus} at {pace.rate:g} packets/s: 99 in 100 within {_ms(p99)} ms, at most {most:g}"
                yield _verdict(what, is_met=p99 <= most)
        for log in (each for each in self.logs if each.load.packets >= LOG_GOAL_PACKETS):
            share = log.shares["same files"]
            yield _verdict(
                f"packet log, {log.load.name}: {share:.0%} of bare writes, at least {LOG_GOAL:.0%}",
                is_met=share >= LOG_GOAL,
            )
        for (bus, interfaces), idles in self.idle.items():
            size = _each(idles)
            has_few = max(each.threads for each in idles) < max(interfaces, 20)
            what = (
                f"{bus}: {interfaces} idle interfaces take {size / 1e6:.1f} MB each, at most {IDLE_BYTES_GOAL / 1e6:g}"
            )
            # A single one is all that a process has, with its stages.
            if interfaces > 1:
                yield _verdict(f"{what}, and no thread each", is_met=size <= IDLE_BYTES_GOAL and has_few)


def _rate(passages: Iterable[Passage]) -> float:
    return statistics.median(each.rate for each in passages)


def _cells(passages: list[Passage]) -> str:
    rates = [each.rate for each in passages]
    cpu = statistics.median(each.cpu_ns / each.packets / 1e3 for each in passages)
    span = f"{min(rates):_.0f} to {max(rates):_.0f}"
    return f"| {_rate(passages):_.0f} | {span} | {cpu:.2f} |".replace("_", " ")


def _each(rounds: list[Idle]) -> float:
    return statistics.median(each.resident_bytes / each.interfaces for each in rounds)


def _ms(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _verdict(what: str, *, is_met: bool) -> str:
    return f"{'goal met' if is_met else 'GOAL MISSED'}: {what}"
