"""What a campaign came to, in numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.kill.broker_attack import BrokerBlow
    from tests.kill.campaign import RoundResult

__all__ = ["report"]

_TOLD = 8


def report(results: Sequence[RoundResult]) -> str:
    """All rounds together. Nothing in them was lost or there twice but what is told here."""
    parts = (_totals, _strikes, _brokers, _losses, _commands)
    return "\n\n".join("\n".join(lines) for part in parts if (lines := [*part(results)]))


def _totals(results: Sequence[RoundResult]) -> Iterator[str]:
    strikes = sum(len(result.blows) for result in results)
    yield f"{strikes} strikes in {len(results)} rounds and {sum(result.seconds for result in results):.0f} s"
    yield f"{sum(result.packets for result in results):,} packets in the log, each as sent, in order, once"
    yield f"{sum(result.values for result in results):,} values on the telemetry streams, each as it should be"
    yield "unaccounted: 0, in every round"


def _strikes(results: Sequence[RoundResult]) -> Iterator[str]:
    blows = [blow for result in results for blow in result.blows]
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    for blow in blows:
        by_kind[blow.kind].append(blow.back_seconds)
    stages = Counter(blow.stage for blow in blows)
    yield "strikes by stage: " + ", ".join(f"{stage} {count}" for stage, count in sorted(stages.items()))
    for kind, seconds in sorted(by_kind.items()):
        back = f"traffic flowed again after {median(seconds):.1f} s, at most {max(seconds):.1f} s"
        yield f"{kind}: {len(seconds)}; {back}"
    replaced = sum(blow.is_replaced for blow in blows if blow.kind == "replaced while paused, then woken")
    yield f"of those that slept while another was started, {replaced} were fenced when they woke"


def _brokers(results: Sequence[RoundResult]) -> Iterator[str]:
    blows = [blow for result in results for blow in result.broker_blows]
    by_kind: defaultdict[str, list[BrokerBlow]] = defaultdict(list)
    for blow in blows:
        by_kind[blow.kind].append(blow)
    for kind, some in sorted(by_kind.items()):
        yield f"{kind}: {_pauses(some)}"
    if blows:
        yield f"on brokers: {_pauses(blows)}; the longest:"
    for blow in sorted(blows, key=lambda blow: -blow.pause_seconds)[:_TOLD]:
        yield f"  {blow}"
    ends = Counter(f"{end.stage}: {end.cause}" for result in results for end in result.unasked)
    for what, count in sorted(ends.items()):
        yield f"started again without being struck: {what}, {count} times"


def _pauses(blows: Sequence[BrokerBlow]) -> str:
    pauses = [blow.pause_seconds for blow in blows if blow.paused]
    told = f"median {median(pauses):.1f} s, longest {max(pauses):.1f} s" if pauses else "not seen"
    return f"{len(blows)}; pause of commits, where a stage was left alone ({len(pauses)}): {told}"


def _losses(results: Sequence[RoundResult]) -> Iterator[str]:
    by_kind: defaultdict[str, list[int]] = defaultdict(list)
    for kind, count in (loss for result in results for loss in result.losses):
        by_kind[kind].append(count)
    for cause, counts in sorted(by_kind.items()):
        lost = f"median {median(counts):g}, most {max(counts)}, none {counts.count(0)} times"
        yield f"packets that were lost with an interface that was {cause}: {lost} of {len(counts)}"


def _commands(results: Sequence[RoundResult]) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for result in results:
        counts += result.commands
    yield f"{counts.total():,} commands, each with one end, and received as often as that says:"
    yield from (f"  {what}: {count}" for what, count in sorted(counts.items()))
