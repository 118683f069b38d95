"""Apache Kafka for tests: visible by its absence where it cannot be had, and a failure where it must be."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, TypeVar

import pytest

from dev.kafka import Cluster, Installation, NotInstallable

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["cluster_of", "emptied", "require_kafka", "wait_for"]

PATIENCE_SECONDS = 60.0
Found = TypeVar("Found")


def require_kafka() -> None:
    """Skip the test where there is no Apache Kafka, or fail it where C2KIT_REQUIRE_KAFKA=1."""
    try:
        Installation.get()
    except NotInstallable as error:
        if os.environ.get("C2KIT_REQUIRE_KAFKA") == "1":
            pytest.fail(f"C2KIT_REQUIRE_KAFKA=1 says that this test must run, but {error}")
        pytest.skip(f"this test needs Apache Kafka, and {error}")


def cluster_of(brokers: int, **settings: Any) -> Cluster:  # noqa: ANN401 - those of a cluster
    """A cluster that was not started yet. Skips the test, or fails it where C2KIT_REQUIRE_KAFKA=1."""
    require_kafka()
    return Cluster(brokers, **settings)


def emptied(cluster: Cluster) -> Cluster:
    """The cluster, without the topics that earlier tests left there: how far their groups got goes with them.

    Groups stay. A client that is asked to delete them ends its process where the broker is gone before it has answered
    (librdkafka #4605).
    """
    admin = cluster.admin
    names = [name for name in admin.list_topics(timeout=30).topics if not name.startswith("__")]
    for future in admin.delete_topics(names).values() if names else ():
        future.result(30)
    wait_for(lambda: set(admin.list_topics(timeout=30).topics), lambda found: not found & set(names))
    return cluster


def wait_for(look: Callable[[], Found], holds: Callable[[Found], bool]) -> Found:
    """What a look gives once it is what is waited for; fails when that takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds(found := look()):
        assert time.monotonic() < deadline, f"it stayed {found!r}"
        time.sleep(0.05)
    return found
