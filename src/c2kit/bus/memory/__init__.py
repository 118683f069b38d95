"""``memory:``: a bus within one process, for laptops, tests and embedding. It forgets everything with the process.

One lock guards everything; a step is applied under it, so it is atomic because nobody can look in between. Partitions
move between a stage's workers only at :meth:`~c2kit.bus.base.Worker.receive`, where the old owner has no step in
progress, so no worker is ever fenced but by being closed.
"""

from __future__ import annotations

from c2kit.bus.memory.bus import MemoryBus

__all__ = ["MemoryBus"]
