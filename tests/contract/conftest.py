"""Every bus must pass the same cases: the fixture ``bus`` is each implementation in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2kit.bus.memory import MemoryBus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.bus.base import StreamBus


@pytest.fixture(params=["memory"])
def bus(request: pytest.FixtureRequest) -> Iterator[StreamBus]:
    """An empty bus with a small size bound (1 000 000 bytes a stream)."""
    assert request.param == "memory"
    with MemoryBus(max_stream_bytes=1_000_000) as opened:
        yield opened
