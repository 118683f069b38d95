"""Every bus must pass the same cases: the fixture ``bus`` is each implementation in turn.

Cases marked ``file_bus`` hold of a bus that is the mission's own: it deletes what was consumed, blocks publishers at
its bound, and counts records by offsets. Their counterparts on Kafka are in ``test_kafka.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2kit.bus.kafka import KafkaBus
from c2kit.bus.memory import MemoryBus
from c2kit.bus.sqlite import SqliteBus
from tests.kafka_brokers import emptied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from c2kit.bus.base import StreamBus


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what is not true of Kafka."""
    items[:] = [item for item in items if not (_bus_of(item) == "kafka" and item.get_closest_marker("file_bus"))]


def _bus_of(item: pytest.Item) -> object:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("bus") if callspec is not None else None


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.slow)])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StreamBus]:
    """An empty bus with a small size bound (1 000 000 bytes a stream), where it has one."""
    if request.param == "memory":
        opened: StreamBus = MemoryBus(max_stream_bytes=1_000_000)
    elif request.param == "sqlite":
        opened = SqliteBus(tmp_path / "bus.db", max_stream_bytes=1_000_000, take_over_seconds=2.0)
    else:
        opened = KafkaBus(emptied(request.getfixturevalue("one_broker")).addresses)
    with opened:
        yield opened
