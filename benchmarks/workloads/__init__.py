"""What is decoded: workloads by name. A new one is a module with ``make`` and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.workloads import housekeeping, jpss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.workload import Workload

__all__ = ["WORKLOADS"]

WORKLOADS: Mapping[str, Callable[[int], Workload]] = {
    "housekeeping": housekeeping.make,
    "jpss": jpss.make,
}
"""How each is made, given the number of packets wanted; a recording has as many as it has. One that cannot be made here
raises :class:`~benchmarks.workload.NotHere`."""
