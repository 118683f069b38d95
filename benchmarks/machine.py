"""The machine that measures, for reports."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any

__all__ = ["machine", "machine_text"]


def machine() -> dict[str, Any]:
    """What it is, and how much it had to do before."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpus": os.cpu_count(),
        "cpu": _cpu(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def machine_text(command: str) -> str:
    """The same, and what was run, in one line."""
    facts = machine()
    where = f"{facts['cpus']} x {facts['cpu']}, Python {facts['python']}, load {facts['load']}"
    return f"`{command}` on {where}; {facts['time']}"


def _cpu() -> str:
    """The processor's name, where the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - as short as it gets
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
