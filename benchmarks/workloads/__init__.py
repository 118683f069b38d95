"""What is decoded, and what is encoded: workloads by name. A new one is a module with ``make`` and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.workloads import commands, housekeeping, jpss, mixed, wide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.workload import Workload

__all__ = ["WORKLOADS"]

WORKLOADS: Mapping[str, Callable[[int], Workload]] = {
    "housekeeping": housekeeping.make,
    "housekeeping-converted": housekeeping.make_converted,
    "wide": wide.make,
    "mixed": mixed.make,
    "jpss": jpss.make,
    "commands": commands.make,
}
"""How each is made, given the number of packets wanted; a recording has as many as it has. One that cannot be made here
raises :class:`~benchmarks.workload.NotHere`."""
