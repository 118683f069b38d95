"""Every bus must pass the same cases: the fixture ``bus`` is each implementation in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2kit.bus.memory import MemoryBus
from c2kit.bus.sqlite import SqliteBus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from c2kit.bus.base import StreamBus


@pytest.fixture(params=["memory", "sqlite"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StreamBus]:
    """An empty bus with a small size bound (1 000 000 bytes a stream)."""
    if request.param == "memory":
        opened: StreamBus = MemoryBus(max_stream_bytes=1_000_000)
    else:
        opened = SqliteBus(tmp_path / "bus.db", max_stream_bytes=1_000_000, take_over_seconds=2.0)
    with opened:
        yield opened
