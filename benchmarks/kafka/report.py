"""What was measured of Kafka, as tables for people and as JSON."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.kafka.plan import LATENCY_GOAL, PACKING_GOAL, THROUGHPUT_GOAL
from benchmarks.machine import machine, machine_text
from benchmarks.pipeline.latency import Delays

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.kafka.choices import Choice, Chosen
    from benchmarks.pipeline.throughput import Passage

__all__ = ["BARE", "OURS", "Report"]

OURS, BARE = "c2kit", "bare clients"


@dataclass(slots=True)
class Report:
    """All of one run."""

    command: str
    values: int = 0
    """How many values behind three hops were compared with those expected, and were equal."""
    hops: dict[tuple[str, int], list[Passage]] = field(default_factory=dict)
    """By who, and packets a record."""
    passages: dict[str, list[Passage]] = field(default_factory=dict)
    delays: dict[tuple[int, int, str], list[Delays]] = field(default_factory=dict)
    """By brokers, hops and who."""
    choices: dict[tuple[int, Choice], list[Chosen]] = field(default_factory=dict)
    """By brokers."""

    def markdown(self) -> str:
        """The tables."""
        parts = [[machine_text(self.command)]]
        parts += [list(self._packing())] if self.hops else []
        parts += [list(self._three_hops())] if self.passages else []
        parts += [list(self._latency())] if self.delays else []
        parts += [list(self._choices())] if self.choices else []
        parts += [[f"- {text}" for text in self.verdicts()]]
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"

    def plain(self) -> dict[str, Any]:
        """The same for programs, with every round."""
        return {
            "command": self.command,
            "machine": machine(),
            "values_verified": self.values,
            "packing": [
                {"who": who, "packets_a_record": packets, "rounds": [asdict(each) for each in rounds]}
                for (who, packets), rounds in self.hops.items()
            ],
            "hops": [
                {"who": who, "rounds": [asdict(each) for each in rounds]} for who, rounds in self.passages.items()
            ],
            "latency": [
                {"brokers": brokers, "hops": hops, "who": who, "rounds": [asdict(each) for each in rounds]}
                for (brokers, hops, who), rounds in self.delays.items()
            ],
            "choices": [
                {"brokers": brokers, "choice": asdict(choice), "rounds": [asdict(each) for each in rounds]}
                for (brokers, choice), rounds in self.choices.items()
            ],
            "verdicts": list(self.verdicts()),
        }

    def _packing(self) -> Iterator[str]:
        yield "### packets through one hop, on one broker"
        yield ""
        yield f"Medians of {_rounds(self.hops)} rounds; all records are as they were sent."
        yield ""
        yield "| packets a record | c2kit, packets/s | all rounds | bare clients | all rounds | share of bare clients |"
        yield "|---:|---:|---:|---:|---:|---:|"
        for packets in dict.fromkeys(packets for _, packets in self.hops):
            ours, bare = self.hops[OURS, packets], self.hops[BARE, packets]
            yield f"| {packets} {_cells(ours)} {_cells(bare)} | {_rate(ours) / _rate(bare):.0%} |"

    def _three_hops(self) -> Iterator[str]:
        yield "### from a socket through three hops, on one broker"
        yield ""
        rounds_made = _rounds(self.passages)
        yield f"All {self.values:_} values are as expected; medians of {rounds_made} rounds.".replace("_", " ")
        yield ""
        yield "| | packets/s | all rounds | CPU of the clients, µs/packet |"
        yield "|---|---:|---:|---:|"
        for who, rounds in self.passages.items():
            cpu = statistics.median(each.cpu_ns / each.packets / 1e3 for each in rounds)
            yield f"| {who} {_cells(rounds)} | {cpu:.2f} |"

    def _latency(self) -> Iterator[str]:
        yield "### latency from sending to a reader of what is committed, ms"
        yield ""
        yield "| brokers | hops | | records | median | p99 | longest | sender late by |"
        yield "|---:|---:|---|---:|---:|---:|---:|---:|"
        for (brokers, hops, who), rounds in self.delays.items():
            every = _pooled(rounds)
            delays = " | ".join(f"{each:.1f}" for each in (every.median, every.p99, every.most, every.late_ms))
            yield f"| {brokers} | {hops} | {who} | {len(every.ms)} | {delays} |"

    def _choices(self) -> Iterator[str]:
        yield "### when to commit, and whether to compress"
        yield ""
        yield "| brokers | record, kB | commit | compression | MB/s | all rounds | median, ms | p99, ms |"
        yield "|---:|---:|---|---|---:|---:|---:|---:|"
        for (brokers, choice), rounds in self.choices.items():
            rates = [each.bytes_a_second / 1e6 for each in rounds]
            delays = _pooled([each.delays for each in rounds])
            cells = [
                f"{brokers}",
                f"{choice.record_bytes / 1e3:g}",
                "**c2kit: at once**" if choice.is_ours else f"each {choice.commit_ms} ms",
                choice.compression,
                f"{statistics.median(rates):.0f}",
                f"{min(rates):.0f} to {max(rates):.0f}",
                f"{delays.median:.1f}",
                f"{delays.p99:.1f}",
            ]
            yield f"| {' | '.join(cells)} |"

    def verdicts(self) -> Iterator[str]:
        """What became of the goals."""
        if self.hops:
            most = max(packets for _, packets in self.hops)
            times = _rate(self.hops[OURS, most]) / _rate(self.hops[OURS, 1])
            what = f"{most} packets a record: {times:.1f} times the packets of one a record, at least {PACKING_GOAL:g}"
            yield _verdict(what, is_met=times >= PACKING_GOAL)
        if self.passages:
            rate = _rate(self.passages[OURS])
            what = f"three hops: {rate:_.0f} packets/s, at least {THROUGHPUT_GOAL:_}".replace("_", " ")
            yield _verdict(what, is_met=rate >= THROUGHPUT_GOAL)
        for brokers in dict.fromkeys(brokers for brokers, _, _ in self.delays):
            ours, bare = (_pooled(self.delays[brokers, 1, who]).p99 for who in (OURS, BARE))
            beside = f"{ours / bare:.2f} times as long as by bare clients, at most {LATENCY_GOAL:g}"
            what = f"one hop, brokers: {brokers}: p99 {ours:.1f} ms, {beside}"
            yield _verdict(what, is_met=ours <= LATENCY_GOAL * bare)


def _rate(rounds: Sequence[Passage]) -> float:
    return statistics.median(each.rate for each in rounds)


def _rounds(found: dict[Any, list[Any]]) -> int:
    return max(map(len, found.values()))


def _cells(rounds: Sequence[Passage]) -> str:
    rates = [each.rate for each in rounds]
    return f"| {_rate(rounds):_.0f} | {min(rates):_.0f} to {max(rates):_.0f}".replace("_", " ")


def _pooled(rounds: Sequence[Delays]) -> Delays:
    """Of all rounds together."""
    return Delays([ms for each in rounds for ms in each.ms], max(each.late_ms for each in rounds))


def _verdict(what: str, *, is_met: bool) -> str:
    return f"{'goal met' if is_met else 'GOAL MISSED'}: {what}"
