"""What c2kit is to reach beside its peers, and whether it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.rounds import Measured, Timing

__all__ = ["GOALS", "Goal", "Verdict", "batches_text", "verdicts"]

_KERNEL, _CHAIN = "c2kit-kernel", "c2kit"
_GROUND_SYSTEMS = ("openc3", "space_packet_parser", "ait-core", "fprime-gds")
_ONE_APID = ("housekeeping", "housekeeping-converted", "jpss")
_TWO_THREADS = 1.6


@dataclass(frozen=True, slots=True)
class Goal:
    """How many times faster one is to be than another, at least."""

    what: str
    ours: str
    than: str
    factor: float
    holds_for: Callable[[str, int | None], bool]
    """Of which workloads, and which sizes of batches."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a goal, where it is hardest to reach."""

    what: str
    wanted: str
    found: str
    where: str
    is_met: bool
    whole: str = ""
    """The same of the whole chain, where the goal is the kernel's."""


def _decoded_256(workload: str, size: int | None) -> bool:
    return workload != "commands" and (size is None or size >= 256)


def _decoded_1000(workload: str, size: int | None) -> bool:
    return workload != "commands" and size == 1_000


def _many(workload: str, size: int | None) -> bool:
    return workload in {"mixed", "wide"} or (workload in _ONE_APID and size is not None)


def _whole_file(workload: str, size: int | None) -> bool:
    return workload in _ONE_APID and size is None


def _encoded(workload: str, size: int | None) -> bool:
    return workload == "commands" and (size is None or size >= 64)  # what a call of the benchmark takes is shared


GOALS = (
    *(Goal("decode, 256 and more at once", _KERNEL, peer, 200, _decoded_256) for peer in _GROUND_SYSTEMS),
    Goal("mixed or wide packets, or at most 4 096 at once", _KERNEL, "ccsdspy", 10, _many),
    Goal("packets of one APID, the whole file", _KERNEL, "ccsdspy", 2.4, _whole_file),
    *(Goal("without C, 1 000 at once", "c2kit-numpy", peer, 50, _decoded_1000) for peer in _GROUND_SYSTEMS),
    Goal("encode", _KERNEL, "openc3", 100, _encoded),
    Goal("encode", _KERNEL, "ait-core", 10, _encoded),
    Goal("encode", _KERNEL, "fprime-gds", 10, _encoded),
    Goal("encode", _KERNEL, "bitstruct", 2, _encoded),
)


def verdicts(measured: Iterable[Measured]) -> Iterator[Verdict]:
    """One for each goal whose two sides were measured somewhere."""
    measured = list(measured)
    for goal in GOALS:
        places = [
            (each.workload, size, timings)
            for each in measured
            for size, timings in each.timings.items()
            if goal.holds_for(each.workload, size) and {goal.ours, goal.than} <= timings.keys()
        ]
        if places:
            yield _verdict(goal, places)
    for each in measured:
        if each.threads:
            yield from _gains(each)


def _verdict(goal: Goal, places: list[tuple[str, int | None, dict[str, Timing]]]) -> Verdict:
    workload, size, timings = min(places, key=lambda place: _faster(goal.ours, goal.than, place[2]))
    faster = _faster(goal.ours, goal.than, timings)
    whole = f"x{_faster(_CHAIN, goal.than, timings):.3g}" if goal.ours == _KERNEL and _CHAIN in timings else ""
    return Verdict(
        what=f"{goal.what}: {goal.ours} beside {goal.than}",
        wanted=f"at least x{goal.factor:g}",
        found=f"x{faster:.3g}",
        where=f"{workload}, {batches_text(size)}",
        is_met=faster >= goal.factor,
        whole=whole,
    )


def _gains(measured: Measured) -> Iterator[Verdict]:
    """What a second thread gains: as much as it should, or as it does where bytes are copied."""
    gains = {peer: one.wall / measured.threads[2][peer].wall for peer, one in measured.threads[1].items()}
    wanted = min(_TWO_THREADS, gains.get("memcpy", _TWO_THREADS))
    if "c2kit-into" in gains:
        yield Verdict(
            what="two threads on two cores: c2kit-into beside one thread",
            wanted=f"at least x{wanted:.3g}" + (", as copying" if wanted < _TWO_THREADS else ""),
            found=f"x{gains['c2kit-into']:.3g}",
            where=measured.workload,
            is_met=gains["c2kit-into"] >= wanted,
        )


def _faster(ours: str, than: str, timings: dict[str, Timing]) -> float:
    return timings[than].cpu / timings[ours].cpu


def batches_text(size: int | None) -> str:
    """A size of batches, in words."""
    return "all at once" if size is None else f"{size:_} at once".replace("_", " ")
