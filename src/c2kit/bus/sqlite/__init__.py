"""``sqlite:PATH``: a durable bus in one file, for several processes on one machine."""

from __future__ import annotations

from c2kit.bus.sqlite.bus import SqliteBus

__all__ = ["SqliteBus"]
