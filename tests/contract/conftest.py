"""Every bus must pass the same cases: the fixture ``bus`` is each implementation in turn.

Cases marked ``file_bus`` hold of a bus that is the mission's own: it deletes what was consumed, blocks publishers at
its bound, and counts records by offsets. Their counterparts on Kafka are in ``test_kafka.py``.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaException

from c2kit.bus.kafka import KafkaBus
from c2kit.bus.memory import MemoryBus
from c2kit.bus.sqlite import SqliteBus
from tests.kafka_brokers import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from c2kit.bus.base import StreamBus
    from dev.kafka import Cluster


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
        opened = KafkaBus(request.getfixturevalue("empty_cluster").addresses)
    with opened:
        yield opened


@pytest.fixture
def empty_cluster(one_broker: Cluster) -> Cluster:
    """The broker of the session, without what earlier cases left there."""
    admin = one_broker.admin
    groups = [group.group_id for group in admin.list_consumer_groups().result(30).valid]
    for future in admin.delete_consumer_groups(groups).values() if groups else ():
        with suppress(KafkaException):  # a member that was not closed is in it still
            future.result(30)
    names = [name for name in admin.list_topics(timeout=30).topics if not name.startswith("__")]
    for future in admin.delete_topics(names).values() if names else ():
        future.result(30)
    wait_for(lambda: set(admin.list_topics(timeout=30).topics), lambda found: not found & set(names))
    return one_broker
